package org.quorumail.gossip.swim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Suspect;

/** The invariants of the member table: each check is shown a state that breaks it. */
class MemberTransitionsTest {
  private static final NodeId ACCUSER = new NodeId("accuser");
  private static final SwimMember MEMBER = member("member", 3);

  private final SwimContext context =
      new SwimContext(SwimConfig.lan(), member("self", 1), new SplittableRandom(1), 1_000);
  private final LocalMember localMember = new LocalMember(context, () -> {});
  private final MemberTransitions transitions =
      new MemberTransitions(context, localMember, new IgnoringListener());

  @Test
  void allTransitionsOfOneMemberKeepTheInvariants() {
    transitions.onAlive(MEMBER, MEMBER.address());
    assertThat(transitions.violation()).isNull();
    transitions.onSuspect(new Suspect(MEMBER.id(), 3, ACCUSER));
    assertThat(transitions.violation()).isNull();
    transitions.onDead(new Dead(MEMBER.id(), 3, ACCUSER));
    assertThat(transitions.violation()).isNull();
    transitions.onAlive(member("member", 4), MEMBER.address());
    assertThat(transitions.violation()).isNull();
  }

  @Test
  void aSuspectWithoutASuspicionIsAViolation() {
    context.table.put(MEMBER, MemberState.SUSPECT, context.random);
    assertThat(transitions.violation()).contains("suspects [member]");
  }

  @Test
  void aDeadRowWithoutATombstoneIsAViolation() {
    context.table.put(MEMBER, MemberState.DEAD, context.random);
    assertThat(transitions.violation()).isEqualTo("member is DEAD without a tombstone");
  }

  @Test
  void aNodeInItsOwnTableIsAViolation() {
    context.table.put(context.self, MemberState.ALIVE, context.random);
    assertThat(transitions.violation()).isEqualTo("a node lists itself");
  }

  @Test
  void theOwnIncarnationOnlyGrows() {
    localMember.publish(member("self", 2));
    assertThatThrownBy(() -> localMember.publish(member("self", 2)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("only grows");
  }

  private static SwimMember member(String id, long incarnation) {
    return new SwimMember(
        new NodeId(id), NodeAddress.ipv4(id.hashCode(), 7946), incarnation, NodeMetadata.EMPTY);
  }

  private static final class IgnoringListener implements MemberTransitions.Listener {
    @Override
    public void onMemberReturned() {}

    @Override
    public void onMetadataMissing(SwimMember member, NodeAddress informant) {}

    @Override
    public void onWitnessNeeded(SwimMember suspect) {}

    @Override
    public void onFinalProbeNeeded(SwimMember suspect, Consumer<Boolean> result) {}
  }
}
