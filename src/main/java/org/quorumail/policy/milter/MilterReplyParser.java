package org.quorumail.policy.milter;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.Reply;

/** The parser of SMFIR_REPLYCODE, the SMTP reply that a milter chooses. */
final class MilterReplyParser {
  private MilterReplyParser() {}

  /** Parses a reply in its form on the wire, with doubled percent signs. */
  static Reply parse(MilterPacket packet) throws MilterException {
    String text = packet.text().replace("%%", "%");
    List<String> lines = new ArrayList<>();
    int code = 0;
    Optional<EnhancedStatus> status = Optional.empty();
    for (String line : text.split("\r?\n")) {
      if (!line.matches("[45][0-9]{2}([ -].*)?") || lines.size() == Reply.MAX_LINES) {
        throw packet.malformed();
      }
      int lineCode = Integer.parseInt(line.substring(0, 3));
      if (code != 0 && lineCode != code) throw packet.malformed();
      code = lineCode;
      String words = line.length() > 4 ? line.substring(4) : "";
      Optional<EnhancedStatus> leading = EnhancedStatus.leading(words);
      boolean matches = leading.isPresent() && leading.get().statusClass() == code / 100;
      if (matches) {
        status = leading;
        words = words.substring(Math.min(words.length(), leading.get().toString().length()));
      }
      String stripped = words.strip();
      lines.add(stripped.substring(0, Math.min(400, stripped.length()))); // RFC 5321 §4.5.3.1.5
    }
    if (lines.isEmpty()) throw packet.malformed(); // a text of nothing but line ends
    return new Reply(code, status, lines);
  }
}
