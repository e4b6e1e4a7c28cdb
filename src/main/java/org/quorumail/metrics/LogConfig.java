package org.quorumail.metrics;

import java.nio.file.Path;
import java.util.Optional;

public record LogConfig(Level level, Format format, Optional<Path> file) {
  public enum Level {
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  public enum Format {
    TEXT,
    JSON
  }
}
