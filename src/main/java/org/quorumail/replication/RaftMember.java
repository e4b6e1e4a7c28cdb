package org.quorumail.replication;

/** A node as the others reach it for replication. The id never changes; an address may. */
public record RaftMember(String id, String host, int port) {
  public RaftMember {
    if (id.isBlank()) throw new IllegalArgumentException("a peer needs an id");
  }

  String address() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
