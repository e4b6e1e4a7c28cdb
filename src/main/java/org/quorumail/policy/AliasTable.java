package org.quorumail.policy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.LocalPart;
import org.quorumail.config.TextFile;
import org.quorumail.mail.MailAddress;

/**
 * Addresses that stand for others: a table of aliases, virtual domains and catch-all addresses. The
 * table is checked as a whole when it is read: it has no loop, no chain of more than {@value
 * #MAX_CHAIN} aliases and no alias with more than {@value #MAX_TARGETS} targets.
 *
 * <p>A line of the table is {@code name@domain: target, target}; a line that begins with a blank
 * continues the line before it. {@code name:} alone holds in each local domain. {@code @domain:}
 * holds for all recipients that are unknown in the domain. A target that equals its alias is the
 * mailbox of that name. Immutable.
 */
public final class AliasTable {
  public static final AliasTable NONE = new AliasTable(Map.of(), Map.of(), Set.of());

  private static final int MAX_ENTRIES = 1_000_000; // some 300 MB of memory
  private static final int MAX_TARGETS = 1_000; // more is a mailing list: use a list server
  private static final int MAX_CHAIN = 10;

  private final Map<String, List<MailAddress>> table;
  private final Map<String, String> domains;
  private final Set<String> localDomains;

  private AliasTable(
      Map<String, List<MailAddress>> table, Map<String, String> domains, Set<String> localDomains) {
    this.table = table;
    this.domains = domains;
    this.localDomains = localDomains;
  }

  /**
   * Reads and checks a table.
   *
   * @param localDomains domains whose mail is accepted from anyone
   * @throws IOException with one sentence that names the line or the alias
   */
  public static AliasTable read(PolicyConfig.AliasesConfig config, Set<String> localDomains)
      throws IOException {
    Map<String, List<MailAddress>> table = new HashMap<>();
    if (config.file().isPresent()) {
      try {
        readFile(config.file().get(), table);
      } catch (IOException e) {
        throw new IOException("aliases.file: " + e.getMessage(), e);
      }
    }
    config
        .catchAll()
        .forEach(
            (domain, target) ->
                table.putIfAbsent("@" + domain.toLowerCase(Locale.ROOT), targets(target, false)));
    Set<String> lower = new HashSet<>();
    localDomains.forEach(domain -> lower.add(domain.toLowerCase(Locale.ROOT)));
    AliasTable aliases = new AliasTable(table, config.domains(), lower);
    for (String domain : config.domains().keySet()) aliases.checkDomainChain(domain);
    for (String alias : table.keySet()) aliases.checkAlias(alias);
    return aliases;
  }

  /** Replaces a virtual domain by the domain whose recipients it has. */
  public MailAddress mapDomain(MailAddress address) {
    if (!domains.containsKey(address.domain())) return address;
    String domain = domains.getOrDefault(address.domain(), address.domain());
    for (int i = 0; i < MAX_CHAIN && domains.containsKey(domain); i++) {
      domain = domains.getOrDefault(domain, domain);
    }
    return new MailAddress(address.localPart(), domain);
  }

  /** The final targets of an alias; empty when the address is no alias. */
  public Optional<List<MailAddress>> targets(MailAddress address) {
    if (table.isEmpty()) return Optional.empty();
    List<MailAddress> direct = directTargets(address);
    return direct == null ? Optional.empty() : Optional.of(expand(address, direct));
  }

  /** The final targets for an address that is unknown in its domain; empty without a catch-all. */
  public Optional<List<MailAddress>> catchAllTargets(MailAddress address) {
    List<MailAddress> direct = table.get("@" + address.domain());
    return direct == null ? Optional.empty() : Optional.of(expand(address, direct));
  }

  private @org.jspecify.annotations.Nullable List<MailAddress> directTargets(MailAddress address) {
    List<MailAddress> exact = table.get(address.lookupKey());
    if (exact != null || !localDomains.contains(address.domain())) return exact;
    List<MailAddress> anywhere = table.get(LocalPart.lookupKey(address.localPart()));
    if (anywhere == null) return null;
    return anywhere.stream()
        .map(a -> a.domain().isEmpty() ? new MailAddress(a.localPart(), address.domain()) : a)
        .toList();
  }

  /** Follows targets that are aliases themselves. {@link #read} has refused loops. */
  private List<MailAddress> expand(MailAddress alias, List<MailAddress> direct) {
    Set<MailAddress> ends = new LinkedHashSet<>();
    collect(alias, direct, ends, 0);
    assert ends.size() <= MAX_TARGETS : alias + " has more targets than its check allowed";
    return List.copyOf(ends);
  }

  private void collect(MailAddress from, List<MailAddress> to, Set<MailAddress> ends, int depth) {
    for (MailAddress written : to) {
      MailAddress target = mapDomain(written);
      List<MailAddress> next =
          sameAddress(target, from) || depth == MAX_CHAIN ? null : directTargets(target);
      if (next == null) ends.add(target);
      else collect(target, next, ends, depth + 1);
      if (ends.size() > MAX_TARGETS) return;
    }
  }

  private static boolean sameAddress(MailAddress a, MailAddress b) {
    return a.lookupKey().equals(b.lookupKey());
  }

  private void checkDomainChain(String start) throws IOException {
    Set<String> seen = new LinkedHashSet<>();
    for (String d = start; d != null; d = domains.get(d)) {
      if (!seen.add(d)) {
        throw new IOException("aliases.domains: a loop: " + String.join(" → ", seen) + " → " + d);
      }
    }
    if (seen.size() > MAX_CHAIN) {
      throw new IOException("aliases.domains: the chain from " + start + " is too long");
    }
  }

  private void checkAlias(String alias) throws IOException {
    int at = alias.indexOf('@');
    if (at == 0) { // a catch-all is reached from no alias: only its targets can form a loop
      checkTargets(alias, table.getOrDefault(alias, List.of()), new ArrayList<>(List.of(alias)), 0);
      return;
    }
    if (at < 0) {
      for (String domain : localDomains) checkAlias(alias + "@" + domain);
      return;
    }
    List<MailAddress> direct = directTargets(MailAddress.of(alias));
    if (direct != null) checkTargets(alias, direct, new ArrayList<>(List.of(alias)), 0);
  }

  /** Walks all targets of an alias; the path so far shows where a loop closes. */
  private int checkTargets(String from, List<MailAddress> to, List<String> path, int found)
      throws IOException {
    int ends = found;
    for (MailAddress written : to) {
      MailAddress target = mapDomain(written);
      String key = target.lookupKey();
      List<MailAddress> next = key.equals(from) ? null : directTargets(target);
      if (next == null) {
        if (++ends > MAX_TARGETS) {
          throw new IOException(
              "aliases: " + path.getFirst() + " has more than " + MAX_TARGETS + " targets");
        }
        continue;
      }
      boolean loop = path.contains(key);
      path.add(key);
      if (loop) throw new IOException("aliases: a loop: " + String.join(" → ", path));
      if (path.size() > MAX_CHAIN) {
        throw new IOException("aliases: a chain is too long: " + String.join(" → ", path));
      }
      ends = checkTargets(key, next, path, ends);
      path.removeLast();
    }
    return ends;
  }

  private static void readFile(Path file, Map<String, List<MailAddress>> table) throws IOException {
    try (TextFile lines = TextFile.open(file)) {
      String entry = "";
      int entryAt = 0;
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (line.isBlank() || line.strip().startsWith("#")) continue;
        if (Character.isWhitespace(line.charAt(0))) {
          entry += line;
          continue;
        }
        add(file, entryAt, entry, table);
        entry = line;
        entryAt = lines.number();
      }
      add(file, entryAt, entry, table);
    }
  }

  private static void add(Path file, int number, String entry, Map<String, List<MailAddress>> table)
      throws IOException {
    if (entry.isBlank()) return;
    String where = file + " line " + number;
    int colon = entry.indexOf(':');
    if (colon <= 0) throw new IOException(where + " is not \"name@domain: target, target\"");
    String alias;
    List<MailAddress> targets;
    try {
      alias = alias(entry.substring(0, colon).strip());
      targets = targets(entry.substring(colon + 1), alias.indexOf('@') < 0);
    } catch (IllegalArgumentException e) {
      throw new IOException(where + ": " + e.getMessage(), e);
    }
    if (targets.isEmpty()) throw new IOException(where + " names no target for " + alias);
    if (table.putIfAbsent(alias, targets) != null) {
      throw new IOException(where + ": an earlier line defines the alias " + alias);
    }
    if (table.size() > MAX_ENTRIES) {
      throw new IOException(file + " has more than " + MAX_ENTRIES + " aliases");
    }
  }

  /** An alias in lower case: {@code name}, {@code name@domain} or {@code @domain}. */
  private static String alias(String text) {
    if (text.startsWith("@")) return "@" + AddressPattern.domain(text.substring(1));
    return text.indexOf('@') < 0
        ? bareName(text).toLowerCase(Locale.ROOT)
        : AddressPattern.mailbox(text).lookupKey();
  }

  /**
   * @param bareNames whether a target may be a name alone, in the domain of the recipient
   */
  private static List<MailAddress> targets(String list, boolean bareNames) {
    List<MailAddress> targets = new ArrayList<>();
    for (String part : list.split(",")) {
      String text = part.strip();
      if (text.isEmpty()) continue;
      boolean bare = bareNames && text.indexOf('@') < 0;
      MailAddress target =
          bare ? new MailAddress(bareName(text), "") : address(AddressPattern.mailbox(text));
      if (!target.toString().matches("[!-~]{1,320}")) {
        throw new IllegalArgumentException("the target \"" + text + "\" is not an address");
      }
      targets.add(target);
    }
    return List.copyOf(targets);
  }

  private static MailAddress address(AddressPattern mailbox) {
    return new MailAddress(mailbox.localPart(), mailbox.domain());
  }

  /** Checks a name without domain; a program, a file or an include of other servers is none. */
  private static String bareName(String text) {
    if (text.matches("[^\\s|/:<>\",;()\\[\\]\\\\]+")) return text;
    throw new IllegalArgumentException("\"" + text + "\" is neither a name nor an address");
  }
}
