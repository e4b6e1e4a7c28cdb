package org.quorumail.smtp.server;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.config.Config.ListenerConfig;
import org.quorumail.config.Config.ListenerTls;

/**
 * What EHLO offers, RFC 5321 §4.1.1.1: one line for each extension that works on this listener for
 * this client now. A feature adds its line here, and nowhere else.
 */
final class Extensions {
  private final Shared shared;
  private final ListenerConfig config;
  private final Wire wire;

  Extensions(Shared shared, Wire wire) {
    this.shared = shared;
    this.config = shared.config();
    this.wire = wire;
  }

  /** The lines after the one with the host's name. */
  List<String> offered() {
    List<String> lines = new ArrayList<>();
    lines.add("PIPELINING"); // RFC 2920
    lines.add("SIZE " + config.maxMessageSize()); // RFC 1870
    lines.add("8BITMIME"); // RFC 6152
    lines.add("ENHANCEDSTATUSCODES"); // RFC 2034
    if (startTls()) lines.add("STARTTLS"); // RFC 3207
    return lines;
  }

  boolean startTls() {
    return config.tls() == ListenerTls.STARTTLS
        && !wire.connection.secured()
        && shared.context().tls().get().isPresent();
  }
}
