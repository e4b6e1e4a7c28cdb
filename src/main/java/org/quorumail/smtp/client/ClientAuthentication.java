package org.quorumail.smtp.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.exception.ScramException;
import com.ongres.scram.common.util.TlsServerEndpoint;
import java.io.IOException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpProtocolException;

/**
 * AUTH as its client, RFC 4954 §4, with the strongest mechanism that the server offers. No failure
 * here says anything about a recipient: the mail waits.
 */
final class ClientAuthentication {
  private static final EnhancedStatus REFUSED = new EnhancedStatus(4, 7, 8);
  private static final EnhancedStatus NOT_NOW = new EnhancedStatus(4, 7, 0);
  private static final EnhancedStatus BAD_CONFIGURATION = new EnhancedStatus(4, 3, 5);

  private static final int SUCCESS = 235;
  private static final int CONTINUE = 334;

  /** RFC 4954 §4: a longer command is sent without its initial response. */
  private static final int COMMAND_LENGTH_MAX = 510;

  /** A server chooses the number of rounds; each million costs about half a second. */
  private static final int ITERATIONS_MAX = 2_000_000;

  private final SmtpConnection connection;
  private final Login login;

  ClientAuthentication(SmtpConnection connection, Login login) {
    this.connection = connection;
    this.login = login;
  }

  /** Logs in; null when the server has let this node in. */
  @Nullable ConnectResult run() throws IOException {
    String secret;
    try {
      secret = login.secret().read();
    } catch (IOException e) {
      return new ConnectResult.LoginRefused(BAD_CONFIGURATION, String.valueOf(e.getMessage()));
    }
    Set<String> offered = connection.capabilities().authMechanisms();
    Reply reply;
    try {
      reply =
          switch (login.kind()) {
            case PASSWORD -> withPassword(offered, secret);
            case TOKEN -> withToken(offered, secret);
          };
    } catch (ScramException e) {
      return refused("the exchange failed: " + Escape.quoted(String.valueOf(e.getMessage())));
    } catch (IllegalArgumentException e) { // its message could show a part of the secret
      return refused("the name or the secret has characters that SASLprep (RFC 4013) forbids");
    }
    if (reply == null) {
      return refused(
          offered.isEmpty()
              ? "it does not offer AUTH"
              : "it offers none of the mechanisms for this login, but "
                  + String.join(" ", offered));
    }
    if (reply.code() == SUCCESS) return null;
    String answer = "the answer is " + Escape.quoted(reply.toString());
    if (reply.permanentFailure()) return refused(answer);
    return new ConnectResult.Unusable(NOT_NOW, text(answer));
  }

  private ConnectResult refused(String why) {
    return new ConnectResult.LoginRefused(REFUSED, text(why));
  }

  private String text(String why) {
    return "no login as " + login + " at " + connection.peer() + ": " + why;
  }

  /** Null when the server offers no mechanism that takes a password. */
  private @Nullable Reply withPassword(Set<String> offered, String password)
      throws IOException, ScramException {
    List<String> scram = new ArrayList<>();
    for (String name : List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")) {
      if (offered.contains(name)) scram.add(name);
    }
    byte[] binding = tlsServerEndpoint();
    if (binding.length == 0) scram.remove("SCRAM-SHA-256-PLUS");
    if (!scram.isEmpty()) return scram(scram, binding, password);
    if (offered.contains("PLAIN")) {
      return begin("PLAIN", ("\0" + login.username() + "\0" + password).getBytes(UTF_8));
    }
    return offered.contains("LOGIN") ? login(password) : null;
  }

  /** RFC 5802 §5: the server must prove that it knows the password too. */
  private Reply scram(List<String> mechanisms, byte[] binding, String password)
      throws IOException, ScramException {
    ScramClient client =
        ScramClient.builder()
            .advertisedMechanisms(mechanisms)
            .username(login.username())
            .password(password.toCharArray())
            .channelBinding(TlsServerEndpoint.TLS_SERVER_END_POINT, binding)
            .build();
    String first = client.clientFirstMessage().toString();
    Reply reply = begin(client.getScramMechanism().getName(), first.getBytes(UTF_8));
    requireProof(reply);
    if (reply.code() != CONTINUE) return reply;
    int iterations = client.serverFirstMessage(challenge(reply)).getIterationCount();
    if (iterations > ITERATIONS_MAX) {
      throw new SmtpProtocolException("the server asks for " + iterations + " iterations", "");
    }
    reply = respond(client.clientFinalMessage().toString().getBytes(UTF_8));
    requireProof(reply);
    if (reply.code() != CONTINUE) return reply;
    client.serverFinalMessage(challenge(reply));
    return respond(new byte[0]);
  }

  private static void requireProof(Reply reply) throws IOException {
    if (reply.code() == SUCCESS)
      throw new SmtpProtocolException("235 without the server's proof", reply.toString());
  }

  /** The two prompts of LOGIN are not read: servers word them as they like. */
  private Reply login(String password) throws IOException {
    Reply reply = connection.exchange("AUTH LOGIN");
    if (reply.code() != CONTINUE) return reply;
    reply = respond(login.username().getBytes(UTF_8));
    return reply.code() == CONTINUE ? respond(password.getBytes(UTF_8)) : reply;
  }

  /**
   * Null when the server takes no tokens. After a refusal it sends details and waits for a word.
   */
  private @Nullable Reply withToken(Set<String> offered, String token) throws IOException {
    String name = login.username();
    if (offered.contains("OAUTHBEARER")) {
      String escaped = name.replace("=", "=3D").replace(",", "=2C"); // RFC 5801 §4
      String first = "n,a=" + escaped + ",\1auth=Bearer " + token + "\1\1"; // RFC 7628 §3.1
      Reply reply = begin("OAUTHBEARER", first.getBytes(UTF_8));
      return reply.code() == CONTINUE ? respond(new byte[] {1}) : reply;
    }
    if (offered.contains("XOAUTH2")) {
      String first = "user=" + name + "\1auth=Bearer " + token + "\1\1";
      Reply reply = begin("XOAUTH2", first.getBytes(UTF_8));
      return reply.code() == CONTINUE ? respond(new byte[0]) : reply;
    }
    return null;
  }

  private Reply begin(String mechanism, byte[] initialResponse) throws IOException {
    String command = "AUTH " + mechanism + " " + base64(initialResponse);
    if (command.length() <= COMMAND_LENGTH_MAX) return connection.exchange(command);
    Reply reply = connection.exchange("AUTH " + mechanism);
    return reply.code() == CONTINUE ? respond(initialResponse) : reply;
  }

  private Reply respond(byte[] response) throws IOException {
    return connection.exchange(base64(response));
  }

  private static String base64(byte[] data) {
    return Base64.getEncoder().encodeToString(data);
  }

  private static String challenge(Reply reply) throws IOException {
    String text = reply.lines().getFirst().strip();
    try {
      return new String(Base64.getDecoder().decode(text), UTF_8);
    } catch (IllegalArgumentException e) {
      throw new SmtpProtocolException("a challenge that is not base64", text);
    }
  }

  /** RFC 5929 §4; nothing without TLS or for a signature that it does not cover. */
  private byte[] tlsServerEndpoint() {
    var session = connection.tlsSession();
    if (session.isEmpty()) return new byte[0];
    try {
      return session.get().getPeerCertificates()[0] instanceof X509Certificate certificate
          ? TlsServerEndpoint.getChannelBindingData(certificate)
          : new byte[0];
    } catch (SSLPeerUnverifiedException | CertificateEncodingException e) {
      return new byte[0];
    }
  }
}
