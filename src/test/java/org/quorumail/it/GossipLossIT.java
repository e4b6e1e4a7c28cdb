package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The short form of {@code bench/gossip-loss}: 20 s of 30 % loss; needs network namespaces. */
@Isolated("it measures")
class GossipLossIT {
  @Test
  void noLivingNodeIsDeclaredDeadWhileAThirdOfThePacketsIsLost() throws Exception {
    assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
    for (String tool : List.of("ip", "iptables", "curl")) assumeTrue(isThere(tool), tool);
    Process run =
        new ProcessBuilder( // with the JVM as it is shipped, unlike the tests that do not measure
                "env",
                "-u",
                "QUORUMAIL_JAVA_OPTS",
                "bench/gossip-loss",
                "--seconds",
                "20",
                "--home",
                System.getProperty("quorumail.home", "target/quorumail"))
            .redirectErrorStream(true)
            .start();
    String output = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(run.waitFor(10, TimeUnit.SECONDS)).isTrue();
    System.out.println(output);
    assertThat(run.exitValue()).as(output).isZero();
    assertThat(output)
        .contains("3 nodes over udp, 30 % of the packets lost for 20 s")
        .containsPattern("packets dropped: [1-9][0-9]*, events read: [1-9]")
        .contains("declared dead: 0, ");
  }

  private static boolean isThere(String tool) {
    return Stream.of("/usr/sbin", "/usr/bin", "/sbin", "/bin")
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
  }
}
