package org.quorumail.dns;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The name servers of a resolv.conf(5). Its search list is of no use: mail has whole names. */
final class ResolvConf {
  private static final int MAX_LINES = 1000; // a longer file is no resolv.conf

  private ResolvConf() {}

  /** The servers in their order; empty when the file cannot be read or names none. */
  static List<InetSocketAddress> servers(Path file, int port) {
    List<InetSocketAddress> servers = new ArrayList<>();
    // Latin-1 reads any octets: a comment in another encoding must not hide the servers
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
      lines.lines().limit(MAX_LINES).forEach(line -> readLine(line, port, servers));
    } catch (IOException | java.io.UncheckedIOException e) {
      return List.of();
    }
    return servers;
  }

  private static void readLine(String line, int port, List<InetSocketAddress> servers) {
    String[] words = line.strip().split("\\s+", 3);
    if (words.length < 2 || !words[0].equals("nameserver")) return;
    if (servers.size() == NameServers.MAX_SERVERS) return;
    try {
      servers.add(new InetSocketAddress(InetAddress.ofLiteral(words[1]), port));
    } catch (IllegalArgumentException e) {
      // the C library skips such a line too
    }
  }
}
