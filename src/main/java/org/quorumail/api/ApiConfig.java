package org.quorumail.api;

import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.Section;

/** {@code [api]}: the file of the token that writes over HTTP need. */
public record ApiConfig(Optional<Path> tokenFile) {
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
