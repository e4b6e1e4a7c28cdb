package org.quorumail.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.WireReader.MalformedException;

class WireReaderTest {
  private static final NodeAddress IPV4 = NodeAddress.ipv4(0xc0000201, 7946);
  private static final NodeAddress IPV6 = new NodeAddress(0x20010db800000000L, 1, 65_535);

  @Test
  void everyElementSurvivesARoundTripAndLeavesTheBufferAsItWas() throws MalformedException {
    WireWriter out = new WireWriter(1);
    out.octet(200);
    out.flag(true);
    out.fixed16(65_534);
    out.fixed64(Long.MIN_VALUE + 1);
    out.number(Long.MAX_VALUE);
    out.id(new NodeId("node-1"));
    out.idOrEmpty("");
    out.address(IPV4);
    out.address(IPV6);
    out.bytes(new byte[] {7, 8});
    ByteBuffer bytes = out.toBuffer();

    WireReader in = new WireReader(bytes);
    assertThat(in.octet()).isEqualTo(200);
    assertThat(in.flag()).isTrue();
    assertThat(in.fixed16()).isEqualTo(65_534);
    assertThat(in.fixed64()).isEqualTo(Long.MIN_VALUE + 1);
    assertThat(in.number()).isEqualTo(Long.MAX_VALUE);
    assertThat(in.id()).isEqualTo(new NodeId("node-1"));
    assertThat(in.idOrEmpty()).isEmpty();
    assertThat(in.address()).isEqualTo(IPV4);
    assertThat(in.address()).isEqualTo(IPV6);
    assertThat(in.bytes(2)).containsExactly(7, 8);
    assertThat(in.hasMore()).isFalse();
    assertThat(bytes.position()).isZero();
  }

  @Test
  void sizesAreThoseOfTheWrittenBytes() {
    for (long number = 1; number > 0; number <<= 1) {
      WireWriter out = new WireWriter(16);
      out.number(number);
      assertThat(out.toBuffer().remaining()).isEqualTo(WireWriter.size(number));
    }
    WireWriter out = new WireWriter(16);
    out.address(IPV4);
    assertThat(out.toBuffer().remaining()).isEqualTo(WireWriter.size(IPV4));
  }

  @Test
  void malformedElementsAreReported() {
    assertMalformed(() -> reader().octet(), "cut short");
    assertMalformed(() -> reader(2).flag(), "flag is neither 0 nor 1");
    assertMalformed(() -> reader(0x80, 0).number(), "number in a long form");
    assertMalformed(() -> reader(9).number(8), "number 9 above 8");
    assertMalformed(() -> reader(0).id(), "empty id");
    assertMalformed(() -> reader(1, 0xe4).id(), "characters of an id");
    assertMalformed(() -> reader(65).idOrEmpty(), "id of 65 characters");
    assertMalformed(() -> reader(5).address(), "address family 5");
    assertMalformed(() -> reader(1, 2, 3).bytes(4), "cut short");
  }

  private static void assertMalformed(ThrowingCallable read, String reason) {
    assertThatThrownBy(read).isInstanceOf(MalformedException.class).hasMessage(reason);
  }

  private static WireReader reader(int... octets) {
    byte[] bytes = new byte[octets.length];
    for (int i = 0; i < octets.length; i++) bytes[i] = (byte) octets[i];
    return new WireReader(ByteBuffer.wrap(bytes));
  }
}
