package org.quorumail.policy.checks;

import java.util.Optional;
import org.quorumail.config.Network;
import org.quorumail.config.RateLimit;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.RateLimitsConfig;
import org.quorumail.policy.PolicyState;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

/**
 * Rate limits for connections, messages and recipients: per client, per authenticated user and per
 * listener. The holder of an IPv6 address holds its /64, so a /64 is one client.
 */
public final class RateLimits implements MessageFilter {
  private static final Verdict CONNECTIONS =
      Verdict.defer(421, "4.7.0", "Too many connections in a short time, try again later");
  private static final Verdict MESSAGES =
      Verdict.defer(450, "4.7.1", "Too many messages in a short time, try again later");
  private static final Verdict RECIPIENTS =
      Verdict.defer(450, "4.7.1", "Too many recipients in a short time, try again later");

  private final RateLimitsConfig rates;
  private final PolicyState state;
  private final NetworkSet exempt;

  public RateLimits(RateLimitsConfig rates, PolicyState state) {
    this.rates = rates;
    this.state = state;
    this.exempt = new NetworkSet(rates.exempt());
  }

  @Override
  public String name() {
    return "limits";
  }

  @Override
  public Verdict connect(SessionView session) {
    if (exempt.contains(session.client())) return Verdict.ACCEPT;
    boolean within =
        tryAcquire(rates.clientConnections(), "connection client ", session)
            && tryAcquire(rates.listenerConnections(), "connection listener ", session);
    return within ? Verdict.ACCEPT : CONNECTIONS;
  }

  @Override
  public Verdict mail(SessionView session) {
    boolean within =
        tryAcquire(rates.userMessages(), "message user ", session)
            && (exempt.contains(session.client())
                || (tryAcquire(rates.clientMessages(), "message client ", session)
                    && tryAcquire(rates.listenerMessages(), "message listener ", session)));
    return within ? Verdict.ACCEPT : MESSAGES;
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    boolean within =
        tryAcquire(rates.userRecipients(), "recipient user ", session)
            && (exempt.contains(session.client())
                || tryAcquire(rates.clientRecipients(), "recipient client ", session));
    return within ? Verdict.ACCEPT : RECIPIENTS;
  }

  @Override
  public boolean readsContent(SessionView session) {
    return false;
  }

  private boolean tryAcquire(Optional<RateLimit> limit, String what, SessionView session) {
    if (limit.isEmpty()) return true;
    String whose;
    if (what.endsWith("user ")) {
      if (session.user().isEmpty()) return true;
      whose = session.user().get();
    } else if (what.endsWith("client ")) {
      whose = clientKey(session);
    } else {
      whose = session.listener().toString();
    }
    return state.tryAcquire(what + whose, limit.get());
  }

  private static String clientKey(SessionView session) {
    return Network.ofClient(session.client()).toString();
  }
}
