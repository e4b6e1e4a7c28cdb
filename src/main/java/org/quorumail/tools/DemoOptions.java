package org.quorumail.tools;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The settings of a {@link Demo}.
 *
 * @param keep leaves the nodes running at the end, until interrupted
 * @param directory work directory, kept; by default a temporary one, deleted after a good run
 * @param isTerminal whether the status line may be overwritten in place
 */
public record DemoOptions(
    int messages, boolean keep, Optional<Path> directory, boolean isTerminal, Duration timeout) {
  public static DemoOptions defaults() {
    return new DemoOptions(2000, false, Optional.empty(), false, Duration.ofMinutes(3));
  }

  public DemoOptions withDirectory(Path changed) {
    return new DemoOptions(messages, keep, Optional.of(changed), isTerminal, timeout);
  }
}
