package org.quorumail.node;

import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.Section;

/**
 * {@code [node]}: name, place and data directory of this node.
 *
 * @param id empty: generated once and kept in the data directory
 */
public record NodeConfig(Optional<String> id, Path dataDirectory, String region, String zone) {
  static NodeConfig read(Section node) {
    return new NodeConfig(
        node.optional(
            "id",
            "name",
            "(generated once, kept in the data directory)",
            "name of this node in the cluster: letters, digits, '.', '-', '_'",
            NodeConfig::id),
        node.value(
            "data_directory",
            "path",
            "data",
            Path.of("data"),
            "directory of everything that this node keeps; relative paths start at the working"
                + " directory",
            Path::of),
        node.text("region", "default", "region of this node"),
        node.text("zone", "default", "failure zone of this node; replicas are spread over zones"));
  }

  private static String id(String text) {
    if (text.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) return text;
    throw new IllegalArgumentException(
        "must be at most 63 letters, digits, '.', '-' or '_' and start with a letter or digit");
  }
}
