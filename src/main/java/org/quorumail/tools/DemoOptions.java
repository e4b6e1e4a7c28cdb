package org.quorumail.tools;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What {@link Demo} shows.
 *
 * @param keep leaves the nodes running at the end, until interrupted
 * @param directory work directory, kept; by default a temporary one, removed when all went well
 * @param isTerminal whether a line may be written over itself
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
