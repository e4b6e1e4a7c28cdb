package org.quorumail.tls;

import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.Section;

/** Two PEM files: a certificate chain and its private key. */
public record KeyPairFiles(Path certificate, Path key) {
  /**
   * Reads {@code certificate} and {@code key} of a table: both or neither.
   *
   * @param meaning of the certificate, for the documentation
   */
  public static Optional<KeyPairFiles> read(Section table, String meaning) {
    Optional<Path> certificate = table.optional("certificate", "path", "", meaning, Path::of);
    Optional<Path> key =
        table.optional(
            "key", "path", "", "unencrypted PEM private key of that certificate", Path::of);
    if (certificate.isPresent() != key.isPresent()) {
      table.problem(
          certificate.isPresent() ? "certificate" : "key",
          "a certificate and its key belong together: set both or neither");
    }
    return certificate.flatMap(c -> key.map(k -> new KeyPairFiles(c, k)));
  }
}
