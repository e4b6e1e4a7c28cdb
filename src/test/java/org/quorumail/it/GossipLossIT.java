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

/** The short form of {@code bench/gossip-loss}, where namespaces can be made: 20 s of 30 % loss. */
class GossipLossIT {
  @Test
  void noLivingNodeIsDeclaredDeadWhileAThirdOfThePacketsIsLost() throws Exception {
    assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
    for (String tool : List.of("ip", "iptables", "curl")) assumeTrue(isThere(tool), tool);
    Process run =
        new ProcessBuilder(
                "bench/gossip-loss",
                "--seconds",
                "20",
                "--home",
                System.getProperty("quorumail.home", "target/quorumail"))
            .redirectErrorStream(true)
            .start();
    String said = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(run.waitFor(10, TimeUnit.SECONDS)).isTrue();
    System.out.println(said);
    assertThat(run.exitValue()).as(said).isZero();
  }

  private static boolean isThere(String tool) {
    return Stream.of("/usr/sbin", "/usr/bin", "/sbin", "/bin")
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
  }
}
