package org.quorumail.policy.checks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.DnsblSite;
import org.quorumail.policy.FakeSessionView;
import org.quorumail.policy.LocalPolicyState;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.policy.PolicyConfig.Consequence;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;

/** DNS lists, HELO, reverse DNS, greylisting, each on a fake name system and a fake clock. */
class ReputationFiltersTest {
  private static final MailAddress ANN = MailAddress.of("ann@local.example");

  @Test
  void aListedClientIsRefusedWithTheWordsOfTheList() {
    FakeSenderResolver names =
        new FakeSenderResolver()
            .address("1.2.0.192.bl.example", "127.0.0.2")
            .text("1.2.0.192.bl.example", "see http://bl.example");
    assertThat(ask(lists(names, null, "bl.example"), FakeSessionView.from("192.0.2.1")))
        .isEqualTo(
            "554 5.7.1 Your host [192.0.2.1] is listed by bl.example; see http://bl.example");
    assertThat(ask(lists(names, null, "bl.example"), FakeSessionView.from("192.0.2.2"))).isEmpty();
  }

  @Test
  void weightsAddUpCodesAreMatchedAndGoodListsExempt() {
    FakeSenderResolver names =
        new FakeSenderResolver()
            .address("1.2.0.192.one.example", "127.0.0.4")
            .address("1.2.0.192.two.example", "127.0.1.1")
            .address("1.2.0.192.good.example", "127.0.10.3")
            .address("1.2.0.192.hijacked.example", "203.0.113.1");
    FakeSessionView session = FakeSessionView.from("192.0.2.1");
    String one = "one.example=127.0.0.[2..4;10]*2";
    assertThat(ask(lists(names, null, one, "two.example=127.0.0.1"), session)).startsWith("554");
    assertThat(ask(lists(names, null, "one.example=127.0.0.[2;3]*2"), session)).isEmpty();
    assertThat(ask(lists(names, null, "hijacked.example*9"), session)).isEmpty();
    assertThat(ask(lists(names, null, one, "good.example*-1"), session)).isEmpty();
    MessageFilter good = lists(names, -3, "good.example=127.0.[0..255].3*-3").inSession(session);
    good.connect(session);
    assertThat(good.rcpt(session, ANN)).isInstanceOf(Verdict.Exempt.class);
  }

  @Test
  void aListThatDoesNotAnswerInTimeDoesNotCount() {
    FakeSenderResolver names =
        new FakeSenderResolver()
            .address("1.2.0.192.slow.example", "127.0.0.2")
            .hanging("slow.example");
    assertThat(ask(lists(names, null, "slow.example"), FakeSessionView.from("192.0.2.1")))
        .isEmpty();
  }

  @Test
  void addressesAreAskedForAsRfc5782Says() {
    assertThat(DnsLists.queryName(InetAddress.ofLiteral("192.0.2.99"), "bad.example"))
        .isEqualTo("99.2.0.192.bad.example");
    assertThat(
            DnsLists.queryName(InetAddress.ofLiteral("2001:db8:1:2:3:4:567:89ab"), "ugly.example"))
        .isEqualTo("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example");
  }

  @Test
  void sitesThatAreNotWrittenAsPostfixDoesAreRefused() {
    for (String bad :
        List.of(
            "a.example=127.0.0",
            "a.example=127.0.0.300",
            "a b",
            "a.example*x",
            "a.example=127.0.0.[5..2]",
            "a.example=127.0.0.1.2",
            "")) {
      assertThatThrownBy(() -> DnsblSite.parse(bad)).as(bad).isInstanceOf(RuntimeException.class);
    }
  }

  @Test
  void heloNamesAreJudgedAsConfigured() {
    FakeSenderResolver names =
        new FakeSenderResolver().address("real.example", "192.0.2.9").broken("later.example");
    Consequence no = Consequence.REJECT;
    HeloCheck check =
        new HeloCheck(new PolicyConfig.HeloConfig(no, no, Consequence.DEFER, no), names);
    FakeSessionView s = new FakeSessionView();
    assertThat(ask(check, s.saying("real.example"))).isEmpty();
    assertThat(ask(check, s.saying("later.example"))).isEmpty();
    assertThat(ask(check, s.saying("[192.0.2.1]"))).isEmpty();
    assertThat(ask(check, s.saying("[IPv6:2001:db8::1]"))).isEmpty();
    assertThat(ask(check, s.saying("none.example"))).startsWith("450 4.7.1");
    assertThat(ask(check, s.saying("localhost"))).startsWith("550 5.7.1");
    assertThat(ask(check, s.saying("192.0.2.1"))).startsWith("550");
    assertThat(ask(check, s.saying("[999.0.2.1]"))).startsWith("550");
    assertThat(ask(check, s.saying("-a.example"))).startsWith("550");
    assertThat(ask(check, s.saying("MX.test.example"))).startsWith("550");
    assertThat(ask(check, s.saying("[198.51.100.25]"))).startsWith("550");
    Consequence log = Consequence.LOG;
    HeloCheck logs = new HeloCheck(new PolicyConfig.HeloConfig(log, log, log, log), names);
    assertThat(ask(logs, s.saying("192.0.2.1"))).isEmpty();
  }

  @Test
  void aSenderWhomNoReportCouldReachIsRefused() {
    FakeSenderResolver names =
        new FakeSenderResolver()
            .mx("good.example", "mx.good.example")
            .nullMx("null.example")
            .broken("broken.example");
    SenderDomainCheck check =
        new SenderDomainCheck(
            new PolicyConfig.SenderDomainConfig(Consequence.DEFER, Consequence.REJECT), names);
    assertThat(ask(check, from("a@good.example"))).isEmpty();
    assertThat(ask(check, from("a@null.example"))).startsWith("550 5.7.27");
    assertThat(ask(check, from("a@missing.example"))).startsWith("450 4.1.8");
    assertThat(ask(check, from("a@broken.example"))).isEmpty();
    assertThat(ask(check, from("a@[192.0.2.9]"))).isEmpty();
    assertThat(ask(check, from(""))).isEmpty();
  }

  private static FakeSessionView from(String sender) {
    FakeSessionView session = FakeSessionView.from("192.0.2.1");
    session.sender = ReversePath.of(sender);
    return session;
  }

  @Test
  void reverseNamesMustLeadBack() {
    FakeSenderResolver names =
        new FakeSenderResolver()
            .name("192.0.2.1", "a.example")
            .address("a.example", "192.0.2.7", "192.0.2.1")
            .name("192.0.2.2", "b.example")
            .address("b.example", "192.0.2.7")
            .name("192.0.2.4", "c.example")
            .broken("c.example");
    ReverseDnsCheck check =
        new ReverseDnsCheck(
            new PolicyConfig.ReverseDnsConfig(Consequence.DEFER, Consequence.REJECT), names);
    assertThat(ask(check, FakeSessionView.from("192.0.2.1"))).isEmpty();
    assertThat(ask(check, FakeSessionView.from("192.0.2.2"))).startsWith("550 5.7.25");
    assertThat(ask(check, FakeSessionView.from("192.0.2.3"))).startsWith("450 4.7.25");
    assertThat(ask(check, FakeSessionView.from("192.0.2.4"))).isEmpty();
  }

  @Test
  void aStrangerPassesAfterTheDelayAndItsNetworkAfterSomePasses() {
    AtomicLong millis = new AtomicLong(1_000_000);
    LocalPolicyState state = new LocalPolicyState(1_000, () -> Instant.ofEpochMilli(millis.get()));
    Greylist grey =
        new Greylist(
            new PolicyConfig.GreylistConfig(
                true, Duration.ofMinutes(5), Duration.ofHours(1), Duration.ofDays(35), 2, 24, 64),
            state,
            () -> Instant.ofEpochMilli(millis.get()));
    FakeSessionView s = FakeSessionView.from("192.0.2.1");
    assertThat(ask(grey, s)).isEqualTo("450 4.7.1 Greylisted, try again in 300 seconds");
    millis.addAndGet(299_000);
    assertThat(ask(grey, s)).isEqualTo("450 4.7.1 Greylisted, try again in 1 seconds");
    assertThat(ask(grey, FakeSessionView.from("192.0.3.1"))).startsWith("450");
    millis.addAndGet(1_000);
    assertThat(ask(grey, FakeSessionView.from("192.0.2.200"))).isEmpty(); // the same /24
    assertThat(ask(grey, s)).isEmpty();
    MailAddress bob = MailAddress.of("bob@local.example");
    assertThat(grey.rcpt(s, bob)).isInstanceOf(Verdict.Defer.class);
    millis.addAndGet(3_600_000); // too late: it begins anew
    assertThat(grey.rcpt(s, bob)).isInstanceOf(Verdict.Defer.class);
    millis.addAndGet(301_000);
    assertThat(grey.rcpt(s, bob)).isEqualTo(Verdict.ACCEPT);
    assertThat(grey.rcpt(s, MailAddress.of("new@local.example"))).isEqualTo(Verdict.ACCEPT);
  }

  @Test
  void anotherSpellingOfAnAddressIsTheSameTriplet() {
    LocalPolicyState state = new LocalPolicyState(1_000, Instant::now);
    AtomicLong millis = new AtomicLong();
    Greylist grey =
        new Greylist(
            new PolicyConfig.GreylistConfig(
                true, Duration.ofMinutes(5), Duration.ofHours(1), Duration.ofDays(35), 0, 24, 64),
            state,
            () -> Instant.ofEpochMilli(millis.get()));
    FakeSessionView s = FakeSessionView.from("192.0.2.1");
    s.sender = org.quorumail.mail.ReversePath.of("\"a\"@client.example");
    assertThat(grey.rcpt(s, MailAddress.of("\"b\\ob\"@local.example")))
        .isInstanceOf(Verdict.Defer.class);
    millis.addAndGet(300_000);
    s.sender = org.quorumail.mail.ReversePath.of("A@client.example");
    assertThat(grey.rcpt(s, MailAddress.of("bob@local.example"))).isEqualTo(Verdict.ACCEPT);
  }

  @Test
  void oneIpv6NetworkIsOneClient() {
    LocalPolicyState state = new LocalPolicyState(1_000, Instant::now);
    PolicyConfig.RateLimitsConfig rates =
        new PolicyConfig.RateLimitsConfig(
            Optional.empty(),
            Optional.of(new org.quorumail.config.RateLimit(0.001, 1)),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(org.quorumail.config.Network.parse("203.0.113.0/24")),
            1_000);
    RateLimits limits = new RateLimits(rates, state);
    assertThat(limits.mail(FakeSessionView.from("2001:db8::1"))).isEqualTo(Verdict.ACCEPT);
    assertThat(limits.mail(FakeSessionView.from("2001:db8::2"))).isInstanceOf(Verdict.Defer.class);
    assertThat(limits.mail(FakeSessionView.from("2001:db8:0:1::2"))).isEqualTo(Verdict.ACCEPT);
    for (int i = 0; i < 3; i++) {
      assertThat(limits.mail(FakeSessionView.from("203.0.113.9"))).isEqualTo(Verdict.ACCEPT);
    }
  }

  private static DnsLists lists(
      FakeSenderResolver names, @org.jspecify.annotations.Nullable Integer allow, String... sites) {
    return new DnsLists(
        new PolicyConfig.DnsblConfig(
            java.util.Arrays.stream(sites).map(DnsblSite::parse).toList(),
            sites.length > 1 ? 2 : 1,
            Optional.ofNullable(allow),
            Duration.ofMillis(300)),
        names);
  }

  /** The reply of the filter to a recipient; empty when it accepts. */
  private static String ask(MessageFilter filter, SessionView session) {
    MessageFilter part = filter.inSession(session);
    part.connect(session);
    return switch (part.rcpt(session, ANN)) {
      case Verdict.Reject reject -> reject.reply().toString();
      case Verdict.Defer defer -> defer.reply().toString();
      default -> "";
    };
  }
}
