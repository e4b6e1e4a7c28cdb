package org.quorumail.replication;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;

/** The wire form of a reply: the entry's term (8 bytes), then the state's reply. */
final class AppendReplyFormat {
  static final byte[] EMPTY_REPLY = {};

  private static final int TERM_BYTES = Long.BYTES;

  private AppendReplyFormat() {}

  static Message encode(LogPosition position, byte[] reply) {
    byte[] frame =
        ByteBuffer.allocate(TERM_BYTES + reply.length).putLong(position.term()).put(reply).array();
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
