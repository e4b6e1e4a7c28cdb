package org.quorumail.api;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.quorumail.api.ApiRequest.Caller;

/**
 * The operations that the nodes of a cluster call at each other. The called node answers for itself
 * alone, so a call never causes another. A request is a line of text, {@code METHOD path?query}. An
 * answer is the status (2 bytes), a byte that is 1 when the rest is compressed, and JSON.
 */
public final class InternalApi {
  private static final Set<String> OPERATIONS =
      Set.of(
          "GET /api/queue",
          "GET " + QueueRoutes.SEARCH,
          "GET /api/queue/count",
          "POST /api/queue/retry",
          "POST /api/queue/hold",
          "POST /api/queue/release",
          "POST /api/queue/bounce",
          "DELETE /api/queue",
          "GET /api/queue/stats",
          "GET /api/queue/stats/{by}",
          "GET /api/queue/suspensions",
          "GET /api/queue/{id}",
          "GET /api/queue/{id}/text",
          "POST /api/queue/{id}/retry",
          "POST /api/queue/{id}/hold",
          "POST /api/queue/{id}/release",
          "POST /api/queue/{id}/bounce",
          "DELETE /api/queue/{id}",
          "POST /api/queue/process-now",
          "POST /api/queue/reroute",
          "GET /api/messages/keys/{key}",
          "GET /api/events/mail",
          "GET /api/trace",
          "GET /api/trace/{id}",
          "GET /api/dns/overrides",
          "POST /api/cluster/elect",
          "POST /api/cluster/step-down",
          "GET /api/maintenance",
          "POST /api/maintenance/enter",
          "POST /api/maintenance/exit",
          "GET /maintenance",
          "POST /maintenance/enter",
          "POST /maintenance/exit");

  /** Orders that a node of an older release sends to each node; the meta group has them now. */
  private static final Set<String> FORMER_OPERATIONS =
      Set.of(
          "POST /api/queue/suspend",
          "POST /api/queue/resume",
          "PUT /api/dns/overrides/{domain}",
          "DELETE /api/dns/overrides/{domain}");

  /** A body of some messages is sent as it is; a page of many is compressed to a tenth. */
  private static final int COMPRESSED_FROM = 16 << 10;

  /** The longest page; a node that sends more cannot be understood. */
  static final int BODY_MAX = 32 << 20;

  private static final int HEAD = Short.BYTES + 1;

  private final Api api;

  /** All views are those of this node alone. */
  public InternalApi(
      MaintenanceView maintenance,
      ClusterView cluster,
      QueueView queue,
      DnsView dns,
      InjectionView messages) {
    MailEventRoutes mailEvents = new MailEventRoutes(queue);
    List<ApiRoute> routes =
        Stream.of(
                new QueueRoutes(queue, dns).routes(),
                new QueueRoutes(queue, dns).nodeRoutes(),
                new TraceRoutes(queue).routes(),
                mailEvents.routes(),
                new DnsRoutes(dns).routes(),
                new MessageRoutes(messages).routesBetweenNodes(),
                new MaintenanceRoutes(maintenance, OtherNodes.none()).routes(),
                new ClusterRoutes(cluster, OtherNodes.none()).routes())
            .flatMap(List::stream)
            .flatMap(InternalApi::betweenNodes)
            .toList();
    if (routes.size() != OPERATIONS.size() + FORMER_OPERATIONS.size())
      throw new IllegalStateException("an operation between nodes has no route");
    this.api = new Api(routes, mailEvents);
  }

  private static Stream<ApiRoute> betweenNodes(ApiRoute route) {
    if (OPERATIONS.contains(route.operation())) return Stream.of(route);
    if (!FORMER_OPERATIONS.contains(route.operation())) return Stream.empty();
    return Stream.of(
        route.with(
            request ->
                ApiResponse.problem(
                    409,
                    "Conflict",
                    "suspensions and overrides are kept by the cluster in this release: upgrade all"
                        + " nodes")));
  }

  /** The request for an operation. */
  public static byte[] request(String method, String target) {
    return (method + " " + target).getBytes(StandardCharsets.UTF_8);
  }

  /** Answers a request of another node; a malformed one with an answer, too. */
  public byte[] answer(byte[] request) throws IOException {
    ApiResponse response = call(new String(request, StandardCharsets.UTF_8));
    byte[] body = response.body();
    boolean compressed = body.length >= COMPRESSED_FROM;
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    frame.write(
        ByteBuffer.allocate(HEAD)
            .putShort((short) response.status())
            .put((byte) (compressed ? 1 : 0))
            .array());
    if (!compressed) {
      frame.write(body);
      return frame.toByteArray();
    }
    try (GZIPOutputStream zip = new GZIPOutputStream(frame)) {
      zip.write(body);
    }
    return frame.toByteArray();
  }

  private ApiResponse call(String line) {
    int blank = line.indexOf(' ');
    if (blank < 0) return ApiResponse.badRequest("the call is not a request");
    String method = line.substring(0, blank);
    String target = line.substring(blank + 1);
    try {
      // the transport admits only nodes of this cluster
      return api.call(
          ApiRequest.ofTarget(
              method, target, new byte[0], Caller.OPERATOR, "node", "replication port"));
    } catch (IllegalArgumentException e) {
      return ApiResponse.badRequest("the call is not a request");
    }
  }

  /**
   * Reads the answer of another node.
   *
   * @throws IOException when it is damaged or longer than {@value #BODY_MAX}
   */
  public static NodeAnswer read(byte[] frame) throws IOException {
    if (frame.length < HEAD) throw new IOException("the answer of a node is cut off");
    ByteBuffer head = ByteBuffer.wrap(frame);
    int status = head.getShort();
    boolean compressed = head.get() != 0;
    var rest = new ByteArrayInputStream(frame, HEAD, frame.length - HEAD);
    if (!compressed) return new NodeAnswer(status, rest.readAllBytes());
    try (GZIPInputStream zip = new GZIPInputStream(rest)) {
      byte[] body = zip.readNBytes(BODY_MAX + 1);
      if (body.length > BODY_MAX) throw new IOException("the answer of a node is too long");
      return new NodeAnswer(status, body);
    }
  }
}
