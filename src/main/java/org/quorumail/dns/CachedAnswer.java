package org.quorumail.dns;

import java.time.Duration;
import java.util.List;

/**
 * One answer in the cache.
 *
 * @param result found, no_data, no_such_name or failure
 * @param values the records' data as in a zone file; empty when nothing was found
 * @param remainingTtl the time until it expires
 */
public record CachedAnswer(
    String name, String type, String result, List<String> values, Duration remainingTtl) {
  public CachedAnswer {
    values = List.copyOf(values);
  }
}
