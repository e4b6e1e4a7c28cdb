package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The short form of {@code bench/fuzz}: Jazzer in a JVM of its own, with a fixed seed. */
class HostileInputTest {
  private static final int RUNS = 20_000;

  @TempDir private Path directory;

  @Test
  void nothingThatJazzerFindsBreaksAReader() throws Exception {
    Path output = directory.resolve("output");
    Process jazzer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+EnableDynamicAgentLoading",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + HostileInput.class.getName(),
                "--instrumentation_includes=org.quorumail.**",
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery",
                "--reproducer_path=" + directory,
                "-artifact_prefix=" + directory + "/",
                "-dict=" + Path.of("src/test/resources/fuzz/smtp.dict").toAbsolutePath(),
                "-seed=20261121",
                "-max_len=1024",
                "-max_total_time=5",
                "-runs=" + RUNS)
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
