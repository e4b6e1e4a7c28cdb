package org.quorumail.tools;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The result of a {@link ChaosRun}.
 *
 * @param restarts of nodes that were stopped in order
 * @param membership the changes of the members, by kind
 * @param refusals how often a client with a list of all nodes was refused by each of them
 * @param duplicateBound deliveries in doubt, summed over all faults
 * @param problems further reasons why the run is not good, one sentence each
 */
public record ChaosReport(
    long seed,
    Duration duration,
    MessageTally account,
    int kills,
    int pauses,
    PlannedRestarts restarts,
    Map<String, Long> membership,
    int refusals,
    long duplicateBound,
    RecoveryTimes firstAcknowledgement,
    RecoveryTimes firstTakenOver,
    List<String> problems) {

  /** Median and worst of the times measured after each fault, in milliseconds. */
  public record RecoveryTimes(int measured, long median, long worst) {
    static RecoveryTimes of(List<Long> nanos) {
      if (nanos.isEmpty()) return new RecoveryTimes(0, 0, 0);
      List<Long> sorted = nanos.stream().sorted().toList();
      return new RecoveryTimes(
          sorted.size(),
          Duration.ofNanos(sorted.get(sorted.size() / 2)).toMillis(),
          Duration.ofNanos(sorted.getLast()).toMillis());
    }

    String toText() {
      if (measured == 0) return "not measured";
      return "median %d ms, worst %d ms (%d measured)".formatted(median, worst, measured);
    }
  }

  /** The restarts of nodes that were stopped in order. */
  public record PlannedRestarts(int count, long longestStopMillis) {
    static PlannedRestarts of(List<Duration> stopTimes) {
      long longest = stopTimes.stream().mapToLong(Duration::toMillis).max().orElse(0);
      return new PlannedRestarts(stopTimes.size(), longest);
    }
  }

  public boolean isGood() {
    return verdicts().isEmpty();
  }

  /** The reasons why the run is not good; empty when it is good. */
  public List<String> verdicts() {
    List<String> verdicts = new ArrayList<>();
    if (!account.lost().isEmpty()) verdicts.add(account.lost().size() + " acknowledged and LOST");
    if (account.corrupt() > 0) verdicts.add(account.corrupt() + " arrived changed");
    if (account.strangers() > 0)
      verdicts.add(account.strangers() + " arrived that this run did not send");
    if (account.repeatedQueueIds() > 0) {
      verdicts.add(account.repeatedQueueIds() + " queue ids were given out twice");
    }
    if (!account.addsUp()) verdicts.add("the tally does not add up");
    if (account.duplicates() > duplicateBound) {
      verdicts.add(
          "%d duplicates, more than the %d deliveries in doubt"
              .formatted(account.duplicates(), duplicateBound));
    }
    if (isPlannedOnly()) {
      if (refusals > 0) verdicts.add(refusals + " times no node accepted a message");
      if (account.unacknowledgedDelivered() > 0) {
        verdicts.add(
            account.unacknowledgedDelivered() + " were refused and delivered all the same");
      }
    }
    verdicts.addAll(problems);
    return verdicts;
  }

  /** Whether the nodes were restarted in order, and nothing else happened to them. */
  private boolean isPlannedOnly() {
    return restarts.count() > 0 && kills + pauses == 0;
  }

  String toText() {
    StringBuilder text = new StringBuilder();
    line(text, "acknowledged with 250", account.acknowledged());
    line(text, "  delivered once", account.deliveredOnce());
    line(text, "  delivered more often", account.deliveredMore());
    line(text, "  bounced", account.bounced());
    line(text, "  still queued", account.queued());
    line(text, "  LOST", account.lost().size());
    for (String lost : account.lost().subList(0, Math.min(10, account.lost().size()))) {
      text.append("    ").append(lost).append('\n');
    }
    line(text, "attempts without a 250", account.attempts() - account.acknowledged());
    line(text, "  delivered nevertheless", account.unacknowledgedDelivered());
    line(text, "  refused by all nodes", refusals);
    line(text, "duplicates", account.duplicates());
    line(text, "  in doubt at the faults", duplicateBound);
    line(text, "arrived changed", account.corrupt());
    text.append("faults                     ")
        .append("%d kills, %d pauses, seed %d%n".formatted(kills, pauses, seed));
    text.append("planned restarts           ")
        .append(
            "%d, the longest stop took %d ms%n"
                .formatted(restarts.count(), restarts.longestStopMillis()));
    if (!membership.isEmpty())
      text.append("changes of the members     ").append(membership).append('\n');
    text.append("kill to the first 250      ").append(firstAcknowledgement.toText()).append('\n');
    text.append("kill to taken-over mail    ").append(firstTakenOver.toText()).append('\n');
    text.append(
        String.format(
            Locale.ROOT, "time                       %.1f s%n", duration.toMillis() / 1e3));
    for (String verdict : verdicts()) text.append("NOT GOOD: ").append(verdict).append('\n');
    if (isGood()) text.append("GOOD: nothing lost, replicas equal, duplicates within the bound\n");
    return text.toString();
  }

  private static void line(StringBuilder text, String label, long count) {
    text.append(String.format(Locale.ROOT, "%-26s %d%n", label, count));
  }

  Map<String, Object> toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("good", isGood());
    json.put("verdicts", verdicts());
    json.put("seed", seed);
    json.put("seconds", duration.toMillis() / 1e3);
    json.put("account", account);
    json.put("kills", kills);
    json.put("pauses", pauses);
    json.put("restarts", restarts.count());
    json.put("membership", membership);
    json.put("longest_stop_ms", restarts.longestStopMillis());
    json.put("refusals", refusals);
    json.put("duplicate_bound", duplicateBound);
    json.put("kill_to_first_250_ms", firstAcknowledgement);
    json.put("kill_to_taken_over_ms", firstTakenOver);
    return json;
  }
}
