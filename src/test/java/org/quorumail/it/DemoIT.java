package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.quorumail.tools.NodeProcess;

/** The command that a newcomer types first. */
@Isolated("it measures")
class DemoIT {
  @TempDir private Path directory;

  @Test
  void theDemoLosesNothingAndSaysSoWithinAMinute() throws Exception {
    Path file = directory.resolve("output");
    Process demo =
        new ProcessBuilder(
                "env", "-u", "QUORUMAIL_JAVA_OPTS", NodeProcess.program().toString(), "demo")
            .redirectErrorStream(true)
            .redirectOutput(file.toFile())
            .start();
    boolean hasEnded = demo.waitFor(60, TimeUnit.SECONDS);
    demo.destroy(); // its shutdown hook ends the nodes
    demo.waitFor();
    String output = Files.readString(file);
    assertThat(hasEnded).as(output).isTrue();
    assertThat(demo.exitValue()).as(output).isZero();
    assertThat(output)
        .contains("kill -9 node-2", "lost 0", "the replicas of every spool are equal");
  }
}
