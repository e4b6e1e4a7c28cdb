package org.quorumail.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;

class ClientHelloTest {
  @Test
  void theNameThatJavaSendsIsFoundAndEveryOctetIsKept() throws Exception {
    byte[] hello = javaHello("MX.Test.example");
    ClientHello read = ClientHello.read(new ByteArrayInputStream(hello));
    assertThat(read.serverName()).contains("mx.test.example");
    assertThat(read.octets()).isEqualTo(hello);
  }

  @Test
  void nothingBehindTheMessageIsRead() throws Exception {
    byte[] hello = javaHello("mx.test.example");
    InputStream in = new ByteArrayInputStream(concat(hello, new byte[] {20, 3, 3, 0, 1, 1}));
    ClientHello.read(in);
    assertThat(in.readAllBytes()).hasSize(6);
  }

  @Test
  void aMessageInManyRecordsIsReadToItsEnd() throws Exception {
    byte[] hello = javaHello("mx.test.example");
    ByteArrayOutputStream split = new ByteArrayOutputStream();
    for (int at = 5; at < hello.length; at += 7) {
      byte[] fragment = Arrays.copyOfRange(hello, at, Math.min(at + 7, hello.length));
      split.writeBytes(new byte[] {22, 3, 1, 0, (byte) fragment.length});
      split.writeBytes(fragment);
    }
    ClientHello read = ClientHello.read(new ByteArrayInputStream(split.toByteArray()));
    assertThat(read.serverName()).contains("mx.test.example");
    assertThat(read.octets()).isEqualTo(split.toByteArray());
  }

  /** inputs.md T9. */
  @Test
  void namesThatAreNoHostsAreLeftAside() throws Exception {
    for (String name :
        new String[] {"../x", "a b", "x".repeat(10_000), "\0", "a..b", ".a", "ä", "[::1]"}) {
      ClientHello read = ClientHello.read(new ByteArrayInputStream(helloWith(name)));
      assertThat(read.serverName()).as(name).isEmpty();
      assertThat(read.octets()).hasSize(helloWith(name).length);
    }
  }

  @Test
  void whateverArrivesIsReadInBoundedPiecesAndNeverThrows() throws Exception {
    long seed = 20_261_121;
    Random random = new Random(seed);
    byte[] hello = javaHello("mx.test.example");
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = hello.clone();
      int flips = 1 + random.nextInt(8);
      for (int f = 0; f < flips; f++) bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      byte[] cut = Arrays.copyOf(bad, random.nextInt(bad.length + 1));
      ClientHello read = ClientHello.read(new ByteArrayInputStream(cut));
      assertThat(cut).as("seed %d, round %d", seed, i).startsWith(read.octets());
    }
    byte[] record = new byte[5 + 16_384];
    record[0] = 22;
    record[1] = 3;
    record[3] = 0x40;
    byte[] endless = new byte[20 * record.length]; // a message that claims to be 16 MB
    for (int i = 0; i < 20; i++) {
      System.arraycopy(record, 0, endless, i * record.length, record.length);
    }
    endless[5] = 1;
    endless[6] = (byte) 0xFF;
    assertThat(ClientHello.read(new ByteArrayInputStream(endless)).octets().length)
        .isLessThan(64 * 1024);
  }

  private static byte[] javaHello(String name) throws Exception {
    SSLEngine engine = SSLContext.getDefault().createSSLEngine();
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setServerNames(java.util.List.of(new SNIHostName(name)));
    engine.setSSLParameters(parameters);
    java.nio.ByteBuffer out = java.nio.ByteBuffer.allocate(32 * 1024);
    engine.wrap(java.nio.ByteBuffer.allocate(0), out);
    return Arrays.copyOf(out.array(), out.position());
  }

  /** The least of a ClientHello: a server name and nothing else. */
  static byte[] helloWith(String name) throws IOException {
    byte[] octets = name.getBytes(StandardCharsets.ISO_8859_1);
    byte[] entry = concat(new byte[] {0}, concat(length(octets.length), octets));
    byte[] list = concat(length(entry.length), entry);
    byte[] extension = concat(new byte[] {0, 0}, concat(length(list.length), list));
    byte[] body =
        concat(
            concat(new byte[] {3, 3}, new byte[32]),
            concat(
                new byte[] {0, 0, 2, 0x13, 0x01, 1, 0},
                concat(length(extension.length), extension)));
    byte[] message = concat(concat(new byte[] {1, 0}, length(body.length)), body);
    return concat(concat(new byte[] {22, 3, 1}, length(message.length)), message);
  }

  private static byte[] length(int length) {
    return new byte[] {(byte) (length >> 8), (byte) length};
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
