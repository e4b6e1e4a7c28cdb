package org.quorumail.api;

import java.util.List;
import java.util.Map;
import org.quorumail.api.ApiRoute.Access;

/** The routes of the resolver's cache, of the operator's MX overrides, and of ways of mail. */
final class DnsRoutes {
  private final DnsView dns;

  DnsRoutes(DnsView dns) {
    this.dns = dns;
  }

  List<ApiRoute> routes() {
    return List.of(
        new ApiRoute("GET", "/api/dns/cache", Access.READ, r -> ApiResponse.json(dns.cache())),
        new ApiRoute("DELETE", "/api/dns/cache", Access.WRITE, r -> clear()),
        new ApiRoute("POST", "/api/dns/refresh/{domain}", Access.WRITE, this::refresh),
        new ApiRoute(
            "GET",
            "/api/routes/{address}",
            Access.READ,
            r -> ApiResponse.json(dns.route(r.variable("address")))),
        new ApiRoute(
            "GET", "/api/dns/overrides", Access.READ, r -> ApiResponse.json(dns.overrides())),
        new ApiRoute("PUT", "/api/dns/overrides/{domain}", Access.WRITE, this::set),
        new ApiRoute("DELETE", "/api/dns/overrides/{domain}", Access.WRITE, this::remove));
  }

  private ApiResponse clear() {
    return ApiResponse.json(Map.of("cleared", dns.clearCache()));
  }

  private ApiResponse refresh(ApiRequest request) {
    return ApiResponse.json(dns.refresh(request.variable("domain")));
  }

  private ApiResponse set(ApiRequest request) {
    String host =
        request
            .parameter("host")
            .orElseThrow(() -> new IllegalArgumentException("the parameter host is missing"));
    return ApiResponse.json(dns.set(request.variable("domain"), host, request.who()));
  }

  private ApiResponse remove(ApiRequest request) {
    return dns.remove(request.variable("domain"))
        .map(ApiResponse::json)
        .orElseGet(() -> ApiResponse.notFound("no operator has set an override for this domain"));
  }
}
