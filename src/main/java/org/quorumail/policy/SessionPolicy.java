package org.quorumail.policy;

/**
 * The policy of the sessions that begin now.
 *
 * @param chain filters of each stage
 * @param tarpit waits before the greeting and before replies to errors
 */
public record SessionPolicy(FilterChain chain, Tarpit tarpit) {}
