package org.quorumail.delivery;

import java.io.InputStream;
import java.util.List;
import org.quorumail.spool.SpooledMessage;

/** A message that an attempt delivers, and the ear for what becomes of it. */
public interface Job {
  SpooledMessage message();

  /** The places of the recipients to deliver to; at least one. */
  List<Integer> recipients();

  InputStream content();

  /** Asked just before the final dot for so many recipients; see {@code OwnedSpool.enterDoubt}. */
  boolean dotAllowed(int recipients);

  /**
   * Takes results, once or several times, each recipient once; blocks until they are committed. The
   * connection takes no other message before that, so what a crash can double is bounded.
   */
  void answered(List<Result> results);

  /** Nothing was tried, for a reason that passes; nothing is to be recorded. */
  void notTried(String reason);

  /** Nothing was delivered because the content cannot be read here; nothing is to be recorded. */
  void unreadable(String reason);

  record Result(int recipient, Disposition disposition) {}
}
