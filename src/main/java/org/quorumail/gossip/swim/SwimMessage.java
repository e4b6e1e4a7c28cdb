package org.quorumail.gossip.swim;

import java.util.List;
import org.quorumail.gossip.NodeId;

/** What SWIM nodes say to each other. {@link SwimCodec} gives each its bytes and its bounds. */
public sealed interface SwimMessage {
  /**
   * Are you there? A node of another name does not answer.
   *
   * @param sequence chosen by the prober, comes back in the answer
   * @param incarnation of the target as the prober knows it: a restarted node learns from it that
   *     its former self got further than it did
   */
  record Ping(long sequence, NodeId target, long incarnation, NodeId source)
      implements SwimMessage {}

  /**
   * Please ping the target for me.
   *
   * @param windowMillis the prober's patience; at 80 % of it the helper answers {@link Nack}
   */
  record PingReq(long sequence, SwimMember target, NodeId source, int windowMillis)
      implements SwimMessage {
    public PingReq {
      target = target.withMetadata(NodeMetadata.EMPTY);
    }
  }

  /** I am there; or, from a helper: it is there. */
  record Ack(long sequence) implements SwimMessage {}

  /** From a helper: I am there, but the target has not answered me (Lifeguard). */
  record Nack(long sequence) implements SwimMessage {}

  /** A statement about a member, passed on by gossip. */
  sealed interface Update extends SwimMessage {
    NodeId subject();

    long incarnation();

    MemberState state();
  }

  /** Said by the member itself. */
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

  /** Said by whoever got no answer; accusers count once each. */
  record Suspect(NodeId subject, long incarnation, NodeId accuser) implements Update {
    @Override
    public MemberState state() {
      return MemberState.SUSPECT;
    }
  }

  /** Said by whoever waited out the suspicion. */
  record Dead(NodeId subject, long incarnation, NodeId accuser) implements Update {
    @Override
    public MemberState state() {
      return MemberState.DEAD;
    }
  }

  /** Said by the member itself, going. */
  record Left(NodeId subject, long incarnation) implements Update {
    @Override
    public MemberState state() {
      return MemberState.LEFT;
    }
  }

  /** One row of a membership view. */
  record MemberRow(SwimMember member, MemberState state) {}

  /**
   * First of the three steps of an exchange of views: digests of the requester's live members, by
   * {@link NodeId#hash64} modulo their number (a power of two, at most {@link #MAX_BUCKETS}). It
   * carries the requester itself, so that joining needs no other message.
   */
  record PushPullRequest(long sequence, SwimMember source, List<Long> digests)
      implements SwimMessage {
    public static final int MAX_BUCKETS = 256;

    public PushPullRequest {
      digests = List.copyOf(digests);
    }
  }

  /**
   * Second step, in one or more pages: the responder's rows of the buckets that differ.
   *
   * @param buckets how many buckets the request had
   * @param differing the numbers of those that differ
   * @param last no page follows
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

  /** Third step, in one or more pages: the requester's rows of the same buckets. */
  record PushPullRows(NodeId source, List<MemberRow> members) implements SwimMessage {
    /** A row is at most about 650 bytes, so a page stays below 700 KiB. */
    public static final int MAX_ROWS = 1_024;

    public PushPullRows {
      members = List.copyOf(members);
    }
  }

  /** Send me the metadata of this member; its gossip gave length and digest only. */
  record MetadataRequest(NodeId subject, long digest) implements SwimMessage {}

  /** The metadata asked for. */
  record MetadataResponse(NodeId subject, NodeMetadata metadata) implements SwimMessage {}
}
