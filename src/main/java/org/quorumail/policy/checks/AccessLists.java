package org.quorumail.policy.checks;

import java.io.IOException;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.AccessListsConfig;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

/**
 * Who is always and who is never welcome: clients, senders, recipients. To allow is stronger than
 * to deny, and frees of the checks of reputation only: nobody may relay because of a list.
 */
public final class AccessLists implements MessageFilter {
  private static final Verdict CLIENT =
      Verdict.reject(554, "5.7.1", "Your host is not welcome here");
  private static final Verdict SENDER = Verdict.reject(550, "5.7.1", "Sender refused");
  private static final Verdict RECIPIENT = Verdict.reject(550, "5.7.1", "Recipient refused");

  private final NetworkSet allowClients;
  private final NetworkSet denyClients;
  private final AddressSet allowSenders;
  private final AddressSet denySenders;
  private final AddressSet allowRecipients;
  private final AddressSet denyRecipients;

  /**
   * Reads the files that the lists name.
   *
   * @throws IOException with one sentence that names key and entry
   */
  public AccessLists(AccessListsConfig lists) throws IOException {
    String in = "policy.lists.";
    allowClients =
        new NetworkSet(
            in + "allow_clients", ListEntries.read(in + "allow_clients", lists.allowClients()));
    denyClients =
        new NetworkSet(
            in + "deny_clients", ListEntries.read(in + "deny_clients", lists.denyClients()));
    allowSenders =
        new AddressSet(
            in + "allow_senders", ListEntries.read(in + "allow_senders", lists.allowSenders()));
    denySenders =
        new AddressSet(
            in + "deny_senders", ListEntries.read(in + "deny_senders", lists.denySenders()));
    allowRecipients =
        new AddressSet(
            in + "allow_recipients",
            ListEntries.read(in + "allow_recipients", lists.allowRecipients()));
    denyRecipients =
        new AddressSet(
            in + "deny_recipients",
            ListEntries.read(in + "deny_recipients", lists.denyRecipients()));
  }

  @Override
  public String name() {
    return "lists";
  }

  @Override
  public Verdict connect(SessionView session) {
    if (allowClients.contains(session.client())) return new Verdict.Exempt("client is allowed");
    return denyClients.contains(session.client()) ? CLIENT : Verdict.ACCEPT;
  }

  @Override
  public Verdict mail(SessionView session) {
    if (!(session.sender().orElse(null) instanceof ReversePath.Mailbox box)) return Verdict.ACCEPT;
    if (allowSenders.contains(box.address())) return new Verdict.Exempt("sender is allowed");
    return denySenders.contains(box.address()) ? SENDER : Verdict.ACCEPT;
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    if (allowRecipients.contains(recipient)) return new Verdict.Exempt("recipient");
    return denyRecipients.contains(recipient) ? RECIPIENT : Verdict.ACCEPT;
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }
}
