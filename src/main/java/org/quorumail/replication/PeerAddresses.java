package org.quorumail.replication;

import java.net.URI;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.thirdparty.io.grpc.NameResolver;
import org.apache.ratis.thirdparty.io.grpc.NameResolverProvider;
import org.apache.ratis.thirdparty.io.grpc.NameResolverRegistry;
import org.jspecify.annotations.Nullable;

/**
 * The present addresses of the other nodes. Ratis keeps the first address that it learns of a peer,
 * and addresses change: a pod gets another one at each start. So Ratis learns a name instead, which
 * is looked up here whenever a connection is made. Thread-safe.
 */
final class PeerAddresses implements AutoCloseable {
  /** No host has this name, since it has a plus sign. */
  private static final String SCHEME = "quorumail+peer";

  private static final AtomicLong NUMBERS = new AtomicLong();
  private static final Map<String, PeerAddresses> BY_NUMBER = new ConcurrentHashMap<>();

  static {
    NameResolverRegistry.getDefaultRegistry().register(new Provider());
  }

  /** Distinguishes the nodes of one process, which know the same peers. */
  private final String number = String.valueOf(NUMBERS.incrementAndGet());

  private final Map<String, String> addresses = new ConcurrentHashMap<>();

  PeerAddresses() {
    BY_NUMBER.put(number, this);
  }

  /** Sets the address of a peer; false when it is the one that is known. */
  boolean put(RaftMember peer) {
    String address = peer.address();
    return !address.equals(addresses.put(peer.id(), address));
  }

  /** Sets the address of a peer that has none yet. */
  void putIfAbsent(RaftMember peer) {
    addresses.putIfAbsent(peer.id(), peer.address());
  }

  /** The peer as Ratis is to learn it: by the name that stands for its present address. */
  RaftPeer named(RaftMember peer) {
    String name = SCHEME + "://" + number + "/" + peer.id();
    return RaftPeer.newBuilder().setId(peer.id()).setAddress(name).build();
  }

  @Override
  public void close() {
    BY_NUMBER.remove(number);
  }

  private static @Nullable String address(URI name) {
    PeerAddresses table = BY_NUMBER.get(String.valueOf(name.getAuthority()));
    String path = name.getPath();
    return table == null || path.length() < 2 ? null : table.addresses.get(path.substring(1));
  }

  /** Resolves the present address as gRPC does any address. */
  private static final class Provider extends NameResolverProvider {
    /** Below that of DNS, which stays the default. */
    private static final int PRIORITY = 1;

    @Override
    protected boolean isAvailable() {
      return true;
    }

    @Override
    protected int priority() {
      return PRIORITY;
    }

    @Override
    public String getDefaultScheme() {
      return SCHEME;
    }

    @Override
    public @Nullable NameResolver newNameResolver(URI name, NameResolver.Args arguments) {
      if (!SCHEME.equals(name.getScheme())) return null;
      String address = address(name);
      if (address == null) return null;
      return NameResolverRegistry.getDefaultRegistry()
          .asFactory()
          .newNameResolver(URI.create("dns:///" + address), arguments);
    }
  }
}
