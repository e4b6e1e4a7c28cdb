package org.quorumail.queue;

import java.net.InetAddress;
import java.util.List;
import org.quorumail.dns.Answer;
import org.quorumail.dns.MailHost;
import org.quorumail.dns.Resolver;
import org.quorumail.mail.EnhancedStatus;

/** Knows address literals; no domain exists. */
final class FakeResolver implements Resolver {
  @Override
  public Answer<MailHost> mailHosts(String domain) {
    return new Answer.Absent<>(new EnhancedStatus(5, 1, 2), domain + " does not exist");
  }

  @Override
  public Answer<InetAddress> addresses(String host) {
    return new Answer.Found<>(List.of(InetAddress.ofLiteral(host)));
  }

  @Override
  public int clearCache() {
    return 0;
  }

  @Override
  public java.util.List<org.quorumail.dns.CachedAnswer> cached(int limit) {
    return java.util.List.of();
  }

  @Override
  public Answer<MailHost> refresh(String domain) {
    return mailHosts(domain);
  }

  @Override
  public boolean answers(java.time.Duration patience) {
    return true;
  }
}
