package org.quorumail.dns;

import java.util.List;
import org.quorumail.mail.EnhancedStatus;

/** The result of a lookup. That something does not exist and that nobody knows are two types. */
public sealed interface LookupResult<T> {
  /** At least one value. */
  record Found<T>(List<T> values) implements LookupResult<T> {
    public Found {
      if (values.isEmpty()) throw new IllegalArgumentException("nothing was found");
      values = List.copyOf(values);
    }
  }

  /** The name system says no: asking again will not help. */
  record Absent<T>(EnhancedStatus status, String reason) implements LookupResult<T> {}

  /** The name system did not say: ask again later. */
  record Unknown<T>(EnhancedStatus status, String reason) implements LookupResult<T> {}
}
