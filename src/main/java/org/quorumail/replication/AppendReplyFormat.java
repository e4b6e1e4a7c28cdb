package org.quorumail.replication;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;

/**
 * The wire form of a reply: the entry's term (8 bytes), then the state's reply; or {@link
 * #REFUSED}, then the reason in UTF-8.
 */
final class AppendReplyFormat {
  static final byte[] EMPTY_REPLY = {};

  private static final int TERM_BYTES = Long.BYTES;

  /** In place of a term, which is never negative. */
  private static final long REFUSED = -1;

  private static final int REASON_BYTES_MAX = 1024;

  private AppendReplyFormat() {}

  static Message refusal(String reason) {
    byte[] text = reason.getBytes(UTF_8);
    return frame(REFUSED, Arrays.copyOf(text, Math.min(text.length, REASON_BYTES_MAX)));
  }

  /** Returns the reason if the leader has refused the entry. */
  static Optional<String> refusal(RaftClientReply reply) {
    ByteString frame = reply.getMessage().getContent();
    if (frame.size() < TERM_BYTES || frame.asReadOnlyByteBuffer().getLong() != REFUSED)
      return Optional.empty();
    return Optional.of(frame.substring(TERM_BYTES).toStringUtf8());
  }

  static Message encode(LogPosition position, byte[] reply) {
    return frame(position.term(), reply);
  }

  private static Message frame(long term, byte[] content) {
    byte[] frame =
        ByteBuffer.allocate(TERM_BYTES + content.length).putLong(term).put(content).array();
    return Message.valueOf(UnsafeByteOperations.unsafeWrap(frame));
  }

  /**
   * Returns the reply for an entry that was applied before a restart: its own reply is not kept.
   */
  static Message lostReply() {
    return Message.EMPTY;
  }

  /** Returns nothing if the entry is applied but its reply is lost. */
  static Optional<ReplicatedLog.AppendResult> decode(RaftClientReply reply) {
    ByteString frame = reply.getMessage().getContent();
    if (frame.size() < TERM_BYTES) return Optional.empty();
    byte[] bytes = frame.toByteArray();
    var position = new LogPosition(ByteBuffer.wrap(bytes).getLong(), reply.getLogIndex());
    return Optional.of(
        new ReplicatedLog.AppendResult(
            position, Arrays.copyOfRange(bytes, TERM_BYTES, bytes.length)));
  }
}
