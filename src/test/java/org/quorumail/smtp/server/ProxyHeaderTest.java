package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.smtp.SmtpProtocolException;
import org.quorumail.smtp.server.ProxyHeader.Proxied;
import org.quorumail.smtp.server.ProxyHeader.Unproxied;

/** HAProxy's proxy-protocol.txt, §2.1 and §2.2. */
class ProxyHeaderTest {
  private static final byte[] IPV4 = {
    (byte) 192, 0, 2, 7, (byte) 198, 51, 100, 1, (byte) 0xC0, 1, 0, 25
  };

  @Test
  void theTextOfVersion1IsRead() throws Exception {
    assertThat(proxied("PROXY TCP4 192.0.2.7 198.51.100.1 49153 25\r\n").source())
        .hasToString("/192.0.2.7:49153");
    Proxied v6 = proxied("PROXY TCP6 2001:db8::7 2001:db8::1 0 65535\r\n");
    assertThat(v6.source().getAddress()).isEqualTo(InetAddress.getByName("2001:db8::7"));
    assertThat(v6.destination().getPort()).isEqualTo(65535);
    assertThat(read("PROXY UNKNOWN\r\n")).isInstanceOf(Unproxied.class);
    assertThat(read("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n")).isInstanceOf(Unproxied.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "PROXY",
        "PROXY \r\n",
        "EHLO a.example\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 49153 25\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 49153 25",
        "PROXY TCP4 192.0.2.7 198.51.100.1 49153\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 49153 25 \r\n",
        "PROXY  TCP4 192.0.2.7 198.51.100.1 49153 25\r\n",
        "PROXY TCP4 192.0.2.07 198.51.100.1 49153 25\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.1 49153 25\r\n",
        "PROXY TCP4 192.0.2 198.51.100.1 49153 25\r\n",
        "PROXY TCP4 2001:db8::7 198.51.100.1 49153 25\r\n",
        "PROXY TCP4 localhost 198.51.100.1 49153 25\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 -1 25\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 025 25\r\n",
        "PROXY TCP6 192.0.2.7 198.51.100.1 1 25\r\n",
        "PROXY TCP6 2001:db8::7::1 2001:db8::1 1 25\r\n",
        "PROXY TCP6 2001:db8::7%lo 2001:db8::1 1 25\r\n",
        "PROXY UDP4 192.0.2.7 198.51.100.1 49153 25\r\n",
        "PROXY tcp4 192.0.2.7 198.51.100.1 49153 25\r\n",
        "proxy TCP4 192.0.2.7 198.51.100.1 49153 25\r\n",
      })
  void aMalformedLineIsRefused(String line) {
    assertThatThrownBy(() -> read(line)).isInstanceOf(SmtpProtocolException.class);
  }

  @Test
  void aLineHas107OctetsAtMost() throws Exception {
    String start = "PROXY UNKNOWN ";
    assertThat(read(start + "x".repeat(105 - start.length()) + "\r\n")).isNotNull();
    assertThatThrownBy(() -> read(start + "x".repeat(106 - start.length()) + "\r\n"))
        .hasMessageContaining("too long");
  }

  @Test
  void theBinaryFormOfVersion2IsRead() throws Exception {
    Proxied v4 = (Proxied) read(v2(0x21, 0x11, IPV4));
    assertThat(v4.source()).hasToString("/192.0.2.7:49153");
    assertThat(v4.destination()).hasToString("/198.51.100.1:25");
    ByteBuffer v6 = ByteBuffer.allocate(36);
    v6.put(InetAddress.getByName("2001:db8::7").getAddress());
    v6.put(InetAddress.getByName("2001:db8::1").getAddress());
    v6.putShort((short) 1000).putShort((short) 25);
    assertThat(((Proxied) read(v2(0x21, 0x21, v6.array()))).source().getAddress())
        .isEqualTo(InetAddress.getByName("2001:db8::7"));
    assertThat(read(v2(0x21, 0x00, new byte[0]))).isInstanceOf(Unproxied.class);
    assertThat(read(v2(0x21, 0x31, new byte[216]))).isInstanceOf(Unproxied.class);
    assertThat(read(v2(0x20, 0x00, new byte[0]))).isInstanceOf(Unproxied.class);
    assertThat(read(v2(0x20, 0x11, IPV4))).isInstanceOf(Unproxied.class); // LOCAL: discarded
  }

  @Test
  void aMalformedBinaryHeaderIsRefused() {
    refused(v2(0x31, 0x11, IPV4)); // version 3
    refused(v2(0x22, 0x11, IPV4)); // unknown command
    refused(v2(0x21, 0x12, IPV4)); // datagrams
    refused(v2(0x21, 0x41, IPV4)); // unknown family
    refused(v2(0x21, 0x11, new byte[11]));
    refused(v2(0x21, 0x21, IPV4));
    refused(v2(0x21, 0x11, new byte[4097]));
    byte[] cut = v2(0x21, 0x11, IPV4);
    refused(java.util.Arrays.copyOf(cut, cut.length - 1));
    refused(java.util.Arrays.copyOf(cut, 14));
  }

  @Test
  void tlvsMustFillTheBlockExactly() throws Exception {
    byte[] authority = {2, 0, 3, 'a', 'b', 'c'};
    assertThat(read(v2(0x21, 0x11, concat(IPV4, authority)))).isInstanceOf(Proxied.class);
    assertThat(read(v2(0x21, 0x11, concat(IPV4, new byte[] {4, 0, 0})))).isNotNull();
    refused(v2(0x21, 0x11, concat(IPV4, new byte[] {2, 0, 4, 'a', 'b', 'c'})));
    refused(v2(0x21, 0x11, concat(IPV4, new byte[] {2, 0})));
    refused(v2(0x21, 0x00, new byte[] {1}));
  }

  @Test
  void aChecksumMustFit() throws Exception {
    byte[] header = v2(0x21, 0x11, concat(IPV4, new byte[] {3, 0, 4, 0, 0, 0, 0}));
    refused(header);
    CRC32C crc = new CRC32C();
    crc.update(header, 0, header.length);
    ByteBuffer.wrap(header).putInt(header.length - 4, (int) crc.getValue());
    assertThat(read(header)).isInstanceOf(Proxied.class);
  }

  @Test
  void nothingBehindTheHeaderIsRead() throws Exception {
    for (byte[] header :
        new byte[][] {
          octets("PROXY TCP4 192.0.2.7 198.51.100.1 49153 25\r\n"),
          octets("PROXY UNKNOWN\r\n"),
          v2(0x21, 0x11, IPV4),
          v2(0x20, 0x00, new byte[3])
        }) {
      InputStream in = new ByteArrayInputStream(concat(header, octets("EHLO a\r\n")));
      ProxyHeader.read(in);
      assertThat(in.readAllBytes()).isEqualTo(octets("EHLO a\r\n"));
    }
  }

  @Test
  void whateverComesEitherIsAHeaderOrIsRefused() throws Exception {
    long seed = 20_261_121;
    Random random = new Random(seed);
    byte[][] good = {
      octets("PROXY TCP4 192.0.2.7 198.51.100.1 49153 25\r\n"),
      octets("PROXY TCP6 2001:db8::7 2001:db8::1 49153 25\r\n"),
      v2(0x21, 0x11, concat(IPV4, new byte[] {2, 0, 3, 'a', 'b', 'c'})),
    };
    for (int i = 0; i < 100_000; i++) {
      byte[] bad = good[random.nextInt(good.length)].clone();
      int flips = 1 + random.nextInt(4);
      for (int f = 0; f < flips; f++) bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      InputStream in = new ByteArrayInputStream(bad);
      try {
        assertThat(ProxyHeader.read(in)).as("seed %d round %d", seed, i).isNotNull();
      } catch (SmtpProtocolException e) {
        assertThat(e).as("seed %d round %d", seed, i).hasMessageContaining("PROXY header");
      }
    }
  }

  private static void refused(byte[] header) {
    assertThatThrownBy(() -> read(header)).isInstanceOf(SmtpProtocolException.class);
  }

  private static Proxied proxied(String line) throws IOException {
    return (Proxied) read(line);
  }

  private static ProxyHeader read(String line) throws IOException {
    return read(octets(line));
  }

  private static ProxyHeader read(byte[] header) throws IOException {
    return ProxyHeader.read(new ByteArrayInputStream(header));
  }

  private static byte[] v2(int versionAndCommand, int family, byte[] block) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(octets(ProxyHeader.SIGNATURE));
    out.write(versionAndCommand);
    out.write(family);
    out.write(block.length >> 8);
    out.write(block.length);
    out.writeBytes(block);
    return out.toByteArray();
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
