package org.quorumail.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.PolicyConfig.Consequence;

class FilterSessionTest {
  private static final MailAddress ANN = MailAddress.of("ann@local.example");
  private final FakeSessionView session = new FakeSessionView();

  @Test
  void theFirstRefusalCountsAndNobodyIsAskedAfterIt() {
    List<String> asked = new ArrayList<>();
    FilterSession screening =
        screening(
            mail("one", asked, Verdict.ACCEPT),
            mail("two", asked, Verdict.reject(550, "5.7.1", "no")),
            mail("three", asked, Verdict.ACCEPT));
    assertThat(screening.mail()).hasValueSatisfying(r -> assertThat(r.code()).isEqualTo(550));
    assertThat(asked).containsExactly("one", "two");
  }

  @Test
  void reputationIsNotJudgedOfTrustedAndExemptedClients() {
    List<String> asked = new ArrayList<>();
    MessageFilter reputation = reputation(mail("reputation", asked, Verdict.ACCEPT));
    screening(mail("allow", asked, new Verdict.Exempt("known")), reputation).mail();
    assertThat(asked).containsExactly("allow");
    session.trusted = true;
    screening(reputation).mail();
    assertThat(asked).containsExactly("allow");
    session.trusted = false;
    screening(reputation).mail();
    assertThat(asked).containsExactly("allow", "reputation");
  }

  @Test
  void anExemptionOfOneRecipientIsNotOneForTheNext() {
    List<String> asked = new ArrayList<>();
    MessageFilter allowsAnn =
        new MessageFilter() {
          @Override
          public Verdict rcpt(SessionView s, MailAddress recipient) {
            return recipient.equals(ANN) ? new Verdict.Exempt("ann") : Verdict.ACCEPT;
          }
        };
    MessageFilter counting =
        reputation(
            new MessageFilter() {
              @Override
              public Verdict rcpt(SessionView s, MailAddress recipient) {
                asked.add(recipient.localPart());
                return Verdict.ACCEPT;
              }
            });
    FilterSession screening = screening(allowsAnn, counting);
    screening.rcpt(ANN);
    screening.rcpt(MailAddress.of("bob@local.example"));
    assertThat(asked).containsExactly("bob");
  }

  @Test
  void aFilterThatThrowsDefersTheMail() {
    MessageFilter broken =
        new MessageFilter() {
          @Override
          public Verdict mail(SessionView s) {
            throw new IllegalStateException("broken");
          }

          @Override
          public Verdict data(SessionView s, MessageContent content) throws IOException {
            throw new IOException("cannot read");
          }
        };
    FilterSession screening = screening(broken);
    assertThat(screening.mail()).hasValueSatisfying(r -> assertThat(r.code()).isEqualTo(451));
    assertThat(screening.judge(content("x\r\n"))).isInstanceOf(MessageVerdict.Refuse.class);
  }

  @Test
  void laterFiltersSeeWhatEarlierOnesChangedAndAQuarantineStays() throws IOException {
    List<String> seen = new ArrayList<>();
    MessageFilter adds = data(c -> Verdict.addHeader("X-One", "1"));
    MessageFilter holds = data(c -> new Verdict.Quarantine("suspicious"));
    MessageFilter reads =
        data(
            c -> {
              seen.add(text(c));
              return Verdict.ACCEPT;
            });
    MessageVerdict judgement = screening(adds, holds, reads).judge(content("a: b\r\n\r\nc\r\n"));
    assertThat(seen).containsExactly("X-One: 1\r\na: b\r\n\r\nc\r\n");
    assertThat(judgement)
        .isInstanceOfSatisfying(
            MessageVerdict.Accept.class,
            t -> assertThat(t.holdReason().orElse("")).contains("suspicious"));
  }

  @Test
  void fieldsAddedBeforeTheContentNeedNoGathering() throws IOException {
    MessageFilter adds =
        new MessageFilter() {
          @Override
          public Verdict connect(SessionView s) {
            return Verdict.addHeader("X-Seen", "yes");
          }

          @Override
          public boolean readsContent(SessionView s) {
            return false;
          }
        };
    FilterSession screening = screening(adds);
    screening.connect();
    assertThat(screening.needsContent()).isFalse();
    MessageVerdict.Accept take = (MessageVerdict.Accept) screening.judgeWithoutContent();
    assertThat(text(take.content())).isEqualTo("X-Seen: yes\r\n");
    screening.reset();
    assertThat(text(((MessageVerdict.Accept) screening.judgeWithoutContent()).content()))
        .isEqualTo("X-Seen: yes\r\n");
  }

  @Test
  void aLateFilterHasTheConfiguredConsequenceAndIsInterrupted() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    MessageFilter slow =
        new MessageFilter() {
          @Override
          public Verdict mail(SessionView s) {
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              interrupted.countDown();
            }
            return Verdict.ACCEPT;
          }

          @Override
          public Verdict connect(SessionView s) {
            throw new IllegalStateException("broken");
          }
        };
    Duration soon = Duration.ofMillis(20);
    assertThat(new TimeLimitedFilter(slow, soon, Consequence.DEFER).mail(session))
        .isInstanceOf(Verdict.Defer.class);
    interrupted.await();
    assertThat(new TimeLimitedFilter(slow, soon, Consequence.NONE).mail(session))
        .isEqualTo(Verdict.ACCEPT);
    assertThat(new TimeLimitedFilter(slow, soon, Consequence.REJECT).connect(session))
        .isInstanceOf(Verdict.Reject.class);
  }

  /** A call whose thread never ran before its timeout gives its permit back too. */
  @Test
  void callsThatAreOverHoldNoPermit() {
    MessageFilter filter = new MessageFilter() {};
    TimeLimitedFilter impatient = new TimeLimitedFilter(filter, Duration.ZERO, Consequence.NONE);
    for (int i = 0; i < 500; i++) impatient.mail(session);
    Awaitility.await().until(() -> impatient.runningCalls() == 0);
  }

  @Test
  void aClosedSessionAsksNoFilter() {
    FilterSession closed = screening(data(c -> Verdict.ACCEPT));
    closed.close();
    assertThatThrownBy(closed::mail).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aFilterThatCannotEvenBeginDefersTheSession() {
    MessageFilter broken =
        new MessageFilter() {
          @Override
          public String name() {
            throw new IllegalStateException("nameless");
          }

          @Override
          public MessageFilter inSession(SessionView s) {
            throw new NoClassDefFoundError("com/example/Missing");
          }

          @Override
          public boolean readsContent(SessionView s) {
            throw new IllegalStateException("broken");
          }
        };
    TimeLimitedFilter guarded =
        new TimeLimitedFilter(broken, Duration.ofSeconds(10), Consequence.DEFER);
    assertThat(guarded.readsContent(session)).isTrue();
    MessageFilter part = guarded.inSession(session);
    assertThat(part.connect(session)).isInstanceOf(Verdict.Defer.class);
    assertThat(part.mail(session)).isEqualTo(Verdict.ACCEPT);
  }

  @Test
  void envelopesAreChangedByFiltersFirstAndByAliasesLast() {
    Envelope envelope =
        new Envelope(
            new ReversePath.Null(), List.of(ANN, MailAddress.of("x@y")), BodyType.SEVEN_BIT);
    MailAddress bob = MailAddress.of("bob@z");
    Envelope changed =
        EnvelopeEditor.apply(
            envelope,
            List.of(
                new Edit.RewriteRecipient(ANN, List.of(bob, MailAddress.of("c@z"))),
                new Edit.RemoveRecipient(MailAddress.of("X@Y")),
                new Edit.AddRecipient(bob),
                new Edit.ChangeSender(ReversePath.of("s@t"))));
    assertThat(changed.recipients()).extracting(Object::toString).containsExactly("bob@z", "c@z");
    assertThat(changed.reversePath()).isEqualTo(ReversePath.of("s@t"));
  }

  private FilterSession screening(MessageFilter... filters) {
    return new FilterChain(List.of(filters), new SimpleMeterRegistry()).open(session);
  }

  private static MessageFilter mail(String name, List<String> asked, Verdict verdict) {
    return new MessageFilter() {
      @Override
      public Verdict mail(SessionView s) {
        asked.add(name);
        return verdict;
      }
    };
  }

  private static MessageFilter reputation(MessageFilter filter) {
    return new MessageFilter() {
      @Override
      public Verdict mail(SessionView s) {
        return filter.mail(s);
      }

      @Override
      public Verdict rcpt(SessionView s, MailAddress recipient) {
        return filter.rcpt(s, recipient);
      }

      @Override
      public boolean judgesReputation() {
        return true;
      }
    };
  }

  private interface Reading {
    Verdict judge(MessageContent content) throws IOException;
  }

  private static MessageFilter data(Reading reading) {
    return new MessageFilter() {
      @Override
      public Verdict data(SessionView s, MessageContent content) throws IOException {
        return reading.judge(content);
      }
    };
  }

  private static MessageContent content(String text) {
    return new InMemoryContent(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String text(MessageContent content) throws IOException {
    try (InputStream in = content.open()) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
