package org.quorumail.gossip.sim;

import org.HdrHistogram.Histogram;

/**
 * The measurements of a membership run; times in milliseconds.
 *
 * @param messagesPerSecond datagrams sent per node in the steady time
 * @param bytesPerSecond their bytes with IP and UDP headers, and the streams' payload, per node
 * @param firstDetected from a crash to the first view that declares the node dead
 * @param detectedByAll from a crash to the last such view
 * @param detectionDelays from a crash to each view that declares the node dead
 * @param expectedDetections the number of views that should declare a crashed node dead
 * @param undetected crashes that some view has not detected at the end
 * @param disagreeing nodes whose view was not exactly the running nodes 20 s after the last crashed
 *     node was restarted
 * @param falseDeaths incarnations of running nodes that were declared dead
 * @param falseDeathsPerNodeHour the same per node and hour of the steady time
 * @param falseDeathViews views that declared such an incarnation dead
 * @param falseSuspicionsPerNodeHour incarnations of running nodes that were suspected
 * @param healed from the end of the partition to equal views everywhere; -1 without a partition, -2
 *     beyond the limit
 * @param refutations times that a node raised its incarnation
 * @param events events that the engine has handled
 */
public record MembershipReport(
    MembershipScenario scenario,
    double messagesPerSecond,
    double bytesPerSecond,
    Histogram firstDetected,
    Histogram detectedByAll,
    Histogram detectionDelays,
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
