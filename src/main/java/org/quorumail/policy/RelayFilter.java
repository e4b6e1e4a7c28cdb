package org.quorumail.policy;

import java.util.List;
import java.util.Optional;
import org.quorumail.mail.MailAddress;

/**
 * The relay rule as a filter: who may send where, who exists, and whom an address of ours stands
 * for. It comes before all that costs something.
 */
public final class RelayFilter implements MessageFilter {
  private final RelayPolicy policy;
  private final AliasTable aliases;
  private final boolean everyRecipientExists;

  /**
   * @param everybodyExists whether there is no table of recipients
   */
  public RelayFilter(RelayPolicy policy, AliasTable aliases, boolean everybodyExists) {
    this.policy = policy;
    this.aliases = aliases;
    this.everyRecipientExists = everybodyExists;
  }

  @Override
  public String name() {
    return "relay";
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    MailAddress meant = aliases.mapDomain(recipient);
    return switch (policy.decide(session.clientIdentity(), meant)) {
      case RelayPolicy.Decision.Refuse refuse -> Verdict.refusal(refuse.reply());
      case RelayPolicy.Decision.Accept accept -> {
        Optional<List<MailAddress>> targets = aliases.targets(meant);
        if (targets.isEmpty() && everyRecipientExists) targets = aliases.catchAllTargets(meant);
        yield rewriteTo(targets.orElse(List.of(meant)), recipient, session);
      }
      case RelayPolicy.Decision.Unknown unknown -> {
        Optional<List<MailAddress>> targets =
            aliases.targets(meant).or(() -> aliases.catchAllTargets(meant));
        yield targets.isPresent()
            ? rewriteTo(targets.get(), recipient, session)
            : Verdict.refusal(unknown.reply());
      }
      case RelayPolicy.Decision.Unavailable unavailable -> {
        Optional<List<MailAddress>> targets = aliases.targets(meant);
        yield targets.isPresent()
            ? rewriteTo(targets.get(), recipient, session)
            : Verdict.refusal(unavailable.reply());
      }
    };
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }

  private static Verdict rewriteTo(
      List<MailAddress> targets, MailAddress recipient, SessionView session) {
    if (targets.equals(List.of(recipient))) return Verdict.ACCEPT;
    // the envelope has the bare postmaster (RFC 5321 §4.5.1) as the one of this host
    boolean bare = recipient.domain().isEmpty();
    MailAddress kept =
        bare ? new MailAddress(recipient.localPart(), session.hostname()) : recipient;
    return new Verdict.Change(List.of(new Edit.RewriteRecipient(kept, targets)));
  }
}
