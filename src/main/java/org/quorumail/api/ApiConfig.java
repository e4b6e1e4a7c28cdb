package org.quorumail.api;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.config.Section;
import org.quorumail.tls.KeyPairFiles;

/**
 * {@code [api]}: the tokens of HTTP clients, and the TLS of the HTTP server.
 *
 * @param tokens further ones, each with a name
 * @param certificate without it the server speaks plain HTTP
 */
public record ApiConfig(
    Optional<Path> tokenFile,
    Optional<Path> readTokenFile,
    List<HttpToken> tokens,
    Optional<KeyPairFiles> certificate) {
  public ApiConfig {
    tokens = List.copyOf(tokens);
  }

  /** Each call compares its token with all of them. */
  private static final int TOKENS_MAX = 100;

  public static ApiConfig read(Section api) {
    return new ApiConfig(
        api.optional(
            "token_file",
            "path",
            "",
            "file with the bearer token that reads and changes over HTTP; without it changes are"
                + " accepted through the control socket only",
            Path::of),
        api.optional(
            "read_token_file",
            "path",
            "",
            "file with the bearer token that reads over HTTP; without any token reading is open on"
                + " loopback",
            Path::of),
        tokens(api),
        KeyPairFiles.read(
            api.section("tls"),
            "PEM certificate chain of the HTTP server, which then speaks HTTPS only"));
  }

  private static List<HttpToken> tokens(Section api) {
    List<HttpToken> tokens = new ArrayList<>();
    Set<String> names = new HashSet<>();
    List<Section> sections = api.sections("tokens", 0);
    if (sections.size() > TOKENS_MAX) {
      api.problem("tokens", "has more than %d tokens".formatted(TOKENS_MAX));
    }
    for (Section section : sections) {
      HttpToken token = HttpToken.read(section);
      if (!token.name().isEmpty() && !names.add(token.name())) {
        section.problem("name", "is the name of another token, too");
      }
      tokens.add(token);
    }
    return tokens;
  }
}
