package org.quorumail.metrics;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.quorumail.config.Section;

/** {@code [log]}: level, form and destination of the log. */
public record LogConfig(Level level, Format format, Optional<Path> file) {
  /** The least severe level that is logged. */
  public enum Level {
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  /** The form of a line. */
  public enum Format {
    TEXT,
    JSON
  }

  /** Returns a copy with another level, the part that a running node can change. */
  public LogConfig withLevel(Level other) {
    return new LogConfig(other, format, file);
  }

  public static LogConfig read(Section log) {
    log.unavailable("include_heartbeats", "false", "debug log of the cluster's heartbeats");
    log.unavailable("include_state_sync", "false", "debug log of replicated state");
    return new LogConfig(
        log.value(
            "level",
            "level",
            "info",
            Level.INFO,
            "trace, debug, info, warn or error; .NET's names are accepted",
            LogConfig::level),
        log.choice("format", Format.class, Format.TEXT, "form of a line"),
        log.optional("file", "path", "", "log file; empty: standard error", Path::of));
  }

  private static Level level(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "trace" -> Level.TRACE;
      case "debug" -> Level.DEBUG;
      case "info", "information" -> Level.INFO;
      case "warn", "warning" -> Level.WARN;
      case "error", "critical", "fatal" -> Level.ERROR;
      default ->
          throw new IllegalArgumentException(
              "must be trace, debug, info, warn or error, not \"" + text + "\"");
    };
  }
}
