package org.quorumail.replication;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.Optional;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;

/**
 * The wire form of a call between nodes. A request is {@link #VERSION}, then the content. A reply
 * is the version, a status, then the content, or the reason of a refusal in UTF-8. Failures are
 * data: Ratis sends an exception as a Java object, which no node reads.
 */
final class CallFormat {
  static final byte VERSION = 1;

  /** A request names an operation and its arguments. */
  static final int REQUEST_BYTES_MAX = 64 << 10;

  /** Half of the longest message of the transport. */
  static final int REPLY_BYTES_MAX = 4 << 20;

  private static final byte ANSWERED = 0;
  private static final byte REFUSED = 1;
  private static final byte TOO_LONG = 2;
  private static final int HEAD_BYTES = 2;
  private static final int REASON_BYTES_MAX = 1024;

  private CallFormat() {}

  static Message request(byte[] content) {
    if (content.length > REQUEST_BYTES_MAX)
      throw new IllegalArgumentException(
          "a request has at most " + REQUEST_BYTES_MAX + " bytes, not " + content.length);
    byte[] frame = new byte[1 + content.length];
    frame[0] = VERSION;
    System.arraycopy(content, 0, frame, 1, content.length);
    return Message.valueOf(UnsafeByteOperations.unsafeWrap(frame));
  }

  /** Returns the content of a request; empty when this release cannot read it. */
  static Optional<byte[]> requestContent(Message request) {
    ByteString frame = request.getContent();
    if (frame.isEmpty() || frame.byteAt(0) != VERSION || frame.size() > 1 + REQUEST_BYTES_MAX)
      return Optional.empty();
    return Optional.of(frame.substring(1).toByteArray());
  }

  static Message reply(byte[] content) {
    return content.length > REPLY_BYTES_MAX
        ? frame(TOO_LONG, new byte[0])
        : frame(ANSWERED, content);
  }

  static Message refusal(String reason) {
    byte[] text = reason.getBytes(UTF_8);
    return frame(REFUSED, Arrays.copyOf(text, Math.min(text.length, REASON_BYTES_MAX)));
  }

  private static Message frame(byte status, byte[] content) {
    byte[] frame = new byte[HEAD_BYTES + content.length];
    frame[0] = VERSION;
    frame[1] = status;
    System.arraycopy(content, 0, frame, HEAD_BYTES, content.length);
    return Message.valueOf(UnsafeByteOperations.unsafeWrap(frame));
  }

  /** Returns the content of a reply. A node of an older release replies without any frame. */
  static byte[] replyContent(Message reply) throws CallFailedException {
    ByteString frame = reply.getContent();
    if (frame.size() < HEAD_BYTES || frame.byteAt(0) != VERSION)
      throw new CallFailedException("runs a release that answers no calls of this one");
    ByteString content = frame.substring(HEAD_BYTES);
    return switch (frame.byteAt(1)) {
      case ANSWERED -> content.toByteArray();
      case TOO_LONG -> throw new CallFailedException.ReplyTooLong();
      default -> throw new CallFailedException("refuses: " + content.toStringUtf8());
    };
  }
}
