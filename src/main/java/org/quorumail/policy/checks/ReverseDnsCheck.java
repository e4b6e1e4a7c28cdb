package org.quorumail.policy.checks;

import java.net.InetAddress;
import java.util.List;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.SenderResolver;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.ReverseDnsConfig;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

/**
 * A check of a stranger's reverse DNS: the address has a name, and the name leads back to the
 * address (forward-confirmed reverse DNS, RFC 8601 §2.7.3). The resolver caches the answers. A
 * failed query counts as a pass.
 */
public final class ReverseDnsCheck implements MessageFilter {
  /** The limit that RFC 8601 §2.7.3 asks for; honest addresses have fewer names. */
  private static final int MAX_NAMES = 5;

  private final ReverseDnsConfig config;
  private final SenderResolver resolver;

  public ReverseDnsCheck(ReverseDnsConfig config, SenderResolver resolver) {
    this.config = config;
    this.resolver = resolver;
  }

  @Override
  public String name() {
    return "reverse_dns";
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    return switch (resolver.hostNames(session.client())) {
      case LookupResult.Found<String> found -> {
        if (isConfirmed(found.values(), session.client())) yield Verdict.ACCEPT;
        yield CheckFailure.verdict(
            config.unconfirmed(),
            "reverse_dns_unconfirmed",
            "5.7.25", // RFC 7372 §3.3
            "The name of your address does not lead back to it",
            session);
      }
      case LookupResult.Absent<String> none ->
          CheckFailure.verdict(
              config.missing(),
              "reverse_dns_missing",
              "5.7.25",
              "Your address has no name in the DNS",
              session);
      case LookupResult.Unknown<String> unknown -> Verdict.ACCEPT;
    };
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }

  @Override
  public boolean judgesReputation() {
    return true;
  }

  private boolean isConfirmed(List<String> names, InetAddress client) {
    for (String name : names.subList(0, Math.min(MAX_NAMES, names.size()))) {
      switch (resolver.addresses(name)) {
        case LookupResult.Found<InetAddress> found -> {
          if (found.values().contains(client)) return true;
        }
        case LookupResult.Absent<InetAddress> none -> {}
        case LookupResult.Unknown<InetAddress> unknown -> {
          return true; // a broken name server is not the client's fault alone
        }
      }
    }
    return false;
  }
}
