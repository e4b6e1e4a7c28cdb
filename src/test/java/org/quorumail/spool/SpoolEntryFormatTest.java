package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpoolEntry.NewMessage;

class SpoolEntryFormatTest {
  private static final int CASES = 2_000;
  private static final long SEED = 20261121;

  @Test
  void whatIsWrittenIsRead() throws IOException {
    TestMessages messages = new TestMessages(SEED);
    for (int i = 0; i < CASES; i++) {
      SpoolEntry entry = messages.entry();
      byte[] bytes = SpoolEntryFormat.write(entry);
      SpoolEntry back = SpoolEntryFormat.read(ByteBuffer.wrap(bytes).asReadOnlyBuffer());
      // arrays have no equality of their own, their written form has
      assertThat(SpoolEntryFormat.write(back)).as("case %d: %s", i, entry).isEqualTo(bytes);
      assertThat(back).hasSameClassAs(entry);
    }
  }

  @Test
  void noEntryIsLongerThanItsBound() {
    TestMessages messages = new TestMessages(SEED);
    for (int i = 0; i < CASES; i++) {
      SpoolEntry entry = messages.entry();
      int bound = SpoolEntryFormat.sizeBound(entry);
      assertThat(SpoolEntryFormat.write(entry).length).as("%s", entry).isLessThanOrEqualTo(bound);
    }
  }

  @Test
  void theFieldsSurvive() throws IOException {
    QueueId id = TestMessages.id(7);
    SpoolEntry entry =
        TestMessages.outcomes(
            3, id, TestMessages.delivered(0), TestMessages.deferred(1, 99), TestMessages.failed(2));
    assertThat(SpoolEntryFormat.read(ByteBuffer.wrap(SpoolEntryFormat.write(entry))))
        .isEqualTo(entry);
    SpoolEntry retry = new SpoolEntry.Retry(id, 12345);
    assertThat(SpoolEntryFormat.read(ByteBuffer.wrap(SpoolEntryFormat.write(retry))))
        .isEqualTo(retry);
  }

  @Test
  void anAcceptanceWithAKeyIsReadAsItWasWritten() throws IOException {
    RequestKey key = new RequestKey("0123456789abcdef".repeat(2), 7, "fedcba9876543210".repeat(2));
    NewMessage message = TestMessages.to(TestMessages.id(1), new byte[50], "a@one.example");
    SpoolEntry entry = new SpoolEntry.AcceptOnce(key, message);
    byte[] bytes = SpoolEntryFormat.write(new SpoolEntry.Batch(List.of(entry, entry)));
    SpoolEntry.Batch back = (SpoolEntry.Batch) SpoolEntryFormat.read(ByteBuffer.wrap(bytes));
    assertThat(((SpoolEntry.AcceptOnce) back.parts().getLast()).key()).isEqualTo(key);
    assertThat(SpoolEntryFormat.write(back)).isEqualTo(bytes);
    assertThat(SpoolEntryFormat.write(entry).length)
        .isLessThanOrEqualTo(SpoolEntryFormat.sizeBound(entry));
  }

  @Test
  void partsHaveNoParts() {
    SpoolEntry one = new SpoolEntry.Remove(TestMessages.id(1));
    SpoolEntry nested = new SpoolEntry.Batch(List.of(one, new SpoolEntry.Batch(List.of(one))));
    byte[] bytes = SpoolEntryFormat.write(nested);
    assertThatThrownBy(() -> SpoolEntryFormat.read(ByteBuffer.wrap(bytes)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nested");
  }

  @Test
  void anEntryThatIsCutOffAnywhereIsRefused() {
    TestMessages messages = new TestMessages(SEED);
    for (int i = 0; i < 100; i++) {
      byte[] bytes = SpoolEntryFormat.write(messages.entry());
      for (int length = 0; length < bytes.length; length++) {
        ByteBuffer cut = ByteBuffer.wrap(Arrays.copyOf(bytes, length));
        assertThatThrownBy(() -> SpoolEntryFormat.read(cut)).isInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void damagedBytesAreReadOrRefusedButNeverAnythingElse() {
    TestMessages messages = new TestMessages(SEED);
    Random random = new Random(SEED);
    int refused = 0;
    int read = 0;
    for (int i = 0; i < CASES; i++) {
      byte[] bytes = SpoolEntryFormat.write(messages.entry());
      for (int flips = 0; flips < 3; flips++) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        SpoolEntryFormat.read(ByteBuffer.wrap(bytes));
        read++;
      } catch (IOException e) {
        assertThat(e.getMessage()).isNotBlank();
        refused++;
      }
    }
    assertThat(refused).isPositive();
    assertThat(read).isPositive();
  }

  @Test
  void anUnknownVersionOrTypeIsNamed() {
    byte[] entry = SpoolEntryFormat.write(new SpoolEntry.Hold(TestMessages.id(1)));
    byte[] version = entry.clone();
    version[0] = 9;
    byte[] type = entry.clone();
    type[1] = 77;
    assertThatThrownBy(() -> SpoolEntryFormat.read(ByteBuffer.wrap(version)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("version 9");
    assertThatThrownBy(() -> SpoolEntryFormat.read(ByteBuffer.wrap(type)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("type 77");
  }

  @Test
  void bytesAfterTheEndAreRefused() {
    byte[] entry = SpoolEntryFormat.write(new SpoolEntry.Hold(TestMessages.id(1)));
    ByteBuffer longer = ByteBuffer.wrap(Arrays.copyOf(entry, entry.length + 1));
    assertThatThrownBy(() -> SpoolEntryFormat.read(longer)).isInstanceOf(IOException.class);
  }

  /** A log that is on disk must be readable by every later version: these bytes never change. */
  @Test
  void theBytesOfTheFormatAreThese() {
    QueueId id = new QueueId(0x0102030405060708L, 0x090a0b0c0d0e0f10L);
    String hex = "0102030405060708090a0b0c0d0e0f10";
    assertThat(hex(new SpoolEntry.AbortUpload(id))).isEqualTo("0103" + hex);
    assertThat(hex(new SpoolEntry.Remove(id))).isEqualTo("0105" + hex);
    assertThat(hex(new SpoolEntry.Hold(id))).isEqualTo("0106" + hex);
    assertThat(hex(new SpoolEntry.Release(id, 1))).isEqualTo("0107" + hex + "0000000000000001");
    assertThat(hex(new SpoolEntry.Retry(id, 2))).isEqualTo("0108" + hex + "0000000000000002");
    assertThat(hex(new SpoolEntry.Chunk(id, 3, 4, ByteSlice.of(new byte[] {5}))))
        .isEqualTo("0102" + hex + "00000003" + "0000000000000004" + "00000001" + "05");
    assertThat(hex(TestMessages.accept(TestMessages.to(id, new byte[] {5}, "b@c.d"))))
        .isEqualTo(
            "0101"
                + "00000001"
                + hex
                + "01"
                + "00000006"
                + ascii("sender")
                + "0000000b"
                + ascii("example.com")
                + "07"
                + "0000018bcfe56800"
                + "0000000000000001"
                + "00"
                + "00"
                + "00000001"
                + "00000001"
                + ascii("b")
                + "00000003"
                + ascii("c.d")
                + "01"
                + "00000000"
                + "0000018bcfe56800"
                + "00000000"
                + "01"
                + "00000001"
                + "05");
    NewMessage plain = TestMessages.to(id, new byte[] {5}, "b@c.d");
    ByteSlice prefix = ByteSlice.of(new byte[] {'X'});
    NewMessage prefixed = new NewMessage(plain.message(), prefix, plain.content());
    assertThat(hex(TestMessages.accept(prefixed)))
        .startsWith("0301" + "00000001" + hex)
        .endsWith(
            "0000018bcfe56800" // due
                + "00000000" // diagnostic
                + "00" // options
                + "00000000" // envelope id
                + "00" // RET
                + "09" // priority 0
                + "0000000000000000" // hold until
                + "0000000000000000" // deliver by
                + "0c" // NOTIFY: failure, delay
                + "00000000" // ORCPT
                + "00000001"
                + "58" // the prefix
                + "01"
                + "00000001"
                + "05");
    assertThat(hex(TestMessages.outcomes(6, id, TestMessages.deferred(1, 7))))
        .isEqualTo(
            "0104"
                + "0000000000000006"
                + "00000001"
                + hex
                + "00000001"
                + "00000001"
                + "02"
                + "0000000000000007"
                + "04"
                + "0002"
                + "0001"
                + "00000009"
                + ascii("450 later")
                + "00000002"
                + ascii("mx")
                + "00");
  }

  private static String hex(SpoolEntry entry) {
    return HexFormat.of().formatHex(SpoolEntryFormat.write(entry));
  }

  private static String ascii(String text) {
    return HexFormat.of().formatHex(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }
}
