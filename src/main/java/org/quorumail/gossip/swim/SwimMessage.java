package org.quorumail.gossip.swim;

import java.util.List;
import org.quorumail.gossip.NodeId;

/** The messages between SWIM nodes; {@link SwimCodec} defines their encoding and bounds. */
public sealed interface SwimMessage {
  /**
   * "Are you alive?" A node with another name does not answer.
   *
   * @param sequence chosen by the prober; the ack repeats it
   * @param incarnation of the target as the prober knows it: a restarted node learns from it that
   *     its former life had a higher one
   */
  record Ping(long sequence, NodeId target, long incarnation, NodeId source)
      implements SwimMessage {}

  /**
   * "Ping the target for me."
   *
   * @param windowMillis the time that the prober waits; at 80 % of it the helper sends a {@link
   *     Nack}
   */
  record PingReq(long sequence, SwimMember target, NodeId source, int windowMillis)
      implements SwimMessage {
    public PingReq {
      target = target.withMetadata(NodeMetadata.EMPTY);
    }
  }

  /** "I am alive"; from a helper: "the target is alive". */
  record Ack(long sequence) implements SwimMessage {}

  /** From a helper: "I am alive, but the target has not answered me" (Lifeguard). */
  record Nack(long sequence) implements SwimMessage {}

  /** A statement about a member that gossip passes on. */
  sealed interface Update extends SwimMessage {
    NodeId subject();

    long incarnation();

    MemberState state();
  }

  /** "I am alive": sent first by the member itself. */
  record Alive(SwimMember member) implements Update {
    @Override
    public NodeId subject() {
      return member.id();
    }

    @Override
    public long incarnation() {
      return member.incarnation();
    }

    @Override
    public MemberState state() {
      return MemberState.ALIVE;
    }
  }

  /** "My probe of it failed": sent first by an accuser; each accuser counts once. */
  record Suspect(NodeId subject, long incarnation, NodeId accuser) implements Update {
    @Override
    public MemberState state() {
      return MemberState.SUSPECT;
    }
  }

  /** "The suspicion expired": sent first by a node that declares the member dead. */
  record Dead(NodeId subject, long incarnation, NodeId accuser) implements Update {
    @Override
    public MemberState state() {
      return MemberState.DEAD;
    }
  }

  /** "I leave": sent first by the member itself. */
  record Left(NodeId subject, long incarnation) implements Update {
    @Override
    public MemberState state() {
      return MemberState.LEFT;
    }
  }

  /** One row of a membership view. */
  record MemberRow(SwimMember member, MemberState state) {}

  /**
   * The first of push/pull's three steps: one digest per bucket of the requester's live members.
   * The bucket is {@link NodeId#hash64} modulo the number of buckets, a power of two and at most
   * {@link #MAX_BUCKETS}. The request carries the requester itself, so joining needs no other
   * message.
   */
  record PushPullRequest(long sequence, SwimMember source, List<Long> digests)
      implements SwimMessage {
    public static final int MAX_BUCKETS = 256;

    public PushPullRequest {
      digests = List.copyOf(digests);
    }
  }

  /**
   * The second step, in one or more pages: the responder's rows of the buckets that differ.
   *
   * @param buckets the number of buckets in the request
   * @param differing the indexes of the buckets that differ
   * @param last whether no page follows
   */
  record PushPullResponse(
      long sequence,
      SwimMember source,
      int buckets,
      List<Integer> differing,
      boolean last,
      List<MemberRow> members)
      implements SwimMessage {
    public PushPullResponse {
      differing = List.copyOf(differing);
      members = List.copyOf(members);
    }
  }

  /** The third step, in one or more pages: the requester's rows of the same buckets. */
  record PushPullRows(NodeId source, List<MemberRow> members) implements SwimMessage {
    /** A row is at most about 650 bytes, so a page stays below 700 KiB. */
    public static final int MAX_ROWS = 1_024;

    public PushPullRows {
      members = List.copyOf(members);
    }
  }

  /** "Send me the metadata of this member": its update had length and digest only. */
  record MetadataRequest(NodeId subject, long digest) implements SwimMessage {}

  /** The requested metadata. */
  record MetadataResponse(NodeId subject, NodeMetadata metadata) implements SwimMessage {}
}
