package org.quorumail.api;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The API's view of the maintenance of the node. Thread-safe and without waiting. */
public interface MaintenanceView {
  MaintenanceStatus maintenance();

  /** Begins maintenance; changes nothing when it has begun. The drain goes on after the return. */
  MaintenanceResult enterMaintenance(MaintenanceOrder order);

  /** Ends maintenance; changes nothing when there is none. */
  MaintenanceStatus exitMaintenance();

  /**
   * An order to begin maintenance.
   *
   * @param drainTimeout the time that running transactions and attempts have to finish
   * @param migrate whether the groups that the node leads move to other nodes; if not, it goes on
   *     delivering
   * @param reason for other operators; may be empty
   * @param targets the nodes that may get the spool of the node; empty for any
   */
  record MaintenanceOrder(
      Duration drainTimeout, boolean migrate, String reason, List<String> targets) {
    static final Duration DEFAULT_DRAIN_TIMEOUT = Duration.ofMinutes(5);
    private static final Duration DRAIN_TIMEOUT_MIN = Duration.ofSeconds(1);

    /** The next hop has ten minutes for its reply; what runs longer does not end by itself. */
    private static final Duration DRAIN_TIMEOUT_MAX = Duration.ofHours(1);

    /** The reason is in each node's metadata and in tables. */
    private static final int REASON_LENGTH_MAX = 200;

    /** More nodes than any spool has replicas. */
    private static final int TARGETS_MAX = 10;

    public MaintenanceOrder {
      targets = List.copyOf(targets);
      boolean isShort = drainTimeout.compareTo(DRAIN_TIMEOUT_MIN) < 0;
      if (isShort || drainTimeout.compareTo(DRAIN_TIMEOUT_MAX) > 0)
        throw new IllegalArgumentException("the drain timeout is 1s to 1h");
      if (reason.length() > REASON_LENGTH_MAX || reason.chars().anyMatch(Character::isISOControl))
        throw new IllegalArgumentException(
            "the reason is one line of at most " + REASON_LENGTH_MAX + " characters");
      if (targets.size() > TARGETS_MAX)
        throw new IllegalArgumentException("at most " + TARGETS_MAX + " targets can be named");
      if (!migrate && !targets.isEmpty())
        throw new IllegalArgumentException("without a migration no target is needed");
    }
  }

  /**
   * The maintenance of a node.
   *
   * @param state {@code active} without maintenance, {@code stopping} when the process ends; {@code
   *     draining} while work is left; {@code maintenance} afterwards
   * @param since ISO 8601, UTC
   * @param transactions sessions with a message on its way in
   * @param deliveries running attempts
   * @param inDoubt attempts whose final dot is out and whose outcomes are not committed
   * @param leads the groups that the node leads
   * @param waitingFor what the drain waits for; one entry each
   */
  record MaintenanceStatus(
      String node,
      String state,
      @Nullable String reason,
      @Nullable String since,
      long drainTimeoutSeconds,
      boolean migrate,
      List<String> targets,
      int transactions,
      int deliveries,
      int inDoubt,
      List<String> leads,
      List<String> waitingFor) {
    public MaintenanceStatus {
      targets = List.copyOf(targets);
      leads = List.copyOf(leads);
      waitingFor = List.copyOf(waitingFor);
    }
  }

  /**
   * The answer to an order.
   *
   * @param refusal why nothing was changed; empty when the node is in maintenance
   */
  record MaintenanceResult(MaintenanceStatus status, String refusal) {}
}
