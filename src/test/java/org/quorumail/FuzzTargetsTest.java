package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.smtp.server.HostileInput;

/**
 * The short form of {@code bench/fuzz}: Jazzer in a JVM of its own, with a fixed seed and the kept
 * inputs, once over SMTP and once over all other targets.
 */
@Execution(ExecutionMode.CONCURRENT)
class FuzzTargetsTest {
  private static final int RUNS = 20_000;

  @TempDir private Path directory;

  @Test
  void nothingThatJazzerFindsBreaksTheSmtpServer() throws Exception {
    run(HostileInput.class, kept(FuzzTarget.SMTP));
  }

  @Test
  void nothingThatJazzerFindsBreaksAnotherReader() throws Exception {
    run(FuzzTarget.class, seeds());
  }

  /** The kept inputs of the targets of the short run, each behind the octet that chooses it. */
  private Path seeds() throws IOException {
    Path all = Files.createDirectory(directory.resolve("seeds"));
    for (FuzzTarget target : FuzzTarget.shortRun()) {
      for (boolean accepted : List.of(true, false)) {
        try (Stream<Path> files = Files.list(target.corpus(accepted))) {
          for (Path file : files.toList()) {
            byte[] input = Files.readAllBytes(file);
            byte[] seed = new byte[input.length + 1];
            seed[0] = FuzzTarget.selector(target);
            System.arraycopy(input, 0, seed, 1, input.length);
            Files.write(all.resolve(target + "-" + accepted + "-" + file.getFileName()), seed);
          }
        }
      }
    }
    return all;
  }

  private static Path kept(FuzzTarget target) {
    return target.corpus(true).toAbsolutePath();
  }

  private void run(Class<?> target, Path seeds) throws Exception {
    Path output = directory.resolve("output");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+EnableDynamicAgentLoading",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + target.getName(),
                "--instrumentation_includes=org.quorumail.**",
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery",
                "--reproducer_path=" + directory,
                "-artifact_prefix=" + directory + "/",
                "-dict=" + FuzzTarget.RESOURCES.resolve("smtp.dict").toAbsolutePath()));
    command.addAll(
        List.of(
            "-seed=20261121",
            "-max_len=1024",
            "-max_total_time=5",
            "-runs=" + RUNS,
            Files.createDirectory(directory.resolve("found")).toString(),
            seeds.toString()));
    Process jazzer =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean hasEnded = jazzer.waitFor(120, TimeUnit.SECONDS);
    jazzer.destroyForcibly().waitFor();
    String log = Files.readString(output);
    assertThat(hasEnded).as(log).isTrue();
    assertThat(jazzer.exitValue()).as(log).isZero();
    assertThat(log).contains("INITED cov: ").containsPattern("Done [0-9]+ runs");
  }
}
