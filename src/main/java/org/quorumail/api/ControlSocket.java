package org.quorumail.api;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.net.ExtendedSocketOptions;
import org.quorumail.api.ApiRequest.Caller;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * The API over a Unix domain socket, for the commands of the operator on this host. A frame is a
 * length in four bytes, most significant first, and JSON of this length: {@code {"method", "path",
 * "body"}} in, {@code {"status", "content_type", "body"}} out; then the connection ends. Only the
 * node's own user and root have access. Threads: one accepts, one virtual thread per connection.
 */
public final class ControlSocket implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlSocket.class);

  static final int MAX_REQUEST = 2 * ApiRequest.MAX_BODY;

  /** People and scripts send commands one by one. */
  private static final int MAX_CONNECTIONS = 32;

  /** The time for a whole request, which a command sends at once. */
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

  /** The wait after a failed accept, such as one without file descriptors. */
  private static final Duration ACCEPT_RETRY_DELAY = Duration.ofMillis(200);

  private final Api api;
  private final Path path;
  private final ServerSocketChannel server;
  private final UserPrincipal owner;
  private final Semaphore permits = new Semaphore(MAX_CONNECTIONS);
  private final ScheduledExecutorService deadlines =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofVirtual().name("control-deadlines").factory());

  private ControlSocket(Api api, Path path, ServerSocketChannel server) throws IOException {
    this.api = api;
    this.path = path;
    this.server = server;
    this.owner = Files.getOwner(path);
  }

  /**
   * Binds the socket and accepts commands.
   *
   * @throws IOException with a sentence for the operator when the socket cannot be created
   */
  public static ControlSocket start(Api api, Path path) throws IOException {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
    removeStale(address);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      if (path.toAbsolutePath().getParent() != null) {
        Files.createDirectories(path.toAbsolutePath().getParent());
      }
      server.bind(address);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      ControlSocket control = new ControlSocket(api, path, server);
      Thread.ofVirtual().name("control").start(control::accept);
      return control;
    } catch (IOException e) {
      server.close();
      throw new IOException(
          "the control socket " + path + " (control_socket) cannot be created: " + e.getMessage(),
          e);
    }
  }

  /** Removes the socket of a killed node, on which nothing listens; refuses any other file. */
  private static void removeStale(UnixDomainSocketAddress address) throws IOException {
    Path path = address.getPath();
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) return;
    boolean socket =
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).isOther();
    if (!socket) {
      throw new IOException(
          path + " (control_socket) exists and is not a socket: choose another path");
    }
    if (isListening(address)) {
      throw new IOException("another node runs with the control socket " + path);
    }
    Files.deleteIfExists(path);
  }

  private static boolean isListening(UnixDomainSocketAddress address) {
    try {
      SocketChannel.open(address).close();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    deadlines.shutdownNow();
    Files.deleteIfExists(path);
  }

  private void accept() {
    while (server.isOpen()) {
      try {
        SocketChannel peer = server.accept();
        if (!permits.tryAcquire()) {
          peer.close();
          continue;
        }
        Thread.ofVirtual().name("control-session").start(() -> serve(peer));
      } catch (IOException e) {
        if (!server.isOpen()) return;
        LOG.warn("event=control_accept_failed reason=\"{}\"", e.getMessage());
        LockSupport.parkNanos(ACCEPT_RETRY_DELAY.toNanos());
      }
    }
  }

  private void serve(SocketChannel peer) {
    ScheduledFuture<?> deadline =
        deadlines.schedule(() -> close(peer), REQUEST_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    try (peer) {
      UserPrincipal user = peer.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
      if (!isTrusted(user)) return;
      byte[] frame = read(peer);
      deadline.cancel(false);
      write(peer, handle(frame, "user:" + user.getName()));
    } catch (IOException e) {
      LOG.debug("event=control_session_failed reason=\"{}\"", e.getMessage());
    } finally {
      deadline.cancel(false);
      permits.release();
      assert permits.availablePermits() <= MAX_CONNECTIONS : "a connection without a permit";
    }
  }

  private static void close(SocketChannel peer) {
    try {
      peer.close();
    } catch (IOException e) {
      LOG.debug("event=control_close_failed reason=\"{}\"", e.getMessage());
    }
  }

  /**
   * Checks the peer's user as well: some systems ignore the file's mode, and binding has a race.
   */
  private boolean isTrusted(UserPrincipal user) {
    boolean trusted = user.getName().equals(owner.getName()) || user.getName().equals("root");
    if (!trusted) LOG.warn("event=control_refused user=\"{}\"", user.getName());
    return trusted;
  }

  private static byte[] read(SocketChannel peer) throws IOException {
    int length = readFully(peer, ByteBuffer.allocate(Integer.BYTES)).getInt();
    if (length < 0 || length > MAX_REQUEST) {
      throw new IOException("a frame of " + Integer.toUnsignedString(length) + " bytes");
    }
    return readFully(peer, ByteBuffer.allocate(length)).array();
  }

  private static ByteBuffer readFully(SocketChannel peer, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (peer.read(buffer) < 0) throw new IOException("the frame is cut off");
    }
    return buffer.flip();
  }

  private static void write(SocketChannel peer, ApiResponse answer) throws IOException {
    String body = new String(answer.body(), StandardCharsets.UTF_8);
    byte[] frame = Json.bytes(new ResponseFrame(answer.status(), answer.contentType(), body));
    ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES + frame.length);
    Channels.newOutputStream(peer).write(buffer.putInt(frame.length).put(frame).array());
  }

  private ApiResponse handle(byte[] frame, String who) {
    try {
      JsonNode request = Json.mapper().readTree(frame);
      String target = request.path("path").asString("");
      String method = request.path("method").asString("");
      byte[] body = request.path("body").asString("").getBytes(StandardCharsets.UTF_8);
      return api.call(
          ApiRequest.ofTarget(method, target, body, Caller.OPERATOR, who, "control socket"));
    } catch (JacksonException | IllegalArgumentException e) {
      return ApiResponse.badRequest("the frame is not a request");
    }
  }

  private record ResponseFrame(int status, String contentType, String body) {}
}
