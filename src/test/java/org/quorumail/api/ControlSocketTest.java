package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.metrics.Metrics;
import tools.jackson.databind.JsonNode;

class ControlSocketTest {
  @TempDir Path folder;
  private FakeNode node;
  private Metrics metrics;
  private Api api;
  private Path path;
  private ControlSocket socket;

  @BeforeEach
  void start() throws IOException {
    node = new FakeNode(folder, Map.of());
    metrics = new Metrics();
    api = new Api(node, node, node, node, node, Optional.of(metrics));
    path = folder.resolve("run/control.sock");
    socket = ControlSocket.start(api, path);
  }

  @AfterEach
  void stop() throws IOException {
    socket.close();
    metrics.close();
  }

  @Test
  void theOperatorMayDoEverything() throws IOException {
    assertThat(call("GET", "/api/queue?limit=1").path("status").asInt()).isEqualTo(200);
    assertThat(call("POST", "/api/queue/" + node.first + "/hold").path("status").asInt())
        .isEqualTo(200);
    assertThat(node.statuses.get(node.first)).isEqualTo("held");
    assertThat(call("POST", "/api/system/shutdown").path("status").asInt()).isEqualTo(202);
    assertThat(node.stopped).isTrue();
  }

  @Test
  void onlyTheOwnerCanOpenIt() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("rw-------");
  }

  @Test
  void whatIsNotARequestIsAnsweredAsSuch() throws IOException {
    assertThat(exchange("[1,2".getBytes(StandardCharsets.UTF_8)).path("status").asInt())
        .isEqualTo(400);
    assertThat(exchange("{}".getBytes(StandardCharsets.UTF_8)).path("status").asInt())
        .isEqualTo(404);
  }

  @Test
  void hostileFramesEndTheirConnectionOnly() throws IOException {
    Random random = new Random(7);
    for (int length : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 2_000_000_000}) {
      assertClosed(ByteBuffer.allocate(4).putInt(length).flip());
    }
    for (int i = 0; i < 50; i++) {
      byte[] rubbish = new byte[random.nextInt(1, 200)];
      random.nextBytes(rubbish);
      try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
        channel.write(ByteBuffer.wrap(rubbish));
      } catch (IOException e) {
        // the bound on connections turned this one away
      }
    }
    // while they are being ended the bound on connections may turn one more away
    await()
        .ignoreException(SocketException.class)
        .until(() -> call("GET", "/api/system/ping").path("status").asInt() == 200);
  }

  @Test
  void aSocketLeftByAKilledNodeIsReplaced() throws IOException {
    Path left = folder.resolve("left.sock");
    try (var dead =
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(left));
    }
    assertThat(left).exists();
    try (ControlSocket fresh = ControlSocket.start(api, left)) {
      assertThat(fresh).isNotNull();
    }
    assertThat(left).doesNotExist();
  }

  @Test
  void aSocketInUseIsNotTaken() {
    assertThatThrownBy(() -> ControlSocket.start(api, path))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another node runs with");
    assertThat(path).exists();
  }

  @Test
  void aFileThatIsNoSocketIsNotRemoved() throws IOException {
    Path file = Files.writeString(folder.resolve("precious"), "keep");
    assertThatThrownBy(() -> ControlSocket.start(api, file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not a socket");
    assertThat(file).hasContent("keep");
  }

  private JsonNode call(String method, String target) throws IOException {
    return exchange(Json.bytes(Map.of("method", method, "path", target)));
  }

  private JsonNode exchange(byte[] frame) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      channel.write(ByteBuffer.allocate(4 + frame.length).putInt(frame.length).put(frame).flip());
      int length = fill(channel, ByteBuffer.allocate(4)).getInt();
      return Json.mapper().readTree(fill(channel, ByteBuffer.allocate(length)).array());
    }
  }

  private void assertClosed(ByteBuffer bytes) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      channel.write(bytes);
      assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  private static ByteBuffer fill(SocketChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
      // until it is full
    }
    return buffer.flip();
  }
}
