package org.quorumail.queue;

import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.quorumail.classification.Classification;
import org.quorumail.classification.FailureAction;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.Destination;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.FailureClass;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.spool.SpooledMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The actions that follow the classes of failures. An action changes an outcome before it is
 * recorded, or the traffic to a destination. Thread-safe.
 */
final class FailureActions {
  private static final Logger LOG = LoggerFactory.getLogger(FailureActions.class);

  /** Requests that wait for the cluster; more than that come from one fault, and come again. */
  private static final int REQUESTS_MAX = 100;

  private final DeliveryAgent agent;
  private final Predicate<String> isSuspended;
  private final InstantSource time;
  private final Set<String> requested = ConcurrentHashMap.newKeySet();
  private volatile FailureClassifier classifier = FailureClassifier.builtIn();
  private volatile Consumer<SuspensionRequest> suspend = request -> {};

  /**
   * @param isSuspended whether a domain gets no mail already
   */
  FailureActions(DeliveryAgent agent, Predicate<String> isSuspended, InstantSource time) {
    this.agent = agent;
    this.isSuspended = isSuspended;
    this.time = time;
  }

  FailureClassifier classifier() {
    return classifier;
  }

  void replaceClassifier(FailureClassifier next) {
    classifier = next;
  }

  void onSuspensionRequest(Consumer<SuspensionRequest> next) {
    suspend = next;
  }

  /** Returns the outcomes as they are to be recorded. */
  List<RecipientOutcome> apply(
      SpooledMessage message, List<RecipientOutcome> outcomes, Destination destination) {
    return outcomes.stream().map(o -> apply(message, o, destination)).toList();
  }

  private RecipientOutcome apply(
      SpooledMessage message, RecipientOutcome result, Destination destination) {
    Outcome o = result.outcome();
    if (o instanceof Outcome.Delivered) return result;
    Classification found = classifier.classify(o.diagnostic());
    if (isLoginProblem(found, o, destination)) {
      LOG.error(
          "event=authentication_needed queue_id={} destination=\"{}\" relay={} reply=\"{}\"",
          message.id(),
          destination,
          o.remote(),
          o.diagnostic());
      return result.withOutcome(new Outcome.Deferred(temporary(o), o.diagnostic(), o.remote()));
    }
    return switch (found.action()) {
      case FailureAction.Keep keep -> result;
      case FailureAction.Fail fail -> result.withOutcome(failed(o));
      case FailureAction.Defer defer -> {
        Instant until = time.instant().plus(defer.delay());
        yield result.withOutcome(
            new Outcome.Deferred(until, temporary(o), o.diagnostic(), o.remote()));
      }
      case FailureAction.SlowDown slow -> {
        agent.slowDown(destination, slow.rate(), slow.time(), found.rule());
        yield result;
      }
      case FailureAction.Suspend wanted -> {
        String domain = message.recipients().get(result.recipientIndex()).address().domain();
        request(
            new SuspensionRequest(domain, wanted.time(), o.diagnostic(), "rule:" + found.rule()));
        yield result;
      }
    };
  }

  /**
   * Whether the host of a route refuses this node, not the message: its operator can repair that,
   * so the mail waits.
   */
  private static boolean isLoginProblem(
      Classification found, Outcome outcome, Destination destination) {
    return found.failureClass() == FailureClass.AUTHENTICATION
        && outcome instanceof Outcome.Failed
        && destination.isConfigured();
  }

  private static EnhancedStatus temporary(Outcome outcome) {
    return new EnhancedStatus(4, outcome.status().subject(), outcome.status().detail());
  }

  private static Outcome failed(Outcome outcome) {
    EnhancedStatus status =
        new EnhancedStatus(5, outcome.status().subject(), outcome.status().detail());
    return new Outcome.Failed(status, outcome.diagnostic(), outcome.remote());
  }

  /** The cluster decides about a suspension, which must not delay the record of the outcome. */
  private void request(SuspensionRequest request) {
    String domain = request.domain();
    if (isSuspended.test(domain) || requested.size() >= REQUESTS_MAX || !requested.add(domain))
      return;
    Thread.ofVirtual()
        .name("suspend-" + domain)
        .start(
            () -> {
              try {
                suspend.accept(request);
              } finally {
                requested.remove(domain);
              }
            });
  }
}
