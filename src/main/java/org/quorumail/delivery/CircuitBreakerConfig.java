package org.quorumail.delivery;

import java.time.Duration;

public record CircuitBreakerConfig(int failures, Duration within, Duration openFor) {}
