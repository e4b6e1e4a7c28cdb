package org.quorumail.node;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.config.ConfigValues;
import org.quorumail.config.KeyPath;
import org.quorumail.config.ParseContext;
import org.quorumail.config.Problem;
import org.quorumail.config.ReplicatedDocument;
import org.quorumail.config.UrlRedaction;

/**
 * The check whether a document may be the configuration of all nodes. Its keys must take effect
 * without a restart and mean the same on each node, and none may be a secret: any reader of the
 * API, and every snapshot, has the whole document.
 */
final class ReplicatedConfigCheck {
  /** The tables and keys that may be there. */
  private static final List<String> ALLOWED =
      List.of(
          "relay.networks",
          "relay.certificates",
          "relay.domains",
          "policy.lists",
          "policy.limits",
          "policy.helo",
          "policy.reverse_dns",
          "policy.sender_domain",
          "policy.dnsbl",
          "policy.greylist",
          "policy.tarpit",
          "policy.recipients",
          "milter",
          "aliases.domains",
          "aliases.catch_all",
          "route",
          "delivery.max_attempts",
          "delivery.base_retry_delay",
          "delivery.max_retry_delay",
          "delivery.retry_jitter_factor",
          "delivery.message_expiration",
          "delivery.delay_notice_after",
          "delivery.domains",
          "auth.mechanisms",
          "auth.allow_without_tls",
          "auth.attempts",
          "auth.failures_per_ip",
          "auth.failures_per_user",
          "auth.failure_window",
          "auth.failure_delay",
          "log.level");

  /** Keys below these that may not. */
  private static final List<String> EXCEPTIONS = List.of("policy.limits.keys");

  private static final String FILE_ENTRY = "file:";
  private static final String UNIX_SOCKET = "unix:";

  private ReplicatedConfigCheck() {}

  /** The problems of the keys themselves, whatever they are set to. */
  static List<Problem> problems(ReplicatedDocument document, ParseContext context) {
    List<Problem> problems = new ArrayList<>();
    for (String key : document.keys()) {
      if (!isAllowed(key)) {
        problems.add(
            new Problem(
                key,
                context.origin(key),
                "cannot be in the configuration of the cluster: it needs a restart, or belongs to"
                    + " one node; set it in the file of each node"));
      }
    }
    ConfigValues values = context.values();
    values.forEach(
        (key, value) -> {
          if (values.origin(key).isEmpty()) return;
          String reason = reason(value);
          if (!reason.isEmpty()) problems.add(new Problem(key, context.origin(key), reason));
        });
    return problems;
  }

  private static boolean isAllowed(String key) {
    return ALLOWED.stream().anyMatch(a -> KeyPath.isWithin(key, a))
        && EXCEPTIONS.stream().noneMatch(e -> KeyPath.isWithin(key, e));
  }

  private static String reason(Object value) {
    String text = value.toString();
    if (value instanceof Path || text.startsWith(FILE_ENTRY) || text.startsWith(UNIX_SOCKET)) {
      return "names a file, which belongs to one node: write the entries here, or set the key in"
          + " the file of each node";
    }
    return UrlRedaction.redact(text).equals(text)
        ? ""
        : "has a password or a key in its URL: a secret stays in the file of each node";
  }
}
