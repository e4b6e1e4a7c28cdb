package org.quorumail.api;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.quorumail.metrics.Metrics;

/**
 * A target of Jazzer: the input is all that a client sends over one connection to the HTTP port. A
 * request that waits for events is left out, since it waits by design.
 */
public final class HostileRequests {
  static final String TOKEN = "0123456789abcdef-token";

  private static final int TIMEOUT_MILLIS = 10_000;
  private static final HttpLimits LIMITS =
      new HttpLimits(256, 256, 64, Duration.ofSeconds(2), Duration.ofSeconds(2));
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 ([0-9]{3})[^\r\n\"]*\r\n");

  private static @Nullable HttpServer server;

  private HostileRequests() {}

  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    accepts(input);
  }

  /** Sends the requests, and returns whether one of them succeeded. */
  public static boolean accepts(byte[] input) throws IOException {
    String text = new String(input, StandardCharsets.ISO_8859_1);
    if (text.contains("events")) return false;
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server().port())) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      try {
        socket.getOutputStream().write(input);
        socket.shutdownOutput();
        socket.getInputStream().transferTo(answer);
      } catch (SocketException e) {
        // the server has closed already; what it said was read as far as it came
      }
      return succeeded(answer.toString(StandardCharsets.ISO_8859_1));
    }
  }

  private static boolean succeeded(String answer) {
    if (answer.isEmpty()) return false;
    if (!STATUS.matcher(answer).lookingAt()) {
      throw new IllegalStateException("no answer of HTTP: " + answer);
    }
    boolean succeeded = false;
    Matcher status = STATUS.matcher(answer);
    while (status.find()) {
      int code = Integer.parseInt(status.group(1));
      if (code == 500) throw new IllegalStateException("the server failed: " + answer);
      succeeded |= code >= 200 && code < 300;
    }
    return succeeded;
  }

  private static HttpServer server() throws IOException {
    HttpServer open = server;
    if (open != null) return open;
    Path folder = Files.createTempDirectory("quorumail-fuzz");
    folder.toFile().deleteOnExit();
    Path token = Files.writeString(folder.resolve("token"), TOKEN + "\n");
    token.toFile().deleteOnExit();
    FakeNode node =
        new FakeNode(
            folder,
            Map.of("health.listen_address", "127.0.0.1:0", "api.token_file", token.toString()));
    Api api = new Api(node, node, node, node, node, Optional.of(new Metrics()));
    HttpServer started =
        HttpServer.start(api, node.config().health(), node.config().api(), Optional::empty, LIMITS);
    server = started;
    return started;
  }
}
