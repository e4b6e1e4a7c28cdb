package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.QueueView.MessagePage;
import org.quorumail.mail.QueueId;

class InternalApiTest {
  @TempDir Path folder;
  private FakeNode node;
  private InternalApi internal;

  @BeforeEach
  void start() {
    node = new FakeNode(folder, Map.of());
    internal = new InternalApi(node, node, node, node, InjectionView.NONE);
  }

  private NodeAnswer call(String method, String target) throws IOException {
    return InternalApi.read(internal.answer(InternalApi.request(method, target)));
  }

  @Test
  void aPageComesBackAsItWas() throws Exception {
    for (int i = 0; i < 500; i++)
      node.statuses.put(QueueId.generate(Instant.ofEpochSecond(3_000 + i)), "pending");
    NodeAnswer answer = call("GET", "/api/queue?limit=400");
    assertThat(answer.read(MessagePage.class))
        .contains(node.list(new QueueView.MessageQuery("", "", "", 0, "", 400)));
    byte[] frame = internal.answer(InternalApi.request("GET", "/api/queue?limit=400"));
    assertThat(frame.length).isLessThan(answer.body().length / 5);
    assertThat(call("GET", "/api/queue/stats").read(QueueView.QueueTotals.class))
        .contains(node.stats());
  }

  @Test
  void onlyTheListedOperationsAreCalled() throws Exception {
    assertThat(call("POST", "/api/queue/" + node.first + "/hold").isSuccess()).isTrue();
    for (String target :
        List.of(
            "/api/system/shutdown",
            "/api/config",
            "/api/spool/cleanup-completed",
            "/api/cluster/nodes/n2",
            "/metrics")) {
      for (String method : List.of("GET", "POST", "DELETE"))
        assertThat(call(method, target).status()).as(method + target).isIn(404, 405);
    }
    assertThat(call("DELETE", "/api/dns/cache").status()).isEqualTo(404);
  }

  @Test
  void aMalformedRequestIsAnsweredAsSuch() throws Exception {
    for (String request : List.of("", "GET", "GET /api/queue?limit=%zz", "GET /api/queue?limit=x"))
      assertThat(
              InternalApi.read(internal.answer(request.getBytes(StandardCharsets.UTF_8))).status())
          .as(request)
          .isEqualTo(400);
  }

  @Test
  void aDamagedAnswerIsNone() throws Exception {
    byte[] frame = internal.answer(InternalApi.request("GET", "/api/queue"));
    assertThat(InternalApi.read(frame).isSuccess()).isTrue();
    assertThatThrownBy(() -> InternalApi.read(new byte[2])).isInstanceOf(IOException.class);
    byte[] notCompressed = frame.clone();
    notCompressed[2] = 1;
    assertThatThrownBy(() -> InternalApi.read(notCompressed)).isInstanceOf(IOException.class);
    NodeAnswer cut = InternalApi.read(Arrays.copyOf(frame, frame.length - 9));
    assertThat(cut.read(MessagePage.class)).isEmpty();
    assertThat(new NodeAnswer(200, "{}".getBytes(StandardCharsets.UTF_8)).read(MessagePage.class))
        .isEmpty();
  }

  @Test
  void anAnswerThatWouldFillTheMemoryIsRefused() throws Exception {
    var bytes = new java.io.ByteArrayOutputStream();
    bytes.write(new byte[] {0, (byte) 200, 1});
    try (var zip = new java.util.zip.GZIPOutputStream(bytes)) {
      byte[] block = new byte[1 << 20];
      for (int i = 0; i <= InternalApi.BODY_MAX >> 20; i++) zip.write(block);
    }
    assertThatThrownBy(() -> InternalApi.read(bytes.toByteArray()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("too long");
  }
}
