package org.quorumail.cluster;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.MemberMetadata.NodeLoad;

/** Metadata for tests: those of a plain node that is ready, changed part by part. */
public final class TestMetadata {
  public static final NodeLoad READY = new NodeLoad("test", true, false, 0, 0, 0, 0, 0, null);

  private final String nodeId;
  private final String peerId;
  private String host = "127.0.0.1";
  private int port = 1;
  private int raftPort = 2;
  private String region = "default";
  private String zone = "default";
  private int expect = 3;
  private String proposal = "";
  private List<Formation.Member> formed = List.of();
  private NodeLoad load = READY;
  private @Nullable String joins;
  private @Nullable ClusterMap map;
  private @Nullable Integer mapVersion;
  private @Nullable List<String> features;
  private @Nullable Long settled;

  private TestMetadata(String nodeId, String peerId) {
    this.nodeId = nodeId;
    this.peerId = peerId;
  }

  public static TestMetadata node(String id, String peer) {
    return new TestMetadata(id, peer);
  }

  /** The same as another node, of a release without features. */
  static TestMetadata like(MemberMetadata other) {
    return new TestMetadata(other.nodeId(), other.peerId())
        .at(other.host(), other.port(), other.raftPort())
        .zone(other.region(), other.zone())
        .expect(other.expect())
        .proposal(other.proposal())
        .formed(other.formed())
        .load(other.load())
        .joins(other.joins())
        .map(other.map());
  }

  public TestMetadata at(String newHost, int newPort, int newRaftPort) {
    host = newHost;
    port = newPort;
    raftPort = newRaftPort;
    return this;
  }

  public TestMetadata zone(String newRegion, String newZone) {
    region = newRegion;
    zone = newZone;
    return this;
  }

  TestMetadata expect(int nodes) {
    expect = nodes;
    return this;
  }

  TestMetadata proposal(String text) {
    proposal = text;
    return this;
  }

  public TestMetadata formed(List<Formation.Member> members) {
    formed = members;
    return this;
  }

  TestMetadata load(NodeLoad newLoad) {
    load = newLoad;
    return this;
  }

  TestMetadata joins(@Nullable String clusterId) {
    joins = clusterId;
    return this;
  }

  public TestMetadata map(@Nullable ClusterMap newMap) {
    map = newMap;
    return this;
  }

  TestMetadata mapVersion(int version) {
    mapVersion = version;
    return this;
  }

  TestMetadata features(@Nullable List<String> names) {
    features = names;
    return this;
  }

  TestMetadata settled(@Nullable Long revision) {
    settled = revision;
    return this;
  }

  public MemberMetadata build() {
    return new MemberMetadata(
        nodeId,
        peerId,
        host,
        port,
        raftPort,
        region,
        zone,
        expect,
        proposal,
        formed,
        load,
        joins,
        map,
        mapVersion,
        features,
        null,
        settled);
  }
}
