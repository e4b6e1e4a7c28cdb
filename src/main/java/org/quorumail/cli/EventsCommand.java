package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** The command {@code events}: the events of the cluster; any node reports them for all. */
@Command(
    name = "events",
    mixinStandardHelpOptions = true,
    description =
        "List the events of the cluster since the node started, at most the last thousand; or"
            + " those of mail.",
    footer = {
      "",
      "Examples:",
      "  quorumail events",
      "  quorumail events --follow --format json",
      "  quorumail events --mail --since 1h",
      "  quorumail events --mail --follow"
    })
final class EventsCommand implements Callable<Integer> {
  private static final int WAIT_SECONDS = 20;
  private static final Duration DEFAULT_SINCE = Duration.ofMinutes(10);

  @Mixin private NodeOptions options = new NodeOptions();

  @Option(
      names = {"-f", "--follow"},
      description = "Print new events as they happen, until interrupted.")
  private boolean follow;

  @Option(
      names = "--mail",
      description = "The events of mail: accepted, delivered, deferred, bounced and so on.")
  private boolean mail;

  @Option(
      names = "--since",
      paramLabel = "T",
      description = "With --mail: the age of the first event. Default: 10m; 0s with --follow.")
  private @Nullable Duration since;

  @Override
  public Integer call() throws CommandException {
    if (mail) return followMail();
    long last = print(0, 0);
    while (follow) last = print(last, WAIT_SECONDS);
    return ExitCode.DONE;
  }

  private int followMail() throws CommandException {
    Duration from = since != null ? since : follow ? Duration.ZERO : DEFAULT_SINCE;
    MissingAnswers missing = new MissingAnswers();
    String cursor = "";
    while (true) {
      String target =
          "/api/events/mail?limit=1000&since=%dms&wait=%ds&after=%s"
              .formatted(from.toMillis(), follow ? WAIT_SECONDS : 0, encode(cursor));
      JsonNode page = options.client().call("GET", target);
      PrintWriter out = options.out();
      for (JsonNode event : page.path("events"))
        out.println(options.isJson() ? event.toString() : TraceCommand.line(event));
      out.flush();
      cursor = page.path("cursor").asString("");
      if (!follow) missing.add(page);
      if (!follow && page.path("events").isEmpty()) break;
    }
    missing.print(options);
    return ExitCode.DONE;
  }

  private long print(long after, int wait) throws CommandException {
    JsonNode page =
        options.client().call("GET", "/api/events?after=%d&wait=%d".formatted(after, wait));
    PrintWriter out = options.out();
    for (JsonNode event : page.path("events")) {
      out.println(options.isJson() ? event.toString() : line(event));
    }
    out.flush();
    long last = page.path("last").asLong(after);
    return Math.max(last, 0);
  }

  /** The values come from other hosts too: no control character of theirs reaches the terminal. */
  static String line(JsonNode event) {
    StringBuilder line = new StringBuilder();
    line.append(event.path("time").asString("")).append(' ');
    line.append(event.path("node").asString("")).append(' ');
    line.append(event.path("type").asString(""));
    for (var detail : event.path("details").properties()) {
      line.append(' ').append(detail.getKey()).append('=').append(detail.getValue().asString(""));
    }
    return TextTable.escape(line.toString());
  }
}
