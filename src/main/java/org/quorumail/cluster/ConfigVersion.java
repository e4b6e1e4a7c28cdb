package org.quorumail.cluster;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A version of the configuration that the meta group keeps for all nodes.
 *
 * @param version counts from 1
 * @param time milliseconds since 1970, by the clock of the node that took it
 * @param comment of the author; may be empty
 * @param toml the keys, written as in a node's own file
 */
public record ConfigVersion(long version, long time, String author, String comment, String toml) {
  /** Below the longest body of the API, and of an entry of a log. */
  public static final int TOML_MAX = 60_000;

  /** A comment is one sentence. */
  public static final int COMMENT_MAX = 200;

  /** The reason why the version cannot be kept; JSON may leave anything out. */
  Optional<String> problem() {
    if (version < 1) return Optional.of("it has no version");
    if (Stream.of(author, comment, toml).anyMatch(Objects::isNull))
      return Optional.of("it has no text, author or comment");
    if (bytes() > TOML_MAX) return Optional.of("it is longer than %d bytes".formatted(TOML_MAX));
    return author.length() > OperatorOrder.AUTHOR_MAX || comment.length() > COMMENT_MAX
        ? Optional.of("its author or comment is too long")
        : Optional.empty();
  }

  int bytes() {
    return toml.getBytes(StandardCharsets.UTF_8).length;
  }
}
