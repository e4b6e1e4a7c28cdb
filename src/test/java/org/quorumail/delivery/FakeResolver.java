package org.quorumail.delivery;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.Resolver;
import org.quorumail.mail.EnhancedStatus;

/** A resolver that knows the hosts added to it, and address literals. */
public final class FakeResolver implements Resolver {
  private final Map<String, List<MailExchanger>> mailHosts = new HashMap<>();
  private final Map<String, List<InetAddress>> addresses = new HashMap<>();
  private final Set<String> unknown = new HashSet<>();
  private final List<String> forgotten = new CopyOnWriteArrayList<>();

  /** A host whose address is unknown now has the address "?". A host with several, from one on. */
  FakeResolver mx(String domain, int preference, String host, String address, int times) {
    mx(domain, preference, host, address);
    String net = address.substring(0, address.lastIndexOf('.') + 1);
    int first = Integer.parseInt(address.substring(net.length()));
    addresses.put(
        host,
        IntStream.range(first, first + times)
            .mapToObj(last -> InetAddress.ofLiteral(net + last))
            .toList());
    return this;
  }

  FakeResolver mx(
      String domain, int preference, String host, String first, String second, String... more) {
    mx(domain, preference, host, first);
    List<InetAddress> all = new ArrayList<>();
    for (String a : List.of(first, second)) all.add(InetAddress.ofLiteral(a));
    for (String a : more) all.add(InetAddress.ofLiteral(a));
    addresses.put(host, all);
    return this;
  }

  FakeResolver mx(String domain, int preference, String host, String address) {
    mailHosts
        .computeIfAbsent(domain, d -> new ArrayList<>())
        .add(new MailExchanger(host, preference));
    if (address.equals("?")) unknown.add(host);
    else if (!address.isEmpty()) addresses.put(host, List.of(InetAddress.ofLiteral(address)));
    return this;
  }

  /** The names whose answers a caller has thrown away, in order. */
  public List<String> forgotten() {
    return List.copyOf(forgotten);
  }

  @Override
  public void forget(String host) {
    forgotten.add(host);
  }

  @Override
  public LookupResult<MailExchanger> mailExchangers(String domain) {
    List<MailExchanger> hosts = mailHosts.get(domain);
    if (hosts != null) return new LookupResult.Found<>(hosts);
    return new LookupResult.Absent<>(new EnhancedStatus(5, 1, 2), domain + " does not exist");
  }

  @Override
  public LookupResult<InetAddress> addresses(String host) {
    List<InetAddress> known = addresses.get(host);
    if (unknown.contains(host))
      return new LookupResult.Unknown<>(new EnhancedStatus(4, 4, 3), "no answer about " + host);
    if (known != null) return new LookupResult.Found<>(known);
    try {
      return new LookupResult.Found<>(List.of(InetAddress.ofLiteral(host)));
    } catch (IllegalArgumentException e) {
      return new LookupResult.Absent<>(new EnhancedStatus(5, 4, 4), host + " has no address");
    }
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
