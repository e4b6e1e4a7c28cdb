package org.quorumail.inject;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.quorumail.api.InjectionView;
import org.quorumail.api.OtherNodes;
import org.quorumail.auth.User;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.mime.MessageComposer;
import org.quorumail.smtp.server.InjectionEndpoint;
import org.quorumail.smtp.server.InjectionEndpoint.InjectionClient;
import org.quorumail.smtp.server.InjectionResult;
import org.quorumail.smtp.server.InjectionSession;
import org.quorumail.spool.Intake.RequestLookup;
import org.quorumail.spool.RequestKey;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The messages of HTTP requests: raw ones stream into the spool, JSON and forms are read whole and
 * composed. Thread-safe.
 */
public final class HttpInjection implements InjectionView {
  /** The copies of a document on its way: as received, parsed, decoded, composed. */
  private static final int COPIES = 4;

  /** Base64 makes four characters of three octets. */
  private static final int BASE64_NUMERATOR = 4;

  private static final int BASE64_DENOMINATOR = 3;

  /** The octets of a document beside its content. */
  private static final int DOCUMENT_ROOM = 1 << 20;

  /** The octets that are read for one charge of memory. */
  private static final int PIECE = 64 << 10;

  private static final int NESTING_MAX = 20;

  private final Supplier<Optional<InjectionEndpoint>> endpoint;
  private final RequestKeys keys;
  private final MessageComposer composer;

  /**
   * @param endpoint empty while this node takes no mail
   * @param others are asked for the key of a request
   * @param memberWithout a member that is down, or whose release does not know such keys
   */
  public HttpInjection(
      Supplier<Optional<InjectionEndpoint>> endpoint,
      OtherNodes others,
      Supplier<Optional<String>> memberWithout) {
    this.endpoint = endpoint;
    this.keys = new RequestKeys(others, memberWithout);
    SecureRandom random = new SecureRandom();
    this.composer =
        new MessageComposer(
            () -> {
              byte[] unguessable = new byte[16];
              random.nextBytes(unguessable);
              return "=_" + HexFormat.of().formatHex(unguessable);
            });
  }

  @Override
  public InjectionAnswer inject(InjectionRequest request) throws IOException {
    Optional<InjectionEndpoint> open = endpoint.get();
    if (open.isEmpty()) {
      String detail = "this node takes no mail: it starts, or its roles lack \"receive\"";
      return InjectionAnswer.refused(503, detail, "", Answers.RETRY_UNAVAILABLE);
    }
    try {
      return inject(request, open.get());
    } catch (InjectionProblem problem) {
      return problem.answer();
    }
  }

  @Override
  public KnownRequest known(String request) {
    if (!RequestKey.isDigest(request)) throw new IllegalArgumentException("not a key");
    RequestLookup here =
        endpoint
            .get()
            .map(open -> open.requests(request))
            .orElse(new RequestLookup(List.of(), List.of(), false));
    return keys.known(request, here);
  }

  private InjectionAnswer inject(InjectionRequest request, InjectionEndpoint open)
      throws IOException {
    Optional<IdempotentRequest> once = IdempotentRequest.of(request);
    if (once.isEmpty()) return inject(request, open, IdempotentRequest.NONE);
    String key = once.get().request();
    once.get().known(keys.begin(key, open::requests, System.currentTimeMillis()));
    try {
      return inject(once.get().digesting(request), open, once.get());
    } finally {
      keys.end(key, once.get().isInDoubt());
    }
  }

  private InjectionAnswer inject(
      InjectionRequest request, InjectionEndpoint open, IdempotentRequest once) throws IOException {
    var unavailable = open.refusal();
    if (unavailable.isPresent()) return Answers.refused(unavailable.get(), List.of());
    InjectionClient client =
        new InjectionClient(
            request.remote(),
            request.local(),
            "HTTP",
            request.tls(),
            new User(request.who(), request.senders()));
    String contentType = request.header("content-type").orElse("");
    Optional<InjectionSession> session = open.open(client);
    if (session.isEmpty()) throw busy();
    try (InjectionSession opened = session.get()) {
      return switch (mediaType(contentType)) {
        case "message/rfc822" -> raw(request, open, opened, once);
        case "application/json" ->
            document(json(body(request, open, opened), open), open, client, opened, once);
        case "multipart/form-data" -> {
          byte[] body = body(request, open, opened);
          JsonNode form = FormReader.read(body, contentType, mapper(open));
          yield document(form, open, client, opened, once);
        }
        default ->
            throw InjectionProblem.of(
                415,
                "Content-Type",
                "Content-Type is none of application/json, message/rfc822, multipart/form-data");
      };
    }
  }

  private static String mediaType(String contentType) {
    int end = contentType.indexOf(';');
    String type = end < 0 ? contentType : contentType.substring(0, end);
    return type.strip().toLowerCase(Locale.ROOT);
  }

  /** Streams a message that the client has composed; the envelope is beside it. */
  private static InjectionAnswer raw(
      InjectionRequest request,
      InjectionEndpoint open,
      InjectionSession session,
      IdempotentRequest once)
      throws IOException {
    Map<String, List<String>> query = request.query();
    for (String name : query.keySet()) {
      if (!Set.of("from", "to").contains(name)) {
        throw InjectionProblem.of(name, "is no parameter: from and to are");
      }
    }
    List<String> from = new ArrayList<>(query.getOrDefault("from", List.of()));
    request.header("x-envelope-from").ifPresent(from::add);
    if (from.size() != 1) {
      throw InjectionProblem.of("from", "is to be given once: ?from= or X-Envelope-From");
    }
    List<String> to = new ArrayList<>(query.getOrDefault("to", List.of()));
    request.header("x-envelope-to").ifPresent(list -> to.addAll(List.of(list.split(",", -1))));
    if (to.isEmpty()) throw InjectionProblem.of("to", "is missing: ?to= or X-Envelope-To");
    requireFew(to.size(), open, "to");
    List<MailAddress> recipients = new ArrayList<>();
    List<String> fields = new ArrayList<>();
    for (int i = 0; i < to.size(); i++) {
      fields.add("to[" + i + "]");
      recipients.add(Addresses.mailbox(to.get(i), fields.getLast()));
    }
    ReversePath sender = Addresses.reversePath(from.getFirst(), "from");
    if (request.length().orElse(0) > open.maxMessageSize()) {
      throw Placeholders.tooLarge(open.maxMessageSize());
    }
    if (once.isKnown(0)) {
      discard(request.body(), open.maxMessageSize());
      return Answers.of(once.accepted(0).orElseThrow(), recipients, fields);
    }
    var result =
        session.submit(
            sender,
            recipients,
            sink -> {
              byte[] piece = new byte[PIECE / COPIES];
              for (int n = request.body().read(piece); n >= 0; n = request.body().read(piece)) {
                sink.write(piece, 0, n);
              }
            },
            () -> once.key(0));
    once.ended(result);
    return Answers.of(result, recipients, fields);
  }

  /** Reads a body that was accepted before only for its digest. */
  private static void discard(InputStream body, long most) throws IOException {
    byte[] piece = new byte[PIECE / COPIES];
    long left = most;
    for (int n = body.read(piece); n >= 0; n = body.read(piece)) {
      left -= n;
      if (left < 0) throw Placeholders.tooLarge(most);
    }
  }

  private static void requireFew(int recipients, InjectionEndpoint open, String field) {
    if (recipients <= open.maxRecipients()) return;
    throw InjectionProblem.of(field, "has more than " + open.maxRecipients() + " recipients");
  }

  private InjectionAnswer document(
      JsonNode root,
      InjectionEndpoint open,
      InjectionClient client,
      InjectionSession session,
      IdempotentRequest once)
      throws IOException {
    MessageDraft draft = DraftReader.read(root, open.maxRecipients());
    if (draft.personal())
      return new BatchInjection(open, client, draft, composer, once).run(session);
    byte[] message = draft.compose(composer, open.maxMessageSize());
    List<MailAddress> recipients = new ArrayList<>();
    List<String> fields = new ArrayList<>();
    for (MessageDraft.DraftRecipient r : draft.recipients()) {
      recipients.add(r.address());
      fields.add(r.field());
    }
    Optional<InjectionResult> before = once.accepted(0);
    InjectionResult result =
        before.isPresent()
            ? before.get()
            : session.submit(
                draft.sender(),
                recipients,
                sink -> sink.write(message, 0, message.length),
                () -> once.key(0));
    once.ended(result);
    return Answers.of(result, recipients, fields);
  }

  private JsonNode json(byte[] body, InjectionEndpoint open) {
    try {
      return mapper(open).readTree(body);
    } catch (JacksonException e) {
      var where = e.getLocation();
      String place =
          where == null
              ? ""
              : " (line " + where.getLineNr() + ", column " + where.getColumnNr() + ")";
      throw InjectionProblem.of(400, "", "the body is no JSON document" + place);
    }
  }

  private static JsonMapper mapper(InjectionEndpoint open) {
    StreamReadConstraints limits =
        StreamReadConstraints.builder()
            .maxStringLength((int) Math.min(Integer.MAX_VALUE, documentLimit(open)))
            .maxNestingDepth(NESTING_MAX)
            .build();
    return JsonMapper.builder(
            JsonFactory.builder()
                .streamReadConstraints(limits)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build())
        .build();
  }

  private static long documentLimit(InjectionEndpoint open) {
    return open.maxMessageSize() / BASE64_DENOMINATOR * BASE64_NUMERATOR + DOCUMENT_ROOM;
  }

  /** Reads the body, and charges the memory for it before it is there. */
  private static byte[] body(
      InjectionRequest request, InjectionEndpoint open, InjectionSession session)
      throws IOException {
    long limit = documentLimit(open);
    if (request.length().orElse(0) > limit) throw tooLong(limit);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    InputStream in = request.body();
    while (true) {
      if (!session.tryReserve((long) COPIES * PIECE)) throw busy();
      byte[] piece = in.readNBytes(PIECE);
      body.writeBytes(piece);
      if (piece.length < PIECE) return body.toByteArray();
      if (body.size() > limit) throw tooLong(limit);
    }
  }

  private static InjectionProblem tooLong(long limit) {
    return InjectionProblem.of(413, "", "a document has at most " + limit + " octets");
  }

  static InjectionProblem busy() {
    return InjectionProblem.busy("the memory for messages on their way in is full");
  }
}
