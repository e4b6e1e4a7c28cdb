package org.quorumail.api;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Nodes in memory that call each other's internal API. */
public final class FakeCluster {
  private final Map<String, InternalApi> nodes = new TreeMap<>();
  public final Map<String, List<String>> spools = new TreeMap<>();

  /** The nodes that do not answer. */
  public final Set<String> silent = ConcurrentHashMap.newKeySet();

  /** The calls that were made, such as {@code n2 GET /api/queue/stats?}. */
  public final ConcurrentLinkedQueue<String> calls = new ConcurrentLinkedQueue<>();

  /** The longest answer; a longer one does not fit into a call. */
  public volatile int longest = Integer.MAX_VALUE;

  public void add(String id, FakeNode node) {
    nodes.put(id, new InternalApi(node, node, node, node, InjectionView.NONE));
  }

  /** The cluster as one of its nodes sees it. */
  public OtherNodes from(String self) {
    return new OtherNodes() {
      @Override
      public String self() {
        return self;
      }

      @Override
      public List<String> ids() {
        return nodes.keySet().stream().filter(id -> !id.equals(self)).toList();
      }

      @Override
      public boolean isReachable(String node) {
        return true;
      }

      @Override
      public Map<String, List<String>> spools() {
        return spools;
      }

      @Override
      public Optional<NodeAnswer> call(
          String node, String method, String target, Duration timeout) {
        calls.add(node + " " + method + " " + target);
        if (silent.contains(node)) return Optional.empty();
        try {
          byte[] request = InternalApi.request(method, target);
          byte[] reply = Objects.requireNonNull(nodes.get(node)).answer(request);
          return Optional.of(
              reply.length > longest
                  ? new NodeAnswer(NodeAnswer.TOO_LONG, new byte[0])
                  : InternalApi.read(reply));
        } catch (IOException e) {
          return Optional.empty();
        }
      }
    };
  }
}
