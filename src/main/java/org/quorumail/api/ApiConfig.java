package org.quorumail.api;

import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.Section;
import org.quorumail.tls.KeyPairFiles;

/**
 * {@code [api]}: the tokens of HTTP clients, and the TLS of the HTTP server.
 *
 * @param certificate without it the server speaks plain HTTP
 */
public record ApiConfig(
    Optional<Path> tokenFile, Optional<Path> readTokenFile, Optional<KeyPairFiles> certificate) {
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
        KeyPairFiles.read(
            api.section("tls"),
            "PEM certificate chain of the HTTP server, which then speaks HTTPS only"));
  }
}
