package org.apache.ratis.util;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * For {@code src/test/powercut/vote.sh}: writes one term after another and says when it is safe.
 */
final class VoteWriter {
  /** The last is what counts: forcing the next file would carry an earlier rename to disk too. */
  private static final int TERMS = 20;

  private VoteWriter() {}

  public static void main(String[] arguments) throws Exception {
    Path file = Path.of(arguments[0]);
    for (int term = 1; term <= TERMS; term++) {
      try (var out = new AtomicFileOutputStream(file.toFile())) {
        out.write(("term=" + term + "\n").getBytes(StandardCharsets.US_ASCII));
      }
      System.out.println(term);
    }
    Thread.sleep(Long.MAX_VALUE); // the script cuts the power now
  }
}
