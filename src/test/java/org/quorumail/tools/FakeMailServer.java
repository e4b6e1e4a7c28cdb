package org.quorumail.tools;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A small mail server that reads the configuration of {@link NodeSettings}. It stores each message
 * in a file until it has relayed it, and can be faulty on purpose.
 */
final class FakeMailServer {
  /** The fault of the server. */
  enum Fault {
    NONE,
    LOSES_MAIL,
    DELIVERS_TWICE,
    CORRUPTS,
    MISCOUNTS
  }

  private final Fault fault;
  private final String config;
  private final Path data;
  private final LinkedBlockingQueue<Path> queue = new LinkedBlockingQueue<>();
  private final AtomicInteger serial = new AtomicInteger();
  private final AtomicInteger inDoubt = new AtomicInteger();

  private FakeMailServer(Fault fault, Path file) throws IOException {
    this.fault = fault;
    this.config = Files.readString(file);
    this.data = Path.of(value("data_directory = \"([^\"]+)\""));
  }

  public static void main(String[] args) throws Exception {
    new FakeMailServer(Fault.valueOf(System.getProperty("fault")), Path.of(args[2])).serve();
  }

  /** Makes a home with a launcher that starts this server instead of a node. */
  static Path home(Path directory, Fault fault) throws IOException {
    Path launcher = directory.resolve("bin/quorumail");
    Files.createDirectories(launcher.getParent());
    Files.writeString(
        launcher,
        "#!/bin/sh\nexec '%s/bin/java' -XX:TieredStopAtLevel=1 -Xmx64m -Dfault=%s -cp '%s' %s \"$@\"\n"
            .formatted(
                System.getProperty("java.home"),
                fault,
                System.getProperty("java.class.path"),
                FakeMailServer.class.getName()));
    if (!launcher.toFile().setExecutable(true)) throw new IOException("not executable");
    return directory;
  }

  private void serve() throws Exception {
    Files.createDirectories(data);
    if (fault != Fault.LOSES_MAIL) {
      try (Stream<Path> kept = Files.list(data)) {
        kept.filter(file -> file.toString().endsWith(".eml")).forEach(queue::add);
      }
    }
    int port = Integer.parseInt(value("socket = \"127.0.0.1:(\\d+)\""));
    SmtpSink.start(SmtpSink.Options.onPort(port), this::keep);
    http(Integer.parseInt(value("listen_address = \"127.0.0.1:(\\d+)\"")));
    int next = Integer.parseInt(value("to = \\[\"smtp://127.0.0.1:(\\d+)\""));
    for (int i = 0; i < 4; i++) Thread.ofPlatform().start(() -> relay(next));
  }

  private void keep(SmtpSink.ReceivedMessage delivery) {
    String name = System.nanoTime() + "-" + serial.incrementAndGet() + ".eml";
    try {
      Path written = Files.write(data.resolve(name + ".tmp"), delivery.copy());
      queue.add(Files.move(written, data.resolve(name)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void relay(int port) {
    while (true) {
      try {
        Path file = queue.take();
        byte[] content = Files.readAllBytes(file);
        if (fault == Fault.CORRUPTS) content[content.length - 5]++;
        inDoubt.incrementAndGet();
        send(port, content);
        if (fault == Fault.DELIVERS_TWICE) send(port, content);
        Files.delete(file);
        inDoubt.decrementAndGet();
      } catch (IOException | InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private void send(int port, byte[] content) throws IOException {
    InetSocketAddress next = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port);
    try (SmtpSocket smtp = SmtpSocket.connect(next, Duration.ofSeconds(5), Duration.ofSeconds(5))) {
      smtp.readReply();
      smtp.request("EHLO " + value("hostname = \"([^\"]+)\""));
      smtp.request("MAIL FROM:<a@chaos.test>");
      smtp.request("RCPT TO:<b@sink.test>");
      smtp.request("DATA");
      smtp.write(content);
      smtp.request(".");
    }
  }

  private void http(int port) throws IOException {
    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    HttpServer http = HttpServer.create(new InetSocketAddress(loopback, port), 0);
    http.createContext("/readyz", exchange -> answer(exchange, "OK"));
    http.createContext(
        "/metrics", exchange -> answer(exchange, "spool_in_doubt " + reportedInDoubt() + ".0\n"));
    http.createContext(
        "/api/queue/stats", exchange -> answer(exchange, "{\"total\": " + queued() + "}"));
    http.createContext(
        "/api/spool/digests",
        exchange ->
            answer(exchange, "[{\"spool\":\"s\",\"index\":1,\"sha256\":\"00112233445566\"}]"));
    http.start();
  }

  private int reportedInDoubt() {
    return fault == Fault.MISCOUNTS ? -1 : inDoubt.get();
  }

  private int queued() {
    return queue.size() + inDoubt.get();
  }

  private static void answer(HttpExchange exchange, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, bytes.length);
    try (var body = exchange.getResponseBody()) {
      body.write(bytes);
    }
  }

  private String value(String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(config);
    if (!matcher.find()) throw new IllegalStateException("not in the configuration: " + pattern);
    return matcher.group(1);
  }
}
