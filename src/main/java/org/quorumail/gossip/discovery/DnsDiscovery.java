package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.xbill.DNS.Lookup;
import org.xbill.DNS.Record;
import org.xbill.DNS.Resolver;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/**
 * One DNS name for all nodes. A name that begins with an underscore is looked up as SRV records
 * (RFC 2782), which give hosts and ports. Any other name is looked up as A and AAAA. A missing
 * record is not an error: a headless service of Kubernetes has none before its first pod.
 */
public final class DnsDiscovery implements NodeDiscovery {
  private final String name;
  private final int port;
  private final HostLookup hosts;
  private final ServiceLookup services;

  /** A lookup of a name's addresses; replaced in tests. */
  interface HostLookup {
    InetAddress[] addresses(String name) throws UnknownHostException;
  }

  /** A lookup of a name's SRV records; replaced in tests. */
  interface ServiceLookup {
    List<SRVRecord> services(String name) throws IOException;
  }

  /**
   * @param port the port of nodes that are found by A and AAAA records
   */
  public DnsDiscovery(String name, int port) {
    this(name, port, InetAddress::getAllByName, DnsDiscovery::lookUp);
  }

  DnsDiscovery(String name, int port, HostLookup hosts, ServiceLookup services) {
    this.name = name;
    this.port = port;
    this.hosts = hosts;
    this.services = services;
  }

  /** A lookup of SRV records at one server only. */
  static ServiceLookup lookupAt(InetSocketAddress server) {
    return service -> lookUp(service, new SimpleResolver(server));
  }

  @Override
  public List<InetSocketAddress> find() throws IOException {
    List<InetSocketAddress> found = new ArrayList<>();
    if (!name.startsWith("_")) {
      add(found, name, port);
      return found;
    }
    for (SRVRecord service : services.services(name)) {
      add(found, service.getTarget().toString(true), service.getPort());
    }
    return found;
  }

  private void add(List<InetSocketAddress> found, String host, int hostPort) {
    try {
      for (InetAddress address : hosts.addresses(host)) {
        if (found.size() < MAX_FOUND) found.add(new InetSocketAddress(address, hostPort));
      }
    } catch (UnknownHostException e) {
      // the name has no records before the first node starts; the next poll asks again
    }
  }

  private static List<SRVRecord> lookUp(String name) throws IOException {
    return lookUp(name, Lookup.getDefaultResolver());
  }

  private static List<SRVRecord> lookUp(String name, Resolver resolver) throws IOException {
    Lookup lookup;
    try {
      lookup = new Lookup(name, Type.SRV);
    } catch (TextParseException e) {
      throw new IOException(name + " is not a DNS name", e);
    }
    lookup.setResolver(resolver);
    lookup.setCache(null); // a cached answer would hide new nodes
    Record[] answer = lookup.run();
    boolean none =
        lookup.getResult() == Lookup.HOST_NOT_FOUND || lookup.getResult() == Lookup.TYPE_NOT_FOUND;
    if (answer == null && !none) {
      throw new IOException("DNS did not answer for " + name + ": " + lookup.getErrorString());
    }
    List<SRVRecord> services = new ArrayList<>();
    if (answer == null) return services;
    for (Record record : answer) {
      if (record instanceof SRVRecord service) services.add(service);
    }
    return services;
  }
}
