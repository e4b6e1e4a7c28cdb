package org.quorumail.config;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Parsers of domain names in the configuration, RFC 1123 §2.1. */
public final class HostName {
  private HostName() {}

  /** Checks a name and returns it in lower case; the exception names the fault. */
  public static String validate(String text) {
    String name = text.strip().toLowerCase(Locale.ROOT);
    if (name.length() <= 253 && name.matches("[a-z0-9_-]{1,63}(\\.[a-z0-9_-]{1,63})*")) return name;
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
