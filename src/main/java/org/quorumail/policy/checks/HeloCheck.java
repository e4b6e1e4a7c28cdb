package org.quorumail.policy.checks;

import java.net.InetAddress;
import java.util.Optional;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.SenderResolver;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.Consequence;
import org.quorumail.policy.PolicyConfig.HeloConfig;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.AddressLiteral;

/**
 * A check of the name that a stranger gives with EHLO, RFC 5321 §4.1.4. It refuses at RCPT, so the
 * log shows sender and recipient. A name that is not the client's own is no failure (ibid.).
 */
public final class HeloCheck implements MessageFilter {
  private final HeloConfig helo;
  private final SenderResolver resolver;

  public HeloCheck(HeloConfig helo, SenderResolver resolver) {
    this.helo = helo;
    this.resolver = resolver;
  }

  @Override
  public String name() {
    return "helo";
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    Optional<String> helloName = session.helo();
    if (helloName.isEmpty()) return Verdict.ACCEPT;
    String name = helloName.get();
    if (name.startsWith("[")) return checkLiteral(name, session);
    Verdict verdict = Verdict.ACCEPT;
    if (!isHostName(name)) {
      verdict = verdict(helo.invalid(), "helo_invalid", "HELO name is no host name", session);
    } else if (isOwn(name, session)) {
      verdict = verdict(helo.ownName(), "helo_own_name", "HELO name is this host's", session);
    } else if (name.indexOf('.') < 0) {
      verdict = verdict(helo.nonFqdn(), "helo_non_fqdn", "HELO name has no domain", session);
    } else if (helo.unknown() != Consequence.NONE && hasNoRecords(name)) {
      verdict = verdict(helo.unknown(), "helo_unknown", "HELO name does not exist", session);
    }
    return verdict;
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }

  @Override
  public boolean judgesReputation() {
    return true;
  }

  private Verdict checkLiteral(String name, SessionView session) {
    if (!AddressLiteral.isLegal(name)) {
      return verdict(helo.invalid(), "helo_invalid", "HELO name is no address literal", session);
    }
    boolean own = name.equalsIgnoreCase(AddressLiteral.of(session.listener().getAddress()));
    boolean self = session.listener().getAddress().equals(session.client());
    if (!own || self) return Verdict.ACCEPT;
    return verdict(helo.ownName(), "helo_own_name", "HELO name is this host's address", session);
  }

  private static boolean isOwn(String name, SessionView session) {
    return name.equalsIgnoreCase(session.hostname());
  }

  /** Returns whether the name has neither MX nor address; a failed query is no proof. */
  private boolean hasNoRecords(String name) {
    LookupResult<InetAddress> addresses = resolver.addresses(name);
    return addresses instanceof LookupResult.Absent
        && resolver.mailExchangers(name) instanceof LookupResult.Absent;
  }

  /** RFC 1123 §2.1. Underscores are illegal but so common that they are accepted. */
  static boolean isHostName(String name) {
    String bare = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    return bare.length() <= 253
        && bare.matches(
            "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
                + "(\\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*")
        && !bare.matches("[0-9.]+"); // an address without brackets
  }

  private static Verdict verdict(
      Consequence consequence, String check, String text, SessionView session) {
    return CheckFailure.verdict(consequence, check, "5.7.1", text, session);
  }
}
