package org.quorumail.inject;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Supplier;
import org.quorumail.api.InjectionView.KnownMessage;
import org.quorumail.api.InjectionView.KnownRequest;
import org.quorumail.api.MessageRoutes;
import org.quorumail.api.NodeAnswer;
import org.quorumail.api.OtherNodes;
import org.quorumail.spool.AcceptedRequest;
import org.quorumail.spool.Intake.RequestLookup;

/**
 * The requests of this node that have a key, and the search for a key in the cluster. A request
 * goes on only when the owner of each spool has answered that it does not know the key, and no
 * other node works on it; where that cannot be found out now, nothing is accepted. Thread-safe.
 */
final class RequestKeys {
  /** The time for which a key of unknown fate keeps its requests waiting; entries wait for 30 s. */
  private static final long DOUBT_NANOS = Duration.ofSeconds(60).toNanos();

  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(3);

  /** Requests in progress and in doubt; the requests at once of a minute, from above. */
  private static final int MAX = 100_000;

  /** The end of the doubt of a key that is in progress: none yet. */
  private static final long IN_PROGRESS = Long.MAX_VALUE;

  private final OtherNodes others;
  private final Supplier<Optional<String>> memberWithout;

  /** The keys at work, with the end of their doubt in the time of {@link System#nanoTime}. */
  private final Map<String, Long> busy = new HashMap<>();

  private volatile boolean allMembersKnow;

  /**
   * @param memberWithout a member that is down or whose release does not know keys
   */
  RequestKeys(OtherNodes others, Supplier<Optional<String>> memberWithout) {
    this.others = others;
    this.memberWithout = memberWithout;
  }

  /** Returns the answer to another node. */
  KnownRequest known(String request, RequestLookup here) {
    List<KnownMessage> messages = new ArrayList<>();
    for (AcceptedRequest m : here.messages()) {
      messages.add(new KnownMessage(m.index(), m.id().toString(), m.body(), m.atMillis()));
    }
    return new KnownRequest(isBusy(request), here.spools(), messages);
  }

  /**
   * Begins the work on a request and returns what was accepted of it before.
   *
   * @throws InjectionProblem when it is at work elsewhere, or cannot be found out
   */
  Map<Integer, KnownMessage> begin(
      String request, Function<String, RequestLookup> local, long nowMillis) {
    if (!tryBegin(request)) throw atWork();
    boolean done = false;
    try {
      Map<Integer, KnownMessage> known = find(request, local, nowMillis);
      done = true;
      return known;
    } finally {
      if (!done) end(request, false);
    }
  }

  /**
   * Ends the work on a request.
   *
   * @param inDoubt whether a message may still be accepted without an answer
   */
  synchronized void end(String request, boolean inDoubt) {
    if (inDoubt) busy.put(request, System.nanoTime() + DOUBT_NANOS);
    else busy.remove(request);
  }

  private synchronized boolean tryBegin(String request) {
    if (isBusy(request)) return false;
    if (busy.size() >= MAX) {
      long now = System.nanoTime();
      busy.values().removeIf(end -> end != IN_PROGRESS && end - now < 0);
      if (busy.size() >= MAX) throw InjectionProblem.busy("too many requests with keys run");
    }
    busy.put(request, IN_PROGRESS);
    return true;
  }

  private synchronized boolean isBusy(String request) {
    Long end = busy.get(request);
    return end != null && (end == IN_PROGRESS || end - System.nanoTime() > 0);
  }

  private Map<Integer, KnownMessage> find(
      String request, Function<String, RequestLookup> local, long nowMillis) {
    List<KnownRequest> answers = ask(request);
    RequestLookup here = local.apply(request); // after the others: what moved meanwhile is seen
    requireAllMembers(here);
    Set<String> missing = new HashSet<>(others.spools().keySet());
    boolean alone = missing.isEmpty();
    missing.removeAll(here.spools());
    Map<Integer, KnownMessage> known = new HashMap<>();
    for (KnownMessage m : known(request, here).messages()) known.put(m.index(), m);
    for (KnownRequest answer : answers) {
      if (answer.inProgress()) throw atWork();
      missing.removeAll(answer.spools());
      for (KnownMessage m : answer.messages()) known.putIfAbsent(m.index(), m);
    }
    known.values().removeIf(m -> m.atMillis() <= nowMillis - KnownMessage.KEPT_MILLIS);
    // also where a part is known: the rest of a batch may be in a spool that was not asked
    boolean complete = missing.isEmpty() && !(alone && here.spools().isEmpty());
    if (complete) return known;
    throw InjectionProblem.unavailable(
        "the Idempotency-Key cannot be looked up now: no node owns "
            + (alone ? "the spool" : String.join(", ", missing)));
  }

  private List<KnownRequest> ask(String request) {
    List<String> nodes = others.ids();
    if (nodes.isEmpty()) return List.of();
    String target = MessageRoutes.KEYS_PATH + "/" + request;
    List<KnownRequest> answers = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Optional<NodeAnswer>>> calls = new ArrayList<>();
      for (String node : nodes) {
        calls.add(executor.submit(() -> others.call(node, "GET", target, ASK_TIMEOUT)));
      }
      for (Future<Optional<NodeAnswer>> call : calls) {
        Optional<NodeAnswer> answer = await(call);
        answer
            .filter(NodeAnswer::isSuccess)
            .flatMap(a -> a.read(KnownRequest.class))
            .ifPresent(answers::add);
      }
    }
    return answers;
  }

  private static Optional<NodeAnswer> await(Future<Optional<NodeAnswer>> call) {
    try {
      return call.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw InjectionProblem.unavailable("the node is stopping");
    } catch (ExecutionException e) {
      throw new IllegalStateException("a call has a result", e);
    }
  }

  /**
   * A node of an older release would stop at an entry with a key. A key that is known anywhere is
   * proof that all members have known them; later none of them needs to be up.
   */
  private void requireAllMembers(RequestLookup here) {
    if (allMembersKnow) return;
    Optional<String> without = here.anyKnown() ? Optional.empty() : memberWithout.get();
    if (without.isPresent()) {
      throw InjectionProblem.unavailable(
          without.get()
              + " is down, or its release does not know Idempotency-Key; the first one needs all"
              + " members there and upgraded");
    }
    allMembersKnow = true;
  }

  private static InjectionProblem atWork() {
    return InjectionProblem.conflict("a request with the same Idempotency-Key is in progress");
  }
}
