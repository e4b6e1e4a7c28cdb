package org.quorumail.dns;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.net.InetAddress;
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
import org.quorumail.config.Config.DnsConfig;
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
import org.xbill.DNS.hosts.HostsFileParser;

/** The resolver of a running node: the hosts file, a cache, and recursive name servers. */
public final class DnsResolver implements SenderResolver {
  private static final int MAX_HOSTS = 20; // N3: a domain with 200 MX costs no more than this
  private static final int MAX_ADDRESSES = 16;

  private static final EnhancedStatus BAD_DOMAIN = new EnhancedStatus(5, 1, 2);
  private static final EnhancedStatus NULL_MX = new EnhancedStatus(5, 1, 10); // RFC 7505 §4.2
  private static final EnhancedStatus NO_ROUTE = new EnhancedStatus(5, 4, 4);
  private static final EnhancedStatus SERVER_FAILURE = new EnhancedStatus(4, 4, 3);

  private final NameServers servers;
  private final AnswerCache cache;
  private final HostsFileParser hostsFile = new HostsFileParser();
  private final MeterRegistry meters;
  private final Liveness liveness;

  /** Questions that somebody asks at this moment: others wait for the same answer. */
  private final ConcurrentHashMap<Question, CompletableFuture<RecordSet>> asking =
      new ConcurrentHashMap<>();

  public DnsResolver(DnsConfig config, InstantSource time, MeterRegistry meters) {
    this.servers = new NameServers(config.servers(), config.timeout());
    this.cache =
        new AnswerCache(config.cacheSize(), config.minTtl(), config.maxTtl(), time, meters);
    this.meters = meters;
    this.liveness = new Liveness(servers);
  }

  @Override
  public Answer<MailHost> mailHosts(String domain) {
    Name name = name(domain);
    if (name == null) return new Answer.Absent<>(BAD_DOMAIN, domain + " is not a domain name");
    return switch (ask(new Question(name, Type.MX))) {
      case RecordSet.Records found -> exchangers(domain, found.records());
      case RecordSet.NoData none -> implicitExchanger(domain);
      case RecordSet.NoSuchName none ->
          new Answer.Absent<>(BAD_DOMAIN, "the domain " + domain + " does not exist");
      case RecordSet.Failure failure -> unknown("the MX of " + domain, failure.reason());
    };
  }

  @Override
  public Answer<InetAddress> addresses(String host) {
    try {
      return new Answer.Found<>(List.of(InetAddress.ofLiteral(host)));
    } catch (IllegalArgumentException e) {
      // a name then
    }
    Name name = name(host);
    if (name == null) return new Answer.Absent<>(NO_ROUTE, host + " is not a host name");
    List<InetAddress> local = inHostsFile(name);
    return local.isEmpty() ? lookUpAddresses(name, host) : new Answer.Found<>(local);
  }

  @Override
  public Answer<InetAddress> codes(String name) {
    return look(name, Type.A, record -> ((ARecord) record).getAddress());
  }

  @Override
  public Answer<String> texts(String name) {
    return look(name, Type.TXT, r -> String.join("", ((TXTRecord) r).getStrings()));
  }

  @Override
  public Answer<String> names(InetAddress address) {
    String reverse = ReverseMap.fromAddress(address).toString(true);
    return look(reverse, Type.PTR, r -> ((PTRRecord) r).getTarget().toString(true));
  }

  private <T> Answer<T> look(String text, int type, Function<Record, T> value) {
    Name name = name(text);
    if (name == null) return new Answer.Absent<>(BAD_DOMAIN, text + " is not a domain name");
    return switch (ask(new Question(name, type))) {
      case RecordSet.Records found ->
          new Answer.Found<>(found.records().stream().limit(MAX_ADDRESSES).map(value).toList());
      case RecordSet.NoData none -> new Answer.Absent<>(NO_ROUTE, text + " has no such record");
      case RecordSet.NoSuchName none -> new Answer.Absent<>(NO_ROUTE, text + " does not exist");
      case RecordSet.Failure failure -> unknown(text, failure.reason());
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
  public Answer<MailHost> refresh(String domain) {
    Name name = name(domain);
    if (name != null) cache.forget(name);
    if (mailHosts(domain) instanceof Answer.Found<MailHost> found) {
      for (MailHost host : found.values()) {
        Name hostName = name(host.name());
        if (hostName != null) cache.forget(hostName);
        addresses(host.name());
      }
      return found;
    }
    return mailHosts(domain); // what was just learnt, from the cache
  }

  @Override
  public boolean answers(Duration patience) {
    return liveness.answers(patience);
  }

  private static Answer<MailHost> exchangers(String domain, List<Record> records) {
    List<MailHost> hosts = new ArrayList<>();
    for (Record r : records) {
      MXRecord mx = (MXRecord) r;
      if (mx.getTarget().equals(Name.root)) continue; // beside others it means nothing
      hosts.add(new MailHost(mx.getTarget().toString(true), mx.getPriority()));
    }
    if (hosts.isEmpty()) {
      return new Answer.Absent<>(NULL_MX, "the domain " + domain + " accepts no mail (null MX)");
    }
    Collections.shuffle(hosts); // spreads the load over equal ones, RFC 5321 §5.1
    hosts.sort(Comparator.comparingInt(MailHost::preference));
    return new Answer.Found<>(hosts.subList(0, Math.min(hosts.size(), MAX_HOSTS)));
  }

  private Answer<MailHost> implicitExchanger(String domain) {
    return switch (addresses(domain)) {
      case Answer.Found<InetAddress> found -> new Answer.Found<>(List.of(new MailHost(domain, 0)));
      case Answer.Absent<InetAddress> none ->
          new Answer.Absent<>(BAD_DOMAIN, "the domain " + domain + " has neither MX nor address");
      case Answer.Unknown<InetAddress> unknown ->
          new Answer.Unknown<>(unknown.status(), unknown.reason());
    };
  }

  /** IPv4 first: where IPv6 is broken, trying it costs the whole connect timeout. */
  private Answer<InetAddress> lookUpAddresses(Name name, String host) {
    List<InetAddress> found = new ArrayList<>();
    String failure = "";
    for (int type : new int[] {Type.A, Type.AAAA}) {
      switch (ask(new Question(name, type))) {
        case RecordSet.Records set -> set.records().forEach(r -> found.add(address(r)));
        case RecordSet.Failure failed -> failure = failed.reason();
        case RecordSet.NoData none -> {}
        case RecordSet.NoSuchName none -> {}
      }
    }
    if (!found.isEmpty()) {
      return new Answer.Found<>(found.subList(0, Math.min(found.size(), MAX_ADDRESSES)));
    }
    if (!failure.isEmpty()) return unknown("the address of " + host, failure);
    return new Answer.Absent<>(NO_ROUTE, "the host " + host + " has no address");
  }

  private static InetAddress address(Record r) {
    return r instanceof AAAARecord v6 ? v6.getAddress() : ((ARecord) r).getAddress();
  }

  private List<InetAddress> inHostsFile(Name name) {
    List<InetAddress> found = new ArrayList<>();
    for (int type : new int[] {Type.A, Type.AAAA}) {
      try {
        Optional<InetAddress> address = hostsFile.getAddressForHost(name, type);
        address.ifPresent(found::add);
      } catch (java.io.IOException e) {
        return List.of(); // without a hosts file, the servers decide
      }
    }
    return found;
  }

  /** From the cache, from somebody who asks the same just now, or from the servers. */
  private RecordSet ask(Question question) {
    Optional<RecordSet> cached = cache.find(question);
    if (cached.isPresent()) return cached.get();
    CompletableFuture<RecordSet> mine = new CompletableFuture<>();
    CompletableFuture<RecordSet> others = asking.putIfAbsent(question, mine);
    if (others != null) return others.join();
    RecordSet answer = new RecordSet.Failure("the lookup was given up");
    try {
      answer = lookUp(question);
      cache.keep(question, answer);
    } finally {
      asking.remove(question, mine);
      mine.complete(answer);
    }
    return answer;
  }

  private RecordSet lookUp(Question question) {
    Timer.Sample sample = Timer.start();
    RecordSet answer = servers.ask(question);
    String type = Type.string(question.type()).toLowerCase(java.util.Locale.ROOT);
    meters.counter("dns.lookups", "type", type, "result", answer.word()).increment();
    if (answer instanceof RecordSet.Failure) meters.counter("dns.errors", "type", type).increment();
    sample.stop(meters.timer("dns.lookup.duration", "type", type));
    return answer;
  }

  private static <T> Answer<T> unknown(String what, String reason) {
    return new Answer.Unknown<>(SERVER_FAILURE, "cannot look up " + what + ": " + reason);
  }

  private static @Nullable Name name(String text) {
    try {
      return Name.fromString(text.endsWith(".") ? text : text + ".");
    } catch (TextParseException e) {
      return null;
    }
  }
}
