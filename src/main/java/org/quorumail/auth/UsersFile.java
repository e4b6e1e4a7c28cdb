package org.quorumail.auth;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.auth.UserStore.ScramCredentials;
import org.quorumail.config.AddressPattern;

/**
 * The contents of a users file: one user per line, with parts between blanks.
 *
 * <pre>
 * # a comment
 * %secret BASE64
 * alice@example.org  SCRAM-SHA-256$600000:SALT$STOREDKEY:SERVERKEY  sales@example.org,@example.net
 * </pre>
 *
 * The last part, the addresses that the user may send from, is optional. The decoy keys of unknown
 * names are derived from the secret. In a cluster all nodes have the same file, so they derive the
 * same keys.
 */
final class UsersFile {
  /** Some 400,000 users; larger sites use a directory. */
  static final long MAX_SIZE = 64L << 20;

  static final String SECRET = "%secret";
  static final int SECRET_BYTES = 32;

  private final Map<String, UserRow> rows;
  private final List<Integer> iterations;
  private final byte[] secret;

  record UserRow(User user, ScramKeys keys) {}

  private UsersFile(Map<String, UserRow> rows, byte[] secret) {
    this.rows = rows;
    this.iterations = rows.values().stream().map(row -> row.keys().iterations()).toList();
    this.secret = secret;
  }

  /** A file without users. */
  static UsersFile empty() {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    return new UsersFile(Map.of(), secret);
  }

  /**
   * Reads a file's text.
   *
   * @throws IOException with one sentence that names file and line and contains no key
   */
  static UsersFile read(Path file, String text) throws IOException {
    Map<String, UserRow> rows = new HashMap<>();
    byte[] secret = new byte[0];
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      String[] parts = line.strip().split("\\s+");
      if (parts[0].isEmpty() || parts[0].startsWith("#")) continue;
      try {
        if (parts[0].equals(SECRET)) {
          secret = secret(parts);
        } else {
          UserRow row = row(parts);
          if (rows.put(row.user().name(), row) != null) {
            throw new IllegalArgumentException(row.user().name() + " has two lines");
          }
        }
      } catch (IllegalArgumentException e) {
        throw new IOException(
            "auth.users_file: " + file + " line " + number + ": " + e.getMessage(), e);
      }
    }
    if (secret.length == 0) {
      throw new IOException(
          "auth.users_file: " + file + " has no " + SECRET + " line; `quorumail user add` adds it");
    }
    return new UsersFile(rows, secret);
  }

  Optional<UserRow> find(String name) {
    return Optional.ofNullable(rows.get(name));
  }

  int size() {
    return rows.size();
  }

  /** The keys of a user, or decoy keys for an unknown name. */
  ScramCredentials credentials(String name) {
    UserRow row = rows.get(name);
    ScramCredentials decoy = new ScramCredentials(decoyKeys(name), Optional.empty());
    return row == null ? decoy : new ScramCredentials(row.keys(), Optional.of(row.user()));
  }

  /** The same keys for the same name, with a number of iterations that occurs in the file. */
  private ScramKeys decoyKeys(String name) {
    byte[] choice = ScramKeys.hmac(secret, "iterations " + name);
    int index = ByteBuffer.wrap(choice).getInt() >>> 1;
    int count =
        iterations.isEmpty()
            ? NewUser.DEFAULT_ITERATIONS
            : iterations.get(index % iterations.size());
    byte[] salt = Arrays.copyOf(ScramKeys.hmac(secret, "salt " + name), ScramKeys.SALT_BYTES);
    return new ScramKeys(
        salt,
        count,
        ScramKeys.hmac(secret, "stored key " + name),
        ScramKeys.hmac(secret, "server key " + name));
  }

  private static byte[] secret(String[] parts) {
    byte[] secret = parts.length == 2 ? Base64.getDecoder().decode(parts[1]) : new byte[0];
    if (secret.length >= SECRET_BYTES) return secret;
    throw new IllegalArgumentException(SECRET + " has " + SECRET_BYTES + " bytes in base64");
  }

  private static UserRow row(String[] parts) {
    Optional<String> name = SaslPrep.name(parts[0]);
    if (name.isEmpty())
      throw new IllegalArgumentException("the first word is not a legal user name");
    if (parts.length < 2 || parts.length > 3) {
      throw new IllegalArgumentException(
          "a line has a name, a stored password and at most one list of addresses");
    }
    Set<String> senders = parts.length < 3 ? Set.of() : parseSenders(List.of(parts[2].split(",")));
    return new UserRow(new User(name.get(), senders), ScramKeys.parse(parts[1]));
  }

  /** Reads one of the three forms of {@link User#senderPatterns}. */
  static String senderPattern(String text) {
    if (text.equals("*")) return text;
    try {
      if (text.indexOf('@') < 0) throw new IllegalArgumentException("no at sign");
      return AddressPattern.parse(text).lookupKey();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is neither an address nor @domain nor *", e);
    }
  }

  static Set<String> parseSenders(List<String> texts) {
    Set<String> senders = new HashSet<>();
    for (String text : texts) {
      senders.add(senderPattern(text));
    }
    return senders;
  }
}
