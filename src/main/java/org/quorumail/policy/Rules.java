package org.quorumail.policy;

/**
 * What counts for the sessions that begin now.
 *
 * @param chain asked at each stage
 * @param tarpit how long who errs is kept waiting
 */
public record Rules(FilterChain chain, Tarpit tarpit) {}
