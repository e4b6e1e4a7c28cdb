package org.quorumail.policy;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quorumail.config.HostName;

/**
 * One DNS list in the form of Postfix's {@code postscreen_dnsbl_sites}: {@code
 * domain[=a.b.c.d][*weight]}. An octet of the pattern is a number or a set like {@code [1;2;4..8]}.
 * Without a pattern every answer counts. A list of good hosts has a negative weight.
 *
 * @param octets four sets of ranges, or none
 */
public record DnsblSite(String zone, List<List<Range>> octets, int weight) {
  private static final Pattern SITE =
      Pattern.compile("([A-Za-z0-9._-]+)(?:=([0-9.;\\[\\]]+))?(?:\\*(-?\\d{1,4}))?");
  private static final Pattern OCTET = Pattern.compile("\\d{1,3}|\\[[0-9.;]+\\]");

  /** A range of octets, with both ends included. */
  public record Range(int from, int to) {}

  public DnsblSite {
    octets = List.copyOf(octets);
  }

  public static DnsblSite parse(String text) {
    Matcher m = SITE.matcher(text.strip());
    if (!m.matches()) throw malformed(text);
    int weight = m.group(3) == null ? 1 : Integer.parseInt(m.group(3));
    String zone = HostName.validate(m.group(1)).toLowerCase(Locale.ROOT);
    return new DnsblSite(zone, m.group(2) == null ? List.of() : octets(m.group(2), text), weight);
  }

  /** Returns whether an answer of the list counts; answers outside 127/8 never do. */
  public boolean matches(InetAddress answer) {
    byte[] bytes = answer.getAddress();
    if (bytes.length != 4 || bytes[0] != 127) return false; // RFC 5782 §2.1
    for (int i = 0; i < octets.size(); i++) {
      int octet = bytes[i] & 0xFF;
      if (octets.get(i).stream().noneMatch(r -> octet >= r.from && octet <= r.to)) return false;
    }
    return true;
  }

  private static List<List<Range>> octets(String pattern, String whole) {
    List<List<Range>> octets = new ArrayList<>();
    Matcher m = OCTET.matcher(pattern);
    int at = 0;
    while (m.find(at) && m.start() == at) {
      octets.add(ranges(m.group(), whole));
      at = m.end();
      if (at == pattern.length()) break;
      if (pattern.charAt(at++) != '.') throw malformed(whole);
    }
    if (octets.size() != 4 || at != pattern.length()) throw malformed(whole);
    return octets;
  }

  private static List<Range> ranges(String octet, String whole) {
    String inside = octet.startsWith("[") ? octet.substring(1, octet.length() - 1) : octet;
    List<Range> ranges = new ArrayList<>();
    for (String part : inside.split(";", -1)) {
      String[] ends = part.split("\\.\\.", -1);
      if (ends.length > 2) throw malformed(whole);
      int from = octet(ends[0], whole);
      int to = ends.length == 1 ? from : octet(ends[1], whole);
      if (from > to) throw malformed(whole);
      ranges.add(new Range(from, to));
    }
    return List.copyOf(ranges);
  }

  private static int octet(String text, String whole) {
    if (!text.matches("\\d{1,3}") || Integer.parseInt(text) > 255) throw malformed(whole);
    return Integer.parseInt(text);
  }

  private static IllegalArgumentException malformed(String text) {
    return new IllegalArgumentException(
        "must be like \"zen.example.org=127.0.0.[2..11]*2\", not \"" + text + "\"");
  }
}
