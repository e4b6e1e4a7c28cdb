package org.quorumail.tools;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.quorumail.tools.SinkScript.SyntaxException;
import org.quorumail.tools.SmtpSink.ReceivedMessage;
import tools.jackson.databind.json.JsonMapper;

/**
 * The control of a running sink over HTTP on loopback, for tests: {@code GET /counts}, {@code GET
 * /messages}, {@code DELETE /messages}, and {@code PUT /script} with a script in TOML, which
 * replaces the present one. Threads: a virtual one for each request.
 */
public final class SinkControl implements AutoCloseable {
  private static final int MAX_SCRIPT = 256 * 1024;

  /** The messages that are listed, the last ones. */
  private static final int MESSAGES_MAX = 1_000;

  private final SmtpSink sink;
  private final HttpServer server;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final JsonMapper mapper = new JsonMapper();

  /** The messages that a sink has received. Thread-safe. */
  public static final class Mailbox {
    private final ArrayDeque<Map<String, Object>> messages = new ArrayDeque<>();

    /** Keeps the envelope and the subject of a message. */
    public void add(ReceivedMessage message) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("helo", message.helo());
      entry.put("from", message.from());
      entry.put("recipients", message.recipients());
      entry.put("size", message.length());
      synchronized (messages) {
        messages.addLast(entry);
        if (messages.size() > MESSAGES_MAX) messages.removeFirst();
      }
    }

    List<Map<String, Object>> list() {
      synchronized (messages) {
        return List.copyOf(messages);
      }
    }

    void clear() {
      synchronized (messages) {
        messages.clear();
      }
    }
  }

  private final Mailbox mailbox;

  private SinkControl(SmtpSink sink, Mailbox mailbox, int port) throws IOException {
    this.sink = sink;
    this.mailbox = mailbox;
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    try {
      this.server = HttpServer.create(new InetSocketAddress(loopback, port), 0);
    } catch (IOException e) {
      throw new IOException("The control cannot listen on port " + port + ": " + e, e);
    }
    server.setExecutor(executor);
    server.createContext("/", this::handle);
  }

  /** Listens on loopback; port 0 takes a free port. */
  public static SinkControl start(SmtpSink sink, Mailbox mailbox, int port) throws IOException {
    SinkControl control = new SinkControl(sink, mailbox, port);
    control.server.start();
    return control;
  }

  public int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String operation = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
      switch (operation) {
        case "GET /counts" -> {
          Map<String, Object> counts = new LinkedHashMap<>();
          counts.put("messages", sink.messages());
          counts.put("open_transactions", sink.openTransactions());
          counts.put("rules", sink.script().matches());
          answer(exchange, 200, counts);
        }
        case "GET /messages" -> answer(exchange, 200, Map.of("messages", mailbox.list()));
        case "DELETE /messages" -> {
          mailbox.clear();
          answer(exchange, 200, Map.of("messages", List.of()));
        }
        case "PUT /script" -> replaceScript(exchange);
        default ->
            answer(
                exchange,
                404,
                Map.of(
                    "detail",
                    "GET /counts, GET /messages, DELETE /messages and PUT /script are here"));
      }
    }
  }

  private void replaceScript(HttpExchange exchange) throws IOException {
    byte[] body;
    try (InputStream in = exchange.getRequestBody()) {
      body = in.readNBytes(MAX_SCRIPT + 1);
    }
    if (body.length > MAX_SCRIPT) {
      answer(exchange, 413, Map.of("detail", "a script has at most 256 KiB"));
      return;
    }
    try {
      String text = new String(body, StandardCharsets.UTF_8);
      SinkScript script = SinkScriptReader.toml("script", text);
      sink.replaceScript(script);
      answer(exchange, 200, Map.of("rules", script.size()));
    } catch (SyntaxException e) {
      answer(exchange, 422, Map.of("detail", "line " + e.line() + ": " + e.getMessage()));
    }
  }

  private void answer(HttpExchange exchange, int status, Object value) throws IOException {
    byte[] body = mapper.writeValueAsBytes(value);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }
}
