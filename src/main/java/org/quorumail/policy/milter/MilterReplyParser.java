package org.quorumail.policy.milter;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.Reply;

/** SMFIR_REPLYCODE: what a milter wants said to the client, word for word. */
final class MilterReplyParser {
  private MilterReplyParser() {}

  /** A reply as it would be on the wire; percent signs are doubled. */
  static Reply parse(MilterPacket packet) throws MilterException {
    String text = packet.text().replace("%%", "%");
    List<String> lines = new ArrayList<>();
    int code = 0;
    Optional<EnhancedStatus> status = Optional.empty();
    for (String line : text.split("\r?\n")) {
      if (!line.matches("[45][0-9]{2}([ -].*)?") || lines.size() == Reply.MAX_LINES) {
        throw packet.malformed();
      }
      int ofLine = Integer.parseInt(line.substring(0, 3));
      if (code != 0 && ofLine != code) throw packet.malformed();
      code = ofLine;
      String words = line.length() > 4 ? line.substring(4) : "";
      Optional<EnhancedStatus> leading = EnhancedStatus.leading(words);
      boolean fits = leading.isPresent() && leading.get().statusClass() == code / 100;
      if (fits) {
        status = leading;
        words = words.substring(Math.min(words.length(), leading.get().toString().length()));
      }
      String bounded = words.strip();
      lines.add(bounded.substring(0, Math.min(400, bounded.length()))); // RFC 5321 §4.5.3.1.5
    }
    return new Reply(code, status, lines);
  }
}
