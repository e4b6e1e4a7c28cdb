package org.quorumail.policy.checks;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Optional;
import org.quorumail.config.Network;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyState;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

/**
 * Greylisting, RFC 6647: a stranger's first attempt is deferred. Real mail servers try again, and
 * much spam does not. The policy state keeps a digest of each triplet of client network, sender and
 * recipient. A triplet that has passed is accepted, and a network that has passed often enough is
 * exempt.
 */
public final class Greylist implements MessageFilter {
  private static final int DIGEST_OCTETS = 16; // of 32: enough for no two triplets to collide
  private static final String PASSED = "passed";

  private final org.quorumail.policy.PolicyConfig.GreylistConfig config;
  private final PolicyState state;
  private final InstantSource time;

  public Greylist(
      org.quorumail.policy.PolicyConfig.GreylistConfig config,
      PolicyState state,
      InstantSource time) {
    this.config = config;
    this.state = state;
    this.time = time;
  }

  @Override
  public String name() {
    return "greylist";
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
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    String network = network(session.client());
    String passesKey = "greylist client " + network;
    int passes = state.find(passesKey).map(Integer::parseInt).orElse(0);
    if (config.autoAllowAfter() > 0 && passes >= config.autoAllowAfter()) {
      state.put(passesKey, Integer.toString(passes), config.remember());
      return Verdict.ACCEPT;
    }
    String key = "greylist " + triplet(network, session, recipient);
    long now = time.millis();
    Optional<String> seen = state.find(key);
    if (seen.isEmpty()) {
      state.put(key, Long.toString(now), config.retryWithin());
      return deferFor(config.delay());
    }
    if (!seen.get().equals(PASSED)) {
      Duration waited = Duration.ofMillis(now - Long.parseLong(seen.get()));
      if (waited.compareTo(config.delay()) < 0) return deferFor(config.delay().minus(waited));
      state.put(passesKey, Integer.toString(passes + 1), config.remember());
    }
    state.put(key, PASSED, config.remember());
    return Verdict.ACCEPT;
  }

  private static Verdict deferFor(Duration in) {
    long seconds = Math.max(1, (in.toMillis() + 999) / 1000);
    return Verdict.defer(450, "4.7.1", "Greylisted, try again in " + seconds + " seconds");
  }

  private String network(InetAddress client) {
    boolean v4 = client.getAddress().length == 4;
    int prefix = v4 ? config.ipv4Prefix() : config.ipv6Prefix();
    return Network.containing(client, prefix).toString();
  }

  private static String triplet(String network, SessionView session, MailAddress recipient) {
    String sender =
        session.sender().orElse(null) instanceof ReversePath.Mailbox box
            ? box.address().lookupKey()
            : "";
    String text = network + "\n" + sender + "\n" + recipient.lookupKey();
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] digest = sha.digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, DIGEST_OCTETS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
