package org.quorumail.tools;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A node as its own process, {@code bin/quorumail serve -c FILE}: started, killed, paused and
 * stopped from outside. Its output goes to the file {@code log} of its directory. A shutdown hook
 * kills all processes when this program ends.
 */
public final class NodeProcess implements AutoCloseable {
  private static final Set<Process> STARTED = ConcurrentHashMap.newKeySet();

  /** The shutdown hook, installed once, before the first node starts. */
  private static final class KillHook {
    static {
      Runtime.getRuntime().addShutdownHook(new Thread(NodeProcess::killAll));
    }

    static void install() {}
  }

  /** Kills all nodes that this program has started, and waits until they have ended. */
  static void killAll() {
    STARTED.forEach(Process::destroyForcibly);
    for (Process process : STARTED) {
      try {
        process.waitFor(KILL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static final Duration KILL_TIMEOUT = Duration.ofSeconds(5);
  private static final int LOG_TAIL_BYTES = 4096;
  private static final Duration POLL = Duration.ofMillis(50);

  private final NodeSettings settings;
  private final Map<String, String> environment;
  private final NodeHttpClient http;
  private final Path program;
  private @Nullable Process process;

  public NodeProcess(NodeSettings settings) {
    this(settings, Map.of());
  }

  /**
   * @param environment variables in addition to those of this process
   */
  public NodeProcess(NodeSettings settings, Map<String, String> environment) {
    this(settings, environment, program());
  }

  /**
   * @param program the launcher, instead of {@link #program()}
   */
  public NodeProcess(NodeSettings settings, Map<String, String> environment, Path program) {
    this.settings = settings;
    this.environment = Map.copyOf(environment);
    this.http = new NodeHttpClient(settings.httpAddress());
    this.program = program;
  }

  /**
   * The launcher: below {@code quorumail.home} (a system property, or {@code QUORUMAIL_HOME}), else
   * in the distribution of the running jar.
   */
  public static Path program() {
    String home = System.getProperty("quorumail.home", System.getenv("QUORUMAIL_HOME"));
    return (home != null ? Path.of(home).toAbsolutePath() : homeOfRunningJar())
        .resolve("bin/quorumail");
  }

  private static Path homeOfRunningJar() {
    try {
      Path jar =
          Path.of(NodeProcess.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path lib = jar.toAbsolutePath().getParent();
      Path home = lib == null ? null : lib.getParent();
      if (home != null) return home;
    } catch (URISyntaxException e) {
      // reported below
    }
    throw new IllegalStateException(
        "bin/quorumail was not found: set QUORUMAIL_HOME to the directory that contains it.");
  }

  public NodeSettings settings() {
    return settings;
  }

  public NodeHttpClient http() {
    return http;
  }

  /** Writes the configuration if there is none and starts the node; does not wait until ready. */
  public synchronized void start() throws IOException {
    if (isRunning()) return;
    if (!Files.isExecutable(program)) {
      throw new IOException(program + " is not executable: build it, or set QUORUMAIL_HOME.");
    }
    if (!Files.exists(settings.configFile())) settings.writeConfig();
    ProcessBuilder builder =
        new ProcessBuilder(program.toString(), "serve", "-c", settings.configFile().toString())
            .directory(settings.directory().toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(settings.logFile().toFile()));
    builder.environment().putAll(environment);
    KillHook.install();
    Process started = builder.start();
    started.getOutputStream().close();
    STARTED.add(started);
    process = started;
  }

  /** The output of a command of the program. */
  public record CommandOutput(int exitCode, String text) {}

  /** Runs a command of the program against this node's control socket. */
  public CommandOutput command(Duration timeout, String... command)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(program.toString()));
    line.addAll(List.of(command));
    line.addAll(List.of("-s", settings.directory().resolve("control.sock").toString()));
    Path output = Files.createTempFile(settings.directory(), "command", ".out");
    try {
      Process run =
          new ProcessBuilder(line)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      run.getOutputStream().close();
      if (!run.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        run.destroyForcibly().waitFor();
        throw new IOException(String.join(" ", command) + " did not end in time");
      }
      return new CommandOutput(run.exitValue(), Files.readString(output));
    } finally {
      Files.delete(output);
    }
  }

  public synchronized boolean isRunning() {
    return process != null && process.isAlive();
  }

  /** Waits until {@code /readyz} replies 200; fails with the end of the log when the node ends. */
  public void awaitReady(Duration timeout) throws IOException, InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    while (System.nanoTime() < end) {
      if (http.isReady()) return;
      if (!isRunning()) throw new IOException(settings.id() + " has ended: " + logTail());
      Thread.sleep(POLL);
    }
    throw new IOException(
        "%s was not ready within %d s: %s"
            .formatted(settings.id(), timeout.toSeconds(), logTail()));
  }

  /** Sends SIGKILL and waits until the process has ended. */
  public synchronized void kill() throws InterruptedException {
    if (process == null) return;
    process.destroyForcibly().waitFor();
    STARTED.remove(process);
    process = null;
  }

  /** Sends SIGTERM and returns the exit code; kills the node and fails after the timeout. */
  public int stop(Duration timeout) throws IOException, InterruptedException {
    Process ending;
    synchronized (this) {
      if (process == null) throw new IOException(settings.id() + " is not running");
      ending = process;
    }
    ending.destroy();
    if (!ending.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      kill();
      throw new IOException(
          "%s did not end within %d s of SIGTERM".formatted(settings.id(), timeout.toSeconds()));
    }
    STARTED.remove(ending);
    return ending.exitValue();
  }

  /** Sends SIGSTOP: the node hangs, its connections stay. */
  public void pause() throws IOException, InterruptedException {
    signal("STOP");
  }

  /** Sends SIGCONT. */
  public void resume() throws IOException, InterruptedException {
    signal("CONT");
  }

  private synchronized void signal(String name) throws IOException, InterruptedException {
    if (process == null) return;
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (kill.waitFor() != 0) throw new IOException("kill -" + name + " failed");
  }

  public synchronized long pid() {
    if (process == null) throw new IllegalStateException(settings.id() + " is not running");
    return process.pid();
  }

  /** The last three lines of the log, joined into one. */
  public String logTail() {
    try {
      byte[] all = Files.readAllBytes(settings.logFile());
      int from = Math.max(0, all.length - LOG_TAIL_BYTES);
      List<String> lines =
          new String(all, from, all.length - from, StandardCharsets.UTF_8).lines().toList();
      List<String> tail =
          new ArrayList<>(lines.subList(Math.max(0, lines.size() - 3), lines.size()));
      return String.join(" | ", tail);
    } catch (IOException e) {
      return "no log at " + settings.logFile();
    }
  }

  @Override
  public void close() {
    try {
      kill();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
