package org.quorumail.queue;

import java.net.InetAddress;
import java.util.List;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.Resolver;
import org.quorumail.mail.EnhancedStatus;

/** Knows address literals; no domain exists. */
final class FakeResolver implements Resolver {
  @Override
  public LookupResult<MailExchanger> mailExchangers(String domain) {
    return new LookupResult.Absent<>(new EnhancedStatus(5, 1, 2), domain + " does not exist");
  }

  @Override
  public LookupResult<InetAddress> addresses(String host) {
    return new LookupResult.Found<>(List.of(InetAddress.ofLiteral(host)));
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
  public LookupResult<MailExchanger> refresh(String domain) {
    return mailExchangers(domain);
  }

  @Override
  public boolean isNameServerReachable(java.time.Duration patience) {
    return true;
  }
}
