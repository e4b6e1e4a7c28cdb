package org.quorumail.cluster;

import java.nio.file.Path;

/**
 * {@code cluster.tls}: the certificates of a cluster from files.
 *
 * @param verification what a certificate must name
 */
public record ClusterTlsFiles(Path certificate, Path key, Path ca, Verification verification) {
  /** The demand on a member's certificate. */
  public enum Verification {
    /** It names the id of the node that shows it. */
    NODE,
    /** It is signed by the authority; its holder may speak as any node. */
    AUTHORITY
  }
}
