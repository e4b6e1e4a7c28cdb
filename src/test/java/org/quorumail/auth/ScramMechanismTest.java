package org.quorumail.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.auth.SaslMechanism.SaslStep;

class ScramMechanismTest {
  private static final byte[] NOTHING = {};
  private static final byte[] BINDING = {1, 2, 3, 4};
  private static final ChannelBindings NO_TLS = ChannelBindings.none();
  private static final ChannelBindings TLS = new ChannelBindings(Map.of("tls-exporter", BINDING));

  private final FakeUserStore users = FakeUserStore.with("alice", "pencil");

  @Test
  void theExchangeOfRfc7677Section3GoesAsPrinted() {
    byte[] salt = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    FakeUserStore rfc =
        new FakeUserStore(new User("user", Set.of()), ScramKeys.derive("pencil", salt, 4096));
    String serverNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    ScramMechanism scram = new ScramMechanism(rfc, false, NO_TLS, false, serverNonce);
    assertThat(said(scram.evaluateResponse(octets("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))))
        .isEqualTo(
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    String last =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    assertThat(said(scram.evaluateResponse(octets(last))))
        .isEqualTo("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    assertThat(scram.evaluateResponse(NOTHING)).isInstanceOf(SaslStep.Authenticated.class);
  }

  @Test
  void storedKeysSurviveTheirTextForm() {
    ScramKeys keys = ScramKeys.derive("pencil", new byte[16], 4096);
    ScramKeys read = ScramKeys.parse(keys.text());
    assertThat(read.matches(keys)).isTrue();
    assertThat(read.serverKey()).isEqualTo(keys.serverKey());
    assertThat(keys.toString())
        .doesNotContain(Base64.getEncoder().encodeToString(keys.storedKey()));
  }

  @Test
  void aWrongPasswordAndAnUnknownNameGetTheSameAnswers() {
    SaslStep wrong = whole(plain("alice", "pen"), "n,,");
    SaslStep unknown = whole(plain("mallory", "pencil"), "n,,");
    assertThat(wrong).isEqualTo(new SaslStep.Denied("alice", "wrong name or password"));
    assertThat(unknown).isEqualTo(new SaslStep.Denied("mallory", "wrong name or password"));
  }

  /** T27: a proof recorded in one exchange is worthless in another. */
  @Test
  void aRecordedProofIsRefusedInAnotherExchange() {
    ScramClient client = plain("alice", "pencil");
    ScramMechanism first = new ScramMechanism(users, false, NO_TLS, false, "one");
    byte[] recorded = client.last(challenge(first.evaluateResponse(client.first())));
    ScramMechanism second = new ScramMechanism(users, false, NO_TLS, false, "two");
    second.evaluateResponse(client.first());
    assertThat(second.evaluateResponse(recorded))
        .isEqualTo(new SaslStep.Denied("alice", "the nonce belongs to another exchange"));
  }

  @Test
  void theChannelBindingIsPartOfTheProof() {
    ScramClient right = new ScramClient("p=tls-exporter,,", BINDING, "alice", "pencil", "abc");
    assertThat(whole(right, true, TLS)).isInstanceOf(SaslStep.Authenticated.class);
    byte[] other = {9, 9, 9, 9};
    ScramClient elsewhere = new ScramClient("p=tls-exporter,,", other, "alice", "pencil", "abc");
    assertThat(whole(elsewhere, true, TLS))
        .isEqualTo(new SaslStep.Denied("alice", "the channel binding does not match"));
    ScramClient unique = new ScramClient("p=tls-unique,,", BINDING, "alice", "pencil", "abc");
    assertThat(whole(unique, true, TLS)).isInstanceOf(SaslStep.Denied.class);
  }

  @Test
  void aClientThatWasNotShownTheOfferOfChannelBindingIsRefused() {
    ScramMechanism scram = new ScramMechanism(users, false, TLS, true, "nonce");
    assertThat(scram.evaluateResponse(octets("y,,n=alice,r=abc")))
        .isInstanceOf(SaslStep.Denied.class);
    ScramMechanism without = new ScramMechanism(users, false, NO_TLS, false, "nonce");
    assertThat(without.evaluateResponse(octets("y,,n=alice,r=abc")))
        .isInstanceOf(SaslStep.Challenge.class);
  }

  @Test
  void theServerProvesThatItHasTheKeys() {
    ScramClient client = plain("alice", "pencil");
    ScramMechanism scram = new ScramMechanism(users, false, NO_TLS, false, "nonce");
    byte[] last = client.last(challenge(scram.evaluateResponse(client.first())));
    assertThat(challenge(scram.evaluateResponse(last)))
        .isEqualTo(client.expectedOfServer(users.scramCredentials("alice").keys()));
  }

  @Test
  void whoWantsToActAsSomebodyElseIsDenied() {
    assertThat(whole(plain("alice", "pencil"), "n,a=bob,")).isInstanceOf(SaslStep.Denied.class);
    assertThat(whole(plain("alice", "pencil"), "n,a=alice,"))
        .isInstanceOf(SaslStep.Authenticated.class);
  }

  @Test
  void commasAndEqualsSignsInNamesAreDecoded() {
    FakeUserStore odd = FakeUserStore.with("a,b=c", "pencil");
    ScramClient client = new ScramClient("n,,", NOTHING, "a=2Cb=3Dc", "pencil", "abc");
    ScramMechanism scram = new ScramMechanism(odd, false, NO_TLS, false, "nonce");
    scram.evaluateResponse(client.last(challenge(scram.evaluateResponse(client.first()))));
    assertThat(scram.evaluateResponse(NOTHING)).isInstanceOf(SaslStep.Authenticated.class);
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
    ScramMechanism scram = new ScramMechanism(users, false, NO_TLS, false, "nonce");
    assertThat(scram.evaluateResponse(octets(message))).isInstanceOf(SaslStep.Malformed.class);
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
    ScramMechanism scram = new ScramMechanism(users, false, NO_TLS, false, "nonce");
    scram.evaluateResponse(octets("n,,n=alice,r=abc"));
    assertThat(scram.evaluateResponse(octets(message))).isInstanceOf(SaslStep.Malformed.class);
  }

  @Test
  void nothingFollowsTheServersProof() {
    ScramClient client = plain("alice", "pencil");
    ScramMechanism scram = new ScramMechanism(users, false, NO_TLS, false, "nonce");
    scram.evaluateResponse(client.last(challenge(scram.evaluateResponse(client.first()))));
    assertThat(scram.evaluateResponse(octets("more"))).isInstanceOf(SaslStep.Malformed.class);
  }

  private static ScramClient plain(String name, String password) {
    return new ScramClient("n,,", NOTHING, name, password, "fyko+d2lbbFgONRv9qkxdawL");
  }

  private SaslStep whole(ScramClient client, String header) {
    String name = client.bare.substring(2, client.bare.indexOf(','));
    return whole(new ScramClient(header, NOTHING, name, client.password, "abc"), false, NO_TLS);
  }

  private SaslStep whole(ScramClient client, boolean plus, ChannelBindings bindings) {
    ScramMechanism scram = new ScramMechanism(users, plus, bindings, plus, "server-nonce");
    SaslStep first = scram.evaluateResponse(client.first());
    if (!(first instanceof SaslStep.Challenge)) return first;
    SaslStep last = scram.evaluateResponse(client.last(challenge(first)));
    return last instanceof SaslStep.Challenge ? scram.evaluateResponse(NOTHING) : last;
  }

  private static byte[] challenge(SaslStep step) {
    assertThat(step).isInstanceOf(SaslStep.Challenge.class);
    return ((SaslStep.Challenge) step).data();
  }

  private static String said(SaslStep step) {
    return new String(challenge(step), StandardCharsets.UTF_8);
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
