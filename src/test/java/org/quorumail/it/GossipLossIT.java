package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The short forms of {@code bench/gossip-loss}, 20 s of 30 % loss, and {@code bench/partitions};
 * both need network namespaces.
 */
@Isolated("it measures")
class GossipLossIT {
  @Test
  void noLivingNodeIsDeclaredDeadWhileAThirdOfThePacketsIsLost() throws Exception {
    String output = output("bench/gossip-loss", "--seconds", "20");
    assertThat(output)
        .contains("3 nodes over udp, 30 % of the packets lost for 20 s")
        .containsPattern("packets dropped: [1-9][0-9]*, events read: [1-9]")
        .contains("declared dead: 0, ");
  }

  @Test
  void aClusterWhoseNetworkWasCutLosesNothingAndIsHealthySoonAfterIt() throws Exception {
    String output =
        output(
            "bench/partitions", "--seconds", "15", "--only", "one-way-in,partial", "--seed", "1");
    assertThat(output)
        .contains("seed 1", "one-way-in: node-", "partial: between", "no failures")
        .containsPattern("accepted [1-9][0-9]*, lost 0, ");
  }

  /** Runs the program of a measurement, which must find nothing wrong. */
  private static String output(String... command) throws Exception {
    assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
    for (String tool : List.of("ip", "iptables", "curl", "python3"))
      assumeTrue(isThere(tool), tool);
    List<String> line = new ArrayList<>(List.of("env", "-u", "QUORUMAIL_JAVA_OPTS"));
    line.addAll(List.of(command)); // with the JVM as it is shipped, unlike other tests
    line.addAll(List.of("--home", System.getProperty("quorumail.home", "target/quorumail")));
    Process run = new ProcessBuilder(line).redirectErrorStream(true).start();
    String output = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(run.waitFor(10, TimeUnit.SECONDS)).isTrue();
    System.out.println(output);
    assertThat(run.exitValue()).as(output).isZero();
    return output;
  }

  private static boolean isThere(String tool) {
    return Stream.of("/usr/sbin", "/usr/bin", "/sbin", "/bin")
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
  }
}
