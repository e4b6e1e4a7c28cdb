package org.quorumail.policy;

import java.util.List;
import java.util.Optional;
import org.quorumail.config.Network;
import org.quorumail.config.RateLimit;
import org.quorumail.config.Section;
import org.quorumail.policy.PolicyConfig.Consequence;

/** The reader of {@code [policy]}, with {@code [[milter]]} and {@code [aliases]}. */
public final class PolicyConfigReader {
  private final Section policy;

  private PolicyConfigReader(Section policy) {
    this.policy = policy;
  }

  /** Reads all policy tables below the root. */
  public static PolicyConfig policy(Section root) {
    PolicyConfigReader reader = new PolicyConfigReader(root.section("policy"));
    Section recipients = reader.policy.section("recipients");
    return new PolicyConfig(
        reader.lists(),
        reader.rates(),
        reader.helo(),
        reader.reverseDns(),
        reader.senderDomain(),
        reader.dnsbl(),
        reader.greylist(),
        reader.tarpit(),
        reader.filters(),
        RecipientsConfigReader.http(recipients.section("http")),
        RecipientsConfigReader.ldap(recipients.section("ldap")),
        root.sections("milter", 0).stream().map(MilterConfigReader::milter).toList(),
        RecipientsConfigReader.aliases(root.section("aliases")));
  }

  private PolicyConfig.AccessListsConfig lists() {
    Section lists = policy.section("lists");
    return new PolicyConfig.AccessListsConfig(
        list(lists, "allow_clients", "networks exempt from all checks of reputation"),
        list(lists, "deny_clients", "networks refused at connect"),
        list(
            lists,
            "allow_senders",
            "addresses, domains or *.domains exempt from checks of reputation"),
        list(lists, "deny_senders", "addresses, domains or *.domains refused at MAIL"),
        list(lists, "allow_recipients", "recipients exempt from checks of reputation"),
        list(lists, "deny_recipients", "recipients refused at RCPT"));
  }

  private static List<String> list(Section lists, String key, String meaning) {
    return lists.list(
        key,
        "entries",
        List.of(),
        meaning + "; file:PATH reads one entry per line",
        t -> t.strip());
  }

  private PolicyConfig.RateLimitsConfig rates() {
    Section limits = policy.section("limits");
    return new PolicyConfig.RateLimitsConfig(
        rate(limits, "client_connection_rate", "connections of one client; more get 421 4.7.0"),
        rate(limits, "client_message_rate", "messages of one client; more get 450 4.7.1"),
        rate(limits, "client_recipient_rate", "recipients of one client; more get 450 4.7.1"),
        rate(limits, "user_message_rate", "messages of one authenticated user"),
        rate(limits, "user_recipient_rate", "recipients of one authenticated user"),
        rate(limits, "listener_connection_rate", "connections to one listener"),
        rate(limits, "listener_message_rate", "messages to one listener"),
        limits.list(
            "exempt",
            "networks",
            List.of(),
            "client networks exempt from these limits",
            Network::parse),
        limits.integer(
            "keys",
            100_000,
            100,
            10_000_000,
            "clients, users and greylisted triplets kept in memory, some 200 bytes each"));
  }

  private static Optional<RateLimit> rate(Section limits, String key, String meaning) {
    return limits.optional(
        key,
        "rate",
        "",
        meaning + ": \"60/m burst 120\"; a client is an IPv4 address or IPv6 /64",
        RateLimit::parse);
  }

  private PolicyConfig.HeloConfig helo() {
    Section helo = policy.section("helo");
    return new PolicyConfig.HeloConfig(
        consequence(
            helo, "invalid", "a HELO name that is neither a host name nor an address literal"),
        consequence(helo, "non_fqdn", "a HELO name without a dot"),
        consequence(helo, "unknown", "a HELO name without address or MX"),
        consequence(helo, "own_name", "a HELO name that is this host's name or address"));
  }

  private PolicyConfig.ReverseDnsConfig reverseDns() {
    Section reverse = policy.section("reverse_dns");
    return new PolicyConfig.ReverseDnsConfig(
        consequence(reverse, "missing", "a client's address without a name (PTR)"),
        consequence(
            reverse, "unconfirmed", "a client address whose name does not lead back to it"));
  }

  private PolicyConfig.SenderDomainConfig senderDomain() {
    Section sender = policy.section("sender_domain");
    return new PolicyConfig.SenderDomainConfig(
        consequence(sender, "unknown", "a sender's domain without MX or address"),
        consequence(
            sender, "null_mx", "a sender's domain that publishes to take no mail, RFC 7505"));
  }

  private static Consequence consequence(Section section, String key, String meaning) {
    return section.choice(key, Consequence.class, Consequence.NONE, "action for " + meaning);
  }

  private PolicyConfig.DnsblConfig dnsbl() {
    Section dnsbl = policy.section("dnsbl");
    return new PolicyConfig.DnsblConfig(
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
            "sum of weights at or below which a client is exempt from other checks: \"-2\"",
            PolicyConfigReader::negative),
        dnsbl.duration(
            "timeout", "5s", "100ms", "60s", "time for an answer; a slower list does not count"));
  }

  private static int negative(String text) {
    if (text.strip().matches("-[1-9]\\d{0,3}")) return Integer.parseInt(text.strip());
    throw new IllegalArgumentException("must be a negative integer in quotes, such as \"-2\"");
  }

  private PolicyConfig.GreylistConfig greylist() {
    Section grey = policy.section("greylist");
    return new PolicyConfig.GreylistConfig(
        grey.flag(
            "enabled", false, "whether the first attempt of a stranger is deferred, RFC 6647"),
        grey.duration(
            "delay", "5m", "1s", "1d", "time before which another attempt is deferred too"),
        grey.duration(
            "retry_within", "2d", "1m", "30d", "time within which the second attempt must come"),
        grey.duration("remember", "35d", "1m", "365d", "time for which a passed triplet is kept"),
        grey.integer(
            "auto_allow_after",
            5,
            0,
            1_000,
            "passed triplets after which a client network is exempt; 0: never"),
        grey.integer("ipv4_prefix", 24, 8, 32, "bits of an IPv4 client address that count"),
        grey.integer("ipv6_prefix", 64, 16, 128, "bits of an IPv6 client address that count"));
  }

  private PolicyConfig.TarpitConfig tarpit() {
    Section tarpit = policy.section("tarpit");
    return new PolicyConfig.TarpitConfig(
        tarpit.duration(
            "greet_delay",
            "0s",
            "0s",
            "30s",
            "wait before the greeting; a client that talks first gets 554"),
        tarpit.duration("error_delay", "0s", "0s", "30s", "wait before the reply to an error"),
        tarpit.integer(
            "after_errors", 3, 0, 1_000, "errors without a wait; then it grows with each error"),
        tarpit.duration("max_delay", "30s", "0s", "120s", "longest wait"));
  }

  private PolicyConfig.FiltersConfig filters() {
    Section filters = policy.section("filters");
    return new PolicyConfig.FiltersConfig(
        filters.list(
            "classes",
            "class names",
            List.of(),
            "extension filters beside those that ServiceLoader finds",
            t -> t),
        filters.duration(
            "timeout", "30s", "10ms", "10m", "longest time of one call of an extension filter"),
        filters.choice(
            "on_failure",
            Consequence.class,
            Consequence.DEFER,
            "action when an extension filter fails or is late; none and log accept"));
  }
}
