package org.quorumail.smtp.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.quorumail.smtp.Reply;

class EhloCapabilitiesTest {
  @Test
  void keywordsHaveNoCaseAndTheFirstLineIsNone() {
    EhloCapabilities server = parse("SIZE.test", "pipelining", "Size 1000");
    assertThat(server.supports("PIPELINING")).isTrue();
    assertThat(server.supports("SIZE.TEST")).isFalse();
    assertThat(server.maxSize()).isEqualTo(1000);
    assertThat(EhloCapabilities.NONE.supports("SIZE")).isFalse();
  }

  @Test
  void anAbsentOrMalformedLimitIsNoLimit() {
    for (String size : new String[] {"SIZE", "SIZE 0", "SIZE x", "SIZE 1234567890123456789"}) {
      assertThat(parse("far.test", size).maxSize()).as(size).isEqualTo(Long.MAX_VALUE);
    }
    EhloCapabilities server = parse("far.test", "LIMITS RCPTMAX=5 MAILMAX=0 =1 RCPTDOMAINMAX");
    assertThat(server.maxRecipients()).isEqualTo(5);
    assertThat(server.maxTransactions()).isEqualTo(Integer.MAX_VALUE);
    assertThat(server.maxRecipientDomains()).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void randomLinesAreReadWithoutAFaultAndLimitsStayPositive() {
    String[] pieces = {
      "SIZE ", "LIMITS ", " ", "=", "RCPTMAX=", "MAILMAX", "7", "99999999999", "-", "x"
    };
    SplittableRandom random = new SplittableRandom(20261121);
    int limited = 0;
    for (int i = 0; i < 20_000; i++) {
      List<String> lines = new ArrayList<>(List.of("far.test"));
      for (int j = random.nextInt(4); j > 0; j--) {
        StringBuilder line = new StringBuilder();
        for (int k = random.nextInt(8); k > 0; k--)
          line.append(pieces[random.nextInt(pieces.length)]);
        lines.add(line.toString());
      }
      EhloCapabilities server = parse(lines.toArray(String[]::new));
      assertThat(server.maxSize()).isPositive();
      assertThat(server.maxRecipients()).isPositive();
      assertThat(server.maxTransactions()).isPositive();
      boolean anyLimit =
          server.maxSize() != Long.MAX_VALUE || server.maxRecipients() != Integer.MAX_VALUE;
      if (anyLimit) limited++;
    }
    assertThat(limited).isGreaterThan(100);
  }

  private static EhloCapabilities parse(String... lines) {
    return EhloCapabilities.parse(new Reply(250, Optional.empty(), List.of(lines)));
  }
}
