package org.quorumail.tls;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.Section;

/**
 * {@code [tls]}: the certificates of listeners without a pair of their own.
 *
 * @param more further pairs, chosen by the server name that the client sends (RFC 6066 §3)
 */
public record TlsConfig(
    Optional<KeyPairFiles> certificate,
    List<KeyPairFiles> more,
    String minVersion,
    Optional<Path> clientCa) {

  public static TlsConfig read(Section tls) {
    Optional<KeyPairFiles> pair =
        KeyPairFiles.read(tls, "PEM certificate chain for listeners without their own");
    List<KeyPairFiles> more = more(tls);
    if (!more.isEmpty() && pair.isEmpty()) {
      tls.problem("more", "needs tls.certificate and tls.key, for clients that name no server");
    }
    return new TlsConfig(
        pair,
        more,
        tls.value(
            "min_version",
            "version",
            "1.2",
            "1.2",
            "oldest TLS version that is accepted: 1.2 or 1.3",
            TlsConfig::version),
        tls.optional(
            "client_ca",
            "path",
            "",
            "PEM certificates that sign those of clients; see smtp.listeners[].client_certificates",
            Path::of));
  }

  private static List<KeyPairFiles> more(Section tls) {
    List<KeyPairFiles> more = new ArrayList<>();
    for (Section further : tls.sections("more", 0)) {
      KeyPairFiles.read(further, "PEM certificate chain of a further pair").ifPresent(more::add);
      boolean named = further.has("certificate") || further.has("key");
      if (!named) further.problem("", "must name a certificate and a key");
    }
    return List.copyOf(more);
  }

  private static String version(String text) {
    if (text.matches("1\\.[23]")) return text;
    throw new IllegalArgumentException("must be \"1.2\" or \"1.3\"");
  }
}
