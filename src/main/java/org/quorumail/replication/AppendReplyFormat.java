package org.quorumail.replication;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;

/** The wire form of an answer: the entry's term (8 bytes), then what the state answered. */
final class AppendReplyFormat {
  static final byte[] EMPTY_REPLY = {};

  private static final int TERM_BYTES = Long.BYTES;

  private AppendReplyFormat() {}

  static Message encode(LogPosition position, byte[] answer) {
    byte[] frame =
        ByteBuffer.allocate(TERM_BYTES + answer.length)
            .putLong(position.term())
            .put(answer)
            .array();
    return Message.valueOf(UnsafeByteOperations.unsafeWrap(frame));
  }

  /** For an entry that was applied before a restart: its answer is not kept. */
  static Message lostReply() {
    return Message.EMPTY;
  }

  /** Empty if the entry is applied but its answer is lost. */
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
