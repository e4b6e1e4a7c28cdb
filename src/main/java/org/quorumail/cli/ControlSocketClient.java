package org.quorumail.cli;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A client of a running node over its control socket (Unix): each call sends one frame and receives
 * one, a length of four bytes and JSON.
 */
final class ControlSocketClient {
  /** The longest page of a list stays far below this limit. */
  private static final int MAX_RESPONSE = 64 << 20;

  private static final int BAD_REQUEST = 400;
  static final int NOT_FOUND = 404;
  static final int CONFLICT = 409;

  private static final JsonMapper JSON = JsonMapper.shared();

  private final Path socket;

  ControlSocketClient(Path socket) {
    this.socket = socket;
  }

  /** The response to a call; its status is that of HTTP. */
  record ApiResponse(int status, JsonNode body) {
    boolean isSuccess() {
      return status >= 200 && status < 300;
    }

    String problem() {
      if (!body.path("problems").isEmpty()) {
        return body.path("problems").valueStream().map(JsonNode::asString).collect(joining("; "));
      }
      return body.path("detail").asString("the node responded with status " + status);
    }
  }

  /** Encodes a value for a path or query. */
  static String encode(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }

  /** Sends a call and returns the body of its response; fails when the node refuses the call. */
  JsonNode call(String method, String path) throws CommandException {
    ApiResponse response = send(method, path);
    if (response.isSuccess()) return response.body;
    int exitCode =
        switch (response.status) {
          case BAD_REQUEST -> ExitCode.USAGE;
          case NOT_FOUND -> ExitCode.NOT_FOUND;
          default -> ExitCode.FAILED;
        };
    throw new CommandException(exitCode, response.problem());
  }

  /** Sends a call and returns the response, also that of a refused call. */
  ApiResponse send(String method, String path) throws CommandException {
    return send(method, path, "");
  }

  /** The same with a body. */
  ApiResponse send(String method, String path, String content) throws CommandException {
    JsonNode frame = exchange(method, path, content);
    return new ApiResponse(frame.path("status").asInt(0), body(frame));
  }

  private static JsonNode body(JsonNode frame) throws CommandException {
    try {
      return JSON.readTree(frame.path("body").asString("{}"));
    } catch (JacksonException e) {
      throw new CommandException(ExitCode.FAILED, "the response of the node is not JSON");
    }
  }

  private JsonNode exchange(String method, String path, String content) throws CommandException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      ObjectNode request = JSON.createObjectNode().put("method", method).put("path", path);
      if (!content.isEmpty()) request.put("body", content);
      byte[] frame = JSON.writeValueAsString(request).getBytes(StandardCharsets.UTF_8);
      ByteBuffer out = ByteBuffer.allocate(Integer.BYTES + frame.length);
      out.putInt(frame.length).put(frame).flip();
      while (out.hasRemaining()) channel.write(out);
      int length = fill(channel, ByteBuffer.allocate(Integer.BYTES)).getInt();
      if (length < 0 || length > MAX_RESPONSE) throw new IOException("the response is too long");
      return JSON.readTree(fill(channel, ByteBuffer.allocate(length)).array());
    } catch (IOException | JacksonException | IllegalArgumentException e) {
      throw new CommandException(
          ExitCode.UNREACHABLE,
          "cannot reach a node at the control socket "
              + socket
              + " ("
              + e.getMessage()
              + "); is it running, and is this the right -c or --control-socket?");
    }
  }

  private static ByteBuffer fill(SocketChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) throw new IOException("the node closed the connection");
    }
    return buffer.flip();
  }
}
