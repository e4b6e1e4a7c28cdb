package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QueueCriteriaTest {
  @Test
  void aFilterIsReadAsItIsWritten() {
    QueueCriteria filter =
        new QueueCriteria(
            "retry", "me@x.test", "you+a&b@", "y.test", 60_000, 5_000, 3, "a b=c", "network");
    assertThat(read(filter.query())).isEqualTo(filter);
    assertThat(read("")).isEqualTo(QueueCriteria.ALL);
    assertThat(QueueCriteria.ALL.query()).isEmpty();
    assertThat(filter.isNew()).isTrue();
    assertThat(read("status=retry&domain=Y.test&sender=me&older_than=1h").isNew()).isFalse();
    assertThat(read("domain=B\u00fccher.test").domain()).isEqualTo("xn--bcher-kva.test");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          sendr=a | there is no filter "sendr"; did you mean sender?
          colour=red | there is no filter "colour"; there are status, sender, recipient, domain
          class=mailbox-ful | there is no class "mailbox-ful"; did you mean mailbox-full?
          status=retri | status is one of
          attempts=many | attempts is a number
          larger=big | not a size
          older_than=long | not a duration
          domain=a..b | not a host name
          """)
  void whatIsMisspeltIsRefused(String query, String sentence) {
    assertThatThrownBy(() -> read(query))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(sentence);
  }

  private static QueueCriteria read(String query) {
    ApiRequest request =
        ApiRequest.ofTarget(
            "GET", "/api/queue?" + query, new byte[0], ApiRequest.Caller.OPERATOR, "me", "here");
    return QueueCriteria.read(request, List.of("cursor"));
  }
}
