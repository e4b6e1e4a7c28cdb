package org.quorumail.admin;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.MailCursor;
import org.quorumail.api.NodeAnswer;
import org.quorumail.api.OtherNodes;
import org.quorumail.api.QueueView.MissingPart;
import org.quorumail.api.TraceView;
import org.quorumail.api.TraceView.MailEventPage;
import org.quorumail.api.TraceView.MailEventQuery;
import org.quorumail.api.TraceView.MessageTrace;
import org.quorumail.api.TraceView.TraceList;
import org.quorumail.api.TraceView.TraceQuery;

/**
 * The search for messages over all spools of the cluster. Each spool is searched in one replica: in
 * the one on this node, else in that of another node. So no message is found twice, and a spool
 * whose home is dead is searched as well.
 */
final class ClusterTraces {
  private final TraceView local;
  private final OtherNodes others;

  ClusterTraces(TraceView local, OtherNodes others) {
    this.local = local;
    this.others = others;
  }

  /**
   * @param spools those to search, and the nodes that hold them
   * @param here those of which this node has a complete replica
   */
  TraceList find(TraceQuery query, Map<String, List<String>> spools, Set<String> here) {
    List<MessageTrace> found = new ArrayList<>();
    Answers<TraceList> answers = gather(spools, here, (spool, node) -> askFor(query, spool, node));
    List<String> own = spools.keySet().stream().filter(here::contains).toList();
    if (!own.isEmpty()) found.addAll(local.traces(query.in(own)).messages());
    answers.bySpool.values().forEach(list -> found.addAll(list.messages()));
    found.sort(Comparator.comparing(MessageTrace::id).reversed()); // ids begin with the arrival
    return new TraceList(found.stream().limit(query.limit()).toList(), answers.missing());
  }

  /**
   * Reads the events of each spool in one replica. A page may have more than the limit: that many
   * of each spool that is elsewhere.
   */
  MailEventPage events(MailEventQuery query, Map<String, List<String>> spools, Set<String> here) {
    Answers<MailEventPage> answers =
        gather(spools, here, (spool, node) -> askForEvents(query, spool, node));
    List<String> own = spools.keySet().stream().filter(here::contains).toList();
    List<MailEventPage> pages = new ArrayList<>();
    if (!own.isEmpty()) pages.add(local.mailEvents(query.in(own, query.limit())));
    pages.addAll(answers.bySpool.values());
    TreeMap<String, String> cursor = new TreeMap<>(query.after().positions());
    List<Map<String, Object>> found = new ArrayList<>();
    for (MailEventPage page : pages) {
      cursor.putAll(MailCursor.parse(page.cursor()).positions());
      found.addAll(page.events());
    }
    return new MailEventPage(new MailCursor(cursor).toString(), found, answers.missing());
  }

  /** The answers by spool, the nodes that gave none, and the spools of which nobody answered. */
  private record Answers<T>(Map<String, T> bySpool, Set<String> silent, Set<String> spools) {
    @Nullable MissingPart missing() {
      return silent.isEmpty() && spools.isEmpty()
          ? null
          : new MissingPart(List.copyOf(silent), List.copyOf(spools));
    }
  }

  private interface SpoolCall<T> {
    Optional<T> ask(String spool, String node);
  }

  /** Asks one node for each spool that is not here, all at once. */
  private <T> Answers<T> gather(
      Map<String, List<String>> spools, Set<String> here, SpoolCall<T> call) {
    Set<String> silent = new ConcurrentSkipListSet<>();
    Map<String, Future<Optional<T>>> calls = new TreeMap<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      spools.forEach(
          (spool, holders) -> {
            if (here.contains(spool)) return;
            calls.put(spool, executor.submit(() -> ask(spool, holders, silent, call)));
          });
    }
    Map<String, T> bySpool = new TreeMap<>();
    Set<String> missing = new TreeSet<>();
    calls.forEach(
        (spool, answer) ->
            answer
                .resultNow()
                .ifPresentOrElse(found -> bySpool.put(spool, found), () -> missing.add(spool)));
    return new Answers<>(bySpool, silent, missing);
  }

  private <T> Optional<T> ask(
      String spool, List<String> holders, Set<String> silent, SpoolCall<T> call) {
    for (String node : ClusterQueue.inOrder(others, holders, silent)) {
      Optional<T> answer = call.ask(spool, node);
      if (answer.isPresent()) return answer;
      silent.add(node);
    }
    return Optional.empty();
  }

  private Optional<MailEventPage> askForEvents(MailEventQuery query, String spool, String node) {
    String target =
        "/api/events/mail?limit=%d&since=%dms&spool=%s"
            .formatted(query.limit(), query.since().toMillis(), encode(spool));
    Optional<String> known = query.after().in(spool);
    if (known.isPresent()) target += "&after=" + encode(spool + ":" + known.get());
    return others
        .call(node, "GET", target, OtherNodes.QUERY_TIMEOUT)
        .filter(NodeAnswer::isSuccess)
        .flatMap(answer -> answer.read(MailEventPage.class));
  }

  /** The list of another node, shorter when so many messages are too much for one answer. */
  private Optional<TraceList> askFor(TraceQuery query, String spool, String node) {
    for (int limit = query.limit(); limit > 0; limit /= 4) {
      Optional<NodeAnswer> answer =
          others.call(node, "GET", target(query, spool, limit), OtherNodes.QUERY_TIMEOUT);
      if (answer.isEmpty()) return Optional.empty();
      if (answer.get().isSuccess()) return answer.get().read(TraceList.class);
      if (answer.get().status() != NodeAnswer.TOO_LONG) return Optional.empty();
    }
    return Optional.empty();
  }

  private static String target(TraceQuery query, String spool, int limit) {
    return "/api/trace?limit=%d&spool=%s&%s=%s"
        .formatted(limit, encode(spool), query.field(), encode(query.value()));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
