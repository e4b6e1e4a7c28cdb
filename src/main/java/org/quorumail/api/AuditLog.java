package org.quorumail.api;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.quorumail.api.ApiRequest.Caller;
import org.quorumail.config.UrlRedaction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/**
 * The changes that callers of this node have ordered, with their results, and the attempts that
 * were refused. The log has all of them, this list the last. Bodies are in neither: they may be
 * long. Thread-safe.
 */
final class AuditLog {
  private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);

  /** Some weeks of an ordinary cluster, some hundred KiB. */
  private static final int CAPACITY = 1_000;

  /** The longest text of an entry; a caller chooses how long its request is. */
  private static final int TEXT_MAX = 300;

  private final ArrayDeque<AuditEntry> entries = new ArrayDeque<>();
  private final LogAllowance strangers = new LogAllowance();
  private final Clock clock;

  AuditLog(Clock clock) {
    this.clock = clock;
  }

  /**
   * One change.
   *
   * @param time ISO 8601, UTC
   * @param who the caller: a user of the host, or the name of its token
   * @param from the address of the caller, or the control socket
   * @param operation method and path
   * @param parameters the query
   * @param status of the answer, as in HTTP
   * @param reason why it was refused; empty when it was done
   */
  record AuditEntry(
      String time,
      String who,
      String from,
      String operation,
      String parameters,
      int status,
      String reason) {}

  /** Records a request for a change and its answer. */
  void add(ApiRequest request, ApiResponse answer) {
    AuditEntry entry =
        new AuditEntry(
            clock.instant().truncatedTo(ChronoUnit.MILLIS).toString(),
            request.who(),
            request.from(),
            cut(request.method() + " " + request.path()),
            cut(UrlRedaction.redact(parameters(request))),
            answer.status(),
            cut(reason(answer)));
    if (isStranger(request.caller())) {
      long suppressed = strangers.take();
      if (suppressed >= 0) log(entry, suppressed);
      return; // strangers must not displace the changes
    }
    synchronized (this) {
      entries.addLast(entry);
      if (entries.size() > CAPACITY) entries.removeFirst();
    }
    log(entry, 0);
  }

  /** The last changes, oldest first. */
  synchronized List<AuditEntry> latest(int limit) {
    List<AuditEntry> all = new ArrayList<>(entries);
    return List.copyOf(all.subList(Math.max(0, all.size() - limit), all.size()));
  }

  private static void log(AuditEntry entry, long suppressed) {
    LOG.info(
        "event=audit who={} from=\"{}\" operation=\"{}\" parameters=\"{}\" status={} reason=\"{}\""
            + " suppressed={}",
        entry.who(),
        entry.from(),
        entry.operation(),
        entry.parameters(),
        entry.status(),
        entry.reason(),
        suppressed);
  }

  private static boolean isStranger(Caller caller) {
    return switch (caller) {
      case WRONG_TOKEN, LOOPBACK, REMOTE -> true;
      case OPERATOR, TOKEN, INJECT_TOKEN, READ_TOKEN -> false;
    };
  }

  private static String parameters(ApiRequest request) {
    return request.query().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .flatMap(e -> e.getValue().stream().map(value -> e.getKey() + "=" + value))
        .collect(Collectors.joining("&"));
  }

  private static String reason(ApiResponse answer) {
    if (answer.status() < 300) return "";
    try {
      var body = Json.mapper().readTree(new String(answer.body(), StandardCharsets.UTF_8));
      String detail = body.path("detail").asString("");
      return detail.isEmpty() ? body.path("problems").path(0).asString("") : detail;
    } catch (JacksonException e) {
      return "";
    }
  }

  private static String cut(String text) {
    return text.length() <= TEXT_MAX ? text : text.substring(0, TEXT_MAX) + "…";
  }
}
