package org.quorumail.api;

import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.Section;

/**
 * The settings of {@code [api]}.
 *
 * @param tokenFile file with the bearer token; without it no client can write over HTTP
 */
public record ApiConfig(Optional<Path> tokenFile) {
  /** Reads {@code [api]}. */
  public static ApiConfig read(Section api) {
    return new ApiConfig(
        api.optional(
            "token_file",
            "path",
            "",
            "file with the bearer token that writes over HTTP need; without it they are accepted"
                + " through the control socket only",
            Path::of));
  }
}
