package org.quorumail.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.server.FakeIntake.Accepted;
import org.quorumail.smtp.server.InjectionSession;
import org.quorumail.spool.Intake.Readiness;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class HttpInjectionTest {
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir private Path folder;
  private InjectionServer server;

  @BeforeEach
  void start() throws Exception {
    server = new InjectionServer(folder, new UnwantedRecipient());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static final class UnwantedRecipient implements MessageFilter {
    @Override
    public Verdict rcpt(SessionView session, MailAddress recipient) {
      return recipient.localPart().equals("unwanted")
          ? Verdict.refusal(Reply.of(550, "5.7.1", "Not this one"))
          : Verdict.ACCEPT;
    }

    @Override
    public boolean readsContent(SessionView session) {
      return false;
    }
  }

  @Test
  void aRawMessageIsStoredAsItIsWithATraceHeader() throws Exception {
    String message = "From: a@app.example\nSubject: hi\n\nline\n.dot\nend";
    HttpResponse<String> answer =
        server.post(
            "?from=a@app.example&to=x@one.example&to=y@two.example",
            "message/rfc822",
            BodyPublishers.ofString(message));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    Accepted accepted = only();
    assertThat(idOf(answer)).isEqualTo(accepted.id().toString());
    assertThat(accepted.envelope().reversePath().toString()).isEqualTo("a@app.example");
    assertThat(accepted.envelope().recipients())
        .extracting(Object::toString)
        .containsExactly("x@one.example", "y@two.example");
    assertThat(accepted.text())
        .startsWith("Received: from unknown ([127.0.0.1])\r\n\tby mx.test.example with HTTP id ")
        .contains(
            "Subject: hi\r\nDate: ", "\r\nMessage-ID: <" + accepted.id() + "@mx.test.example>")
        .endsWith("\r\n\r\nline\r\n.dot\r\nend\r\n");
    assertThat(accepted.envelope().options().body()).isEqualTo(BodyType.SEVEN_BIT);
  }

  @Test
  void theEnvelopeOfARawMessageMayBeInHeaders() throws Exception {
    HttpResponse<String> answer =
        server.post(
            "",
            "message/rfc822; charset=utf-8",
            BodyPublishers.ofString("Subject: \u00fc\r\n\r\n\u00e4\r\n"),
            "X-Envelope-From",
            "<a@app.example>",
            "X-Envelope-To",
            "x@one.example, <y@two.example>");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    assertThat(only().envelope().recipients()).hasSize(2);
    assertThat(only().envelope().options().body()).isEqualTo(BodyType.EIGHT_BIT_MIME);
    assertThat(only().envelope().options().utf8Header()).isTrue();
  }

  @Test
  void aLongMessageStreamsAndATooLongOneIsRefusedWithItsLimit() throws Exception {
    String raw = "?from=a@app.example&to=x@one.example";
    byte[] fits =
        ("Subject: long\r\n\r\n" + "0123456789\r\n".repeat(100_000))
            .getBytes(StandardCharsets.US_ASCII);
    HttpResponse<String> taken =
        server.post(raw, "message/rfc822", BodyPublishers.ofByteArray(fits));
    assertThat(taken.statusCode()).isEqualTo(202);
    assertThat(only().content()).hasSizeGreaterThan(fits.length);
    byte[] tooLong = new byte[(int) InjectionServer.MAX_MESSAGE + 1];
    HttpResponse<String> announced =
        server.post(raw, "message/rfc822", BodyPublishers.ofByteArray(tooLong));
    assertThat(announced.statusCode()).isEqualTo(413);
    assertThat(announced.body()).contains("2000000");
    assertThat(server.intake.accepted()).hasSize(1);
    await().untilAsserted(() -> assertThat(server.memoryUsed()).isZero());
  }

  @Test
  void jsonBecomesAMimeMessage() throws Exception {
    String file = Base64.getEncoder().encodeToString("file".getBytes(StandardCharsets.UTF_8));
    HttpResponse<String> answer =
        server.json(
            """
            {"from": "J\u00fcrgen <a@app.example>",
             "to": [{"address": "x@one.example", "name": "X, the first"}],
             "bcc": ["secret@three.example"],
             "subject": "Gr\u00fc\u00dfe", "text": "Hallo\\n.\\n", "html": "<p>Hallo \u00fc</p>",
             "headers": {"X-Campaign": "7"},
             "attachments": [{"filename": "\u00fc.txt", "content_type": "text/plain",
                              "content": "%s"}]}
            """
                .formatted(file));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    Accepted accepted = only();
    assertThat(accepted.envelope().recipients())
        .extracting(Object::toString)
        .containsExactly("x@one.example", "secret@three.example");
    assertThat(accepted.withoutTrace())
        .contains(
            "From: =?utf-8?B?SsO8cmdlbg==?= <a@app.example>\r\n",
            "To: \"X, the first\" <x@one.example>\r\n",
            "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n",
            "X-Campaign: 7\r\n",
            "\r\nDate: ",
            "\r\nMessage-ID: <",
            "Content-Type: multipart/mixed;",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=us-ascii\r\n",
            "<p>Hallo =C3=BC</p>",
            "filename*=utf-8''%C3%BC.txt",
            file)
        .doesNotContain("secret@three.example");
    assertThat(accepted.envelope().options().utf8Header()).isFalse();
  }

  @Test
  void eachRecipientWithDataGetsAMessageOfItsOwn() throws Exception {
    List<String> to =
        IntStream.range(0, 20)
            .mapToObj(
                i ->
                    """
                    {"address": "r%d@one.example", "data": {"name": "N<%d>", "n": %d}}\
                    """
                        .formatted(i, i, i))
            .toList();
    HttpResponse<String> answer =
        server.json(
            """
            {"from": "a@app.example", "to": [%s], "subject": "For {{name}} at {{address}}",
             "text": "{{n}} of {{ total }}\\n", "html": "<b>{{name}}</b>", "data": {"total": 20}}
            """
                .formatted(String.join(",", to)));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    assertThat(server.intake.accepted()).hasSize(20);
    List<String> ids = new ArrayList<>();
    for (JsonNode message : JSON.readTree(answer.body()).path("messages")) {
      ids.add(message.path("id").asString());
    }
    assertThat(ids).doesNotHaveDuplicates();
    for (int i = 0; i < 20; i++) {
      String id = ids.get(i);
      Accepted one =
          server.intake.accepted().stream()
              .filter(a -> a.id().toString().equals(id))
              .findFirst()
              .orElseThrow();
      assertThat(one.envelope().recipients()).hasToString("[r" + i + "@one.example]");
      assertThat(one.withoutTrace())
          .contains(
              "To: r" + i + "@one.example\r\n",
              "Subject: For N<" + i + "> at r" + i + "@one.example\r\n",
              i + " of 20\r\n",
              "<b>N&lt;" + i + "&gt;</b>");
    }
  }

  @Test
  void aFormIsAMessageWithItsFilesAttached() throws Exception {
    String form =
        """
        --xyz
        Content-Disposition: form-data; name="from"

        a@app.example
        --xyz
        Content-Disposition: form-data; name="to"

        x@one.example
        --xyz
        Content-Disposition: form-data; name="subject"

        form
        --xyz
        Content-Disposition: form-data; name="text"

        words
        --xyz
        Content-Disposition: form-data; name="upload"; filename="a.bin"
        Content-Type: application/x-test

        octets
        --xyz--
        """
            .replace("\n", "\r\n");
    HttpResponse<String> answer =
        server.post("", "multipart/form-data; boundary=xyz", BodyPublishers.ofString(form));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    assertThat(only().withoutTrace())
        .contains(
            "Subject: form\r\n",
            "Content-Type: application/x-test\r\n",
            "filename=\"a.bin\"",
            Base64.getEncoder().encodeToString("octets".getBytes(StandardCharsets.UTF_8)));
    HttpResponse<String> cut =
        server.post(
            "",
            "multipart/form-data; boundary=xyz",
            BodyPublishers.ofString(form.substring(0, 200)));
    assertThat(cut.statusCode()).isEqualTo(400);
    assertThat(cut.body()).contains("the form is cut off");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"to": "x@one.example", "text": "t"} | 422 | from
          {"from": "a@app.example", "text": "t"} | 422 | to
          {"from": "a@app.example", "to": ["x@one.example", "x@"], "text": "t"} | 422 | to[1]
          {"from": "a@app.example", "to": "x@one.example"} | 422 | text
          {"from": "a@app.example", "to": "x@one.example", "text": "t", "sbject": "s"} | 422 | sbject
          {"from": "a@app.example", "to": "x@one.example", "text": "t", "subject": "s\\r\\nBcc: b@b.example"} | 422 | subject
          {"from": "A\\nB <a@app.example>", "to": "x@one.example", "text": "t"} | 422 | from
          {"from": "a@app.example", "to": "x@one.example", "text": "t", "headers": {"X-A": "1\\r\\n\\r\\nbody"}} | 422 | headers.X-A
          {"from": "a@app.example", "to": "x@one.example", "text": "t", "headers": {"X-A: 1\\r\\nX-B": "2"}} | 422 | headers
          {"from": "a@app.example", "to": "x@one.example", "text": "t", "headers": {"Bcc": "b@b.example"}} | 422 | headers.Bcc
          {"from": "a@app.example", "to": "x@one.example", "text": "t", "attachments": [{"content": "%%"}]} | 422 | attachments[0].content
          {"from": "a@app.example", "to": "x@one.example", "text": "t", "attachments": [{"filename": "a\\r\\nX: y", "content": "QQ=="}]} | 422 | attachments[0].filename
          {"from": "a@app.example", "to": [{"address": "x@one.example", "data": {"a": "b"}}], "text": "{{c}}"} | 422 | to[0].data
          {"from": "a@app.example", "to": [{"address": "x@one.example", "data": {"a": "b\\r\\nBcc: b@b.example"}}], "text": "t", "subject": "{{a}}"} | 422 | subject
          {"from": "a@app.example", "to": [{"address": "x@one.example", "data": {"a": "b\\r\\nBcc: b@b.example"}}], "content": "Subject: {{a}}\\r\\n\\r\\nt"} | 422 | to[0].data.a
          {"from": "a@other.example", "to": "x@one.example", "text": "t"} | 403 | from
          {"from": "a@app.example", "to": ["x@one.example", "unwanted@one.example"], "text": "t"} | 422 | to[1]
          {"from": "a@app.example", "from": "b@app.example", "to": "x@one.example", "text": "t"} | 400 | ''
          [1, 2] | 422 | ''
          {"from": | 400 | ''
          """)
  void aFaultIsRefusedWithItsField(String document, int status, String field) throws Exception {
    HttpResponse<String> answer = server.json(document);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
    JsonNode problem = JSON.readTree(answer.body());
    assertThat(problem.path("field").asString("")).isEqualTo(field);
    assertThat(problem.path("detail").asString("")).isNotEmpty();
    assertThat(server.intake.accepted()).isEmpty();
  }

  @Test
  void aRequestThatComesAgainHasTheSameAnswer() throws Exception {
    String one = "{\"from\": \"a@app.example\", \"to\": \"x@one.example\", \"text\": \"t\"}";
    HttpResponse<String> first = keyed("application/json", "", one);
    assertThat(first.statusCode()).as(first.body()).isEqualTo(202);
    HttpResponse<String> second = keyed("application/json", "", one);
    assertThat(second.statusCode()).isEqualTo(202);
    assertThat(second.body()).isEqualTo(first.body());
    assertThat(server.intake.accepted()).hasSize(1);
    HttpResponse<String> other = keyed("application/json", "", one.replace("x@", "y@"));
    assertThat(other.statusCode()).isEqualTo(422);
    assertThat(JSON.readTree(other.body()).path("field").asString()).isEqualTo("Idempotency-Key");
    assertThat(server.intake.accepted()).hasSize(1);
  }

  @Test
  void aRawMessageThatComesAgainIsComparedToItsEnd() throws Exception {
    String envelope = "?from=a@app.example&to=x@one.example";
    HttpResponse<String> first = keyed("message/rfc822", envelope, "Subject: a\r\n\r\nb\r\n");
    assertThat(first.statusCode()).isEqualTo(202);
    assertThat(keyed("message/rfc822", envelope, "Subject: a\r\n\r\nb\r\n").body())
        .isEqualTo(first.body());
    assertThat(keyed("message/rfc822", envelope, "Subject: a\r\n\r\nc\r\n").statusCode())
        .isEqualTo(422);
    String elsewhere = "?from=a@app.example&to=y@one.example";
    assertThat(keyed("message/rfc822", elsewhere, "Subject: a\r\n\r\nb\r\n").statusCode())
        .isEqualTo(422);
    assertThat(server.intake.accepted()).hasSize(1);
  }

  @Test
  void aBatchThatComesAgainAcceptsOnlyWhatIsMissing() throws Exception {
    String batch =
        """
        {"from": "a@app.example", "text": "{{n}}",
         "to": [{"address": "r1@one.example", "data": {"n": 1}},
                {"address": "unwanted@one.example", "data": {"n": 2}},
                {"address": "r3@one.example", "data": {"n": 3}}]}
        """;
    HttpResponse<String> first = keyed("application/json", "", batch);
    assertThat(first.statusCode()).as(first.body()).isEqualTo(202);
    JsonNode fates = JSON.readTree(first.body()).path("messages");
    assertThat(fates.path(1).path("problem").path("status").asInt()).isEqualTo(422);
    assertThat(keyed("application/json", "", batch).body()).isEqualTo(first.body());
    assertThat(server.intake.accepted()).hasSize(2);
  }

  private HttpResponse<String> keyed(String type, String query, String body) throws Exception {
    return server.post(query, type, BodyPublishers.ofString(body), "Idempotency-Key", "order-17");
  }

  @Test
  void tooManyRecipientsAreRefused() throws Exception {
    List<String> to =
        IntStream.rangeClosed(0, InjectionServer.MAX_RECIPIENTS)
            .mapToObj(i -> "\"r" + i + "@one.example\"")
            .toList();
    HttpResponse<String> answer =
        server.json(
            "{\"from\": \"a@app.example\", \"text\": \"t\", \"to\": [%s]}"
                .formatted(String.join(",", to)));
    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.body()).contains("has more than 20 recipients");
  }

  @Test
  void aClientIsToldWhetherToComeAgain() throws Exception {
    String document = "{\"from\": \"a@app.example\", \"to\": \"x@one.example\", \"text\": \"t\"}";
    server.intake.atCommit(Readiness.NO_QUORUM);
    HttpResponse<String> atCommit = server.json(document);
    assertThat(atCommit.statusCode()).isEqualTo(503);
    assertThat(atCommit.headers().firstValue("Retry-After")).isPresent();
    server.intake.atCommit(Readiness.READY);
    server.intake.readiness(Readiness.NO_QUORUM);
    assertThat(server.json(document).statusCode()).isEqualTo(503);
    server.intake.readiness(Readiness.DISK_FULL);
    assertThat(server.json(document).statusCode()).isEqualTo(507);
    server.intake.readiness(Readiness.READY);
    server.withoutEndpoint();
    assertThat(server.json(document).statusCode()).isEqualTo(503);
    assertThat(server.intake.accepted()).isEmpty();
  }

  @Test
  void aBodyThatTheMemoryHasNoRoomForIsDeferred() throws Exception {
    String big = "{\"from\": \"a@app.example\", \"text\": \"" + "t".repeat(2_000_000) + "\"}";
    try (InjectionSession filler = server.fillMemory()) {
      HttpResponse<String> refused = server.json(big);
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(refused.headers().firstValue("Retry-After")).isPresent();
      assertThat(filler.tryReserve(1)).as("what was charged is returned").isTrue();
    }
    assertThat(server.json(big).statusCode()).as("it names no recipient").isEqualTo(422);
  }

  @Test
  void strangersAndReadersAreRefusedWithoutReadingTheBody() throws Exception {
    String head = "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1900000\r\n";
    String type = "Content-Type: message/rfc822\r\nExpect: 100-continue\r\n\r\n";
    String reader = "Authorization: Bearer " + InjectionServer.READ_TOKEN + "\r\n";
    assertThat(answerTo(head + type)).startsWith("HTTP/1.1 401 ").contains("WWW-Authenticate");
    assertThat(answerTo(head + reader + type)).startsWith("HTTP/1.1 403 ");
    assertThat(server.intake.accepted()).isEmpty();
  }

  @Test
  void anInjectingTokenMayDoNothingElse() throws Exception {
    String token = "Authorization: Bearer " + InjectionServer.APP_TOKEN + "\r\n\r\n";
    assertThat(answerTo("GET /api/queue HTTP/1.1\r\nHost: localhost\r\n" + token))
        .startsWith("HTTP/1.1 403 ");
    assertThat(
            answerTo(
                "POST /api/queue/process-now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                    + token))
        .startsWith("HTTP/1.1 403 ");
  }

  @Test
  void aClientThatGoesAwayLeavesNoMessage() throws Exception {
    String head =
        "POST /api/messages?from=a@app.example&to=x@one.example HTTP/1.1\r\nHost: localhost\r\n"
            + "Content-Type: message/rfc822\r\nContent-Length: 100\r\nAuthorization: Bearer "
            + InjectionServer.APP_TOKEN
            + "\r\n\r\nSubject: half\r\n\r\n";
    assertThat(answerTo(head)).startsWith("HTTP/1.1 400 ");
    assertThat(server.intake.accepted()).isEmpty();
  }

  /** Sends octets, then the end of the stream; returns all that is answered. */
  private String answerTo(String request) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      socket.shutdownOutput();
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private Accepted only() {
    assertThat(server.intake.accepted()).hasSize(1);
    return server.intake.accepted().getFirst();
  }

  private static String idOf(HttpResponse<String> answer) {
    return JSON.readTree(answer.body()).path("messages").path(0).path("id").asString();
  }
}
