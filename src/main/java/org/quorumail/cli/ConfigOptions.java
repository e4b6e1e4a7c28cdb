package org.quorumail.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.node.ConfigSources;
import picocli.CommandLine.Option;

/** The options that name the configuration: {@code -c} and {@code --set}. */
final class ConfigOptions {
  /** The files of which the first that exists is read when none is named. */
  private static final List<Path> DEFAULT_FILES =
      List.of(Path.of("quorumail.toml"), Path.of("/etc/quorumail/quorumail.toml"));

  /** The working directory of the service whose configuration is in {@link #SYSTEM_FOLDER}. */
  private static final Path SERVICE_FOLDER = Path.of("/var/lib/quorumail");

  private static final Path SYSTEM_FOLDER = Path.of("/etc/quorumail");

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description =
          "Configuration file. Default: $$QUORUMAIL_CONFIG, else quorumail.toml, else"
              + " /etc/quorumail/quorumail.toml, if there is one.")
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
    return firstExisting(DEFAULT_FILES);
  }

  static Optional<Path> firstExisting(List<Path> files) {
    return files.stream().filter(Files::exists).findFirst();
  }

  /** Finds the socket of the node that runs with this configuration. */
  Path controlSocket(Path configured) {
    List<Path> folders = new ArrayList<>();
    file().map(Path::toAbsolutePath).map(Path::getParent).ifPresent(folders::add);
    if (folders.contains(SYSTEM_FOLDER)) folders.add(SERVICE_FOLDER);
    return firstSocket(configured, folders);
  }

  /**
   * A relative path starts at the working directory of the node, which may be another than that of
   * the command: the folder of the configuration file and that of the service are tried too.
   */
  static Path firstSocket(Path configured, List<Path> folders) {
    if (configured.isAbsolute() || Files.exists(configured)) return configured;
    return firstExisting(folders.stream().map(folder -> folder.resolve(configured)).toList())
        .orElse(configured);
  }
}
