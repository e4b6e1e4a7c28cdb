package org.quorumail.api;

import java.util.List;
import java.util.Map;
import org.quorumail.api.Route.Access;

/** The resolver's cache, and hosts that an operator sets for domains. */
final class DnsRoutes {
  private final DnsView dns;

  DnsRoutes(DnsView dns) {
    this.dns = dns;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/api/dns/cache", Access.READ, r -> Response.json(dns.cache())),
        new Route("DELETE", "/api/dns/cache", Access.WRITE, r -> clear()),
        new Route("POST", "/api/dns/refresh/{domain}", Access.WRITE, this::refresh),
        new Route("GET", "/api/dns/overrides", Access.READ, r -> Response.json(dns.overrides())),
        new Route("PUT", "/api/dns/overrides/{domain}", Access.WRITE, this::set),
        new Route("DELETE", "/api/dns/overrides/{domain}", Access.WRITE, this::remove));
  }

  private Response clear() {
    return Response.json(Map.of("cleared", dns.clearCache()));
  }

  private Response refresh(Request request) {
    return Response.json(dns.refresh(request.variable("domain")));
  }

  private Response set(Request request) {
    String host =
        request
            .parameter("host")
            .orElseThrow(() -> new IllegalArgumentException("the parameter host is missing"));
    return Response.json(dns.set(request.variable("domain"), host));
  }

  private Response remove(Request request) {
    return dns.remove(request.variable("domain"))
        .map(Response::json)
        .orElseGet(() -> Response.notFound("no operator has set an override for this domain"));
  }
}
