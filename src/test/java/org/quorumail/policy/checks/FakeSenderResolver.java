package org.quorumail.policy.checks;

import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.quorumail.dns.CachedAnswer;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.SenderResolver;
import org.quorumail.mail.EnhancedStatus;

/** A resolver with scripted answers; some names fail, and some hang. */
final class FakeSenderResolver implements SenderResolver {
  private final Map<String, List<InetAddress>> addresses = new HashMap<>();
  private final Map<String, List<String>> texts = new HashMap<>();
  private final Map<String, List<String>> names = new HashMap<>();
  final AtomicInteger asked = new AtomicInteger();
  private final Map<String, List<MailExchanger>> exchangers = new HashMap<>();
  private String broken = "";
  private String nullMx = "";
  private String hanging = "";

  FakeSenderResolver address(String name, String... of) {
    addresses.put(name, java.util.Arrays.stream(of).map(InetAddress::ofLiteral).toList());
    return this;
  }

  FakeSenderResolver text(String name, String text) {
    texts.put(name, List.of(text));
    return this;
  }

  FakeSenderResolver name(String address, String name) {
    names.put(InetAddress.ofLiteral(address).getHostAddress(), List.of(name));
    return this;
  }

  FakeSenderResolver mx(String domain, String host) {
    exchangers.put(domain, List.of(new MailExchanger(host, 10)));
    return this;
  }

  FakeSenderResolver nullMx(String domain) {
    nullMx = domain;
    return this;
  }

  FakeSenderResolver broken(String name) {
    broken = name;
    return this;
  }

  FakeSenderResolver hanging(String suffix) {
    hanging = suffix;
    return this;
  }

  @Override
  public void forget(String host) {}

  private <T> LookupResult<T> answer(Map<String, List<T>> from, String name) {
    asked.incrementAndGet();
    EnhancedStatus status = new EnhancedStatus(4, 4, 3);
    if (name.equals(broken)) return new LookupResult.Unknown<>(status, "broken");
    if (!hanging.isEmpty() && name.endsWith(hanging)) hang();
    List<T> known = from.get(name);
    return known == null
        ? new LookupResult.Absent<>(new EnhancedStatus(5, 4, 4), "no " + name)
        : new LookupResult.Found<>(known);
  }

  private static void hang() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public LookupResult<InetAddress> addresses(String host) {
    return answer(addresses, host);
  }

  @Override
  public LookupResult<MailExchanger> mailExchangers(String domain) {
    if (domain.equals(nullMx)) {
      return new LookupResult.Absent<>(new EnhancedStatus(5, 1, 10), "null MX");
    }
    return answer(exchangers, domain);
  }

  @Override
  public LookupResult<InetAddress> dnsListCodes(String name) {
    return answer(addresses, name);
  }

  @Override
  public LookupResult<String> textRecords(String name) {
    return answer(texts, name);
  }

  @Override
  public LookupResult<String> hostNames(InetAddress address) {
    return answer(names, address.getHostAddress());
  }

  @Override
  public int clearCache() {
    return 0;
  }

  @Override
  public List<CachedAnswer> cached(int limit) {
    return List.of();
  }

  @Override
  public LookupResult<MailExchanger> refresh(String domain) {
    return mailExchangers(domain);
  }

  @Override
  public boolean isNameServerReachable(Duration patience) {
    return true;
  }
}
