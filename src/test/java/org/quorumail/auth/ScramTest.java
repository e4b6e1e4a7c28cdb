package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.auth.Mechanism.Step;

class ScramTest {
  private static final byte[] NOTHING = {};
  private static final byte[] BINDING = {1, 2, 3, 4};
  private static final ChannelBindings NO_TLS = ChannelBindings.none();
  private static final ChannelBindings TLS = new ChannelBindings(Map.of("tls-exporter", BINDING));

  private final FixedUsers users = FixedUsers.with("alice", "pencil");

  @Test
  void theExchangeOfRfc7677Section3GoesAsPrinted() {
    byte[] salt = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    FixedUsers rfc =
        new FixedUsers(new User("user", Set.of()), ScramKeys.derive("pencil", salt, 4096));
    String serverNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    Scram scram = new Scram(rfc, false, NO_TLS, false, serverNonce);
    assertThat(said(scram.next(octets("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))))
        .isEqualTo(
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    String last =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    assertThat(said(scram.next(octets(last))))
        .isEqualTo("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    assertThat(scram.next(NOTHING)).isInstanceOf(Step.Authenticated.class);
  }

  @Test
  void storedKeysSurviveTheirTextForm() {
    ScramKeys keys = ScramKeys.derive("pencil", new byte[16], 4096);
    ScramKeys read = ScramKeys.parse(keys.text());
    assertThat(read.sameAs(keys)).isTrue();
    assertThat(read.serverKey()).isEqualTo(keys.serverKey());
    assertThat(keys.toString())
        .doesNotContain(Base64.getEncoder().encodeToString(keys.storedKey()));
  }

  @Test
  void aWrongPasswordAndAnUnknownNameGetTheSameAnswers() {
    Step wrong = whole(plain("alice", "pen"), "n,,");
    Step unknown = whole(plain("mallory", "pencil"), "n,,");
    assertThat(wrong).isEqualTo(new Step.Denied("alice", "wrong name or password"));
    assertThat(unknown).isEqualTo(new Step.Denied("mallory", "wrong name or password"));
  }

  /** T27: what was heard in one exchange proves nothing in another. */
  @Test
  void aRecordedProofIsRefusedInAnotherExchange() {
    ScramClient client = plain("alice", "pencil");
    Scram first = new Scram(users, false, NO_TLS, false, "one");
    byte[] recorded = client.last(challenge(first.next(client.first())));
    Scram second = new Scram(users, false, NO_TLS, false, "two");
    second.next(client.first());
    assertThat(second.next(recorded))
        .isEqualTo(new Step.Denied("alice", "a nonce of another exchange"));
  }

  @Test
  void theChannelBindingIsPartOfTheProof() {
    ScramClient right = new ScramClient("p=tls-exporter,,", BINDING, "alice", "pencil", "abc");
    assertThat(whole(right, true, TLS)).isInstanceOf(Step.Authenticated.class);
    byte[] other = {9, 9, 9, 9};
    ScramClient elsewhere = new ScramClient("p=tls-exporter,,", other, "alice", "pencil", "abc");
    assertThat(whole(elsewhere, true, TLS))
        .isEqualTo(new Step.Denied("alice", "the channel is not the one that was bound"));
    ScramClient unique = new ScramClient("p=tls-unique,,", BINDING, "alice", "pencil", "abc");
    assertThat(whole(unique, true, TLS)).isInstanceOf(Step.Denied.class);
  }

  @Test
  void aClientThatWasNotShownTheOfferOfChannelBindingIsRefused() {
    Scram scram = new Scram(users, false, TLS, true, "nonce");
    assertThat(scram.next(octets("y,,n=alice,r=abc"))).isInstanceOf(Step.Denied.class);
    Scram without = new Scram(users, false, NO_TLS, false, "nonce");
    assertThat(without.next(octets("y,,n=alice,r=abc"))).isInstanceOf(Step.Challenge.class);
  }

  @Test
  void theServerProvesThatItHasTheKeys() {
    ScramClient client = plain("alice", "pencil");
    Scram scram = new Scram(users, false, NO_TLS, false, "nonce");
    byte[] last = client.last(challenge(scram.next(client.first())));
    assertThat(challenge(scram.next(last)))
        .isEqualTo(client.expectedOfServer(users.scram("alice").keys()));
  }

  @Test
  void whoWantsToActAsSomebodyElseIsDenied() {
    assertThat(whole(plain("alice", "pencil"), "n,a=bob,")).isInstanceOf(Step.Denied.class);
    assertThat(whole(plain("alice", "pencil"), "n,a=alice,"))
        .isInstanceOf(Step.Authenticated.class);
  }

  @Test
  void commasAndEqualsSignsInNamesAreDecoded() {
    FixedUsers odd = FixedUsers.with("a,b=c", "pencil");
    ScramClient client = new ScramClient("n,,", NOTHING, "a=2Cb=3Dc", "pencil", "abc");
    Scram scram = new Scram(odd, false, NO_TLS, false, "nonce");
    scram.next(client.last(challenge(scram.next(client.first()))));
    assertThat(scram.next(NOTHING)).isInstanceOf(Step.Authenticated.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "n",
        "n,,",
        "n,,n=alice",
        "n,,r=abc,n=alice",
        "n,,m=ext,n=alice,r=abc",
        "n,,n=al=ice,r=abc",
        "n,,n=,r=abc",
        "n,,n=alice,r=",
        "n,,n=alice,r=a\tb",
        "n,alice,n=alice,r=abc",
        "x,,n=alice,r=abc",
        "p=tls-exporter,,n=alice,r=abc"
      })
  void whatIsNoFirstMessageIsMalformed(String message) {
    Scram scram = new Scram(users, false, NO_TLS, false, "nonce");
    assertThat(scram.next(octets(message))).isInstanceOf(Step.Malformed.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "c=biws",
        "c=biws,r=abcnonce",
        "c=biws,r=abcnonce,p=",
        "c=!,r=abcnonce,p=AA==",
        "r=abcnonce,c=biws,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
      })
  void whatIsNoLastMessageIsMalformed(String message) {
    Scram scram = new Scram(users, false, NO_TLS, false, "nonce");
    scram.next(octets("n,,n=alice,r=abc"));
    assertThat(scram.next(octets(message))).isInstanceOf(Step.Malformed.class);
  }

  @Test
  void nothingFollowsTheServersProof() {
    ScramClient client = plain("alice", "pencil");
    Scram scram = new Scram(users, false, NO_TLS, false, "nonce");
    scram.next(client.last(challenge(scram.next(client.first()))));
    assertThat(scram.next(octets("more"))).isInstanceOf(Step.Malformed.class);
  }

  private static ScramClient plain(String name, String password) {
    return new ScramClient("n,,", NOTHING, name, password, "fyko+d2lbbFgONRv9qkxdawL");
  }

  private Step whole(ScramClient client, String header) {
    String name = client.bare.substring(2, client.bare.indexOf(','));
    return whole(new ScramClient(header, NOTHING, name, client.password, "abc"), false, NO_TLS);
  }

  private Step whole(ScramClient client, boolean plus, ChannelBindings bindings) {
    Scram scram = new Scram(users, plus, bindings, plus, "server-nonce");
    Step first = scram.next(client.first());
    if (!(first instanceof Step.Challenge)) return first;
    Step last = scram.next(client.last(challenge(first)));
    return last instanceof Step.Challenge ? scram.next(NOTHING) : last;
  }

  private static byte[] challenge(Step step) {
    assertThat(step).isInstanceOf(Step.Challenge.class);
    return ((Step.Challenge) step).data();
  }

  private static String said(Step step) {
    return new String(challenge(step), StandardCharsets.UTF_8);
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
