package org.quorumail.cluster;

import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * An operator's order to the delivery of all nodes, an entry of the meta group. Domains are lower
 * case, times are milliseconds since 1970.
 */
public sealed interface OperatorOrder {
  /** The longest name of a domain or host, see RFC 1035. */
  int NAME_MAX = 255;

  /** A reason is one sentence; all orders are in the memory of all nodes. */
  int REASON_MAX = 200;

  /** The longest name of a user or a token. */
  int AUTHOR_MAX = 100;

  /** A host with a port. */
  int HOST_MAX = NAME_MAX + 10;

  String domain();

  /** The reason why the order cannot be applied; JSON may leave anything out. */
  Optional<String> problem();

  /**
   * No mail is delivered to the domain until the end.
   *
   * @param since by the clock of the node that took the order
   * @param reason may be empty
   */
  record Suspend(String domain, long since, long until, String reason, String author)
      implements OperatorOrder {
    public Suspend {
      domain = lower(domain);
    }

    @Override
    public Optional<String> problem() {
      if (until <= since) return Optional.of("a suspension ends before it begins");
      return badText("reason", reason, REASON_MAX)
          .or(() -> badText("author", author, AUTHOR_MAX))
          .or(() -> badName(domain));
    }
  }

  /** The suspension of the domain ends. */
  record Resume(String domain) implements OperatorOrder {
    public Resume {
      domain = lower(domain);
    }

    @Override
    public Optional<String> problem() {
      return badName(domain);
    }
  }

  /**
   * The mail of the domain goes to the host.
   *
   * @param host a name or an address, and a port
   */
  record SetMxOverride(String domain, String host, long since, String author)
      implements OperatorOrder {
    public SetMxOverride {
      domain = lower(domain);
    }

    @Override
    public Optional<String> problem() {
      return badText("host", host, HOST_MAX)
          .or(() -> badText("author", author, AUTHOR_MAX))
          .or(() -> badName(domain));
    }
  }

  /** The mail of the domain goes where routes and DNS send it. */
  record RemoveMxOverride(String domain) implements OperatorOrder {
    public RemoveMxOverride {
      domain = lower(domain);
    }

    @Override
    public Optional<String> problem() {
      return badName(domain);
    }
  }

  private static String lower(String domain) {
    return Objects.isNull(domain) ? "" : domain.toLowerCase(Locale.ROOT);
  }

  private static Optional<String> badName(String domain) {
    return domain.isEmpty() ? Optional.of("the domain is missing") : badText("domain", domain);
  }

  private static Optional<String> badText(String name, String text) {
    return badText(name, text, NAME_MAX);
  }

  private static Optional<String> badText(String name, String text, int max) {
    if (Objects.isNull(text)) return Optional.of("the %s is missing".formatted(name));
    return text.length() <= max
        ? Optional.empty()
        : Optional.of("the %s has more than %d characters".formatted(name, max));
  }
}
