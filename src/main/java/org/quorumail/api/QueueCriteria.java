package org.quorumail.api;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.LocalPart;
import org.quorumail.config.Spelling;
import org.quorumail.config.Units;
import org.quorumail.mail.FailureClass;

/**
 * The filter of messages, the same for lists, counts and changes. An empty text and a zero do not
 * restrict; a message fits when all criteria do.
 *
 * @param sender beginning of the reverse-path; case does not count
 * @param recipient beginning of the address of a recipient; case does not count
 * @param domain of a recipient that waits
 * @param minAgeMillis least age
 * @param minSize octets that the message has at least
 * @param minAttempts attempts that a recipient has had at least
 * @param error part of the last reply about a recipient that waits; case does not count
 * @param failureClass of that reply
 */
public record QueueCriteria(
    String status,
    String sender,
    String recipient,
    String domain,
    long minAgeMillis,
    long minSize,
    int minAttempts,
    String error,
    String failureClass) {
  public static final QueueCriteria ALL = new QueueCriteria("", "", "", "", 0, 0, 0, "", "");

  private static final String STATUS = "status";
  private static final String SENDER = "sender";
  private static final String RECIPIENT = "recipient";
  private static final String DOMAIN = "domain";
  private static final String OLDER_THAN = "older_than";
  private static final String LARGER = "larger";
  private static final String ATTEMPTS = "attempts";
  private static final String ERROR = "error";
  private static final String CLASS = "class";

  private static final List<String> NAMES =
      List.of(STATUS, SENDER, RECIPIENT, DOMAIN, OLDER_THAN, LARGER, ATTEMPTS, ERROR, CLASS);

  /** Longer than any address, and than any part of a reply that one looks for. */
  private static final int TEXT_MAX = 320;

  private static final int ATTEMPTS_MAX = 1_000_000;

  /** A filter by status alone. */
  static QueueCriteria ofStatus(String status) {
    return new QueueCriteria(status, "", "", "", 0, 0, 0, "", "");
  }

  /**
   * Reads the filter of a request.
   *
   * @param others the other parameters that the operation has
   * @throws IllegalArgumentException with one sentence, for an unknown parameter too: a filter that
   *     is misspelt must not select everything
   */
  static QueueCriteria read(ApiRequest request, List<String> others) {
    for (String name : request.query().keySet()) {
      if (!NAMES.contains(name) && !others.contains(name)) throw unknown(name, others);
    }
    return new QueueCriteria(
        status(text(request, STATUS)),
        sender(text(request, SENDER)),
        text(request, RECIPIENT),
        domain(text(request, DOMAIN)),
        request.parameter(OLDER_THAN).map(t -> Units.parseDuration(t).toMillis()).orElse(0L),
        request.parameter(LARGER).map(Units::parseSize).orElse(0L),
        request.parameter(ATTEMPTS).map(QueueCriteria::attempts).orElse(0),
        text(request, ERROR),
        failureClass(text(request, CLASS)));
  }

  private static IllegalArgumentException unknown(String name, List<String> others) {
    List<String> known = new ArrayList<>(NAMES);
    known.addAll(others);
    String hint =
        Spelling.nearest(name.toLowerCase(Locale.ROOT), known)
            .map(nearest -> "did you mean " + nearest + "?")
            .orElseGet(() -> "there are " + String.join(", ", NAMES));
    return new IllegalArgumentException("there is no filter \"%s\"; %s".formatted(name, hint));
  }

  private static String text(ApiRequest request, String name) {
    String text = request.parameter(name).orElse("");
    if (text.length() <= TEXT_MAX) return text;
    throw new IllegalArgumentException(
        "the parameter %s has at most %d characters".formatted(name, TEXT_MAX));
  }

  private static String status(String status) {
    if (status.isEmpty() || QueueView.STATUSES.contains(status)) return status;
    throw new IllegalArgumentException("status is one of " + String.join(", ", QueueView.STATUSES));
  }

  private static String domain(String domain) {
    return domain.isEmpty() ? "" : AddressPattern.domain(domain);
  }

  private static String failureClass(String text) {
    if (text.isEmpty()) return "";
    return FailureClass.parse(text)
        .map(FailureClass::text)
        .orElseThrow(() -> new IllegalArgumentException(noSuchClass(text)));
  }

  private static String noSuchClass(String text) {
    List<String> names = new ArrayList<>();
    for (FailureClass c : FailureClass.values()) names.add(c.text());
    return Spelling.nearest(text, names)
        .map(nearest -> "there is no class \"%s\"; did you mean %s?".formatted(text, nearest))
        .orElseGet(() -> "class is one of " + String.join(", ", names));
  }

  private static int attempts(String text) {
    if (text.matches("\\d{1,7}")) {
      int attempts = Integer.parseInt(text);
      if (attempts <= ATTEMPTS_MAX) return attempts;
    }
    throw new IllegalArgumentException("attempts is a number up to " + ATTEMPTS_MAX);
  }

  /**
   * The beginning of a sender, as the spool has it: the domain in its ASCII form, the local part
   * with the least quoting.
   */
  private static String sender(String prefix) {
    int at = prefix.lastIndexOf('@');
    if (at < 0) return prefix;
    String domain = prefix.substring(at + 1);
    boolean ascii = domain.chars().allMatch(c -> c <= 0x7F);
    String local = LocalPart.minimallyQuoted(prefix.substring(0, at));
    return local + "@" + (ascii ? domain : AddressPattern.domain(domain));
  }

  boolean isAll() {
    return equals(ALL);
  }

  /** Whether a node of an older release would not know a criterion and list more. */
  public boolean isNew() {
    return !recipient.isEmpty()
        || minSize > 0
        || minAttempts > 0
        || !error.isEmpty()
        || !failureClass.isEmpty();
  }

  /** The parameters of a query, encoded: {@code status=retry&domain=example.org}. */
  public String query() {
    Map<String, String> parameters = new LinkedHashMap<>();
    parameters.put(STATUS, status);
    parameters.put(SENDER, sender);
    parameters.put(RECIPIENT, recipient);
    parameters.put(DOMAIN, domain);
    parameters.put(OLDER_THAN, minAgeMillis > 0 ? minAgeMillis + "ms" : "");
    parameters.put(LARGER, minSize > 0 ? minSize + "B" : "");
    parameters.put(ATTEMPTS, minAttempts > 0 ? String.valueOf(minAttempts) : "");
    parameters.put(ERROR, error);
    parameters.put(CLASS, failureClass);
    List<String> pairs = new ArrayList<>();
    parameters.forEach(
        (name, value) -> {
          if (!value.isEmpty())
            pairs.add(name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8));
        });
    return String.join("&", pairs);
  }
}
