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
import org.quorumail.api.NodeAnswer;
import org.quorumail.api.OtherNodes;
import org.quorumail.api.QueueView.MissingPart;
import org.quorumail.api.TraceView;
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
    Set<String> silent = new ConcurrentSkipListSet<>();
    Set<String> missing = new TreeSet<>();
    Map<String, Future<Optional<TraceList>>> calls = new TreeMap<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      spools.forEach(
          (spool, holders) -> {
            if (here.contains(spool)) return;
            calls.put(spool, executor.submit(() -> ask(query, spool, holders, silent)));
          });
      List<String> own = spools.keySet().stream().filter(here::contains).toList();
      if (!own.isEmpty()) found.addAll(local.traces(query.in(own)).messages());
    }
    calls.forEach(
        (spool, call) ->
            call.resultNow()
                .ifPresentOrElse(list -> found.addAll(list.messages()), () -> missing.add(spool)));
    found.sort(Comparator.comparing(MessageTrace::id).reversed()); // ids begin with the arrival
    MissingPart lacking =
        silent.isEmpty() && missing.isEmpty()
            ? null
            : new MissingPart(List.copyOf(silent), List.copyOf(missing));
    return new TraceList(found.stream().limit(query.limit()).toList(), lacking);
  }

  private Optional<TraceList> ask(
      TraceQuery query, String spool, List<String> holders, Set<String> silent) {
    for (String node : ClusterQueue.inOrder(others, holders, silent)) {
      Optional<TraceList> list = askFor(query, spool, node);
      if (list.isPresent()) return list;
      silent.add(node);
    }
    return Optional.empty();
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
