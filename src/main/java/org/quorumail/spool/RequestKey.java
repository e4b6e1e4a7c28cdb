package org.quorumail.spool;

/**
 * The name of a message that a client may send again, without its being accepted twice.
 *
 * @param request the digest of the client and its key, {@value #LENGTH} hexadecimal digits
 * @param index of the message in its request
 * @param body the digest of the request, as long: another request must not have the same key
 */
public record RequestKey(String request, int index, String body) {
  public static final int LENGTH = 32;

  public RequestKey {
    requireDigest(request);
    requireDigest(body);
    if (index < 0) throw new IllegalArgumentException("an index of " + index);
  }

  /** Whether the text is a digest. */
  public static boolean isDigest(String text) {
    return text.matches("[0-9a-f]{" + LENGTH + "}");
  }

  private static void requireDigest(String text) {
    if (!isDigest(text)) throw new IllegalArgumentException("no digest of 16 octets: " + text);
  }
}
