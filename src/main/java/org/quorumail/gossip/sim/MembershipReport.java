package org.quorumail.gossip.sim;

/**
 * What a membership run measured; times in milliseconds.
 *
 * @param messagesPerSecond datagrams sent per node in the steady time
 * @param bytesPerSecond their bytes with IP and UDP headers, and the streams' payload, per node
 * @param firstDetected from a crash to the first view that holds the node dead
 * @param detectedByAll to the last one
 * @param detectionDelays from a crash to each view that came to hold the node dead
 * @param expectedDetections how many there are of those
 * @param undetected crashes that some view did not know of at the end
 * @param disagreeing nodes whose view was not exactly the running nodes 20 s after the last of the
 *     crashed came back
 * @param falseDeaths times that a running node's incarnation was declared dead, by whomever first
 * @param falseDeathsPerNodeHour the same by node and hour of the steady time
 * @param falseDeathViews views in which that arrived
 * @param falseSuspicionsPerNodeHour incarnations of running nodes that somebody suspected
 * @param healed from the end of the partition to equal views everywhere; -1: no partition, -2: not
 *     within the limit
 * @param refutations times that a node raised its incarnation
 * @param events handled by the engine
 */
public record MembershipReport(
    MembershipScenario scenario,
    double messagesPerSecond,
    double bytesPerSecond,
    Percentiles firstDetected,
    Percentiles detectedByAll,
    Percentiles detectionDelays,
    long expectedDetections,
    int undetected,
    int disagreeing,
    int falseDeaths,
    double falseDeathsPerNodeHour,
    long falseDeathViews,
    double falseSuspicionsPerNodeHour,
    long healed,
    long refutations,
    long events) {}
