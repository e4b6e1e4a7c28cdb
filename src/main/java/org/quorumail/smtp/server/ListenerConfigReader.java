package org.quorumail.smtp.server;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.Network;
import org.quorumail.config.Section;
import org.quorumail.config.SocketAddressParser;
import org.quorumail.config.Units;
import org.quorumail.smtp.Service;
import org.quorumail.tls.ClientCertificates;
import org.quorumail.tls.KeyPairFiles;
import org.quorumail.tls.TlsConfig;

/** The reader of {@code [[smtp.listeners]]}. */
public final class ListenerConfigReader {
  private final Section listener;
  private final boolean sharedCertificate;
  private final boolean clientCa;

  private ListenerConfigReader(Section listener, TlsConfig tls) {
    this.listener = listener;
    this.sharedCertificate = tls.certificate().isPresent();
    this.clientCa = tls.clientCa().isPresent();
  }

  /** Reads all listeners; without any in the file there is one on port 2525. */
  public static List<ListenerConfig> listeners(Section smtp, TlsConfig tls) {
    return smtp.sections("listeners", 1).stream()
        .map(section -> new ListenerConfigReader(section, tls).listener())
        .toList();
  }

  /** Reads the memory that the sessions of all listeners may hold together. */
  public static long memory(Section smtp) {
    return smtp.value(
        "memory",
        "size, 16MB to 1TB",
        "(half of the heap)",
        MemoryBudget.defaultBytes(),
        "memory of all sessions together, at most three quarters of the heap; above it clients"
            + " get 421, 452 or 454",
        text -> {
          long bytes = Units.parseSize(text);
          if (bytes < Units.parseSize("16MB") || bytes > Units.parseSize("1TB")) {
            throw new IllegalArgumentException("must be 16MB to 1TB");
          }
          return bytes;
        });
  }

  private ListenerConfig listener() {
    Section extensions = listener.section("extensions");
    Optional<KeyPairFiles> own =
        KeyPairFiles.read(extensions.section("starttls"), "PEM certificate chain of this listener");
    boolean certificate = own.isPresent() || sharedCertificate;
    Service service =
        listener.choice(
            "service",
            Service.class,
            Service.MX,
            "service of the listener: relay, submission (RFC 6409) or LMTP (RFC 2033)");
    TlsMode tls = tls(certificate);
    return new ListenerConfig(
        socket(),
        service,
        tls,
        listener.flag("require_tls", false, "whether MAIL needs TLS first (530 5.7.0)"),
        own,
        clientCertificates(tls),
        requireAuth(service),
        listener.list(
            "proxy_protocol_from",
            "networks",
            List.of(),
            "proxies, whose connections must start with the PROXY protocol, version 1 or 2",
            Network::parse),
        listener.list(
            "xclient_from",
            "networks",
            List.of(),
            "hosts that may name their own client with XCLIENT",
            Network::parse),
        extensions.size(
            "size", "25MB", "64KB", "1GB", "largest message; announced by SIZE, more gets 552"),
        timeouts(listener.section("timeouts")),
        limits(listener.section("limits")),
        listener.textMap("context", "copied into the events and log lines of this listener"));
  }

  private InetSocketAddress socket() {
    return listener.value(
        "socket",
        "address:port",
        "[::]:2525",
        new InetSocketAddress(SocketAddressParser.ANY, 2525),
        "address and port of the listener",
        SocketAddressParser::socket);
  }

  private ClientCertificates clientCertificates(TlsMode tls) {
    ClientCertificates wanted =
        listener.choice(
            "client_certificates",
            ClientCertificates.class,
            ClientCertificates.NONE,
            "whether clients are asked for a certificate; \"require\" refuses certificates that"
                + " tls.client_ca did not sign");
    if (wanted != ClientCertificates.NONE && tls == TlsMode.NONE) {
      listener.problem("client_certificates", "needs tls = \"starttls\" or \"implicit\"");
    }
    if (wanted == ClientCertificates.REQUIRE && !clientCa) {
      listener.problem("client_certificates", "\"require\" needs tls.client_ca");
    }
    return wanted;
  }

  /** RFC 6409 §4.3: a submission server requires authentication. */
  private boolean requireAuth(Service service) {
    return listener.flag(
        "require_auth",
        service == Service.SUBMISSION,
        "(true for submission, else false)",
        "whether MAIL needs AUTH first (530 5.7.0)");
  }

  private TlsMode tls(boolean certificate) {
    TlsMode fallback = certificate ? TlsMode.STARTTLS : TlsMode.NONE;
    TlsMode tls =
        listener.value(
            "tls",
            "one of none, starttls, implicit",
            "(starttls with a certificate, else none)",
            fallback,
            "start of TLS: never, by STARTTLS, or with the connection",
            text -> Section.choose(TlsMode.class, text, "none, starttls, implicit"));
    if (tls != TlsMode.NONE && !certificate) {
      listener.problem(
          "tls",
          "needs a certificate: set tls.certificate and tls.key, or extensions.starttls of this"
              + " listener, or \"none\"");
    }
    return tls;
  }

  /** RFC 5321 §4.5.3.2 has the minima that a server should grant. */
  private static ListenerTimeouts timeouts(Section timeouts) {
    return new ListenerTimeouts(
        timeouts.duration("command", "300s", "1s", "1h", "wait for the next command"),
        timeouts.duration("data_init", "120s", "1s", "1h", "wait for the first block of data"),
        timeouts.duration("data_block", "180s", "1s", "1h", "wait for the next block of data"),
        timeouts.duration(
            "data_termination", "600s", "1s", "1h", "wait for the spool after the final dot"),
        timeouts.duration("connection", "1800s", "1s", "1d", "longest life of a connection"));
  }

  private static ListenerLimits limits(Section limits) {
    return new ListenerLimits(
        limits.integer("connections", 10_000, 1, 1_000_000, "connections at once"),
        limits.integer(
            "connections_per_ip",
            100,
            1,
            1_000_000,
            "connections at once from one IPv4 address or IPv6 /64"),
        limits.integer("recipients", 1_000, 1, 10_000, "recipients of one message"),
        limits.integer(
            "messages", 0, 0, 1_000_000, "messages of one session, more get 452; 0 for no limit"),
        limits.integer("errors", 20, 1, 10_000, "errors before the session is closed with 421"),
        limits.integer("line", 2_048, 512, 65_536, "octets of a command line"),
        limits.integer(
            "hops",
            ListenerLimits.DEFAULT_HOPS,
            2,
            1_000,
            "Received fields at which a message is refused as a loop, with 554 5.4.6"));
  }
}
