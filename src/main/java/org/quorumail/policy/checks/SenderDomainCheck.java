package org.quorumail.policy.checks;

import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.Resolver;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.Consequence;
import org.quorumail.policy.PolicyConfig.SenderDomainConfig;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

/**
 * A check of the domain of a stranger's sender: no report could reach a domain that does not exist,
 * or that takes no mail. The resolver caches the answers. A failed query counts as a pass.
 */
public final class SenderDomainCheck implements MessageFilter {
  private static final EnhancedStatus NULL_MX = new EnhancedStatus(5, 1, 10); // RFC 7505 §4.2

  private final SenderDomainConfig config;
  private final Resolver resolver;

  public SenderDomainCheck(SenderDomainConfig config, Resolver resolver) {
    this.config = config;
    this.resolver = resolver;
  }

  @Override
  public String name() {
    return "sender_domain";
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    boolean named = session.sender().orElse(null) instanceof ReversePath.Mailbox;
    if (!named) return Verdict.ACCEPT;
    ReversePath.Mailbox sender = (ReversePath.Mailbox) session.sender().orElseThrow();
    String domain = sender.address().domain();
    if (domain.startsWith("[")) return Verdict.ACCEPT; // an address literal
    LookupResult<MailExchanger> exchangers = resolver.mailExchangers(domain);
    if (!(exchangers instanceof LookupResult.Absent<MailExchanger> none)) return Verdict.ACCEPT;
    return none.status().equals(NULL_MX)
        ? verdict(config.nullMx(), "null_mx", "5.7.27", "takes no mail (RFC 7505)", session)
        : verdict(config.unknown(), "unknown", "5.1.8", "does not exist", session);
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }

  @Override
  public boolean judgesReputation() {
    return true;
  }

  private static Verdict verdict(
      Consequence consequence, String check, String status, String text, SessionView session) {
    return CheckFailure.verdict(
        consequence, "sender_domain_" + check, status, "The domain of the sender " + text, session);
  }
}
