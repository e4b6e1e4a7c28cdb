package org.quorumail.dns;

import java.time.Duration;
import java.util.List;

/**
 * What the cache knows about one question.
 *
 * @param result found, no_data, no_such_name or failure
 * @param values the records' data as in a zone file; empty when nothing was found
 * @param remainingTtl for how long it is still good
 */
public record CachedAnswer(
    String name, String type, String result, List<String> values, Duration remainingTtl) {
  public CachedAnswer {
    values = List.copyOf(values);
  }
}
