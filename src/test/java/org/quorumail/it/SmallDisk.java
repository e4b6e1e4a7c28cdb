package org.quorumail.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.quorumail.tools.NodeSettings;

/** A small file system in memory that tests fill or make read-only; only root can mount one. */
final class SmallDisk implements AutoCloseable {
  private final Path path;

  private SmallDisk(Path path) {
    this.path = path;
  }

  /**
   * Mounts the disk; skips the test where nothing can be mounted.
   *
   * @param size as mount has it: {@code 64m}
   */
  static SmallDisk mount(Path path, String size) throws Exception {
    boolean root = Files.getOwner(Path.of("/proc/self")).getName().equals("root");
    assumeTrue(root, "skipped: only root can mount the small disk that this test fills");
    Files.createDirectories(path);
    int exit = run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", path.toString());
    assumeTrue(exit == 0, "skipped: this machine does not let root mount a small disk");
    return new SmallDisk(path);
  }

  Path path() {
    return path;
  }

  /**
   * Writes the node's configuration with its data directory here.
   *
   * @param floor {@code spool.min_free}
   */
  void holdDataOf(NodeSettings settings, String floor) throws IOException {
    settings.writeConfig();
    String data = "data_directory = \"" + path.resolve("data") + "\"";
    Files.writeString(
        settings.configFile(),
        settings
            .toml()
            .replaceFirst("data_directory = .*", data)
            .replace("min_free = \"200MB\"", "min_free = \"" + floor + "\""));
  }

  /**
   * @param options as mount has them: {@code ro}, {@code size=200m}
   */
  void remount(String options) throws Exception {
    int exit = run("mount", "-o", "remount," + options, path.toString());
    if (exit != 0) throw new IOException("remount " + options + " of " + path + " failed");
  }

  @Override
  public void close() throws Exception {
    run("umount", "-l", path.toString());
  }

  private static int run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(discard()).start();
    if (!process.waitFor(20, TimeUnit.SECONDS)) process.destroyForcibly();
    return process.waitFor();
  }

  private static ProcessBuilder.Redirect discard() {
    return ProcessBuilder.Redirect.DISCARD;
  }
}
