package org.quorumail.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;
import org.xbill.DNS.hosts.HostsFileParser;

/** The addresses of a hosts(5) file, read again when the file has changed. Thread-safe. */
final class HostsFile {
  private final SystemFile file;
  private volatile HostsFileParser parser;

  HostsFile(Path path) {
    this.file = new SystemFile(path);
    this.parser = new HostsFileParser(path);
  }

  List<InetAddress> addresses(Name name) {
    // the parser itself looks for changes every five minutes
    if (file.hasChanged()) parser = new HostsFileParser(file.path());
    List<InetAddress> found = new ArrayList<>();
    for (int type : new int[] {Type.A, Type.AAAA}) {
      try {
        Optional<InetAddress> address = parser.getAddressForHost(name, type);
        address.ifPresent(found::add);
      } catch (IOException e) {
        return List.of(); // without a hosts file, the servers decide
      }
    }
    return found;
  }
}
