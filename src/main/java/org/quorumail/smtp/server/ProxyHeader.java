package org.quorumail.smtp.server;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.quorumail.smtp.SmtpProtocolException;

/**
 * The header with which a proxy starts a forwarded connection: HAProxy's PROXY protocol, versions 1
 * (text) and 2 (binary). No octet after the header is read.
 */
sealed interface ProxyHeader {
  /** The client of the proxy, and the address that this client connected to. */
  record Proxied(InetSocketAddress source, InetSocketAddress destination) implements ProxyHeader {}

  /** The proxy itself is the client (LOCAL), or the client is unknown (UNKNOWN, UNSPEC, UNIX). */
  record Unproxied() implements ProxyHeader {}

  String SIGNATURE = "\r\n\r\n\0\r\nQUIT\n"; // §2.2

  int MAX_LINE = 107; // §2.1, CRLF included

  /** Addresses have 216 octets at most; the rest are TLVs, of which TLS details are the longest. */
  int MAX_BLOCK = 4096;

  int CHECKSUM = 0x03; // PP2_TYPE_CRC32C

  Pattern PORT = Pattern.compile("0|[1-9][0-9]{0,4}");
  Pattern IPV4 =
      Pattern.compile("((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(?!$)|$)){4}"); // no leading zeros
  Pattern IPV6 = Pattern.compile("(?=.*:)[0-9a-fA-F:.]{2,45}");

  /**
   * Reads the header.
   *
   * @throws SmtpProtocolException when it is malformed: the connection must be closed without a
   *     reply
   */
  static ProxyHeader read(InputStream in) throws IOException {
    byte[] octets = in.readNBytes(SIGNATURE.length()); // the shortest line has 15 octets
    String start = new String(octets, StandardCharsets.ISO_8859_1);
    if (start.equals(SIGNATURE)) return binary(in);
    if (start.startsWith("PROXY ")) return line(start, in);
    throw malformed("is missing");
  }

  private static ProxyHeader line(String start, InputStream in) throws IOException {
    StringBuilder line = new StringBuilder(MAX_LINE).append(start);
    if (start.indexOf('\n') >= 0) throw malformed("ends too early");
    while (line.charAt(line.length() - 1) != '\n') {
      int octet = in.read();
      if (octet < 0) throw malformed("is cut");
      line.append((char) octet);
      if (line.length() == MAX_LINE && octet != '\n') throw malformed("is too long");
    }
    if (!line.toString().endsWith("\r\n")) throw malformed("does not end in CR LF");
    String[] words = line.substring(0, line.length() - 2).split(" ", -1);
    if (words[1].equals("UNKNOWN")) return new Unproxied();
    if (words.length != 6) throw malformed("has not six words");
    return switch (words[1]) {
      case "TCP4" -> proxied(IPV4, words);
      case "TCP6" -> proxied(IPV6, words);
      default -> throw malformed("names an unknown protocol");
    };
  }

  private static Proxied proxied(Pattern address, String[] words) throws SmtpProtocolException {
    if (!address.matcher(words[2]).matches() || !address.matcher(words[3]).matches()) {
      throw malformed("has a malformed address");
    }
    try { // the pattern accepts no name, so nothing is looked up
      return new Proxied(
          new InetSocketAddress(InetAddress.getByName(words[2]), port(words[4])),
          new InetSocketAddress(InetAddress.getByName(words[3]), port(words[5])));
    } catch (UnknownHostException e) {
      throw malformed("has a malformed address");
    }
  }

  private static int port(String text) throws SmtpProtocolException {
    int port = PORT.matcher(text).matches() ? Integer.parseInt(text) : -1;
    if (port < 0 || port > 0xFFFF) throw malformed("has a malformed port");
    return port;
  }

  private static ProxyHeader binary(InputStream in) throws IOException {
    byte[] fixed = in.readNBytes(4);
    if (fixed.length < 4) throw malformed("is cut");
    int length = ((fixed[2] & 0xFF) << 8) | (fixed[3] & 0xFF);
    if (length > MAX_BLOCK) throw malformed("is too long");
    byte[] block = in.readNBytes(length);
    if (block.length < length) throw malformed("is cut");
    int command = fixed[0] & 0xFF;
    if (command == 0x20) return new Unproxied(); // LOCAL; the block is discarded
    if (command != 0x21) throw malformed("has an unknown version or command");
    int family = fixed[1] & 0xFF;
    int addresses =
        switch (family) {
          case 0x00 -> 0; // UNSPEC
          case 0x11 -> 12; // TCP over IPv4
          case 0x21 -> 36; // TCP over IPv6
          case 0x31 -> 216; // a Unix stream
          default -> throw malformed("names an unknown protocol"); // UDP carries no mail
        };
    if (length < addresses) throw malformed("is too short for its addresses");
    checkTlvs(fixed, block, addresses);
    boolean internet = family == 0x11 || family == 0x21;
    return internet ? proxied(ByteBuffer.wrap(block), family == 0x11 ? 4 : 16) : new Unproxied();
  }

  private static Proxied proxied(ByteBuffer block, int size) throws IOException {
    byte[] source = new byte[size];
    byte[] destination = new byte[size];
    block.get(source).get(destination);
    int sourcePort = block.getShort() & 0xFFFF;
    int destinationPort = block.getShort() & 0xFFFF;
    return new Proxied(
        new InetSocketAddress(InetAddress.getByAddress(source), sourcePort),
        new InetSocketAddress(InetAddress.getByAddress(destination), destinationPort));
  }

  /** Type, length, value, to the very end of the block; a checksum must fit (§2.2.3). */
  private static void checkTlvs(byte[] fixed, byte[] block, int from) throws SmtpProtocolException {
    int at = from;
    while (at < block.length) {
      if (at + 3 > block.length) throw malformed("has a cut TLV");
      int length = ((block[at + 1] & 0xFF) << 8) | (block[at + 2] & 0xFF);
      if (at + 3 + length > block.length) throw malformed("has a cut TLV");
      if (block[at] == CHECKSUM && !checksumFits(fixed, block, at + 3, length)) {
        throw malformed("has a wrong checksum");
      }
      at += 3 + length;
    }
  }

  private static boolean checksumFits(byte[] fixed, byte[] block, int at, int length) {
    if (length != 4) return false;
    CRC32C crc = new CRC32C();
    crc.update(SIGNATURE.getBytes(StandardCharsets.US_ASCII));
    crc.update(fixed, 0, fixed.length);
    crc.update(block, 0, at);
    crc.update(new byte[4], 0, 4);
    crc.update(block, at + 4, block.length - at - 4);
    return (int) crc.getValue() == ByteBuffer.wrap(block).getInt(at);
  }

  private static SmtpProtocolException malformed(String problem) {
    return new SmtpProtocolException("the PROXY header " + problem, "");
  }
}
