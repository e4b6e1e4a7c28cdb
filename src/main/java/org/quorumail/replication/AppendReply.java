package org.quorumail.replication;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;

/** The wire form of an answer: the entry's term (8 bytes), then what the state answered. */
final class AppendReply {
  static final byte[] NOTHING = {};

  private static final int HEAD = Long.BYTES;

  private AppendReply() {}

  static Message of(Position position, byte[] answer) {
    byte[] frame =
        ByteBuffer.allocate(HEAD + answer.length).putLong(position.term()).put(answer).array();
    return Message.valueOf(UnsafeByteOperations.unsafeWrap(frame));
  }

  /** For an entry that was applied before a restart: its answer is not kept. */
  static Message unknown() {
    return Message.EMPTY;
  }

  /** Empty if the entry is applied but its answer is lost. */
  static Optional<ReplicatedLog.Appended> read(RaftClientReply reply) {
    ByteString frame = reply.getMessage().getContent();
    if (frame.size() < HEAD) return Optional.empty();
    byte[] bytes = frame.toByteArray();
    var position = new Position(ByteBuffer.wrap(bytes).getLong(), reply.getLogIndex());
    return Optional.of(
        new ReplicatedLog.Appended(position, Arrays.copyOfRange(bytes, HEAD, bytes.length)));
  }
}
