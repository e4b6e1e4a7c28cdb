package org.quorumail.policy.checks;

import java.io.IOException;
import java.util.List;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.AccessListsConfig;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

/**
 * The allow and deny lists: clients, senders and recipients that are always or never welcome. An
 * allowed one is exempt from the checks of reputation and from nothing else: no list opens a relay.
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

  private AccessLists(AccessListsConfig lists) throws IOException {
    allowClients = networks("allow_clients", lists.allowClients());
    denyClients = networks("deny_clients", lists.denyClients());
    allowSenders = addresses("allow_senders", lists.allowSenders());
    denySenders = addresses("deny_senders", lists.denySenders());
    allowRecipients = addresses("allow_recipients", lists.allowRecipients());
    denyRecipients = addresses("deny_recipients", lists.denyRecipients());
  }

  /**
   * Reads the lists and the files that they name.
   *
   * @throws IOException with one sentence that names key and entry
   */
  public static AccessLists read(AccessListsConfig lists) throws IOException {
    return new AccessLists(lists);
  }

  private static NetworkSet networks(String list, List<String> configured) throws IOException {
    String key = "policy.lists." + list;
    return NetworkSet.parse(ListEntry.readAll(key, configured));
  }

  private static AddressSet addresses(String list, List<String> configured) throws IOException {
    String key = "policy.lists." + list;
    return AddressSet.parse(ListEntry.readAll(key, configured));
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
    if (allowRecipients.contains(recipient)) return new Verdict.Exempt("recipient is allowed");
    return denyRecipients.contains(recipient) ? RECIPIENT : Verdict.ACCEPT;
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }
}
