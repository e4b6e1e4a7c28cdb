package org.quorumail.config;

import java.text.Normalizer;
import java.util.Locale;
import java.util.Optional;

/**
 * Internationalized domain names: the ASCII form (A-labels) of a name with U-labels, RFC 5891 §4.4
 * with the mapping of RFC 5895, by Punycode (RFC 3492). {@code java.net.IDN} follows the older
 * rules of RFC 3490, which replace ß and final sigma; this class keeps both letters.
 */
public final class Idna {
  private static final String PREFIX = "xn--";
  private static final int MAX_LABEL = 63; // RFC 1035 §2.3.4, of the ASCII form

  // RFC 3492 §5
  private static final int BASE = 36;
  private static final int T_MIN = 1;
  private static final int T_MAX = 26;
  private static final int SKEW = 38;
  private static final int DAMP = 700;
  private static final int INITIAL_BIAS = 72;
  private static final int INITIAL_N = 128;

  private Idna() {}

  /** Converts every label of the name to ASCII; empty when a label is not legal in a domain. */
  public static Optional<String> toAscii(String domain) {
    String mapped =
        folded(folded(domain)); // some letters reach their final form only in the second pass
    StringBuilder ascii = new StringBuilder(mapped.length() + 16);
    for (String label : mapped.split("[.\u3002]", -1)) {
      if (ascii.length() > 0) ascii.append('.');
      if (isAscii(label)) {
        ascii.append(label);
        continue;
      }
      int[] points = label.codePoints().toArray();
      for (int i = 0; i < points.length; i++) if (!isAllowed(points[i], i)) return Optional.empty();
      String encoded = PREFIX + punycode(points);
      if (encoded.length() > MAX_LABEL) return Optional.empty();
      ascii.append(encoded);
    }
    return Optional.of(ascii.toString());
  }

  /** Maps to lower case and to one form of each letter, RFC 5895 §2. */
  private static String folded(String text) {
    return Normalizer.normalize(text.toLowerCase(Locale.ROOT), Normalizer.Form.NFKC);
  }

  private static boolean isAscii(String label) {
    return label.chars().allMatch(c -> c < 0x80);
  }

  /** RFC 5892 in short: letters, digits, hyphens; inside a label also marks and joiners. */
  private static boolean isAllowed(int point, int place) {
    if (point < 0x80) return Character.isLetterOrDigit(point) || point == '-';
    int type = Character.getType(point);
    boolean mark = type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
    boolean joiner = point == 0x200C || point == 0x200D || point == 0xB7 || point == 0x30FB;
    return Character.isLetterOrDigit(point) || (place > 0 && (mark || joiner));
  }

  /** RFC 3492 §6.3. */
  private static String punycode(int[] input) {
    StringBuilder output = new StringBuilder();
    for (int point : input) if (point < 0x80) output.append((char) point);
    int basic = output.length();
    int handled = basic;
    if (basic > 0) output.append('-');
    int n = INITIAL_N;
    int delta = 0;
    int bias = INITIAL_BIAS;
    while (handled < input.length) {
      int next = Integer.MAX_VALUE;
      for (int point : input) if (point >= n && point < next) next = point;
      delta += (next - n) * (handled + 1); // a label is short: no overflow
      n = next;
      for (int point : input) {
        if (point < n) delta++;
        if (point != n) continue;
        appendDelta(delta, bias, output);
        bias = adapt(delta, handled + 1, handled == basic);
        delta = 0;
        handled++;
      }
      delta++;
      n++;
    }
    return output.toString();
  }

  private static void appendDelta(int delta, int bias, StringBuilder output) {
    int q = delta;
    for (int k = BASE; ; k += BASE) {
      int t = Math.max(T_MIN, Math.min(T_MAX, k - bias));
      if (q < t) break;
      output.append(digit(t + (q - t) % (BASE - t)));
      q = (q - t) / (BASE - t);
    }
    output.append(digit(q));
  }

  private static int adapt(int delta, int points, boolean first) {
    int d = first ? delta / DAMP : delta / 2;
    d += d / points;
    int k = 0;
    while (d > (BASE - T_MIN) * T_MAX / 2) {
      d /= BASE - T_MIN;
      k += BASE;
    }
    return k + (BASE - T_MIN + 1) * d / (d + SKEW);
  }

  private static char digit(int value) {
    return (char) (value < 26 ? 'a' + value : '0' + value - 26);
  }
}
