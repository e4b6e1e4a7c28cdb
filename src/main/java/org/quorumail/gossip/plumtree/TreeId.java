package org.quorumail.gossip.plumtree;

import org.quorumail.gossip.NodeId;

/**
 * The tree of a message: the spanning tree of an origin that broadcasts often, or no tree. The
 * messages of other origins take the {@link OverlayPaths}.
 *
 * @param root the origin's name; empty for the overlay paths
 */
public record TreeId(String root) {
  public static final TreeId OVERLAY_PATHS = new TreeId("");

  public TreeId {
    if (!root.isEmpty()) new NodeId(root);
  }

  public static TreeId of(NodeId origin) {
    return new TreeId(origin.value());
  }

  public boolean isOverlayPaths() {
    return root.isEmpty();
  }

  @Override
  public String toString() {
    return isOverlayPaths() ? "overlay-paths" : root;
  }
}
