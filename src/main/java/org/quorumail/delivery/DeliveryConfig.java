package org.quorumail.delivery;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.quorumail.dns.DnsConfig;
import org.quorumail.dsn.DsnConfig;
import org.quorumail.smtp.client.SmtpTimeouts;

/** The settings of {@code [delivery]} and the tables below it. */
public record DeliveryConfig(
    Duration scanInterval,
    Duration processInterval,
    int maxAttempts,
    Duration baseRetryDelay,
    Duration maxRetryDelay,
    double retryJitterFactor,
    Duration messageExpiration,
    Duration delayNoticeAfter,
    int maxConcurrentDeliveries,
    boolean acceptInvalidCerts,
    SmtpTimeouts smtpTimeouts,
    DnsConfig dns,
    CircuitBreakerConfig circuitBreaker,
    DsnConfig dsn,
    Optional<Path> classificationFile,
    AddressFamily addressFamily,
    Map<String, DomainConfig> domains) {

  /** The same with the retry schedule, the rule file and the domains of another reading. */
  public DeliveryConfig withReloadableOf(DeliveryConfig other) {
    return new DeliveryConfig(
        scanInterval,
        processInterval,
        other.maxAttempts,
        other.baseRetryDelay,
        other.maxRetryDelay,
        other.retryJitterFactor,
        other.messageExpiration,
        other.delayNoticeAfter,
        maxConcurrentDeliveries,
        acceptInvalidCerts,
        smtpTimeouts,
        dns,
        circuitBreaker,
        dsn,
        other.classificationFile,
        addressFamily,
        other.domains);
  }
}
