package org.quorumail.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.cluster.ClusterEventLog;
import org.quorumail.cluster.ClusterEventLog.NumberedEvent;

/** The routes of the cluster events that this node receives. HTTP offers them as a stream too. */
final class EventRoutes {
  static final String PATH = "/api/events";

  /** The longest wait; a waiting caller costs a thread and a connection. */
  private static final long MAX_WAIT_SECONDS = 30;

  private final ClusterView cluster;

  EventRoutes(ClusterView cluster) {
    this.cluster = cluster;
  }

  List<ApiRoute> routes() {
    return List.of(new ApiRoute("GET", PATH, Access.READ, this::events));
  }

  /** The events after {@code after}; waits {@code wait} seconds for the first. */
  private ApiResponse events(ApiRequest request) {
    long after = number(request, "after", Long.MAX_VALUE);
    long wait = number(request, "wait", MAX_WAIT_SECONDS);
    ClusterEventLog log = cluster.events();
    try {
      List<EventLine> lines =
          log.after(after, Duration.ofSeconds(wait)).stream().map(EventRoutes::line).toList();
      return ApiResponse.json(
          new EventPage(lines.isEmpty() ? log.last() : lines.getLast().number, lines));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ApiResponse.problem(503, "Service Unavailable", "the node is stopping");
    }
  }

  static EventLine line(NumberedEvent numbered) {
    var event = numbered.event();
    return new EventLine(
        numbered.number(), event.time(), event.node(), event.type(), event.details());
  }

  private static long number(ApiRequest request, String name, long max) {
    String text = request.parameter(name).orElse("0");
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= max) return number;
    } catch (NumberFormatException e) {
      // refused below
    }
    throw new IllegalArgumentException(name + " must be a number from 0 to " + max);
  }

  /**
   * A page of events.
   *
   * @param last number to be given as {@code after} in the next call
   */
  record EventPage(long last, List<EventLine> events) {
    EventPage {
      events = List.copyOf(events);
    }
  }

  record EventLine(
      long number, String time, String node, String type, Map<String, String> details) {
    EventLine {
      details = Map.copyOf(details);
    }
  }
}
