package org.quorumail.api;

import java.net.InetSocketAddress;
import org.quorumail.config.Section;
import org.quorumail.config.SocketAddressParser;

/**
 * {@code [health]}: the HTTP server of health, metrics and API.
 *
 * @param maxQueueSize messages above which the node reports that it is not ready
 */
public record HttpServerConfig(
    boolean enabled, InetSocketAddress listenAddress, long maxQueueSize) {
  private static final int PORT = 8080;

  public static HttpServerConfig read(Section health) {
    return new HttpServerConfig(
        health.flag("enabled", true, "whether the HTTP server runs"),
        health.value(
            "listen_address",
            "address:port",
            "[::]:" + PORT,
            new InetSocketAddress(SocketAddressParser.ANY, PORT),
            "address of the HTTP server: health, metrics, API",
            SocketAddressParser::socket),
        health.longInteger(
            "max_queue_size",
            10_000,
            1,
            Long.MAX_VALUE,
            "queued messages above which the node reports that it is not ready"));
  }
}
