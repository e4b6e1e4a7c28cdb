package org.quorumail.gossip.transport;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.quic.Quic;
import io.netty.handler.codec.quic.QuicTokenHandler;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The tokens of address validation by Retry (RFC 9000, 8.1.2): a caller costs no memory before it
 * has shown that it receives at its address. A token is the time, this process' seal over time and
 * address, and the caller's first connection id, which QUIC requires back. Used by the event loop.
 */
final class RetryTokens implements QuicTokenHandler {
  /** A retry arrives within some round trips. */
  private static final long VALID_SECONDS = 10;

  private static final int SEAL = 32;
  private static final int HEAD = Integer.BYTES + SEAL;

  private final Clock clock;
  private final Mac mac;

  RetryTokens(Clock clock) {
    this.clock = clock;
    byte[] key = new byte[SEAL];
    new SecureRandom().nextBytes(key);
    try {
      this.mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HMAC", e);
    }
  }

  @Override
  public boolean writeToken(ByteBuf out, ByteBuf connectionId, InetSocketAddress caller) {
    byte[] id = new byte[connectionId.readableBytes()];
    connectionId.getBytes(connectionId.readerIndex(), id);
    int now = (int) (clock.millis() / 1000);
    out.writeInt(now).writeBytes(seal(now, id, caller)).writeBytes(id);
    return true;
  }

  @Override
  public int validateToken(ByteBuf token, InetSocketAddress caller) {
    int length = token.readableBytes();
    if (length <= HEAD || length > maxTokenLength()) return -1;
    byte[] bytes = new byte[length];
    token.getBytes(token.readerIndex(), bytes);
    int then = ByteBuffer.wrap(bytes).getInt();
    byte[] received = Arrays.copyOfRange(bytes, Integer.BYTES, HEAD);
    byte[] id = Arrays.copyOfRange(bytes, HEAD, length);
    long age = clock.millis() / 1000 - then;
    boolean isOurs = MessageDigest.isEqual(received, seal(then, id, caller));
    return isOurs && age >= 0 && age <= VALID_SECONDS ? HEAD : -1;
  }

  @Override
  public int maxTokenLength() {
    return HEAD + Quic.MAX_CONN_ID_LEN;
  }

  private byte[] seal(int seconds, byte[] connectionId, InetSocketAddress caller) {
    mac.update(
        ByteBuffer.allocate(Integer.BYTES * 2).putInt(seconds).putInt(caller.getPort()).flip());
    mac.update((byte) connectionId.length);
    mac.update(connectionId);
    return mac.doFinal(caller.getAddress().getAddress());
  }
}
