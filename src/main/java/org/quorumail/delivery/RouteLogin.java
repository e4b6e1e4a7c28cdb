package org.quorumail.delivery;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.DomainPattern;
import org.quorumail.config.Section;
import org.quorumail.config.TextFile;
import org.quorumail.smtp.client.Login;
import org.quorumail.smtp.client.TlsRule;

/**
 * One {@code [[route.login]]}: the account for mail of senders whose domain fits the pattern.
 *
 * @param key of the file in the configuration
 * @param file with the secret on its first line
 */
public record RouteLogin(DomainPattern sender, Login login, String key, Path file) {
  /** A token of an identity provider has some thousand bytes. */
  private static final int SECRET_BYTES_MAX = 16 << 10;

  static List<RouteLogin> readAll(Section route) {
    List<RouteLogin> logins = new ArrayList<>();
    for (Section login : route.sections("login", 0)) read(login).ifPresent(logins::add);
    return List.copyOf(logins);
  }

  /** Nothing when the table has a problem, which is then reported. */
  private static Optional<RouteLogin> read(Section login) {
    DomainPattern sender =
        login.value(
            "sender",
            "domain pattern",
            "*",
            new DomainPattern("*"),
            "domain of the senders: \"example.org\", \"*.example.org\" or \"*\"; the first login"
                + " that fits counts, without one mail goes out without a login",
            DomainPattern::parse);
    String username = login.text("username", "", "account at the next hop");
    Optional<Path> password =
        login.optional(
            "password_file",
            "path",
            "",
            "file with the password on its first line, read at each login",
            Path::of);
    Optional<Path> token =
        login.optional(
            "token_file",
            "path",
            "",
            "file with an access token for OAUTHBEARER or XOAUTH2, read at each login",
            Path::of);
    TlsRule tls =
        login.choice(
            "tls",
            TlsRule.class,
            TlsRule.VERIFIED,
            "TLS that the login needs; with \"opportunistic\" the secret may cross the network in"
                + " plain text");
    if (username.isBlank() || username.chars().anyMatch(Character::isISOControl)) {
      if (!login.hasProblem("username"))
        login.problem("username", "must name the account at the next hop");
      return Optional.empty();
    }
    if (password.isPresent() == token.isPresent()) {
      login.problem("password_file", "either password_file or token_file is needed, and not both");
      return Optional.empty();
    }
    Login.Kind kind = password.isPresent() ? Login.Kind.PASSWORD : Login.Kind.TOKEN;
    String key = kind == Login.Kind.PASSWORD ? "password_file" : "token_file";
    Path file = password.or(() -> token).orElseThrow();
    return Optional.of(
        new RouteLogin(
            sender, new Login(username.strip(), kind, () -> secret(key, file), tls), key, file));
  }

  private static String secret(String key, Path file) throws IOException {
    String text;
    try {
      text = TextFile.read(file, SECRET_BYTES_MAX);
    } catch (IOException e) {
      throw new IOException("route.login." + key + ": " + e.getMessage(), e);
    }
    String secret = text.lines().findFirst().orElse("").strip();
    if (secret.isEmpty())
      throw new IOException("route.login." + key + ": the first line of " + file + " is empty");
    return secret;
  }
}
