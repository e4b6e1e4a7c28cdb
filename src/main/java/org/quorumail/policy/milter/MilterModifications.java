package org.quorumail.policy.milter;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.Edit;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.PathParser;

/**
 * The modifications that a milter requests after the end of the body. It may request only those
 * that were negotiated, bounded in number and size.
 */
final class MilterModifications {
  private static final int MAX_EDITS = 1_000; // of fields and recipients
  private static final int MAX_HEADER_OCTETS = 1 << 20; // as MessageHeader reads at most

  private final int actions;
  private final long maxBodySize;
  private final boolean binary;
  private final Supplier<ContentBuffer> buffers;
  private final List<Edit> edits = new ArrayList<>();
  private int headerOctets;
  private boolean afterReturn; // the last octet of the replacement body so far was a CR
  private @Nullable ContentBuffer body;
  private @Nullable String quarantine;

  /**
   * @param actions that were negotiated
   * @param maxBodySize octets of a replacement body
   * @param binary whether a replacement body is kept as it is; else bare line ends become CRLF
   */
  MilterModifications(
      int actions, long maxBodySize, boolean binary, Supplier<ContentBuffer> buffers) {
    this.actions = actions;
    this.maxBodySize = maxBodySize;
    this.binary = binary;
    this.buffers = buffers;
  }

  /**
   * Handles a packet that requests a modification.
   *
   * @return false when the packet is none
   */
  boolean handle(MilterPacket packet) throws IOException {
    switch (packet.command()) {
      case 'h' -> {
        requireNegotiated(MilterProtocol.ADD_HEADERS, packet);
        add(new Edit.AppendHeader(name(packet), value(packet)));
      }
      case 'i' -> {
        requireNegotiated(MilterProtocol.ADD_HEADERS, packet);
        // index 0 is this host's Received field, which the milter does not see
        long place = Integer.toUnsignedLong(packet.number()) - 1;
        int index = Math.clamp(place, 0, MAX_EDITS);
        add(new Edit.InsertHeader(index, name(packet), value(packet)));
      }
      case 'm' -> {
        requireNegotiated(MilterProtocol.CHANGE_HEADERS, packet);
        int occurrence = Math.clamp(Integer.toUnsignedLong(packet.number()), 1, Integer.MAX_VALUE);
        add(new Edit.ChangeHeader(name(packet), occurrence, value(packet)));
      }
      case 'e' -> {
        requireNegotiated(MilterProtocol.CHANGE_SENDER, packet);
        String path = packet.text();
        boolean isNull = path.isBlank() || path.equals("<>");
        add(
            new Edit.ChangeSender(
                isNull ? new ReversePath.Null() : new ReversePath.Mailbox(address(path, packet))));
      }
      case '+', '2' -> {
        boolean withArguments = packet.command() == '2';
        int needed =
            withArguments
                ? MilterProtocol.ADD_RECIPIENT_WITH_ARGUMENTS
                : MilterProtocol.ADD_RECIPIENT;
        requireNegotiated(needed, packet);
        add(new Edit.AddRecipient(address(packet.text(), packet)));
      }
      case '-' -> {
        requireNegotiated(MilterProtocol.DELETE_RECIPIENT, packet);
        add(new Edit.RemoveRecipient(address(packet.text(), packet)));
      }
      case 'b' -> {
        requireNegotiated(MilterProtocol.CHANGE_BODY, packet);
        appendBody(packet.rest());
      }
      case 'q' -> {
        requireNegotiated(MilterProtocol.QUARANTINE, packet);
        quarantine = packet.text();
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  Verdict verdict() {
    List<Edit> all = new ArrayList<>(edits);
    if (body != null) all.add(new Edit.ReplaceBody(body));
    if (quarantine != null) return new Verdict.Quarantine(quarantine, all);
    return all.isEmpty() ? Verdict.ACCEPT : new Verdict.Change(all);
  }

  /** The replacement body, which the caller closes after the message. */
  Optional<ContentBuffer> replacementBody() {
    return Optional.ofNullable(body);
  }

  private void appendBody(byte[] received) throws IOException {
    byte[] piece = binary ? received : wholeLineEnds(received);
    ContentBuffer into = body;
    if (into == null) {
      into = buffers.get();
      body = into;
    }
    if (into.size() + piece.length > maxBodySize) {
      throw new MilterException("its body is larger than a message may be");
    }
    into.write(piece, 0, piece.length);
  }

  /** Makes CRLF of each line end; a CR at the end of one piece and an LF after it are one. */
  private byte[] wholeLineEnds(byte[] piece) {
    ByteArrayOutputStream whole = new ByteArrayOutputStream(piece.length + 64);
    for (byte b : piece) {
      boolean lineFeed = b == '\n';
      if (!lineFeed && b != '\r') {
        whole.write(b);
      } else if (!lineFeed || !afterReturn) {
        whole.write('\r');
        whole.write('\n');
      }
      afterReturn = b == '\r';
    }
    return whole.toByteArray();
  }

  private void add(Edit edit) throws MilterException {
    if (edits.size() == MAX_EDITS) {
      throw new MilterException("it requests more than " + MAX_EDITS + " changes");
    }
    edits.add(edit);
  }

  private String name(MilterPacket packet) throws MilterException {
    String name = packet.text();
    headerOctets += name.length();
    if (name.isEmpty() || !name.matches("[!-9;-~]+")) throw packet.malformed(); // RFC 5322 §2.2
    return name;
  }

  private String value(MilterPacket packet) throws MilterException {
    String value = packet.text();
    headerOctets += value.length();
    if (headerOctets > MAX_HEADER_OCTETS) throw new MilterException("its header is too long");
    return value;
  }

  private void requireNegotiated(int action, MilterPacket packet) throws MilterException {
    if ((actions & action) == 0) {
      throw new MilterException(
          "it sends '" + (char) packet.command() + "', which was not negotiated");
    }
  }

  /** Parses an address with or without angle brackets. */
  private static MailAddress address(String text, MilterPacket packet) throws MilterException {
    String stripped = text.strip();
    String path = stripped.startsWith("<") ? stripped : "<" + stripped + ">";
    if (PathParser.parse(path) instanceof PathParser.Parsed.Mailbox box) return box.address();
    throw packet.malformed();
  }
}
