package org.quorumail.policy;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.quorumail.config.Network;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.Reply;

/**
 * The relay rule: which client may send to which recipient. It is closed unless the configuration
 * opens it. Only the client's address, certificate or authentication gives trust; its claims in
 * EHLO, MAIL or a header never do. RFC 5321 §3.6.2, §3.9; RFC 2505 §2.1.
 */
public final class RelayPolicy {
  private static final Reply NO_RELAY = Reply.of(550, "5.7.1", "Relaying denied");
  private static final Reply NO_ROUTING =
      Reply.of(550, "5.7.1", "Addresses that route through this host are refused");
  private static final Reply UNKNOWN = Reply.of(550, "5.1.1", "No such mailbox here");

  /** The refusal of a bare postmaster, RFC 5321 §4.5.1, whom no domain and no alias names. */
  static final Reply NO_POSTMASTER =
      Reply.of(550, "5.1.1", "This host has no local domain, so postmaster needs a domain");

  private static final Reply UNAVAILABLE =
      Reply.of(451, "4.3.0", "Cannot look up the recipient now, try again later");

  private final RelayConfig config;
  private final Set<String> localDomains; // in the order of the configuration
  private final Optional<RecipientTable> recipients;

  public RelayPolicy(RelayConfig config, Optional<RecipientTable> recipients) {
    this.config = config;
    this.localDomains =
        config.domains().stream()
            .map(domain -> domain.toLowerCase(Locale.ROOT))
            .collect(Collectors.toCollection(LinkedHashSet::new));
    this.recipients = recipients;
  }

  /** The decision about one recipient. */
  public sealed interface Decision {
    record Accept() implements Decision {}

    record Refuse(Reply reply) implements Decision {}

    /** The domain is local, and the recipient does not exist. */
    record Unknown(Reply reply) implements Decision {}

    /** Only an alias for this very recipient makes a local part with a route in it acceptable. */
    record Routed(Reply reply) implements Decision {}

    /** The recipient table cannot answer now. */
    record Unavailable(Reply reply) implements Decision {}
  }

  /** Returns whether this client may send to any recipient. */
  public boolean trusts(ClientIdentity client) {
    if (client.user().isPresent()) return true;
    for (Network network : config.networks()) {
      if (network.contains(client.address())) return true;
    }
    return !Collections.disjoint(config.certificates(), client.certificateNames());
  }

  public Decision decide(ClientIdentity client, MailAddress address) {
    MailAddress recipient = address.canonical();
    boolean trusted = trusts(client);
    boolean local = localDomains.contains(recipient.domain());
    if (!local) return trusted ? new Decision.Accept() : refuse(NO_RELAY);
    boolean postmaster = recipient.localPart().equalsIgnoreCase("postmaster");
    if (postmaster) return new Decision.Accept(); // RFC 5321 §4.5.1
    boolean routed = !trusted && hasSourceRoute(recipient);
    if (recipients.isEmpty()) {
      return routed ? new Decision.Routed(NO_ROUTING) : new Decision.Accept();
    }
    RecipientTable table = recipients.get();
    return switch (routed ? table.findExact(recipient) : table.find(recipient)) {
      case KNOWN -> new Decision.Accept();
      case UNKNOWN -> routed ? new Decision.Routed(NO_ROUTING) : new Decision.Unknown(UNKNOWN);
      case UNAVAILABLE -> new Decision.Unavailable(UNAVAILABLE);
    };
  }

  /**
   * The domain of the bare postmaster, RFC 5321 §4.5.1: the local domain that the host's name is
   * in, else the first one that is configured; empty without any.
   */
  Optional<String> postmasterDomain(String hostname) {
    String name = hostname.toLowerCase(Locale.ROOT);
    for (int dot = -1; ; ) {
      String domain = name.substring(dot + 1);
      if (localDomains.contains(domain)) return Optional.of(domain);
      dot = name.indexOf('.', dot + 1);
      if (dot < 0) break;
    }
    return localDomains.stream().findFirst();
  }

  /**
   * Returns whether a later host could read the local part as an address (percent hack, bang path,
   * quoted at-sign): this host would relay for strangers.
   */
  private static boolean hasSourceRoute(MailAddress recipient) {
    String localPart = recipient.localPart();
    for (int i = 0; i < localPart.length(); i++) {
      if ("%!@".indexOf(localPart.charAt(i)) >= 0) return true;
    }
    return false;
  }

  private static Decision refuse(Reply reply) {
    return new Decision.Refuse(reply);
  }
}
