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
 * {@code [policy]}, {@code [[milter]]} and {@code [aliases]}: what is checked beside the relay
 * rule. By default nothing is.
 */
public record PolicyConfig(
    AccessListsConfig lists,
    RateLimitsConfig rates,
    HeloConfig helo,
    ReverseDnsConfig reverseDns,
    DnsblConfig dnsbl,
    GreylistConfig greylist,
    TarpitConfig tarpit,
    FiltersConfig filters,
    Optional<HttpTableConfig> recipientsHttp,
    Optional<LdapTableConfig> recipientsLdap,
    List<MilterConfig> milters,
    AliasesConfig aliases) {

  /** What a check that fails leads to. */
  public enum Consequence {
    NONE,
    LOG,
    DEFER,
    REJECT
  }

  /** {@code [policy.lists]}: entries as written; {@code file:PATH} stands for a file's lines. */
  public record AccessListsConfig(
      List<String> allowClients,
      List<String> denyClients,
      List<String> allowSenders,
      List<String> denySenders,
      List<String> allowRecipients,
      List<String> denyRecipients) {}

  /** {@code [policy.limits]}: how many in a time, for one client network, user or listener. */
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
    /** Whether anything is limited. */
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

  /** {@code [policy.helo]}. */
  public record HeloConfig(
      Consequence invalid, Consequence nonFqdn, Consequence unknown, Consequence ownName) {
    /** Whether anything is checked. */
    public boolean any() {
      return !java.util.Set.of(Consequence.NONE)
          .containsAll(List.of(invalid, nonFqdn, unknown, ownName));
    }
  }

  /** {@code [policy.reverse_dns]}. */
  public record ReverseDnsConfig(Consequence missing, Consequence unconfirmed) {}

  /**
   * {@code [policy.dnsbl]}.
   *
   * @param allowThreshold a score at or below this frees the client of all other reputation checks
   */
  public record DnsblConfig(
      List<DnsblSite> sites, int threshold, Optional<Integer> allowThreshold, Duration timeout) {}

  /** {@code [policy.greylist]}. */
  public record GreylistConfig(
      boolean enabled,
      Duration delay,
      Duration retryWithin,
      Duration remember,
      int autoAllowAfter,
      int ipv4Prefix,
      int ipv6Prefix) {}

  /** {@code [policy.tarpit]}. */
  public record TarpitConfig(
      Duration greetDelay, Duration errorDelay, int afterErrors, Duration maxDelay) {}

  /** {@code [policy.filters]}: how filters of others are run. */
  public record FiltersConfig(List<String> classes, Duration timeout, Consequence onFailure) {}

  /** {@code [policy.recipients.http]}. */
  public record HttpTableConfig(
      String url, boolean post, Duration timeout, Duration cacheTtl, int cacheSize) {
    /** The address asked for one recipient; {@code {address}} and its like are put in. */
    public URI at(String address, String localPart, String domain) {
      return URI.create(
          url.replace("{address}", encoded(address))
              .replace("{local}", encoded(localPart))
              .replace("{domain}", encoded(domain)));
    }

    private static String encoded(String text) {
      return java.net.URLEncoder.encode(text, java.nio.charset.StandardCharsets.UTF_8)
          .replace("+", "%20");
    }
  }

  /** {@code [policy.recipients.ldap]}. */
  public record LdapTableConfig(
      URI url,
      String base,
      String filter,
      String bindDn,
      Optional<Path> passwordFile,
      Duration timeout,
      Duration cacheTtl,
      int cacheSize) {}

  /** One of {@code [[milter]]}. */
  public record MilterConfig(
      String name,
      MilterSocket socket,
      MilterAction defaultAction,
      Duration connectTimeout,
      Duration commandTimeout,
      Duration contentTimeout,
      List<Service> services) {}

  /** Where a milter listens. */
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

  /** What happens to mail while a milter cannot be used. */
  public enum MilterAction {
    ACCEPT,
    TEMPFAIL,
    REJECT,
    QUARANTINE
  }

  /** {@code [aliases]}. */
  public record AliasesConfig(
      Optional<Path> file, Map<String, String> domains, Map<String, String> catchAll) {}
}
