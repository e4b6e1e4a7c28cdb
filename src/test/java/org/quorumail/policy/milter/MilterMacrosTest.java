package org.quorumail.policy.milter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.FakeSessionView;

class MilterMacrosTest {
  private final FakeSessionView session = new FakeSessionView();

  @Test
  void whoLoggedInAndWhoSubmittedFirstAreTwo() {
    session.user = "alice@local.example";
    session.submitter = Optional.of(MailAddress.of("sales@local.example"));
    assertThat(atMail())
        .startsWith("M{auth_authen}|alice@local.example|{auth_author}|sales@local.example|");
  }

  @Test
  void whoSubmittedIsNotToldUnlessTheClientIsBelieved() {
    assertThat(atMail()).startsWith("M{mail_addr}|a@client.example|").doesNotContain("auth_");
  }

  private String atMail() {
    byte[] data = MilterMacros.packetData(MilterProtocol.MAIL, session, null);
    return new String(data, StandardCharsets.ISO_8859_1).replace('\0', '|');
  }
}
