package org.quorumail.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SocketAddressParserTest {
  @Test
  void withoutIpv6TheWildcardAddressListensOnIpv4() throws Exception {
    assertThat(listenInJvm("-Djava.net.preferIPv4Stack=true")).isEqualTo("0.0.0.0");
  }

  @Test
  void withIpv6TheWildcardAddressListensOnBoth() throws Exception {
    assertThat(listenInJvm("-Djava.net.preferIPv4Stack=false")).isEqualTo("0:0:0:0:0:0:0:0");
  }

  private static String listenInJvm(String option) throws Exception {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                option,
                "-cp",
                System.getProperty("java.class.path"),
                Listener.class.getName())
            .redirectErrorStream(true)
            .start();
    try {
      String out = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(jvm.waitFor(30, TimeUnit.SECONDS)).isTrue();
      return out.strip();
    } finally {
      jvm.destroyForcibly();
    }
  }

  /** A program that listens at the default address of SMTP and prints where it does. */
  static final class Listener {
    private Listener() {}

    public static void main(String[] args) throws IOException {
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(SocketAddressParser.socket("[::]:0"));
        System.out.println(socket.getInetAddress().getHostAddress());
      }
    }
  }
}
