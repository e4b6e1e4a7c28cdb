package org.quorumail.dns;

import java.util.List;
import org.quorumail.mail.EnhancedStatus;

/** The result of a lookup. Absence and ignorance are different types. */
public sealed interface LookupResult<T> {
  /** At least one value. */
  record Found<T>(List<T> values) implements LookupResult<T> {
    public Found {
      if (values.isEmpty()) throw new IllegalArgumentException("nothing was found");
      values = List.copyOf(values);
    }
  }

  /** DNS says that there is no such record: a retry will not help. */
  record Absent<T>(EnhancedStatus status, String reason) implements LookupResult<T> {}

  /** DNS gave no usable answer: a later retry may help. */
  record Unknown<T>(EnhancedStatus status, String reason) implements LookupResult<T> {}
}
