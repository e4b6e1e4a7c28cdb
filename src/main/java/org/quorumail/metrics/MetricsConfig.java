package org.quorumail.metrics;

public record MetricsConfig(boolean enabled) {}
