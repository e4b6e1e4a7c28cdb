package org.quorumail.smtp.server;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.config.Network;
import org.quorumail.smtp.Service;
import org.quorumail.tls.ClientCertificates;
import org.quorumail.tls.KeyPairFiles;

/** The settings of one listener: an element of {@code [[smtp.listeners]]}. */
public record ListenerConfig(
    InetSocketAddress socket,
    Service service,
    TlsMode tls,
    boolean requireTls,
    Optional<KeyPairFiles> certificate,
    ClientCertificates clientCertificates,
    boolean requireAuth,
    List<Network> proxyProtocolFrom,
    List<Network> xclientFrom,
    long maxMessageSize,
    ListenerTimeouts timeouts,
    ListenerLimits limits,
    Map<String, String> context) {}
