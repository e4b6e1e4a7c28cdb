package org.quorumail.api;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.api.ApiRoute.Handler;

/** Operations on the node that a request names by its parameter {@code node}, else on this one. */
record NamedNode(OtherNodes others) {
  private static final String NODE = "node";

  /** Returns the handler, extended to other nodes. */
  Handler extend(Handler here) {
    return request -> {
      String node = request.parameter(NODE).orElse("");
      if (node.isEmpty() || node.equals(others.self())) return here.handle(request);
      if (!others.ids().contains(node))
        return ApiResponse.notFound(node + " is no member of the cluster");
      Map<String, List<String>> query = new HashMap<>(request.query());
      query.remove(NODE);
      String target = FanOut.target(request.withQuery(query));
      return others
          .call(node, request.method(), target, OtherNodes.MOVE_TIMEOUT)
          .map(FanOut::response)
          .orElseGet(
              () ->
                  FanOut.unavailable(
                      node + " does not answer; ask for its status before you try again"));
    };
  }
}
