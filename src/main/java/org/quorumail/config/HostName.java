package org.quorumail.config;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;

/** Parsers of domain names that an operator writes, RFC 1123 §2.1. */
public final class HostName {
  private static final int MAX_LENGTH = 253;

  private static final Pattern NAME = Pattern.compile("[a-z0-9_-]{1,63}(\\.[a-z0-9_-]{1,63})*");

  /** Names whose last label is a number: {@code 192.0.2.1}, {@code 127.1}. */
  private static final Pattern NUMBERS = Pattern.compile("(.*\\.)[0-9]+");

  private HostName() {}

  /**
   * Checks a name and returns it in lower case, in its ASCII form (A-labels), without a final dot;
   * the exception names the fault.
   */
  public static String validate(String text) {
    String name = text.strip().toLowerCase(Locale.ROOT);
    if (name.chars().anyMatch(c -> c > 0x7F)) name = Idna.toAscii(name).orElse("");
    if (name.endsWith(".")) name = name.substring(0, name.length() - 1);
    boolean legal = name.length() <= MAX_LENGTH && NAME.matcher(name).matches();
    if (legal && !NUMBERS.matcher(name).matches()) return name;
    throw new IllegalArgumentException("not a host name: \"" + text + "\"");
  }

  /** The name of this machine, from its files first: its resolver may be slow. */
  public static String local() {
    try {
      return validate(Files.readString(Path.of("/etc/hostname")));
    } catch (IOException | IllegalArgumentException e) {
      // not Linux, or an odd name: the resolver knows better
    }
    try {
      return validate(InetAddress.getLocalHost().getHostName());
    } catch (UnknownHostException | IllegalArgumentException e) {
      return "localhost";
    }
  }
}
