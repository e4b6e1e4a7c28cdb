package org.quorumail.smtp.server;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.BdatArgument;
import org.quorumail.smtp.OriginalRecipient;
import org.quorumail.smtp.PathParser;
import org.quorumail.smtp.ReceivedLine;
import org.quorumail.smtp.SmtpProtocolException;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.smtp.Xtext;

/**
 * The target of Jazzer: it feeds hostile input to the readers and checks their results. The first
 * octet chooses the reader: a whole session, the address, xtext and ORCPT, chunks, the PROXY
 * header, an exchange of AUTH. {@code bench/fuzz smtp} runs it for a given time.
 */
public final class HostileInput {
  /** RFC 5321 §4.2: a code, a blank or hyphen, text; ours is printable ASCII. */
  private static final Pattern REPLY = Pattern.compile("[2-5][0-9][0-9][ -][\\x20-\\x7e]*");

  /** The replies after which the server closes by itself. */
  private static final Pattern FAREWELL = Pattern.compile("(221|421|500|554) ");

  /** The listener is replaced after so many sessions, since it keeps accepted mail. */
  private static final int SESSIONS = 500;

  private static final int TIMEOUT_MILLIS = 10_000;
  private static final int LINE = 2048;

  private static @Nullable TestListener listener;
  private static int sessions;

  private HostileInput() {}

  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    accepts(input);
  }

  /** Reads the input, and returns whether its reader accepted it. */
  public static boolean accepts(byte[] input) throws IOException {
    if (input.length == 0) return false;
    byte[] rest = Arrays.copyOfRange(input, 1, input.length);
    return switch (Math.floorMod(input[0], 6)) {
      case 0 -> session(rest);
      case 1 -> address(latin1(rest));
      case 2 -> xtext(latin1(rest));
      case 3 -> chunks(rest);
      case 4 -> proxyHeader(rest);
      default -> session(concat("EHLO fuzz.example\r\nAUTH ", rest));
    };
  }

  /** A session; accepted is one that brings a message. */
  private static boolean session(byte[] sent) throws IOException {
    TestListener server = listener();
    int before = server.intake.accepted().size();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      try {
        socket.getOutputStream().write(sent);
        socket.shutdownOutput();
      } catch (SocketException e) {
        // the server has closed already; its replies are still to be read
      }
      ByteArrayOutputStream said = new ByteArrayOutputStream();
      boolean reset = !readToEnd(socket.getInputStream(), said);
      legal(latin1(said.toByteArray()), reset);
    }
    return server.intake.accepted().size() > before;
  }

  /** Reads all replies; false when the server reset the connection. */
  private static boolean readToEnd(InputStream in, ByteArrayOutputStream said) throws IOException {
    try {
      in.transferTo(said);
      return true;
    } catch (SocketException e) {
      return false;
    }
  }

  /** Checks that each line is a reply, and that a reset follows a final reply only. */
  private static void legal(String said, boolean reset) {
    List<String> lines = List.of(said.split("\r\n", -1));
    if (!lines.getLast().isEmpty()) illegal("half a line", lines.getLast());
    List<String> replies = lines.subList(0, lines.size() - 1);
    for (String line : replies) if (!REPLY.matcher(line).matches()) illegal("no reply", line);
    if (!reset) return;
    String last = replies.isEmpty() ? "" : replies.getLast();
    if (!FAREWELL.matcher(last).lookingAt()) illegal("a reset without farewell after", last);
  }

  private static void illegal(String what, String said) {
    throw new IllegalStateException("the server sent " + what + ": " + said);
  }

  private static TestListener listener() throws IOException {
    TestListener open = listener;
    if (open != null && ++sessions % SESSIONS != 0) return open;
    if (open != null) open.close();
    TestListener next = TestListener.with("auth=always", "xclient_from=127.0.0.0/8");
    listener = next;
    return next;
  }

  private static boolean address(String text) {
    if (!(PathParser.parse(text) instanceof PathParser.Parsed.Mailbox box)) return false;
    MailAddress read = box.address();
    boolean again =
        PathParser.parse("<" + read + ">") instanceof PathParser.Parsed.Mailbox other
            && other.address().equals(read);
    boolean ascii = read.toString().chars().allMatch(c -> c < 0x80);
    if (ascii && !again) throw new IllegalStateException("not read as it is written: " + read);
    return true;
  }

  private static boolean xtext(String text) {
    if (!Xtext.decode(Xtext.encode(text)).equals(java.util.Optional.of(text))) {
      throw new IllegalStateException("xtext does not come back");
    }
    boolean decoded = Xtext.decode(text).isPresent();
    OriginalRecipient.parse(text, true);
    OriginalRecipient.parse(text, false);
    XclientArgument.parse(text);
    RcptParameters.parse(text, true);
    return decoded;
  }

  /** Lines and chunks of a connection that ends somewhere; accepted when a chunk is whole. */
  private static boolean chunks(byte[] wire) throws IOException {
    boolean accepted = false;
    SmtpReader reader = new SmtpReader(new ByteArrayInputStream(wire), () -> {});
    while (reader.readLine(LINE) instanceof ReceivedLine.Text line) {
      var chunk = BdatArgument.parse(line.text());
      if (chunk.isEmpty()) continue;
      ByteArrayOutputStream kept = new ByteArrayOutputStream();
      boolean whole = reader.readChunk(chunk.get().size(), kept::write);
      boolean exact = kept.size() == chunk.get().size();
      if (whole != exact) throw new IllegalStateException("a chunk of another size");
      accepted |= whole;
    }
    return accepted;
  }

  private static boolean proxyHeader(byte[] sent) throws IOException {
    try {
      ProxyHeader.read(new ByteArrayInputStream(sent));
      return true;
    } catch (SmtpProtocolException | java.io.EOFException e) {
      if (e.getMessage() == null) throw new IllegalStateException("refused without a reason", e);
      return false;
    }
  }

  private static String latin1(byte[] octets) {
    return new String(octets, StandardCharsets.ISO_8859_1);
  }

  private static byte[] concat(String start, byte[] rest) {
    byte[] first = start.getBytes(StandardCharsets.US_ASCII);
    byte[] all = Arrays.copyOf(first, first.length + rest.length);
    System.arraycopy(rest, 0, all, first.length, rest.length);
    return all;
  }
}
