package org.quorumail.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.node.ConfigSources;
import picocli.CommandLine.Option;

/** The options that name the configuration: {@code -c} and {@code --set}. */
final class ConfigOptions {
  /** The file that is read when none is named and it exists. */
  private static final Path DEFAULT_FILE = Path.of("quorumail.toml");

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description =
          "Configuration file. Default: $$QUORUMAIL_CONFIG, else quorumail.toml if there is one.")
  private @Nullable Path file;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Set one key, overriding environment and file; may be repeated.")
  private Map<String, String> overrides = new LinkedHashMap<>();

  ConfigSources sources() {
    return new ConfigSources(overrides, System.getenv(), file());
  }

  private Optional<Path> file() {
    if (file != null) return Optional.of(file);
    String named = System.getenv("QUORUMAIL_CONFIG");
    if (named != null && !named.isBlank()) return Optional.of(Path.of(named));
    return Files.exists(DEFAULT_FILE) ? Optional.of(DEFAULT_FILE) : Optional.empty();
  }
}
