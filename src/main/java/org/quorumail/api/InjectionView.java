package org.quorumail.api;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** The entrance for messages over HTTP, {@code POST /api/messages}. */
public interface InjectionView {
  /** Refuses all messages: a node without an entrance. */
  InjectionView NONE =
      request -> InjectionAnswer.refused(503, "this node takes no mail over HTTP", "");

  /**
   * Takes the messages of a request; blocks until a quorum has them, or they are refused.
   *
   * @throws IOException when the body of the request cannot be read
   */
  InjectionAnswer inject(InjectionRequest request) throws IOException;

  /** Returns the knowledge of this node alone about a request with a key; other nodes ask it. */
  default KnownRequest known(String request) {
    return new KnownRequest(false, List.of(), List.of());
  }

  /**
   * The knowledge of a node about a request that may come again.
   *
   * @param inProgress whether the node works on it, or does not know its fate
   * @param spools the spools that the node owns, of which it knows all requests
   */
  record KnownRequest(boolean inProgress, List<String> spools, List<KnownMessage> messages) {
    public KnownRequest {
      spools = List.copyOf(spools);
      messages = List.copyOf(messages);
    }
  }

  /**
   * A message that was accepted under a key.
   *
   * @param index of the message in its request
   * @param body the digest of the request
   */
  record KnownMessage(int index, String id, String body, long atMillis) {
    /** The time for which a key is known: 24 hours. */
    public static final long KEPT_MILLIS = 24L * 3600 * 1000;
  }

  /**
   * A request with messages.
   *
   * @param headers the first value of each, by its name in lower case
   * @param length of the body, where the client names it
   * @param who the name of the caller, see {@link ApiRequest#who}
   * @param senders the addresses that the caller may send as: {@code a@example.org}, {@code
   *     @example.org} or {@code *}
   * @param local the address to which the client connected
   */
  record InjectionRequest(
      Map<String, String> headers,
      Map<String, List<String>> query,
      InputStream body,
      OptionalLong length,
      String who,
      Set<String> senders,
      InetSocketAddress remote,
      InetSocketAddress local,
      Optional<String> tls) {
    public InjectionRequest {
      senders = Set.copyOf(senders);
    }

    public Optional<String> header(String lowerCaseName) {
      return Optional.ofNullable(headers.get(lowerCaseName));
    }
  }

  /**
   * The answer: a value with the ids of the messages, or a problem.
   *
   * @param retryAfterSeconds 0 where the same request would be refused again
   */
  record InjectionAnswer(int status, Object body, int retryAfterSeconds) {
    /** 202: a quorum has the messages. */
    public static InjectionAnswer accepted(Object body) {
      return new InjectionAnswer(202, body, 0);
    }

    /**
     * A refusal for good.
     *
     * @param field the part of the request that is at fault; empty for none
     */
    public static InjectionAnswer refused(int status, String detail, String field) {
      return refused(status, detail, field, 0);
    }

    public static InjectionAnswer refused(
        int status, String detail, String field, int retryAfterSeconds) {
      Map<String, Object> problem = new LinkedHashMap<>();
      problem.put("type", "about:blank");
      problem.put("title", title(status));
      problem.put("status", status);
      problem.put("detail", detail);
      if (!field.isEmpty()) problem.put("field", field);
      return new InjectionAnswer(status, problem, retryAfterSeconds);
    }

    private static String title(int status) {
      return switch (status) {
        case 400 -> "Bad Request";
        case 403 -> "Forbidden";
        case 409 -> "Conflict";
        case 413 -> "Content Too Large";
        case 415 -> "Unsupported Media Type";
        case 422 -> "Unprocessable Content";
        case 429 -> "Too Many Requests";
        case 507 -> "Insufficient Storage";
        default -> "Service Unavailable";
      };
    }
  }
}
