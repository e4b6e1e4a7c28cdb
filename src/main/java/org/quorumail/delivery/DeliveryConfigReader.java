package org.quorumail.delivery;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.HostName;
import org.quorumail.config.HostPort;
import org.quorumail.config.RateLimit;
import org.quorumail.config.Section;
import org.quorumail.config.SocketAddressParser;
import org.quorumail.dns.DnsConfig;
import org.quorumail.dsn.DsnConfig;
import org.quorumail.smtp.client.SmtpTimeouts;

/** Reads {@code [delivery]} and the tables below it. */
public final class DeliveryConfigReader {
  private final Section delivery;

  public DeliveryConfigReader(Section delivery) {
    this.delivery = delivery;
  }

  public DeliveryConfig delivery() {
    return new DeliveryConfig(
        delivery.duration(
            "scan_interval",
            "30s",
            "100ms",
            "1h",
            "longest time between two full scans of the index of due mail"),
        delivery.duration(
            "process_interval",
            "10s",
            "100ms",
            "1h",
            "shortest time between two scans for deferred mail that is due"),
        delivery.integer(
            "max_attempts", 25, 1, 10_000, "attempts before a recipient fails and is reported"),
        delivery.duration(
            "base_retry_delay",
            "60s",
            "1s",
            "1d",
            "wait after the first failed attempt; doubles with each further one"),
        delivery.duration("max_retry_delay", "24h", "1s", "7d", "longest wait between attempts"),
        delivery.decimal("retry_jitter_factor", 0.2, 0, 1, "random part of each wait"),
        delivery.duration(
            "message_expiration",
            "5d",
            "1s",
            "365d",
            "age at which a message expires and its recipients are reported"),
        delivery.duration(
            "delay_notice_after",
            "4h",
            "1s",
            "365d",
            "age at which a delay is reported to the sender"),
        delivery.integer(
            "max_concurrent_deliveries", 200, 1, 10_000, "outgoing sessions at once on this node"),
        delivery.flag(
            "accept_invalid_certs",
            false,
            "accepts any certificate of a next hop where TLS is required"),
        timeouts(delivery.section("smtp_timeouts")),
        dns(delivery.section("dns")),
        circuitBreaker(delivery.section("circuit_breaker")),
        dsn(delivery.section("dsn")),
        classificationFile(delivery.section("classification")),
        delivery.choice(
            "address_family",
            AddressFamily.class,
            AddressFamily.ANY,
            "IP versions by which next hops are called: both in the order of RFC 6724, one alone,"
                + " or one before the other"),
        domains());
  }

  /** RFC 5321 §4.5.3.2 asks for longer ones; these are Empath's. */
  private static SmtpTimeouts timeouts(Section t) {
    return new SmtpTimeouts(
        t.duration("connect", "30s", "100ms", "1h", "wait for the connection and the greeting"),
        t.duration("ehlo", "30s", "100ms", "1h", "wait for the reply to EHLO"),
        t.duration("starttls", "30s", "100ms", "1h", "wait for STARTTLS and the handshake"),
        t.duration("mail_from", "30s", "100ms", "1h", "wait for the reply to MAIL"),
        t.duration("rcpt_to", "30s", "100ms", "1h", "wait for the reply to RCPT"),
        t.duration("data", "120s", "100ms", "1h", "wait for 354 and for each block sent"),
        t.duration("final_dot", "600s", "100ms", "1h", "wait for the reply to the final dot"),
        t.duration("quit", "10s", "100ms", "1h", "wait for the reply to QUIT"));
  }

  private static DnsConfig dns(Section dns) {
    return new DnsConfig(
        dns.list(
            "servers",
            "addresses",
            List.of(),
            "name servers, with a port when it is not 53; empty: those of the system",
            SocketAddressParser::nameServer),
        dns.duration("timeout", "5s", "100ms", "60s", "wait for one answer"),
        dns.integer(
            "cache_size", 10_000, 0, 10_000_000, "number of answers in the cache; 0: no cache"),
        dns.duration("min_ttl", "1s", "0s", "1d", "shortest time for which an answer is cached"),
        dns.duration("max_ttl", "1d", "1s", "30d", "longest time for which an answer is cached"));
  }

  private static CircuitBreakerConfig circuitBreaker(Section breaker) {
    return new CircuitBreakerConfig(
        breaker.integer("failures", 5, 1, 10_000, "failures of one host that open its circuit"),
        breaker.duration(
            "within", "60s", "1s", "1d", "time within which these failures must happen"),
        breaker.duration(
            "open_for",
            "300s",
            "1s",
            "1d",
            "time without attempts to a host whose circuit is open"));
  }

  private static DsnConfig dsn(Section dsn) {
    return new DsnConfig(
        dsn.flag("enabled", true, "sends delivery status notifications, RFC 3464"),
        dsn.optional(
            "postmaster",
            "address",
            "(MAILER-DAEMON@ and the hostname)",
            "author of the reports",
            text -> AddressPattern.mailbox(text).toString()));
  }

  private static Optional<Path> classificationFile(Section classification) {
    return classification.optional(
        "file",
        "path",
        "",
        "rules for the classes of failures, before those of this release; read again at a reload",
        Path::of);
  }

  private static AddressFamily addressFamily(String text) {
    for (AddressFamily family : AddressFamily.values()) {
      if (family.name().equalsIgnoreCase(text.strip().replace('-', '_'))) return family;
    }
    throw new IllegalArgumentException(
        "must be \"any\", \"ipv4\", \"ipv6\", \"prefer-ipv4\" or \"prefer-ipv6\", not \""
            + text
            + "\"");
  }

  private static String tlsName(String text) {
    String name = text.strip();
    if (name.equalsIgnoreCase(Destination.NAME_OF_HOST)) return Destination.NAME_OF_HOST;
    if (!name.startsWith(".")) return HostName.validate(name);
    String parent = HostName.validate(name.substring(1));
    if (parent.indexOf('.') > 0) return "." + parent;
    throw new IllegalArgumentException("\"" + text + "\" would accept every host below it");
  }

  private Map<String, DomainConfig> domains() {
    Map<String, DomainConfig> domains = new LinkedHashMap<>();
    delivery
        .namedSections("domains")
        .forEach(
            (name, section) -> {
              try {
                domains.put(HostName.validate(name), domain(section));
              } catch (IllegalArgumentException e) {
                section.problem("", String.valueOf(e.getMessage()));
              }
            });
    return Map.copyOf(domains);
  }

  private static DomainConfig domain(Section domain) {
    DomainConfig config = read(domain);
    if (!config.tlsNames().isEmpty() && !(config.requireTls() && !config.acceptInvalidCerts())) {
      domain.problem("tls_names", "needs require_tls = true, and accept_invalid_certs = false");
    }
    return config;
  }

  private static DomainConfig read(Section domain) {
    return new DomainConfig(
        domain.optional(
            "mx_override",
            "host:port",
            "",
            "host that gets this domain's mail instead of its MX",
            text -> HostPort.parse(text.strip(), NextHop.SMTP_PORT)),
        domain.flag(
            "require_tls",
            false,
            "defers mail when the next hop does not offer TLS, or has no certificate for the"
                + " configured host, for the domain (MX hosts) or for tls_names"),
        domain.flag("accept_invalid_certs", false, "accepts any certificate where TLS is required"),
        domain.list(
            "tls_names",
            "names",
            List.of(),
            "the only names that the next hop's certificate may have: \"mx.example.net\","
                + " \".example.net\" (names below it), or \"mx\": the host's name as DNS gives it,"
                + " which does not protect from forged DNS",
            DeliveryConfigReader::tlsName),
        domain.integer("max_connections", 20, 1, 10_000, "sessions to this domain at once"),
        domain.optional(
            "rate_limit",
            "rate",
            "",
            "messages to this domain: \"10/s burst 20\"",
            RateLimit::parse),
        domain.optional(
            "address_family",
            "one of any, ipv4, ipv6, prefer-ipv4, prefer-ipv6",
            "(that of delivery)",
            "IP versions by which the hosts of this domain are called",
            DeliveryConfigReader::addressFamily));
  }
}
