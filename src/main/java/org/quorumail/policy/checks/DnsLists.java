package org.quorumail.policy.checks;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.SenderResolver;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.DnsblSite;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.DnsblConfig;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DNS lists of bad and of good hosts, RFC 5782. All lists are queried at once when a stranger
 * connects, on one virtual thread each. The first RCPT waits for the sum of their weights. A list
 * that does not answer in time does not count. The resolver caches the answers.
 */
public final class DnsLists implements MessageFilter {
  private static final Logger LOG = LoggerFactory.getLogger(DnsLists.class);
  private static final int MAX_REASON = 200; // of a reply line's 512 octets

  private final DnsblConfig config;
  private final SenderResolver resolver;

  public DnsLists(DnsblConfig config, SenderResolver resolver) {
    this.config = config;
    this.resolver = resolver;
  }

  @Override
  public String name() {
    return "dnsbl";
  }

  @Override
  public boolean judgesReputation() {
    return true;
  }

  @Override
  public MessageFilter inSession(SessionView session) {
    return new SessionLookup();
  }

  /** The name to query for an address, RFC 5782 §2.1 and §2.4. */
  static String queryName(InetAddress client, String zone) {
    byte[] octets = client.getAddress();
    StringBuilder name = new StringBuilder(80);
    for (int i = octets.length - 1; i >= 0; i--) {
      int octet = octets[i] & 0xFF;
      if (octets.length == 4) name.append(octet).append('.');
      else {
        name.append(Character.forDigit(octet & 15, 16)).append('.');
        name.append(Character.forDigit(octet >> 4, 16)).append('.');
      }
    }
    return name.append(zone).toString();
  }

  /** The entry of a client in one list. */
  private record DnsListing(DnsblSite site, String name) {}

  /** The look-ups for the client of one session. */
  private final class SessionLookup implements MessageFilter {
    private List<CompletableFuture<@Nullable DnsListing>> lookups = List.of();
    private @Nullable InetAddress queriedClient;
    private long deadlineNanos;
    private @Nullable Verdict verdict;

    @Override
    public String name() {
      return "dnsbl";
    }

    @Override
    public boolean judgesReputation() {
      return true;
    }

    @Override
    public boolean readsContent(SessionView session) {
      return false;
    }

    @Override
    public Verdict connect(SessionView session) {
      startLookups(session.client());
      return Verdict.ACCEPT;
    }

    @Override
    public Verdict rcpt(SessionView session, MailAddress recipient) {
      if (!session.client().equals(queriedClient))
        startLookups(session.client()); // XCLIENT has changed the client
      Verdict known = verdict;
      if (known == null) {
        known = scoreClient(session.client());
        verdict = known;
      }
      return known;
    }

    private void startLookups(InetAddress client) {
      queriedClient = client;
      verdict = null;
      deadlineNanos = System.nanoTime() + config.timeout().toNanos();
      List<CompletableFuture<@Nullable DnsListing>> started = new ArrayList<>();
      for (DnsblSite site : config.sites()) {
        CompletableFuture<@Nullable DnsListing> answer = new CompletableFuture<>();
        started.add(answer);
        Thread.ofVirtual().name("dnsbl").start(() -> answer.complete(lookUp(site, client)));
      }
      lookups = started;
    }

    private Verdict scoreClient(InetAddress client) {
      int score = 0;
      DnsListing worst = null;
      for (CompletableFuture<@Nullable DnsListing> answer : lookups) {
        DnsListing listing = await(answer);
        if (listing == null) continue;
        score += listing.site.weight();
        if (worst == null || listing.site.weight() > worst.site.weight()) worst = listing;
      }
      if (worst == null) return Verdict.ACCEPT;
      LOG.info(
          "event=dnsbl_listed client={} score={} list={}",
          client.getHostAddress(),
          score,
          worst.site.zone());
      if (config.allowThreshold().isPresent() && score <= config.allowThreshold().get()) {
        return new Verdict.Exempt("on a list of good hosts");
      }
      return score < config.threshold() ? Verdict.ACCEPT : refusal(worst, client);
    }

    private @Nullable DnsListing await(CompletableFuture<@Nullable DnsListing> answer) {
      try {
        return answer.get(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException | ExecutionException e) {
        return null;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
    }

    private Verdict refusal(DnsListing listing, InetAddress client) {
      String text = "Your host [" + client.getHostAddress() + "] is listed by ";
      String reason = reason(listing.name);
      String why = reason.isEmpty() ? "" : "; " + reason;
      return Verdict.reject(554, "5.7.1", text + listing.site.zone() + why);
    }

    /** The list's reason, fetched in the time that is left, but at least half a second. */
    private String reason(String name) {
      CompletableFuture<String> text = new CompletableFuture<>();
      Thread.ofVirtual().name("dnsbl").start(() -> text.complete(fetchReason(name)));
      long left = Math.max(TimeUnit.MILLISECONDS.toNanos(500), deadlineNanos - System.nanoTime());
      try {
        return text.get(left, TimeUnit.NANOSECONDS);
      } catch (TimeoutException | ExecutionException e) {
        return "";
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return "";
      }
    }
  }

  private @Nullable DnsListing lookUp(DnsblSite site, InetAddress client) {
    String name = queryName(client, site.zone());
    try {
      if (!(resolver.dnsListCodes(name) instanceof LookupResult.Found<InetAddress> found))
        return null;
      boolean counts = found.values().stream().anyMatch(site::matches);
      return counts ? new DnsListing(site, name) : null;
    } catch (RuntimeException e) {
      LOG.warn("event=dnsbl_failed list={} reason={}", site.zone(), Escape.quoted(e.toString()));
      return null;
    }
  }

  private String fetchReason(String name) {
    if (!(resolver.textRecords(name) instanceof LookupResult.Found<String> found)) return "";
    String text = found.values().getFirst();
    return text.substring(0, Math.min(MAX_REASON, text.length()));
  }
}
