package org.quorumail.policy;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.HostName;
import org.quorumail.config.IpLiteral;
import org.quorumail.config.Section;

/**
 * The reader of {@code [policy.recipients.*]} and {@code [aliases]}: the recipients that exist, and
 * the targets of aliases.
 */
final class RecipientsConfigReader {
  private RecipientsConfigReader() {}

  static Optional<PolicyConfig.HttpTableConfig> http(Section http) {
    Optional<String> url =
        http.optional(
            "url",
            "URL",
            "",
            "service that knows the recipients: 2xx known, 404 or 410 unknown, others 451;"
                + " {address}, {local} and {domain} are replaced",
            RecipientsConfigReader::httpUrl);
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
    Duration timeout =
        http.duration("timeout", "5s", "10ms", "60s", "longest wait for an answer; then 451");
    Duration ttl =
        http.duration("cache_ttl", "5m", "0s", "1d", "time for which an answer is cached");
    int size = http.integer("cache_size", 10_000, 0, 1_000_000, "answers that are cached");
    return url.map(
        u -> new PolicyConfig.HttpTableConfig(u, method.equals("POST"), timeout, ttl, size));
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
      // refused below
    }
    throw new IllegalArgumentException(
        "must be a URL of " + String.join(" or ", schemes) + ", not \"" + text + "\"");
  }

  static Optional<PolicyConfig.LdapTableConfig> ldap(Section ldap) {
    Optional<URI> url =
        ldap.optional(
            "url",
            "URL",
            "",
            "directory that knows the recipients: \"ldap://host:389\" or \"ldaps://host:636\"",
            text -> uri(text, "ldap", "ldaps"));
    boolean startTls =
        ldap.flag(
            "starttls",
            false,
            "whether ldap:// must use StartTLS; the certificate must be for the host of the URL");
    Optional<Path> ca =
        ldap.optional(
            "ca",
            "path",
            "",
            "PEM file of the server's issuers; default: the issuers that Java trusts",
            Path::of);
    boolean withoutTls =
        ldap.flag(
            "allow_without_tls",
            false,
            "whether the password of bind_dn may cross the network readable");
    String base = ldap.text("base", "", "base DN of the search");
    String filter =
        ldap.text(
            "filter",
            "(mail={address})",
            "search filter; {address}, {local}, {domain} are replaced, escaped");
    String bindDn = ldap.text("bind_dn", "", "DN for the search; empty: anonymous");
    Optional<Path> password =
        ldap.optional("password_file", "path", "", "file with the password of bind_dn", Path::of);
    Duration timeout =
        ldap.duration("timeout", "5s", "10ms", "60s", "longest wait for an answer; then 451");
    Duration ttl =
        ldap.duration("cache_ttl", "5m", "0s", "1d", "time for which an answer is cached");
    int size = ldap.integer("cache_size", 10_000, 0, 1_000_000, "answers that are cached");
    if (!bindDn.isEmpty() && password.isEmpty()) {
      ldap.problem("password_file", "is needed beside bind_dn");
    }
    boolean readable = !startTls && url.map(RecipientsConfigReader::isReadable).orElse(false);
    if (password.isPresent() && readable && !withoutTls) {
      ldap.problem(
          "url",
          "sends the password of bind_dn readable over the network: set starttls = true, or use"
              + " ldaps://, or allow it with allow_without_tls = true");
    }
    return url.map(
        u ->
            new PolicyConfig.LdapTableConfig(
                u, startTls, ca, base, filter, bindDn, password, timeout, ttl, size));
  }

  /** Whether others on the network can read what goes to a directory without StartTLS. */
  private static boolean isReadable(URI directory) {
    String host = Optional.ofNullable(directory.getHost()).orElse("");
    return directory.getScheme().equalsIgnoreCase("ldap") && !IpLiteral.isLoopback(host);
  }

  static PolicyConfig.AliasesConfig aliases(Section aliases) {
    Optional<Path> file =
        aliases.optional(
            "file",
            "path",
            "",
            "table of aliases, one per line: \"name@domain: target, target\"; \"@domain\" for"
                + " all unknown recipients",
            Path::of);
    Map<String, String> domains =
        domains(
            aliases,
            "domains",
            "domain whose recipients this virtual domain has",
            HostName::validate);
    Map<String, String> catchAll =
        domains(
            aliases,
            "catch_all",
            "address for all unknown recipients of this domain",
            text -> AddressPattern.mailbox(text).toString());
    return new PolicyConfig.AliasesConfig(file, domains, catchAll);
  }

  private static Map<String, String> domains(
      Section aliases, String key, String meaning, Function<String, String> to) {
    Map<String, String> checked = new LinkedHashMap<>();
    List<String> wrong = new ArrayList<>();
    aliases
        .textMap(key, meaning)
        .forEach(
            (domain, target) -> {
              try {
                checked.put(HostName.validate(domain), to.apply(target));
              } catch (IllegalArgumentException e) {
                wrong.add(domain + ": " + e.getMessage());
              }
            });
    wrong.forEach(w -> aliases.problem(key, w));
    return Map.copyOf(checked);
  }
}
