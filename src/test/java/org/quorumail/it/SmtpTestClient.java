package org.quorumail.it;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.quorumail.smtp.ClientTlsContexts;

/** An SMTP client for tests that choose every command. */
final class SmtpTestClient implements Closeable {
  private static final int TIMEOUT_MILLIS = 60_000;

  private Socket socket = new Socket();
  private InputStream in;
  private OutputStream out;
  private final String greeting;

  SmtpTestClient(InetSocketAddress server) throws IOException {
    socket.connect(server, TIMEOUT_MILLIS);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    in = new BufferedInputStream(socket.getInputStream());
    out = new BufferedOutputStream(socket.getOutputStream(), 64 * 1024);
    greeting = reply();
  }

  String greeting() {
    return greeting;
  }

  /** Sends STARTTLS, shakes hands without a check of the certificate, and sends EHLO. */
  void startTls() throws IOException {
    if (!request("STARTTLS").startsWith("220")) throw new IOException("no STARTTLS");
    socket =
        ClientTlsContexts.opportunisticClient()
            .getSocketFactory()
            .createSocket(socket, "localhost", socket.getPort(), true);
    in = new BufferedInputStream(socket.getInputStream());
    out = new BufferedOutputStream(socket.getOutputStream(), 64 * 1024);
    request("EHLO it.test");
  }

  /** Sends a command and returns the last line of its reply. */
  String request(String command) throws IOException {
    out.write((command + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    out.flush();
    return reply();
  }

  /** Runs one transaction; returns the reply to the final dot, or the first refusal. */
  String send(String from, List<String> recipients, byte[] content) throws IOException {
    String mail = request("MAIL FROM:<" + from + "> BODY=8BITMIME SIZE=" + content.length);
    if (!mail.startsWith("2")) return mail;
    for (String recipient : recipients) {
      String rcpt = request("RCPT TO:<" + recipient + ">");
      if (!rcpt.startsWith("2")) return rcpt;
    }
    String data = request("DATA");
    if (!data.startsWith("3")) return data;
    boolean lineStart = true;
    for (byte b : content) {
      if (lineStart && b == '.') out.write('.');
      out.write(b);
      lineStart = b == '\n';
    }
    return request(".");
  }

  /** A reply and the time from the connection attempt to it. */
  record TimedReply(String reply, Duration duration) {}

  static TimedReply attempt(InetSocketAddress server, byte[] content) {
    long begin = System.nanoTime();
    String reply;
    try (SmtpTestClient client = new SmtpTestClient(server)) {
      reply = client.greeting();
      if (reply.startsWith("2")) reply = client.request("EHLO test");
      if (reply.startsWith("2")) reply = client.send("a@it.test", List.of("b@sink.test"), content);
    } catch (IOException e) {
      reply = e.toString();
    }
    return new TimedReply(reply, Duration.ofNanos(System.nanoTime() - begin));
  }

  private String reply() throws IOException {
    while (true) {
      String line = line();
      if (line.length() < 4 || line.charAt(3) != '-') return line;
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) throw new EOFException("closed after: " + line);
      if (b != '\r') line.append((char) b);
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
