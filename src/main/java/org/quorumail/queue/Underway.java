package org.quorumail.queue;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.quorumail.mail.QueueId;

/**
 * The recipients in an attempt: nobody is delivered to by two at once. There is one claim for each
 * message and destination, but a domain's destination changes when an operator sets an override,
 * and the term changes when this node is elected again, while an attempt is under way. Thread-safe;
 * bounded by the attempts that may run, each with a message's recipients.
 */
final class Underway {
  private final Set<Place> taken = ConcurrentHashMap.newKeySet();

  /** A recipient by its place in the message; the spool by name, since a term is another object. */
  record Place(String spool, QueueId id, int recipient) {}

  /** False when another attempt has the recipient. */
  boolean take(Place place) {
    return taken.add(place);
  }

  void release(Place place) {
    taken.remove(place);
  }
}
