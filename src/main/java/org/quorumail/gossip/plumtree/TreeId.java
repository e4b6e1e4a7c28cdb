package org.quorumail.gossip.plumtree;

import org.quorumail.gossip.NodeId;

/**
 * Names the way of a message: the spanning tree of an origin that broadcasts often, or for all
 * others the way on the {@link OverlayPaths}, for which nobody keeps a tree.
 *
 * @param root the origin's name, empty for charted ways
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
    return isOverlayPaths() ? "charted" : root;
  }
}
