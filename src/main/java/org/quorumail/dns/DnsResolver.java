package org.quorumail.dns;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.ReverseMap;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/**
 * The resolver of a running node: the hosts file, a cache, and recursive name servers. Equal
 * questions at the same time share one lookup. Thread-safe.
 */
public final class DnsResolver implements SenderResolver {
  private static final int MAX_HOSTS = 20; // a domain with 200 MX costs no more than this
  private static final int MAX_ADDRESSES = 16;
  private static final int DNS_PORT = 53;

  private static final EnhancedStatus BAD_DOMAIN = new EnhancedStatus(5, 1, 2);
  private static final EnhancedStatus NULL_MX = new EnhancedStatus(5, 1, 10); // RFC 7505 §4.2
  private static final EnhancedStatus NO_ROUTE = new EnhancedStatus(5, 4, 4);
  private static final EnhancedStatus SERVER_FAILURE = new EnhancedStatus(4, 4, 3);

  private final NameServers servers;
  private final AnswerCache cache;
  private final HostsFile hostsFile;
  private final DnsMetrics metrics;
  private final NameServerProbe probe;

  /** Questions that a caller is asking now: other callers wait for the same answer. */
  private final ConcurrentHashMap<Question, CompletableFuture<QueryResult>> pendingQuestions =
      new ConcurrentHashMap<>();

  public DnsResolver(DnsConfig config, InstantSource time, MeterRegistry meters) {
    this(config, time, meters, Path.of("/etc"), DNS_PORT);
  }

  DnsResolver(
      DnsConfig config, InstantSource time, MeterRegistry meters, Path etc, int systemPort) {
    this(
        new NameServers(config, etc.resolve("resolv.conf"), systemPort), config, time, meters, etc);
  }

  DnsResolver(
      NameServers servers, DnsConfig config, InstantSource time, MeterRegistry meters, Path etc) {
    this.servers = servers;
    this.hostsFile = new HostsFile(etc.resolve("hosts"));
    this.cache =
        new AnswerCache(config.cacheSize(), config.minTtl(), config.maxTtl(), time, meters);
    this.metrics = new DnsMetrics(meters);
    this.probe = new NameServerProbe(servers);
  }

  @Override
  public LookupResult<MailExchanger> mailExchangers(String domain) {
    Name name = name(domain);
    if (name == null)
      return new LookupResult.Absent<>(BAD_DOMAIN, domain + " is not a domain name");
    return switch (query(new Question(name, Type.MX))) {
      case QueryResult.Records found -> exchangers(domain, found.records());
      case QueryResult.NoData none -> implicitExchanger(domain);
      case QueryResult.NxDomain none ->
          new LookupResult.Absent<>(BAD_DOMAIN, "the domain " + domain + " does not exist");
      case QueryResult.Failure failure -> unknown("the MX of " + domain, failure.reason());
    };
  }

  @Override
  public LookupResult<InetAddress> addresses(String host) {
    try {
      return new LookupResult.Found<>(List.of(InetAddress.ofLiteral(host)));
    } catch (IllegalArgumentException e) {
      // then it is a name
    }
    Name name = name(host);
    if (name == null) return new LookupResult.Absent<>(NO_ROUTE, host + " is not a host name");
    List<InetAddress> local = hostsFile.addresses(name);
    return local.isEmpty() ? lookUpAddresses(name, host) : new LookupResult.Found<>(local);
  }

  @Override
  public LookupResult<InetAddress> dnsListCodes(String name) {
    return lookUpRecords(name, Type.A, record -> ((ARecord) record).getAddress());
  }

  @Override
  public LookupResult<String> textRecords(String name) {
    return lookUpRecords(name, Type.TXT, r -> String.join("", ((TXTRecord) r).getStrings()));
  }

  @Override
  public LookupResult<String> hostNames(InetAddress address) {
    String reverse = ReverseMap.fromAddress(address).toString(true);
    return lookUpRecords(reverse, Type.PTR, r -> ((PTRRecord) r).getTarget().toString(true));
  }

  private <T> LookupResult<T> lookUpRecords(String text, int type, Function<Record, T> value) {
    Name name = name(text);
    if (name == null) return new LookupResult.Absent<>(BAD_DOMAIN, text + " is not a domain name");
    return switch (query(new Question(name, type))) {
      case QueryResult.Records found ->
          new LookupResult.Found<>(
              found.records().stream().limit(MAX_ADDRESSES).map(value).toList());
      case QueryResult.NoData none ->
          new LookupResult.Absent<>(NO_ROUTE, text + " has no such record");
      case QueryResult.NxDomain none ->
          new LookupResult.Absent<>(NO_ROUTE, text + " does not exist");
      case QueryResult.Failure failure -> unknown(text, failure.reason());
    };
  }

  @Override
  public int clearCache() {
    return cache.clear();
  }

  @Override
  public List<CachedAnswer> cached(int limit) {
    return cache.list(limit);
  }

  @Override
  public LookupResult<MailExchanger> refresh(String domain) {
    Name name = name(domain);
    if (name != null) cache.forget(name);
    LookupResult<MailExchanger> answer = mailExchangers(domain);
    if (answer instanceof LookupResult.Found<MailExchanger> found) {
      for (MailExchanger host : found.values()) {
        forget(host.name());
        addresses(host.name());
      }
    }
    return answer;
  }

  @Override
  public void forget(String host) {
    Name name = name(host);
    if (name == null) return;
    if (cache.peek(new Question(name, Type.MX)) instanceof QueryResult.Records exchangers) {
      for (Record r : exchangers.records()) cache.forget(((MXRecord) r).getTarget());
    }
    cache.forget(name);
  }

  @Override
  public boolean isNameServerReachable(Duration timeout) {
    return probe.isReachable(timeout);
  }

  private static LookupResult<MailExchanger> exchangers(String domain, List<Record> records) {
    List<MailExchanger> hosts = new ArrayList<>();
    for (Record r : records) {
      MXRecord mx = (MXRecord) r;
      if (mx.getTarget().equals(Name.root)) continue; // a null MX beside others means nothing
      hosts.add(new MailExchanger(mx.getTarget().toString(true), mx.getPriority()));
    }
    if (hosts.isEmpty()) {
      return new LookupResult.Absent<>(
          NULL_MX, "the domain " + domain + " accepts no mail (null MX)");
    }
    Collections.shuffle(hosts); // spreads the load over equal hosts, RFC 5321 §5.1
    hosts.sort(Comparator.comparingInt(MailExchanger::preference));
    return new LookupResult.Found<>(hosts.subList(0, Math.min(hosts.size(), MAX_HOSTS)));
  }

  private LookupResult<MailExchanger> implicitExchanger(String domain) {
    return switch (addresses(domain)) {
      case LookupResult.Found<InetAddress> found ->
          new LookupResult.Found<>(List.of(new MailExchanger(domain, 0)));
      case LookupResult.Absent<InetAddress> none ->
          new LookupResult.Absent<>(
              BAD_DOMAIN, "the domain " + domain + " has neither MX nor address");
      case LookupResult.Unknown<InetAddress> unknown ->
          new LookupResult.Unknown<>(unknown.status(), unknown.reason());
    };
  }

  /** The families alternate, so that the limit leaves some of each. */
  private LookupResult<InetAddress> lookUpAddresses(Name name, String host) {
    List<List<InetAddress>> families = new ArrayList<>();
    String failure = "";
    for (int type : new int[] {Type.A, Type.AAAA}) {
      switch (query(new Question(name, type))) {
        case QueryResult.Records set ->
            families.add(set.records().stream().map(DnsResolver::address).toList());
        case QueryResult.Failure failed -> failure = failed.reason();
        case QueryResult.NoData none -> {}
        case QueryResult.NxDomain none -> {}
      }
    }
    if (!families.isEmpty()) return new LookupResult.Found<>(alternating(families));
    if (!failure.isEmpty()) return unknown("the address of " + host, failure);
    return new LookupResult.Absent<>(NO_ROUTE, "the host " + host + " has no address");
  }

  private static List<InetAddress> alternating(List<List<InetAddress>> families) {
    List<InetAddress> found = new ArrayList<>();
    int longest = families.stream().mapToInt(List::size).max().orElse(0);
    for (int i = 0; i < longest; i++) {
      for (List<InetAddress> family : families) {
        if (i < family.size() && found.size() < MAX_ADDRESSES) found.add(family.get(i));
      }
    }
    return found;
  }

  private static InetAddress address(Record r) {
    return r instanceof AAAARecord v6 ? v6.getAddress() : ((ARecord) r).getAddress();
  }

  /** Answers from the cache, from an equal question that is being asked, or from the servers. */
  private QueryResult query(Question question) {
    if (servers.refresh()) cache.clear(); // other servers may know other names
    Optional<QueryResult> cached = cache.find(question);
    if (cached.isPresent()) return cached.get();
    CompletableFuture<QueryResult> mine = new CompletableFuture<>();
    CompletableFuture<QueryResult> others = pendingQuestions.putIfAbsent(question, mine);
    if (others != null) return others.join();
    QueryResult answer = new QueryResult.Failure("the lookup failed");
    try {
      answer = lookUp(question);
      cache.keep(question, answer);
    } finally {
      pendingQuestions.remove(question, mine);
      mine.complete(answer);
    }
    return answer;
  }

  private QueryResult lookUp(Question question) {
    long start = System.nanoTime();
    QueryResult answer = servers.query(question);
    metrics.record(question.type(), answer, System.nanoTime() - start);
    return answer;
  }

  private static <T> LookupResult<T> unknown(String what, String reason) {
    return new LookupResult.Unknown<>(SERVER_FAILURE, "cannot look up " + what + ": " + reason);
  }

  private static @Nullable Name name(String text) {
    try {
      return Name.fromString(text.endsWith(".") ? text : text + ".");
    } catch (TextParseException e) {
      return null;
    }
  }
}
