package org.quorumail.metrics;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;

/**
 * A filter of warnings of libraries that say nothing new. Our own code reports the same fault in a
 * sentence of its own, or the warning is part of ordinary operation. A warning is recognized by its
 * logger and a part of its message, so that other warnings of that logger stay visible.
 */
final class DuplicateWarningFilter extends TurboFilter {
  private record KnownWarning(String logger, String part) {}

  private static final String HTTP_CONNECTION = "io.helidon.webserver.http1.Http1Connection";
  private static final String DIVISION = "org.apache.ratis.server.RaftServer$Division";

  private static final List<KnownWarning> KNOWN =
      List.of(
          // a taken port of HTTP: the program ends with the same reason
          new KnownWarning("io.helidon.webserver.LoomServer", "Failed to start listener"),
          new KnownWarning("io.helidon.webserver.LoomServer", "failed to start, shutting down"),
          // a group that cannot be opened: the program ends with the same reason
          new KnownWarning("org.apache.ratis.server.RaftServer", "Failed groupAdd"),
          // a log that cannot be forced: the node ends and reports the reason
          new KnownWarning(
              "org.apache.ratis.server.raftlog.segmented.SegmentedRaftLogOutputStream",
              "Failed to flush"),
          // a state that failed: the node ends and reports the reason
          new KnownWarning(
              "org.apache.ratis.server.impl.StateMachineUpdater", "caught a Throwable"),
          // a leader that lost its followers: our log names the next leader
          new KnownWarning(DIVISION, "Lost leadership on term"),
          new KnownWarning(DIVISION, "Follower "),
          // a message that arrives before the group is open or after it is closed is sent again
          new KnownWarning(DIVISION, "Failed appendEntries*"),
          new KnownWarning(DIVISION, "Failed to recognize"),
          // an append that finds no leader is retried by us, and answered 451 in the end
          new KnownWarning(
              "org.apache.ratis.grpc.client.GrpcClientRpc", "Failed RaftClientRequest"));

  @Override
  public FilterReply decide(
      @Nullable Marker marker,
      Logger logger,
      Level level,
      @Nullable String format,
      Object @Nullable [] arguments,
      @Nullable Throwable thrown) {
    if (!level.isGreaterOrEqual(Level.WARN) || format == null) return FilterReply.NEUTRAL;
    String name = logger.getName();
    if (name.equals(HTTP_CONNECTION) && isUnreadableRequest(thrown)) return FilterReply.DENY;
    for (KnownWarning known : KNOWN) {
      if (name.equals(known.logger) && format.contains(known.part)) return FilterReply.DENY;
    }
    return FilterReply.NEUTRAL;
  }

  /**
   * Whether a request that no client of good faith sends broke Helidon's parser: it is answered
   * with 400, and must not fill the log with stack traces.
   */
  private static boolean isUnreadableRequest(@Nullable Throwable thrown) {
    if (thrown == null || !(thrown.getCause() instanceof IllegalArgumentException cause)) {
      return false;
    }
    StackTraceElement[] trace = cause.getStackTrace();
    return trace.length > 0 && trace[0].getClassName().startsWith("io.helidon.http.");
  }
}
