package org.quorumail.policy;

import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.config.HostPort;
import org.quorumail.config.Network;
import org.quorumail.config.RateLimit;
import org.quorumail.smtp.Service;

/**
 * The settings of {@code [policy]}, {@code [[milter]]} and {@code [aliases]}: the checks beside the
 * relay rule. By default there are none.
 */
public record PolicyConfig(
    AccessListsConfig lists,
    RateLimitsConfig rates,
    HeloConfig helo,
    ReverseDnsConfig reverseDns,
    SenderDomainConfig senderDomain,
    DnsblConfig dnsbl,
    GreylistConfig greylist,
    TarpitConfig tarpit,
    FiltersConfig filters,
    Optional<HttpTableConfig> recipientsHttp,
    Optional<LdapTableConfig> recipientsLdap,
    List<MilterConfig> milters,
    AliasesConfig aliases) {

  /** The action when a check fails. */
  public enum Consequence {
    NONE,
    LOG,
    DEFER,
    REJECT
  }

  /**
   * The settings of {@code [policy.lists]}; an entry {@code file:PATH} stands for a file's lines.
   */
  public record AccessListsConfig(
      List<String> allowClients,
      List<String> denyClients,
      List<String> allowSenders,
      List<String> denySenders,
      List<String> allowRecipients,
      List<String> denyRecipients) {}

  /** The settings of {@code [policy.limits]}: rates per client network, user and listener. */
  public record RateLimitsConfig(
      Optional<RateLimit> clientConnections,
      Optional<RateLimit> clientMessages,
      Optional<RateLimit> clientRecipients,
      Optional<RateLimit> userMessages,
      Optional<RateLimit> userRecipients,
      Optional<RateLimit> listenerConnections,
      Optional<RateLimit> listenerMessages,
      List<Network> exempt,
      int keys) {
    /** Returns whether any rate is limited. */
    public boolean any() {
      return java.util.stream.Stream.of(
              clientConnections,
              clientMessages,
              clientRecipients,
              userMessages,
              userRecipients,
              listenerConnections,
              listenerMessages)
          .anyMatch(Optional::isPresent);
    }
  }

  /** The settings of {@code [policy.helo]}. */
  public record HeloConfig(
      Consequence invalid, Consequence nonFqdn, Consequence unknown, Consequence ownName) {
    /** Returns whether any check is on. */
    public boolean any() {
      return !java.util.Set.of(Consequence.NONE)
          .containsAll(List.of(invalid, nonFqdn, unknown, ownName));
    }
  }

  /** The settings of {@code [policy.reverse_dns]}. */
  public record ReverseDnsConfig(Consequence missing, Consequence unconfirmed) {}

  /** The settings of {@code [policy.sender_domain]}. */
  public record SenderDomainConfig(Consequence unknown, Consequence nullMx) {}

  /**
   * The settings of {@code [policy.dnsbl]}.
   *
   * @param allowThreshold score at or below which the client is exempt from other reputation checks
   */
  public record DnsblConfig(
      List<DnsblSite> sites, int threshold, Optional<Integer> allowThreshold, Duration timeout) {}

  /** The settings of {@code [policy.greylist]}. */
  public record GreylistConfig(
      boolean enabled,
      Duration delay,
      Duration retryWithin,
      Duration remember,
      int autoAllowAfter,
      int ipv4Prefix,
      int ipv6Prefix) {}

  /** The settings of {@code [policy.tarpit]}. */
  public record TarpitConfig(
      Duration greetDelay, Duration errorDelay, int afterErrors, Duration maxDelay) {}

  /** The settings of {@code [policy.filters]}: the extension filters. */
  public record FiltersConfig(List<String> classes, Duration timeout, Consequence onFailure) {}

  /** The settings of {@code [policy.recipients.http]}. */
  public record HttpTableConfig(
      String url, boolean post, Duration timeout, Duration cacheTtl, int cacheSize) {
    /** The URI for one recipient, with {@code {address}} and the other variables replaced. */
    public URI at(String address, String localPart, String domain) {
      return URI.create(
          url.replace("{address}", encoded(address))
              .replace("{local}", encoded(localPart))
              .replace("{domain}", encoded(domain)));
    }

    /** Returns whether the service learns the local part, and not the domain alone. */
    public boolean asksForLocalPart() {
      return post || namesLocalPart(url);
    }

    private static String encoded(String text) {
      return java.net.URLEncoder.encode(text, java.nio.charset.StandardCharsets.UTF_8)
          .replace("+", "%20");
    }
  }

  /**
   * The settings of {@code [policy.recipients.ldap]}.
   *
   * @param startTls whether {@code ldap://} begins with StartTLS (RFC 4511 §4.14)
   * @param ca without it the issuers that the JDK trusts
   */
  public record LdapTableConfig(
      URI url,
      boolean startTls,
      Optional<Path> ca,
      String base,
      String filter,
      String bindDn,
      Optional<Path> passwordFile,
      Duration timeout,
      Duration cacheTtl,
      int cacheSize) {
    /** Returns whether the search is for the local part, and not for the domain alone. */
    public boolean asksForLocalPart() {
      return namesLocalPart(filter);
    }
  }

  private static boolean namesLocalPart(String template) {
    return template.contains("{address}") || template.contains("{local}");
  }

  /** The settings of one {@code [[milter]]}. */
  public record MilterConfig(
      String name,
      MilterSocket socket,
      MilterAction defaultAction,
      Duration connectTimeout,
      Duration commandTimeout,
      Duration contentTimeout,
      List<Service> services) {}

  /** The socket on which a milter listens. */
  public sealed interface MilterSocket {
    record Inet(HostPort address) implements MilterSocket {
      public InetSocketAddress resolved() {
        return new InetSocketAddress(address.host(), address.port());
      }

      @Override
      public String toString() {
        return "inet:" + address;
      }
    }

    record Unix(Path path) implements MilterSocket {
      @Override
      public String toString() {
        return "unix:" + path;
      }
    }
  }

  /** The action for mail while a milter is unavailable. */
  public enum MilterAction {
    ACCEPT,
    TEMPFAIL,
    REJECT,
    QUARANTINE
  }

  /** The settings of {@code [aliases]}. */
  public record AliasesConfig(
      Optional<Path> file, Map<String, String> domains, Map<String, String> catchAll) {}
}
