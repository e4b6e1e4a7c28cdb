package org.quorumail.config;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** A secret; its text form does not reveal it. */
public final class Secret {
  private final byte[] bytes;

  public Secret(byte[] bytes) {
    this.bytes = bytes.clone();
  }

  /** Reads base64; at least 32 bytes, as {@code quorumail cluster secret} makes them. */
  public static Secret parse(String base64) {
    byte[] bytes = Base64.getDecoder().decode(base64.strip());
    if (bytes.length < 32) throw new IllegalArgumentException("a secret has at least 32 bytes");
    return new Secret(bytes);
  }

  public byte[] bytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Secret that && MessageDigest.isEqual(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "***";
  }
}
