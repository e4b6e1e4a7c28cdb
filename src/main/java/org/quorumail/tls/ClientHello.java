package org.quorumail.tls;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The first message of a handshake, RFC 8446 §4.1.2, read ahead for its server name (RFC 6066 §3).
 * Java's TLS ends the handshake when it dislikes the name, but a client with an odd name should get
 * the default certificate. Java's TLS checks all the rest.
 *
 * @param octets the octets read from the connection, which the handshake reads again
 * @param serverName the name in lower case; empty without one, or when it cannot be a host name
 */
public record ClientHello(byte[] octets, Optional<String> serverName) {
  private static final int HANDSHAKE_RECORD = 22;
  private static final int CLIENT_HELLO = 1;
  private static final int SERVER_NAME =
      0; // the number of the extension, and of the name type host_name
  private static final int RECORD_HEADER = 5;
  private static final int MAX_RECORD = 1 << 14; // §5.1

  /**
   * The limit on the message within which the name is searched; real ones have 300 to 2,000 octets.
   */
  private static final int MAX_HELLO = 32 * 1024;

  private static final int MAX_NAME = 255;

  /** Reads until the message is complete, turns out to be another one, or the input ends. */
  public static ClientHello read(InputStream in) throws IOException {
    ByteArrayOutputStream octets = new ByteArrayOutputStream(1024);
    ByteArrayOutputStream message = new ByteArrayOutputStream(1024);
    while (message.size() < MAX_HELLO && !complete(message)) {
      byte[] header = in.readNBytes(RECORD_HEADER);
      octets.writeBytes(header);
      if (header.length < RECORD_HEADER || header[0] != HANDSHAKE_RECORD || header[1] != 3) break;
      int length = ((header[3] & 0xFF) << 8) | (header[4] & 0xFF);
      if (length == 0 || length > MAX_RECORD) break;
      byte[] fragment = in.readNBytes(length);
      octets.writeBytes(fragment);
      message.writeBytes(fragment);
      if (fragment.length < length) break;
    }
    return new ClientHello(octets.toByteArray(), nameIn(ByteBuffer.wrap(message.toByteArray())));
  }

  /** The octets once more, which the handshake reads first. */
  InputStream replay() {
    return new ByteArrayInputStream(octets);
  }

  private static boolean complete(ByteArrayOutputStream message) {
    if (message.size() < 4) return false;
    byte[] start = message.toByteArray();
    if (start[0] != CLIENT_HELLO) return true; // another message: stop reading
    int length = ((start[1] & 0xFF) << 16) | ((start[2] & 0xFF) << 8) | (start[3] & 0xFF);
    return message.size() >= length + 4;
  }

  private static Optional<String> nameIn(ByteBuffer message) {
    try {
      if (message.get() != CLIENT_HELLO) return Optional.empty();
      skip(message, 3 + 2 + 32); // length, version, random
      skip(message, message.get() & 0xFF); // session id
      skip(message, message.getShort() & 0xFFFF); // cipher suites
      skip(message, message.get() & 0xFF); // compression methods
      ByteBuffer extensions = part(message, message.getShort() & 0xFFFF);
      while (extensions.hasRemaining()) {
        int type = extensions.getShort() & 0xFFFF;
        ByteBuffer body = part(extensions, extensions.getShort() & 0xFFFF);
        if (type == SERVER_NAME) return firstName(body);
      }
      return Optional.empty();
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return Optional.empty(); // malformed: the handshake reports it
    }
  }

  private static Optional<String> firstName(ByteBuffer extension) {
    ByteBuffer list = part(extension, extension.getShort() & 0xFFFF);
    int type = list.get();
    ByteBuffer name = part(list, list.getShort() & 0xFFFF);
    if (type != SERVER_NAME || name.remaining() == 0 || name.remaining() > MAX_NAME) {
      return Optional.empty();
    }
    byte[] octets = new byte[name.remaining()];
    name.get(octets);
    String text = new String(octets, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
    return isHostName(text) ? Optional.of(text) : Optional.empty();
  }

  private static boolean isHostName(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean legal = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || "-._".indexOf(c) >= 0;
      if (!legal) return false;
    }
    return !text.startsWith(".") && !text.contains("..");
  }

  private static void skip(ByteBuffer buffer, int count) {
    if (count > buffer.remaining()) throw new BufferUnderflowException();
    buffer.position(buffer.position() + count);
  }

  private static ByteBuffer part(ByteBuffer buffer, int length) {
    ByteBuffer part = buffer.slice();
    skip(buffer, length);
    part.limit(length);
    return part;
  }
}
