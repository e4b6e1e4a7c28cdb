package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.quorumail.tools.NodeSettings;

/**
 * A Postfix of its own, on loopback, that relays everything to one next hop. Wants to be started by
 * root, as Postfix does; elsewhere the test is skipped.
 */
final class PostfixInstance implements AutoCloseable {
  private static final String POSTFIX = "/usr/sbin/postfix";

  private final Path directory;
  private final Path configuration;
  final int port = NodeSettings.freePort();

  /** Here it takes only 7-bit content, by DATA. */
  final int sevenBitPort = NodeSettings.freePort();

  PostfixInstance(Path parent, int nextHop) throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of(POSTFIX)), "postfix is not installed");
    assumeTrue(System.getProperty("user.name").equals("root"), "postfix is started by root only");
    Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
    directory = Files.createDirectory(parent.resolve("postfix")).toAbsolutePath();
    configuration = Files.createDirectory(directory.resolve("conf"));
    Files.createDirectory(directory.resolve("queue"));
    Path data = Files.createDirectory(directory.resolve("data"));
    var owner = data.getFileSystem().getUserPrincipalLookupService();
    Files.setOwner(data, owner.lookupPrincipalByName("postfix"));
    Files.writeString(configuration.resolve("master.cf"), services(port, sevenBitPort));
    Files.writeString(
        configuration.resolve("main.cf"),
        """
        compatibility_level = 3.6
        queue_directory = %1$s/queue
        data_directory = %1$s/data
        maillog_file = %1$s/log
        maillog_file_prefixes = %1$s
        myhostname = postfix.test
        mydestination =
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
        mynetworks = 127.0.0.0/8
        relayhost = [127.0.0.1]:%2$d
        smtputf8_enable = yes
        alias_maps =
        alias_database =
        """
            .formatted(directory, nextHop));
    assertThat(run("start")).as(log()).isZero();
    await().atMost(Duration.ofSeconds(30)).until(this::answers);
  }

  String log() throws IOException {
    Path log = directory.resolve("log");
    return Files.exists(log) ? Files.readString(log) : "";
  }

  private boolean answers() {
    try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private int run(String order) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(POSTFIX, "-c", configuration.toString(), order)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(order).toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    run("stop");
  }

  private static String services(int port, int sevenBitPort) {
    return """
    %d inet n - n - - smtpd
    %d inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=8bitmime,chunking,smtputf8
    cleanup unix n - n - 0 cleanup
    qmgr unix n - n 300 1 qmgr
    rewrite unix - - n - - trivial-rewrite
    bounce unix - - n - 0 bounce
    defer unix - - n - 0 bounce
    trace unix - - n - 0 bounce
    proxymap unix - - n - - proxymap
    smtp unix - - n - - smtp
    relay unix - - n - - smtp
    error unix - - n - - error
    retry unix - - n - - error
    anvil unix - - n - 1 anvil
    scache unix - - n - 1 scache
    tlsmgr unix - - n 1000? 1 tlsmgr
    postlog unix-dgram n - n - 1 postlogd
    """
        .formatted(port, sevenBitPort);
  }
}
