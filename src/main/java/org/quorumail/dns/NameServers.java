package org.quorumail.dns;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.ResolverConfig;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

/** The recursive servers, asked one after the other. Follows aliases. Has no cache. Thread-safe. */
final class NameServers {
  private static final Logger LOG = LoggerFactory.getLogger(NameServers.class);

  static final int MAX_SERVERS = 3; // as many as resolv.conf(5) reads
  private static final int ROUNDS = 2; // one lost datagram is no reason to defer mail
  private static final int MAX_ALIASES = 8; // a longer chain is a loop or a mistake
  private static final int MAX_RECORDS = 100; // of one type that are read
  private static final long NEGATIVE_TTL = 60; // seconds, when the answer has no SOA (RFC 2308 §5)

  private final Duration timeout;
  private final int systemPort;
  private final @Nullable SystemFile resolvConf; // null: the configuration names the servers
  private volatile List<SimpleResolver> servers;

  NameServers(DnsConfig config, Path resolvConf, int systemPort) {
    this.timeout = config.timeout();
    this.systemPort = systemPort;
    this.resolvConf = config.servers().isEmpty() ? new SystemFile(resolvConf) : null;
    List<InetSocketAddress> addresses =
        config.servers().isEmpty() ? ResolvConf.servers(resolvConf, systemPort) : config.servers();
    // a host without the file names its servers elsewhere, or runs one itself
    if (addresses.isEmpty()) addresses = ResolverConfig.getCurrentConfig().servers();
    servers = resolvers(addresses);
  }

  /** Servers that never change, for tests. */
  NameServers(List<SimpleResolver> servers) {
    this.timeout = Duration.ZERO;
    this.systemPort = 0;
    this.resolvConf = null;
    this.servers = List.copyOf(servers);
  }

  private List<SimpleResolver> resolvers(List<InetSocketAddress> addresses) {
    return addresses.stream().limit(MAX_SERVERS).map(a -> server(a, timeout)).toList();
  }

  /**
   * Reads the servers of the system again when their file has changed. A file without servers, as
   * it is while the network is down, changes nothing.
   *
   * @return whether the servers are others
   */
  boolean refresh() {
    if (resolvConf == null || !resolvConf.hasChanged()) return false;
    List<InetSocketAddress> addresses = ResolvConf.servers(resolvConf.path(), systemPort);
    if (addresses.isEmpty() || addresses.equals(addresses())) return false;
    servers = resolvers(addresses);
    LOG.info("event=name_servers_changed servers={}", addresses());
    return true;
  }

  List<InetSocketAddress> addresses() {
    return servers.stream().map(SimpleResolver::getAddress).toList();
  }

  private static SimpleResolver server(InetSocketAddress address, Duration timeout) {
    SimpleResolver server = new SimpleResolver(address);
    server.setTimeout(timeout);
    return server;
  }

  QueryResult query(Question question) {
    Name name = question.name();
    long ttl = Long.MAX_VALUE;
    int aliases = 0;
    while (true) {
      Response reply = exchange(name, question.type());
      if (reply.message == null) return new QueryResult.Failure(reply.failure);
      List<Record> answers = reply.message.getSection(Section.ANSWER);
      Name asked = name;
      for (Record r = alias(answers, name); r != null; r = alias(answers, name)) {
        if (++aliases > MAX_ALIASES) return aliasLoop(question);
        ttl = Math.min(ttl, r.getTTL());
        name = ((CNAMERecord) r).getTarget();
      }
      QueryResult set = read(reply.message, name, question.type(), ttl);
      boolean targetUnknown = set instanceof QueryResult.NoData && !name.equals(asked);
      if (!targetUnknown) return set;
    }
  }

  private static QueryResult aliasLoop(Question question) {
    return new QueryResult.Failure("the aliases of " + question.name().toString(true) + " loop");
  }

  private static @Nullable Record alias(List<Record> answers, Name name) {
    for (Record r : answers) {
      if (r.getType() == Type.CNAME && r.getName().equals(name)) return r;
    }
    return null;
  }

  private static QueryResult read(Message message, Name name, int type, long aliasTtl) {
    List<Record> records = new ArrayList<>();
    long ttl = aliasTtl;
    for (Record r : message.getSection(Section.ANSWER)) {
      if (r.getType() != type || !r.getName().equals(name)) continue;
      if (records.size() == MAX_RECORDS) break;
      records.add(r);
      ttl = Math.min(ttl, r.getTTL());
    }
    if (!records.isEmpty()) return new QueryResult.Records(records, ttl);
    long negative = Math.min(aliasTtl, negativeTtl(message));
    if (message.getRcode() == Rcode.NXDOMAIN) return new QueryResult.NxDomain(negative);
    return new QueryResult.NoData(negative);
  }

  private static long negativeTtl(Message message) {
    for (Record r : message.getSection(Section.AUTHORITY)) {
      if (r instanceof SOARecord soa) return Math.min(soa.getTTL(), soa.getMinimum());
    }
    return NEGATIVE_TTL;
  }

  /**
   * Whether a message is an answer to a query. In an update, dnsjava reads records without data as
   * objects that have the type asked for, and are none.
   */
  private static boolean isAnswer(Message message) {
    return message.getHeader().getFlag(Flags.QR) && message.getHeader().getOpcode() == Opcode.QUERY;
  }

  /** Either a message or a failure in words. */
  private record Response(@Nullable Message message, String failure) {}

  private Response exchange(Name name, int type) {
    Message query = Message.newQuery(Record.newRecord(name, type, DClass.IN));
    String failure = "no name server is known";
    for (int round = 0; round < ROUNDS; round++) {
      for (SimpleResolver server : servers) {
        try {
          Message message = server.send(query);
          int code = message.getRcode();
          if (!isAnswer(message)) {
            failure =
                server.getAddress().getAddress().getHostAddress() + " does not answer queries";
            continue;
          }
          if (code == Rcode.NOERROR || code == Rcode.NXDOMAIN) return new Response(message, "");
          failure =
              server.getAddress().getAddress().getHostAddress() + " says " + Rcode.string(code);
        } catch (IOException e) { // late, unreachable, or malformed by RFC 1035
          failure = server.getAddress().getAddress().getHostAddress() + " gives no usable answer";
          if (Thread.currentThread().isInterrupted()) return new Response(null, failure);
        }
      }
    }
    return new Response(null, failure);
  }
}
