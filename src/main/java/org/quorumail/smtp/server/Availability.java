package org.quorumail.smtp.server;

import java.time.Duration;
import java.util.Optional;
import org.quorumail.smtp.Reply;
import org.quorumail.spool.Intake;
import org.quorumail.spool.Intake.Readiness;

/**
 * The availability of the spool, as replies for clients. A quorum that is missing for a moment (an
 * election) defers one transaction; a longer lack of it refuses connections. The sessions of a
 * listener share one instance.
 */
final class Availability {
  private static final long QUORUM_GRACE =
      Duration.ofSeconds(3).toNanos(); // an election takes 1–2 s
  private static final long NONE = 0;

  private final Intake intake;
  private volatile boolean draining;
  private volatile long quorumMissingSince = NONE;

  Availability(Intake intake) {
    this.intake = intake;
  }

  void drain() {
    draining = true;
  }

  boolean draining() {
    return draining || intake.readiness() == Readiness.DRAINING;
  }

  /** The refusal of a new connection, if any. */
  Optional<Reply> refusalAtConnect() {
    return switch (currentReadiness()) {
      case DRAINING -> Optional.of(refusal(Readiness.DRAINING));
      case NO_QUORUM ->
          System.nanoTime() - quorumMissingSince > QUORUM_GRACE
              ? Optional.of(Reply.of(421, "4.3.2", "No quorum at the moment, try again later"))
              : Optional.empty();
      case READY, DISK_FULL -> Optional.empty();
    };
  }

  /** The refusal of MAIL, if any. */
  Optional<Reply> refusalAtMail() {
    Readiness readiness = currentReadiness();
    return readiness == Readiness.READY ? Optional.empty() : Optional.of(refusal(readiness));
  }

  static Reply refusal(Readiness reason) {
    return switch (reason) {
      case NO_QUORUM, READY -> Reply.of(451, "4.3.0", "No quorum at the moment, try again later");
      case DISK_FULL -> Reply.of(452, "4.3.1", "Insufficient system storage, try again later");
      case DRAINING ->
          Reply.of(421, "4.3.2", "No mail is accepted here now, try another host or later");
    };
  }

  private Readiness currentReadiness() {
    Readiness readiness = draining ? Readiness.DRAINING : intake.readiness();
    if (readiness != Readiness.NO_QUORUM) quorumMissingSince = NONE;
    else if (quorumMissingSince == NONE) quorumMissingSince = System.nanoTime();
    return readiness;
  }
}
