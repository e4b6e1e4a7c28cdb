package org.quorumail.policy;

/**
 * What counts for the sessions that begin now.
 *
 * @param chain asked at each stage
 * @param tarpit how long who errs is kept waiting
 */
public record SessionPolicy(FilterChain chain, Tarpit tarpit) {}
