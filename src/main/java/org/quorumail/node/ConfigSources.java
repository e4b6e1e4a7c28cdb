package org.quorumail.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.quorumail.config.ReplicatedDocument;
import org.quorumail.config.TextFile;

/**
 * The sources of a configuration, strongest first: command line, environment, file. They are kept
 * so that a reload reads the same sources again.
 *
 * @param overrides key paths and values given on the command line
 */
public record ConfigSources(
    Map<String, String> overrides, Map<String, String> environment, Optional<Path> file) {
  /** The bound of the file; a larger one was named by mistake. */
  static final long MAX_FILE_SIZE = 4 << 20;

  public ConfigSources {
    overrides = Map.copyOf(overrides);
    environment = Map.copyOf(environment);
  }

  /** Reads the sources of this node as they are now. */
  public ConfigResult read() {
    return read(Optional.empty());
  }

  /**
   * Reads the sources as they are now.
   *
   * @param cluster the configuration of all nodes, the weakest source
   */
  ConfigResult read(Optional<ReplicatedDocument> cluster) {
    if (file.isEmpty()) return read(cluster, "", "");
    Path path = file.get();
    try {
      if (Files.notExists(path)) return unreadable(path, "does not exist");
      if (Files.size(path) > MAX_FILE_SIZE) return unreadable(path, "is larger than 4 MiB");
      return read(cluster, TextFile.read(path, MAX_FILE_SIZE), path.toString());
    } catch (TextFile.LineException e) {
      return ConfigResult.Invalid.of(path + ":" + e.line(), e.fault());
    } catch (IOException e) {
      return unreadable(path, "cannot be read (" + e.getMessage() + ")");
    }
  }

  private ConfigResult read(Optional<ReplicatedDocument> cluster, String toml, String name) {
    return ConfigReader.read(cluster, toml, name, environment, overrides);
  }

  private static ConfigResult unreadable(Path path, String why) {
    return ConfigResult.Invalid.of("", "the configuration file " + path + " " + why);
  }
}
