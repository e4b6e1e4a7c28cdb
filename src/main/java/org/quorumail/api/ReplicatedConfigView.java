package org.quorumail.api;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The API's view of the configuration that the cluster keeps for all nodes. Thread-safe. */
public interface ReplicatedConfigView {
  /** The versions that are kept, oldest first; the last one is in force. */
  List<Version> history();

  /** The latest version, or the one with this number. */
  Optional<Document> document(OptionalLong version);

  /** The problems that a document would have on this node, each one line with key and line. */
  List<String> problems(String toml);

  /**
   * Makes a document without problems the next version; waits for the meta group.
   *
   * @param base the version that the author has changed; empty for whatever is there
   * @throws ChangeRefusedException when nothing was changed, or perhaps not
   */
  Version set(String toml, String comment, String author, OptionalLong base);

  /** The versions that the nodes run. */
  List<NodeVersion> nodeVersions();

  /**
   * A version.
   *
   * @param time ISO 8601, UTC
   */
  record Version(long version, String time, String author, String comment) {}

  /**
   * A version with its text.
   *
   * @param time ISO 8601, UTC
   */
  record Document(long version, String time, String author, String comment, String toml) {}

  /**
   * The version that a node runs.
   *
   * @param version 0 for none
   * @param problem why the node does not run the latest; empty when it does
   * @param overridden keys for which the node has its own value
   */
  record NodeVersion(String node, long version, String problem, List<String> overridden) {
    public NodeVersion {
      overridden = List.copyOf(overridden);
    }
  }
}
