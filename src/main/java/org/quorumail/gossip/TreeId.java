package org.quorumail.gossip;

/**
 * Names a spanning tree: that of an origin that broadcasts often, or the one that all others share.
 *
 * @param root the origin's name, empty for the shared tree
 */
public record TreeId(String root) {
  public static final TreeId SHARED = new TreeId("");

  public TreeId {
    if (!root.isEmpty()) new NodeId(root);
  }

  public static TreeId of(NodeId origin) {
    return new TreeId(origin.value());
  }

  public boolean isShared() {
    return root.isEmpty();
  }

  @Override
  public String toString() {
    return isShared() ? "shared" : root;
  }
}
