package org.quorumail.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.quorumail.config.Config.RateLimit;
import org.quorumail.config.Config.Service;
import org.quorumail.config.PolicyConfig.Consequence;
import org.quorumail.config.PolicyConfig.MilterAction;
import org.quorumail.config.PolicyConfig.MilterSocket;

/** Reads {@code [policy]}, {@code [[milter]]} and {@code [aliases]}. */
final class PolicyReader {
  private static final int MILTER_PORT = 8891; // opendkim's

  private final Section policy;

  private PolicyReader(Section policy) {
    this.policy = policy;
  }

  static PolicyConfig policy(Section root) {
    PolicyReader reader = new PolicyReader(root.section("policy"));
    Section recipients = reader.policy.section("recipients");
    return new PolicyConfig(
        reader.lists(),
        reader.rates(),
        reader.helo(),
        reader.reverseDns(),
        reader.dnsbl(),
        reader.greylist(),
        reader.tarpit(),
        reader.filters(),
        http(recipients.section("http")),
        ldap(recipients.section("ldap")),
        root.sections("milter", 0).stream().map(PolicyReader::milter).toList(),
        aliases(root.section("aliases")));
  }

  private PolicyConfig.Lists lists() {
    Section lists = policy.section("lists");
    return new PolicyConfig.Lists(
        list(lists, "allow_clients", "networks that no other check of reputation holds up"),
        list(lists, "deny_clients", "networks that are refused at connect"),
        list(lists, "allow_senders", "addresses, domains or *.domains that are not held up"),
        list(lists, "deny_senders", "addresses, domains or *.domains refused at MAIL"),
        list(lists, "allow_recipients", "recipients for whom nothing is held up"),
        list(lists, "deny_recipients", "recipients that nobody may write to"));
  }

  private static List<String> list(Section lists, String key, String meaning) {
    return lists.list(
        key, "entries", List.of(), meaning + "; file:PATH for one entry per line", t -> t.strip());
  }

  private PolicyConfig.Rates rates() {
    Section limits = policy.section("limits");
    return new PolicyConfig.Rates(
        rate(limits, "client_connection_rate", "connections of one client; more get 421 4.7.0"),
        rate(limits, "client_message_rate", "messages of one client; more get 450 4.7.1"),
        rate(limits, "client_recipient_rate", "recipients of one client; more get 450 4.7.1"),
        rate(limits, "user_message_rate", "messages of one authenticated user"),
        rate(limits, "user_recipient_rate", "recipients of one authenticated user"),
        rate(limits, "listener_connection_rate", "connections to one listener"),
        rate(limits, "listener_message_rate", "messages to one listener"),
        limits.list(
            "exempt", "networks", List.of(), "clients without these limits", Network::parse),
        limits.integer(
            "keys",
            100_000,
            100,
            10_000_000,
            "clients, users and greylisted triplets remembered, some 200 bytes each"));
  }

  private static Optional<RateLimit> rate(Section limits, String key, String meaning) {
    return limits.optional(
        key,
        "rate",
        "",
        meaning + ": \"60/m burst 120\"; a client is an IPv4 address or IPv6 /64",
        Addresses::rate);
  }

  private PolicyConfig.Helo helo() {
    Section helo = policy.section("helo");
    return new PolicyConfig.Helo(
        consequence(helo, "invalid", "a HELO name that is no host name or address literal"),
        consequence(helo, "non_fqdn", "a HELO name without a dot"),
        consequence(helo, "unknown", "a HELO name without address or MX"),
        consequence(helo, "own_name", "a stranger that says this host's name or address"));
  }

  private PolicyConfig.ReverseDns reverseDns() {
    Section reverse = policy.section("reverse_dns");
    return new PolicyConfig.ReverseDns(
        consequence(reverse, "missing", "a client's address without a name (PTR)"),
        consequence(
            reverse, "unconfirmed", "a client whose name does not lead back to its address"));
  }

  private static Consequence consequence(Section section, String key, String meaning) {
    return section.choice(key, Consequence.class, Consequence.NONE, "what follows from " + meaning);
  }

  private PolicyConfig.Dnsbl dnsbl() {
    Section dnsbl = policy.section("dnsbl");
    return new PolicyConfig.Dnsbl(
        dnsbl.list(
            "sites",
            "DNS lists",
            List.of(),
            "as Postfix's postscreen_dnsbl_sites: \"zen.example.org=127.0.0.[2..11]*2\"; a negative"
                + " weight is a list of good hosts",
            DnsblSite::parse),
        dnsbl.integer("threshold", 1, 1, 10_000, "sum of weights at which a client is refused"),
        dnsbl.optional(
            "allow_threshold",
            "negative integer",
            "",
            "sum of weights at which a client is not held up by anything else: \"-2\"",
            PolicyReader::negative),
        dnsbl.duration("timeout", "5s", "100ms", "60s", "a list that is slower does not count"));
  }

  private static int negative(String text) {
    if (text.strip().matches("-[1-9]\\d{0,3}")) return Integer.parseInt(text.strip());
    throw new IllegalArgumentException("must be a negative integer in quotes, such as \"-2\"");
  }

  private PolicyConfig.Greylist greylist() {
    Section grey = policy.section("greylist");
    return new PolicyConfig.Greylist(
        grey.flag("enabled", false, "whether strangers must try twice, RFC 6647"),
        grey.duration("delay", "5m", "1s", "1d", "wait before the second attempt counts"),
        grey.duration("retry_within", "2d", "1m", "30d", "time for the second attempt"),
        grey.duration("remember", "35d", "1m", "365d", "how long who has passed is remembered"),
        grey.integer(
            "auto_allow_after",
            5,
            0,
            1_000,
            "passes after which a client network is free; 0: never"),
        grey.integer("ipv4_prefix", 24, 8, 32, "bits of an IPv4 client that count"),
        grey.integer("ipv6_prefix", 64, 16, 128, "bits of an IPv6 client that count"));
  }

  private PolicyConfig.Tarpit tarpit() {
    Section tarpit = policy.section("tarpit");
    return new PolicyConfig.Tarpit(
        tarpit.duration(
            "greet_delay", "0s", "0s", "30s", "wait before the greeting; who talks first gets 554"),
        tarpit.duration("error_delay", "0s", "0s", "30s", "wait before the reply to an error"),
        tarpit.integer("after_errors", 3, 0, 1_000, "errors before that; then it grows with each"),
        tarpit.duration("max_delay", "30s", "0s", "120s", "longest wait"));
  }

  private PolicyConfig.Filters filters() {
    Section filters = policy.section("filters");
    return new PolicyConfig.Filters(
        filters.list(
            "classes",
            "class names",
            List.of(),
            "filters beside those that ServiceLoader finds",
            t -> t),
        filters.duration("timeout", "30s", "10ms", "10m", "longest time of one call of a filter"),
        filters.choice(
            "on_failure",
            Consequence.class,
            Consequence.DEFER,
            "what a filter that fails or is late leads to; none and log accept"));
  }

  private static Optional<PolicyConfig.HttpTable> http(Section http) {
    Optional<String> url =
        http.optional(
            "url",
            "URL",
            "",
            "asked whether a recipient exists: 2xx yes, 404 or 410 no, others 451; {address},"
                + " {local} and {domain} are put in",
            PolicyReader::httpUrl);
    String method =
        http.value(
            "method",
            "GET or POST",
            "GET",
            "GET",
            "POST sends {\"address\": …} as JSON",
            text -> {
              if (text.equalsIgnoreCase("GET") || text.equalsIgnoreCase("POST")) {
                return text.toUpperCase(Locale.ROOT);
              }
              throw new IllegalArgumentException("must be \"GET\" or \"POST\"");
            });
    Duration timeout = http.duration("timeout", "5s", "10ms", "60s", "longest wait; then 451");
    Duration ttl = http.duration("cache_ttl", "5m", "0s", "1d", "how long an answer is kept");
    int size = http.integer("cache_size", 10_000, 0, 1_000_000, "answers kept");
    return url.map(u -> new PolicyConfig.HttpTable(u, method.equals("POST"), timeout, ttl, size));
  }

  private static String httpUrl(String text) {
    String sample = text.replaceAll("\\{(address|local|domain)\\}", "x");
    URI uri = uri(sample, "http", "https");
    if (uri.getHost() == null) throw new IllegalArgumentException("must name a host");
    return text.strip();
  }

  private static URI uri(String text, String... schemes) {
    try {
      URI uri = URI.create(text.strip());
      for (String scheme : schemes) if (scheme.equalsIgnoreCase(uri.getScheme())) return uri;
    } catch (IllegalArgumentException e) {
      // said below
    }
    throw new IllegalArgumentException(
        "must be a URL of " + String.join(" or ", schemes) + ", not \"" + text + "\"");
  }

  private static Optional<PolicyConfig.LdapTable> ldap(Section ldap) {
    Optional<URI> url =
        ldap.optional(
            "url",
            "URL",
            "",
            "directory that knows the recipients: \"ldap://host:389\" or \"ldaps://host:636\"",
            text -> uri(text, "ldap", "ldaps"));
    String base = ldap.text("base", "", "where the search starts");
    String filter =
        ldap.text("filter", "(mail={address})", "{address}, {local}, {domain} are put in, escaped");
    String bindDn = ldap.text("bind_dn", "", "who asks; empty: anonymous");
    Optional<Path> password =
        ldap.optional("password_file", "path", "", "file with the password of bind_dn", Path::of);
    Duration timeout = ldap.duration("timeout", "5s", "10ms", "60s", "longest wait; then 451");
    Duration ttl = ldap.duration("cache_ttl", "5m", "0s", "1d", "how long an answer is kept");
    int size = ldap.integer("cache_size", 10_000, 0, 1_000_000, "answers kept");
    if (!bindDn.isEmpty() && password.isEmpty()) {
      ldap.problem("password_file", "is needed beside bind_dn");
    }
    return url.map(
        u -> new PolicyConfig.LdapTable(u, base, filter, bindDn, password, timeout, ttl, size));
  }

  private static PolicyConfig.Milter milter(Section milter) {
    MilterSocket socket =
        milter.value(
            "socket",
            "inet:HOST:PORT or unix:PATH",
            "inet:127.0.0.1:8891",
            new MilterSocket.Inet(new HostPort("127.0.0.1", MILTER_PORT)),
            "where the milter listens",
            PolicyReader::milterSocket);
    return new PolicyConfig.Milter(
        milter.optionalText("name", "(the socket)", "name in the log").orElse(socket.toString()),
        socket,
        milter.choice(
            "default_action",
            MilterAction.class,
            MilterAction.TEMPFAIL,
            "what happens to mail while the milter cannot be used"),
        milter.duration("connect_timeout", "30s", "10ms", "10m", "wait for the connection"),
        milter.duration("command_timeout", "30s", "10ms", "10m", "wait for the reply to a command"),
        milter.duration("content_timeout", "300s", "10ms", "1h", "wait for the verdict at the end"),
        milter.list(
            "services",
            "services",
            List.of("mx", "submission", "lmtp"),
            "listeners whose mail it sees",
            text -> Section.choose(Service.class, text, "mx, submission, lmtp")));
  }

  private static MilterSocket milterSocket(String text) {
    String socket = text.strip();
    if (socket.startsWith("unix:") && socket.length() > 5) {
      return new MilterSocket.Unix(Path.of(socket.substring(5)));
    }
    if (socket.startsWith("inet:")) {
      return new MilterSocket.Inet(HostPort.parse(socket.substring(5), MILTER_PORT));
    }
    throw new IllegalArgumentException(
        "must be \"inet:127.0.0.1:8891\" or \"unix:/path/socket\", not \"" + text + "\"");
  }

  private static PolicyConfig.Aliases aliases(Section aliases) {
    Optional<Path> file =
        aliases.optional(
            "file",
            "path",
            "",
            "table of aliases, a line each: \"name@domain: target, target\"; \"@domain\" for all"
                + " others there",
            Path::of);
    Map<String, String> domains =
        domains(aliases, "domains", "domain whose recipients this domain's are", HostName::checked);
    Map<String, String> catchAll =
        domains(
            aliases,
            "catch_all",
            "address for all unknown recipients there",
            text -> {
              if (text.matches("[^@\\s<>]+@[^@\\s<>]+")) return text;
              throw new IllegalArgumentException("not a mail address: \"" + text + "\"");
            });
    return new PolicyConfig.Aliases(file, domains, catchAll);
  }

  private static Map<String, String> domains(
      Section aliases, String key, String meaning, java.util.function.Function<String, String> to) {
    Map<String, String> checked = new LinkedHashMap<>();
    List<String> wrong = new ArrayList<>();
    aliases
        .texts(key, meaning)
        .forEach(
            (domain, target) -> {
              try {
                checked.put(HostName.checked(domain), to.apply(target));
              } catch (IllegalArgumentException e) {
                wrong.add(domain + ": " + e.getMessage());
              }
            });
    wrong.forEach(w -> aliases.problem(key, w));
    return Map.copyOf(checked);
  }
}
