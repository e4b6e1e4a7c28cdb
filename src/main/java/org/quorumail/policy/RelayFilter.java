package org.quorumail.policy;

import java.util.List;
import java.util.Optional;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.Reply;

/**
 * The relay rule as a filter: it refuses relaying and unknown recipients, and replaces aliases by
 * their targets. It runs before all filters that cost something.
 */
public final class RelayFilter implements MessageFilter {
  private final RelayPolicy policy;
  private final AliasTable aliases;
  private final boolean everyRecipientExists;

  /**
   * @param everyRecipientExists true when no recipient table is configured
   */
  public RelayFilter(RelayPolicy policy, AliasTable aliases, boolean everyRecipientExists) {
    this.policy = policy;
    this.aliases = aliases;
    this.everyRecipientExists = everyRecipientExists;
  }

  @Override
  public String name() {
    return "relay";
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    if (!recipient.domain().isEmpty()) return judge(session, recipient, recipient);
    // the envelope holds the bare postmaster (RFC 5321 §4.5.1) with this host as domain
    MailAddress kept = recipient.qualified(session.hostname());
    Optional<List<MailAddress>> targets = aliases.targets(kept);
    if (targets.isPresent()) return rewriteTo(targets.get(), kept);
    Optional<String> domain = policy.postmasterDomain(session.hostname());
    if (domain.isPresent()) {
      return judge(session, new MailAddress(recipient.localPart(), domain.get()), kept);
    }
    targets = aliases.targets(recipient);
    if (targets.isPresent()) return rewriteTo(targets.get(), kept);
    return policy.trusts(session.clientIdentity())
        ? Verdict.ACCEPT
        : Verdict.refusal(RelayPolicy.NO_POSTMASTER);
  }

  /**
   * @param kept the recipient as the envelope holds it
   */
  private Verdict judge(SessionView session, MailAddress recipient, MailAddress kept) {
    MailAddress mapped = aliases.mapDomain(recipient);
    return switch (policy.decide(session.clientIdentity(), mapped)) {
      case RelayPolicy.Decision.Refuse refuse -> Verdict.refusal(refuse.reply());
      case RelayPolicy.Decision.Accept accept -> {
        Optional<List<MailAddress>> targets = aliases.targets(mapped);
        if (targets.isEmpty() && everyRecipientExists) targets = aliases.catchAllTargets(mapped);
        yield rewriteTo(targets.orElse(List.of(mapped)), kept);
      }
      case RelayPolicy.Decision.Unknown unknown -> {
        Optional<List<MailAddress>> targets =
            aliases.targets(mapped).or(() -> aliases.catchAllTargets(mapped));
        yield targets.isPresent()
            ? rewriteTo(targets.get(), kept)
            : Verdict.refusal(unknown.reply());
      }
      case RelayPolicy.Decision.Unavailable unavailable ->
          aliasOr(unavailable.reply(), mapped, kept);
      case RelayPolicy.Decision.Routed routed -> aliasOr(routed.reply(), mapped, kept);
    };
  }

  /** Accepts a recipient with an alias of its own; a catch-all does not count. */
  private Verdict aliasOr(Reply refusal, MailAddress mapped, MailAddress kept) {
    Optional<List<MailAddress>> targets = aliases.targets(mapped);
    return targets.isPresent() ? rewriteTo(targets.get(), kept) : Verdict.refusal(refusal);
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }

  private static Verdict rewriteTo(List<MailAddress> targets, MailAddress kept) {
    if (targets.equals(List.of(kept))) return Verdict.ACCEPT;
    return new Verdict.Change(List.of(new Edit.RewriteRecipient(kept, targets)));
  }
}
