package org.quorumail.policy.checks;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.DnsblSite;
import org.quorumail.config.PolicyConfig.Dnsbl;
import org.quorumail.dns.Answer;
import org.quorumail.dns.SenderResolver;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists of bad and of good hosts in the DNS, RFC 5782. All are asked at once when a stranger
 * connects; the first RCPT waits for the sum of their weights. A list that does not answer in time
 * does not count. The resolver keeps the answers, so a host that comes again costs nothing.
 */
public final class DnsLists implements MessageFilter {
  private static final Logger LOG = LoggerFactory.getLogger(DnsLists.class);
  private static final int REASON_MAX = 200; // of a reply line's 512 octets

  private final Dnsbl config;
  private final SenderResolver resolver;

  public DnsLists(Dnsbl config, SenderResolver resolver) {
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
    return new Inquiry();
  }

  /** The name to ask a list for an address, RFC 5782 §2.1 and §2.4. */
  static String question(InetAddress client, String zone) {
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

  /** A list that has the client. */
  private record Listing(DnsblSite site, String name) {}

  /** The lists' word about the client of one session. */
  private final class Inquiry implements MessageFilter {
    private List<CompletableFuture<@Nullable Listing>> answers = List.of();
    private @Nullable InetAddress asked;
    private long until;
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
      ask(session.client());
      return Verdict.ACCEPT;
    }

    @Override
    public Verdict rcpt(SessionView session, MailAddress recipient) {
      if (!session.client().equals(asked)) ask(session.client()); // XCLIENT has changed it
      Verdict known = verdict;
      if (known == null) {
        known = judge(session.client());
        verdict = known;
      }
      return known;
    }

    private void ask(InetAddress client) {
      asked = client;
      verdict = null;
      until = System.nanoTime() + config.timeout().toNanos();
      List<CompletableFuture<@Nullable Listing>> started = new ArrayList<>();
      for (DnsblSite site : config.sites()) {
        CompletableFuture<@Nullable Listing> answer = new CompletableFuture<>();
        started.add(answer);
        Thread.ofVirtual().name("dnsbl").start(() -> answer.complete(look(site, client)));
      }
      answers = started;
    }

    private Verdict judge(InetAddress client) {
      int score = 0;
      Listing worst = null;
      for (CompletableFuture<@Nullable Listing> answer : answers) {
        Listing listing = await(answer);
        if (listing == null) continue;
        score += listing.site.weight();
        if (worst == null || listing.site.weight() > worst.site.weight()) worst = listing;
      }
      if (worst == null) return Verdict.ACCEPT;
      LOG.info(
          "event=dnsbl client={} score={} list={}",
          client.getHostAddress(),
          score,
          worst.site.zone());
      if (config.allowThreshold().isPresent() && score <= config.allowThreshold().get()) {
        return new Verdict.Exempt("on a list of good hosts");
      }
      return score < config.threshold() ? Verdict.ACCEPT : refused(worst, client);
    }

    private @Nullable Listing await(CompletableFuture<@Nullable Listing> answer) {
      try {
        return answer.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException | ExecutionException e) {
        return null;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
    }

    private Verdict refused(Listing listing, InetAddress client) {
      String text = "Your host [" + client.getHostAddress() + "] is listed by ";
      String reason = reason(listing.name);
      String why = reason.isEmpty() ? "" : "; " + reason;
      return Verdict.reject(554, "5.7.1", text + listing.site.zone() + why);
    }

    /** What the list says to it, asked with what is left of the time but at least a moment. */
    private String reason(String name) {
      CompletableFuture<String> text = new CompletableFuture<>();
      Thread.ofVirtual().name("dnsbl").start(() -> text.complete(text(name)));
      long left = Math.max(TimeUnit.MILLISECONDS.toNanos(500), until - System.nanoTime());
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

  private @Nullable Listing look(DnsblSite site, InetAddress client) {
    String name = question(client, site.zone());
    try {
      if (!(resolver.codes(name) instanceof Answer.Found<InetAddress> found)) return null;
      boolean counts = found.values().stream().anyMatch(site::counts);
      return counts ? new Listing(site, name) : null;
    } catch (RuntimeException e) {
      LOG.warn("event=dnsbl_failed list={} reason={}", site.zone(), Escape.quoted(e.toString()));
      return null;
    }
  }

  private String text(String name) {
    if (!(resolver.texts(name) instanceof Answer.Found<String> found)) return "";
    String text = found.values().getFirst();
    return text.substring(0, Math.min(REASON_MAX, text.length()));
  }
}
