package org.quorumail.smtp.client;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** A server on loopback that sends the replies of a test. It does not use the parser under test. */
public final class ScriptedServer implements AutoCloseable {
  /** A reply that closes the connection without a reply. */
  public static final String CUT = "CUT";

  /** The end of a reply after which the connection is closed. */
  public static final String HANG_UP = "HANG UP";

  /** A reply that keeps the server silent from there on. */
  public static final String SILENCE = "SILENCE";

  /** A reply of endless lines. */
  public static final String ENDLESS = "ENDLESS";

  /** A reply without end that comes octet by octet. */
  public static final String DRIP = "DRIP";

  private static final long DRIP_MILLIS = 50;
  private static final byte[] MORE = "250-more\r\n".getBytes(StandardCharsets.US_ASCII);

  private final ServerSocket listener;
  private final Script script;
  private final @Nullable SSLContext tls;
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger mostAtOnce = new AtomicInteger();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<String> commands = new CopyOnWriteArrayList<>();
  private final List<byte[]> messages = new CopyOnWriteArrayList<>();

  /** Gives the reply to {@code CONNECT}, each command line, {@code CONTENT} and {@code .}. */
  @FunctionalInterface
  public interface Script {
    String answer(String command);
  }

  public ScriptedServer(Script script) throws IOException {
    this(script, null);
  }

  public ScriptedServer(Script script, @Nullable SSLContext tls) throws IOException {
    this(script, tls, new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0));
  }

  /** A server on one address and port. */
  public ScriptedServer(Script script, @Nullable SSLContext tls, InetSocketAddress at)
      throws IOException {
    this.script = script;
    this.tls = tls;
    listener = new ServerSocket(at.getPort(), 100, at.getAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /** The replies of a server that accepts everything. */
  public static String polite(String command) {
    String verb = command.split("[ :]")[0];
    return switch (verb) {
      case "CONNECT" -> "220 far.test ESMTP";
      case "EHLO", "LHLO" -> "250-far.test\r\n250-PIPELINING\r\n250-SIZE 0\r\n250 8BITMIME";
      case "DATA" -> "354 go on";
      case "QUIT" -> "221 2.0.0 bye";
      case "CONTENT" -> "";
      default -> "250 2.0.0 fine";
    };
  }

  public int port() {
    return listener.getLocalPort();
  }

  public InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port());
  }

  public int connections() {
    return connections.get();
  }

  public int mostAtOnce() {
    return mostAtOnce.get();
  }

  public List<String> commands() {
    return commands;
  }

  /** The bytes on the wire between 354 and the dot, dots still stuffed; each chunk of BDAT. */
  public List<String> messages() {
    return messages.stream().map(m -> new String(m, StandardCharsets.ISO_8859_1)).toList();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = listener.accept();
        connections.incrementAndGet();
        socket.setTcpNoDelay(true);
        open.add(socket);
        mostAtOnce.accumulateAndGet(open.size(), Math::max);
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (IOException e) {
      // closed: the test is over
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      Socket top = socket;
      InputStream in = new BufferedInputStream(top.getInputStream());
      OutputStream out = top.getOutputStream();
      if (!say(in, out, script.answer("CONNECT"))) return;
      String line;
      while ((line = line(in)) != null) {
        commands.add(line);
        if (line.startsWith("BDAT "))
          messages.add(in.readNBytes(Integer.parseInt(line.split(" ")[1])));
        String answer = script.answer(line);
        if (!say(in, out, answer)) return;
        if (tls != null && line.equals("STARTTLS") && answer.startsWith("220")) {
          SSLSocket secured =
              (SSLSocket) tls.getSocketFactory().createSocket(socket, null, socket.getPort(), true);
          secured.setUseClientMode(false);
          secured.startHandshake();
          in = new BufferedInputStream(secured.getInputStream());
          out = secured.getOutputStream();
        }
        if (line.equals("DATA") && answer.startsWith("354")) {
          if (script.answer("CONTENT").equals(CUT)) return;
          messages.add(content(in));
          if (!say(in, out, script.answer("."))) return;
        }
        if (line.equals("QUIT")) return;
      }
    } catch (IOException e) {
      // the client closed, or the handshake failed
    } finally {
      open.remove(socket);
    }
  }

  private static boolean say(InputStream in, OutputStream out, String answer) throws IOException {
    if (answer.equals(CUT)) return false;
    if (answer.equals(SILENCE)) return readOnly(in);
    if (answer.equals(ENDLESS)) while (true) out.write(MORE);
    if (answer.equals(DRIP)) return drip(out);
    boolean last = answer.endsWith(HANG_UP);
    String said = last ? answer.substring(0, answer.length() - HANG_UP.length()) : answer + "\r\n";
    out.write(said.getBytes(StandardCharsets.ISO_8859_1));
    out.flush();
    return !last;
  }

  private static boolean drip(OutputStream out) throws IOException {
    out.write("250-".getBytes(StandardCharsets.US_ASCII));
    while (true) {
      out.write('x');
      try {
        Thread.sleep(DRIP_MILLIS);
      } catch (InterruptedException e) {
        return false;
      }
    }
  }

  private static boolean readOnly(InputStream in) throws IOException {
    in.transferTo(OutputStream.nullOutputStream());
    return false;
  }

  private static @Nullable String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (b == '\n') return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
      line.write(b);
    }
    return null;
  }

  private static byte[] content(InputStream in) throws IOException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    StringBuilder last = new StringBuilder("\r\n");
    for (int b = in.read(); b >= 0; b = in.read()) {
      content.write(b);
      last.append((char) b);
      if (last.length() > 5) last.deleteCharAt(0);
      if (last.toString().endsWith("\r\n.\r\n")) {
        byte[] all = content.toByteArray();
        return java.util.Arrays.copyOf(all, all.length - 3);
      }
    }
    throw new IOException("cut");
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : open) socket.close();
  }
}
