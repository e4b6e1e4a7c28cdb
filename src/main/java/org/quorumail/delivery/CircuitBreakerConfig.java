package org.quorumail.delivery;

import java.time.Duration;

/**
 * The limits of {@code [delivery.circuit_breaker]}.
 *
 * @param failures failures of one host within {@code within} that open its circuit
 * @param openFor time without attempts to that host
 */
public record CircuitBreakerConfig(int failures, Duration within, Duration openFor) {}
