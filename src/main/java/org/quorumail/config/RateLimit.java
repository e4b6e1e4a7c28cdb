package org.quorumail.config;

/** {@code "10/s burst 20"}. */
public record RateLimit(double perSecond, int burst) {}
