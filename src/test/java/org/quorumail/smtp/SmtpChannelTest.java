package org.quorumail.smtp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SmtpChannelTest {
  private static final Duration LIFETIME = Duration.ofSeconds(30);

  private Socket peer;
  private SmtpChannel channel;

  @BeforeEach
  void connect() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      peer = new Socket(server.getInetAddress(), server.getLocalPort());
      channel = SmtpChannel.open(server.accept(), LIFETIME);
    }
  }

  @AfterEach
  void close() throws IOException {
    channel.close();
    peer.close();
  }

  @Test
  void aDeadlineDoesNotStartAgainWithEveryOctet() throws Exception {
    channel.deadline(Duration.ofMillis(300));
    Thread sender = Thread.ofVirtual().start(this::sendOctetsSlowly);
    assertThatThrownBy(() -> channel.reader().readLine(512))
        .isInstanceOf(SocketTimeoutException.class);
    sender.interrupt();
    sender.join();
  }

  @Test
  void aDeadlinePerBlockDoes() throws Exception {
    channel.deadlinePerBlock(Duration.ofMillis(300));
    Thread sender = Thread.ofVirtual().start(this::sendOctetsSlowly);
    assertThat(channel.reader().readChunk(10, (bytes, offset, length) -> {})).isTrue();
    sender.interrupt();
    sender.join();
  }

  @Test
  void anUnreadCommandIsSeenWhetherItIsBufferedOrNot() throws Exception {
    assertThat(channel.hasUnreadInput()).isFalse();
    send("STARTTLS\r\nNOOP\r\n");
    channel.deadline(Duration.ofSeconds(5));
    assertThat(channel.reader().readLine(512)).isEqualTo(new ReceivedLine.Text("STARTTLS"));
    assertThat(channel.hasUnreadInput()).isTrue();
    assertThat(channel.reader().readLine(512)).isEqualTo(new ReceivedLine.Text("NOOP"));
    assertThat(channel.hasUnreadInput()).isFalse();
  }

  @Test
  void aReplyThatIsNotSentBeforeAHandshakeIsABug() throws Exception {
    channel.writer().reply(Reply.of(220, "2.0.0", "Ready"));
    assertThatThrownBy(
            () -> channel.startTls(ClientTlsContexts.opportunisticClient(), "x.example", false))
        .isInstanceOf(IllegalStateException.class);
    assertThat(channel.secured()).isFalse();
  }

  @Test
  void aProxiedConnectionHasTheAddressesOfTheClient() {
    InetSocketAddress source = new InetSocketAddress("192.0.2.1", 1234);
    InetSocketAddress destination = new InetSocketAddress("192.0.2.2", 25);
    channel.useProxiedAddresses(source, destination);
    assertThat(channel.remoteAddress()).isEqualTo(source.getAddress());
    assertThat(channel.remotePort()).isEqualTo(1234);
    assertThat(channel.localAddress()).isEqualTo(destination);
  }

  private void sendOctetsSlowly() {
    try {
      for (int i = 0; i < 20; i++) {
        send("x");
        Thread.sleep(50);
      }
    } catch (IOException | InterruptedException e) {
      // the test has ended
    }
  }

  private void send(String text) throws IOException {
    peer.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }
}
