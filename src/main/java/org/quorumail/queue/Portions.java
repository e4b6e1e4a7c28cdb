package org.quorumail.queue;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.delivery.Disposition;
import org.quorumail.delivery.Job;
import org.quorumail.mail.Recipient;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.SpooledMessage;

/**
 * Cuts the results of an attempt so that each part, with the report that it makes due, fits into
 * one record of the spool: both or neither is kept. A thousand recipients with ordinary replies are
 * one part; a server that says half a page about each of them makes it several, and several
 * reports.
 */
final class Portions {
  /** What a report returns of the message, and its own header. */
  private static final int ORIGINAL = 64 * 1024;

  private static final int BYTES_MAX = OwnedSpool.RECORD_BYTES_MAX - ORIGINAL;

  /** Field names, dates, numbers and line ends around one recipient, in result and report. */
  private static final int FRAME = 320;

  private Portions() {}

  static List<List<Job.Result>> of(SpooledMessage message, List<Job.Result> results) {
    List<List<Job.Result>> portions = new ArrayList<>();
    int begin = 0;
    int bytes = 0;
    for (int i = 0; i < results.size(); i++) {
      Recipient to = message.recipients().get(results.get(i).recipient()).recipient();
      int more = bytes(to, results.get(i).disposition());
      if (bytes + more > BYTES_MAX && i > begin) {
        portions.add(results.subList(begin, i));
        begin = i;
        bytes = 0;
      }
      bytes += more;
    }
    portions.add(results.subList(begin, results.size()));
    return portions;
  }

  /**
   * The most that one recipient takes: once in the result, twice in the report, where it is folded.
   */
  private static int bytes(Recipient to, Disposition d) {
    int address = to.address().ascii() ? 2 : 6;
    return FRAME
        + 4 * d.diagnostic().length()
        + 2 * d.remote().length()
        + address * to.address().toString().length()
        + 2 * to.originalRecipient().length();
  }
}
