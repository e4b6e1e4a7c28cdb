package org.quorumail.spool;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.MailEvent.Accepted;
import org.quorumail.spool.MailEvent.Attempted;
import org.quorumail.spool.MailEvent.Ordered;

/** The names and values of an event's fields, the same in every output. Empty ones are left out. */
public final class MailEventFields {
  private MailEventFields() {}

  /**
   * @param spool in which the event is
   */
  public static Map<String, Object> of(String spool, MailEvent event) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", id(spool, event.position()));
    fields.put("time", Instant.ofEpochMilli(event.atMillis()).toString());
    fields.put("type", event.detail().type());
    fields.put("queue_id", event.id().toString());
    switch (event.detail()) {
      case Accepted e -> accepted(e, fields);
      case Attempted e -> attempted(e, fields);
      case Ordered e -> fields.put("sender", e.sender());
    }
    return fields;
  }

  /** The id of an event in the cluster. */
  static String id(String spool, MailEvent.Position position) {
    return spool + ":" + position;
  }

  private static void accepted(Accepted e, Map<String, Object> fields) {
    fields.put("sender", e.sender());
    fields.put("recipients", e.recipients());
    fields.put("size", e.size());
    Arrival arrival = e.arrival();
    put(fields, "message_id", arrival.messageId());
    put(fields, "client", arrival.client());
    put(fields, "client_name", arrival.clientName());
    put(fields, "helo", arrival.helo());
    put(fields, "protocol", arrival.protocol());
    put(fields, "tls", arrival.tls());
    put(fields, "user", arrival.user());
    put(fields, "held", e.heldReason());
    QueueId about = e.about();
    if (about != null) fields.put("report_about", about.toString());
  }

  private static void attempted(Attempted e, Map<String, Object> fields) {
    fields.put("sender", e.sender());
    fields.put("recipient", e.recipient());
    fields.put("attempt", e.attempt());
    put(fields, "remote", e.remote());
    put(fields, "tls", e.tls());
    fields.put("status", e.status().toString());
    fields.put("reply", e.reply());
    if (e.untilMillis() != 0)
      fields.put("next_attempt", Instant.ofEpochMilli(e.untilMillis()).toString());
  }

  private static void put(Map<String, Object> fields, String name, String value) {
    if (!value.isEmpty()) fields.put(name, value);
  }
}
