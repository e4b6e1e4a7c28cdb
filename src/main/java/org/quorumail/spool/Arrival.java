package org.quorumail.spool;

/**
 * The way by which a message came in, as its first event keeps it. An unknown part is empty.
 *
 * @param client the address of the client
 * @param clientName its reverse DNS name
 * @param helo the name that it gave in EHLO
 * @param protocol the {@code with} clause of the Received field, RFC 3848
 * @param tls protocol and cipher suite of its connection
 * @param user as whom it has logged in
 * @param messageId the Message-ID of the header, in angle brackets
 */
public record Arrival(
    String client,
    String clientName,
    String helo,
    String protocol,
    String tls,
    String user,
    String messageId) {
  /** The arrival of a message about which nothing more is known. */
  public static final Arrival UNKNOWN = new Arrival("", "", "", "", "", "", "");

  /** Characters of each part: more than any honest name, and a bound for the log. */
  private static final int PART_MAX = 300;

  public Arrival {
    client = bounded(client);
    clientName = bounded(clientName);
    helo = bounded(helo);
    protocol = bounded(protocol);
    tls = bounded(tls);
    user = bounded(user);
    messageId = bounded(messageId);
  }

  private static String bounded(String text) {
    return text.length() <= PART_MAX ? text : text.substring(0, PART_MAX);
  }
}
