package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.quorumail.policy.MessageContent;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.smtp.client.ConnectResult;
import org.quorumail.smtp.client.OutgoingMessage;
import org.quorumail.smtp.client.ScriptedServer;
import org.quorumail.smtp.client.SendResult;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpClient;
import org.quorumail.smtp.client.SmtpConnection;
import org.quorumail.smtp.client.SmtpTimeouts;
import org.quorumail.smtp.client.TlsRule;

/**
 * A message in a message, between which stands what some server takes for the end of content. By
 * every way in and out it is either refused, or what a next hop gets holds no second message, even
 * for one that takes bare CR or LF for a line end, or drops NUL.
 */
class SmugglingTest {
  private static final Path SEQUENCES = Path.of("src/test/resources/smuggling/sequences.txt");
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String OUTER = "Subject: outer\r\n\r\ntext";
  private static final String HIDDEN =
      "MAIL FROM:<evil@client.example>\r\nRCPT TO:<victim@local.example>\r\nDATA\r\n"
          + "Subject: inner\r\n\r\ninner";

  /** The ways in: the parameter of MAIL, the octets of each chunk, whether a filter reads it. */
  enum Way {
    DATA("", 0, false),
    DATA_FILTERED("", 0, true),
    DATA_EIGHT_BIT(" BODY=8BITMIME SMTPUTF8", 0, false),
    BDAT("", Integer.MAX_VALUE, false),
    BDAT_BY_OCTET("", 1, false),
    BDAT_FILTERED("", 7, true),
    BINARY(" BODY=BINARYMIME", Integer.MAX_VALUE, false),
    BINARY_FILTERED(" BODY=BINARYMIME", 7, true);

    private final String parameters;
    private final int chunk;
    private final boolean filtered;

    Way(String parameters, int chunk, boolean filtered) {
      this.parameters = parameters;
      this.chunk = chunk;
      this.filtered = filtered;
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void whatIsAcceptedHoldsNoSecondMessage(Way way) throws IOException {
    int accepted = 0;
    Set<String> sequences = sequences(way == Way.DATA || way == Way.BDAT ? 4 : 3);
    try (NextHops hops = new NextHops();
        TestListener server = TestListener.with("errors=1000000")) {
      if (way.filtered) server.filtering(new Reader());
      try (Client client = new Client(server.port())) {
        for (String sequence : sequences) {
          for (String content : List.of(OUTER + sequence + HIDDEN, sequence + HIDDEN)) {
            if (way.chunk == 0 && ("\r\n" + content + "\r\n").contains("\r\n.\r\n")) {
              continue; // DATA ends there by RFC 5321: what follows are commands of this client
            }
            Reply reply = client.send(way, content);
            assertThat(reply.code()).as(shown(sequence)).isIn(250, 550, 554);
            if (reply.positive()) accepted++;
            assertThat(server.intake.accepted()).as(shown(sequence)).hasSize(accepted);
            if (!reply.positive()) continue;
            FakeIntake.Accepted message = server.intake.accepted().getLast();
            assertThat(message.envelope().recipients()).as(shown(sequence)).hasSize(1);
            hops.assertNoSecondMessage(sequence, message);
          }
        }
      }
    }
    assertThat(accepted).as("some of the sequences are harmless").isGreaterThan(20);
  }

  /** Those of the file, and all short ones of the octets that ends consist of. */
  private static Set<String> sequences(int longest) throws IOException {
    Set<String> all = new LinkedHashSet<>();
    for (String line : Files.readAllLines(SEQUENCES, StandardCharsets.US_ASCII)) {
      if (!line.startsWith("# ")) {
        all.add(new String(Dialogue.unescape(line), StandardCharsets.ISO_8859_1));
      }
    }
    List<String> shorter = List.of("");
    for (int length = 1; length <= longest; length++) {
      List<String> longer = new ArrayList<>();
      for (String start : shorter) {
        for (String next : List.of("\r", "\n", ".", "\0")) longer.add(start + next);
      }
      all.addAll(longer);
      shorter = longer;
    }
    return all;
  }

  /** The content on the wire, its lines ended by LF, as lenient servers take it apart. */
  private static List<String> asOthersRead(String content) {
    List<String> all = new ArrayList<>();
    for (String octets : List.of(content, content.replace("\0", ""))) {
      all.add(octets.replace("\r\n", "\n"));
      all.add(octets.replace("\r\n", "\n").replace("\r", "\n"));
      all.add(octets.replace("\r", ""));
    }
    return all;
  }

  private static String shown(String sequence) {
    StringBuilder text = new StringBuilder();
    for (char c : sequence.toCharArray()) text.append(String.format("\\x%02x", (int) c));
    return text.toString();
  }

  /** Next hops that offer nothing, 8BITMIME, and everything. */
  private static final class NextHops implements AutoCloseable {
    private final List<ScriptedServer> servers = new ArrayList<>();

    NextHops() throws IOException {
      for (String offered :
          List.of("", "250-8BITMIME\r\n", "250-8BITMIME\r\n250-CHUNKING\r\n250-BINARYMIME\r\n")) {
        servers.add(new ScriptedServer(command -> answer(command, offered)));
      }
    }

    void assertNoSecondMessage(String sequence, FakeIntake.Accepted message) {
      for (ScriptedServer hop : servers) {
        int commands = hop.commands().size();
        int messages = hop.messages().size();
        SendResult result = sent(hop, message);
        if (result instanceof SendResult.NotSendable) continue;
        assertThat(result).as(shown(sequence)).isInstanceOf(SendResult.Answered.class);
        List<String> all = List.copyOf(hop.commands());
        List<String> said = all.subList(commands, all.size());
        assertThat(said).as(shown(sequence)).filteredOn(c -> c.startsWith("MAIL")).hasSize(1);
        assertThat(hop.messages()).as(shown(sequence)).hasSize(messages + 1);
        boolean counted = said.stream().anyMatch(c -> c.startsWith("BDAT"));
        if (counted) continue; // its end is a number: nothing in it can be taken for one
        for (String read : asOthersRead(hop.messages().getLast())) {
          assertThat(read.split("\n", -1)).as(shown(sequence)).doesNotContain(".");
        }
      }
    }

    private static String answer(String command, String offered) {
      return command.startsWith("EHLO")
          ? "250-far.test\r\n" + offered + "250-SMTPUTF8\r\n250 PIPELINING"
          : ScriptedServer.polite(command);
    }

    private static SendResult sent(ScriptedServer hop, FakeIntake.Accepted message) {
      ServerEndpoint peer =
          new ServerEndpoint("far.test", hop.address(), false, TlsRule.OPPORTUNISTIC, false, null);
      SmtpTimeouts timeouts =
          new SmtpTimeouts(
              PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE, PATIENCE);
      ConnectResult opened = new SmtpClient("here.test", timeouts).open(peer);
      try (SmtpConnection connection = ((ConnectResult.Connected) opened).connection()) {
        byte[] content = message.content();
        return connection.send(
            new OutgoingMessage(
                message.envelope(), content.length, () -> new ByteArrayInputStream(content)),
            recipients -> true);
      }
    }

    @Override
    public void close() throws IOException {
      for (ScriptedServer server : servers) server.close();
    }
  }

  /** A filter that reads the content, so that it is buffered and copied. */
  private static final class Reader implements MessageFilter {
    @Override
    public Verdict data(SessionView session, MessageContent content) {
      return Verdict.ACCEPT;
    }
  }

  /** A client that sends all transactions over one connection, and notices a reply too many. */
  private static final class Client implements AutoCloseable {
    private final Socket socket;
    private final SmtpReader in;

    Client(int port) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.setTcpNoDelay(true);
      in = new SmtpReader(socket.getInputStream(), () -> {});
      in.readReply();
      ask("EHLO client.example\r\n");
    }

    /** The reply to the content. */
    Reply send(Way way, String content) throws IOException {
      ask("MAIL FROM:<a@client.example>" + way.parameters + "\r\n");
      ask("RCPT TO:<b@local.example>\r\n");
      Reply reply;
      if (way.chunk == 0) {
        assertThat(ask("DATA\r\n").code()).isEqualTo(354);
        reply = ask(content + "\r\n.\r\n");
      } else {
        reply = chunks(way.chunk, content);
      }
      assertThat(ask("NOOP\r\n")).as("no reply is left over").hasToString("250 2.0.0 Ok");
      ask("RSET\r\n");
      return reply;
    }

    /** Sends all chunks at once; the reply is the first refusal, or that to the last chunk. */
    private Reply chunks(int most, String content) throws IOException {
      StringBuilder all = new StringBuilder();
      int count = 0;
      for (int at = 0; at < content.length(); at += Math.min(most, content.length() - at)) {
        String chunk = content.substring(at, at + Math.min(most, content.length() - at));
        all.append("BDAT ").append(chunk.length()).append("\r\n").append(chunk);
        count++;
      }
      all.append("BDAT 0 LAST\r\n");
      write(all.toString());
      Reply result = in.readReply();
      for (int i = 0; i < count; i++) {
        Reply next = in.readReply();
        if (result.positive()) result = next;
      }
      return result;
    }

    private Reply ask(String octets) throws IOException {
      write(octets);
      return in.readReply();
    }

    private void write(String octets) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.writeBytes(octets.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().write(out.toByteArray());
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
