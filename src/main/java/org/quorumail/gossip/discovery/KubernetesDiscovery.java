package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The pods of a Kubernetes service, from the API server: the EndpointSlices of {@code
 * discovery.k8s.io/v1}, or the older Endpoints where the server lacks them. Pods that are not ready
 * count too: no pod is ready before the cluster is formed. The pod's service account needs {@code
 * list} on {@code endpointslices} (or {@code get} on {@code endpoints}) in its namespace.
 */
public final class KubernetesDiscovery implements NodeDiscovery {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** A pod takes some KiB, so a thousand pods stay below. */
  private static final int MAX_RESPONSE_BYTES = 8 << 20;

  /** RFC 6750 §2.1, b64token. */
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/-]+=*");

  private static final JsonMapper JSON = JsonMapper.shared();

  private final Settings settings;
  private final int port;
  private final Duration timeout;
  private final HttpClient http;

  /**
   * The service and the access to the API server.
   *
   * @param api {@code https://host:port} of the API server
   * @param namespace the service's namespace
   * @param token file with the bearer token; read for each request, as Kubernetes replaces it
   * @param authority PEM file with the certificate that signs the API server's
   */
  public record Settings(URI api, String namespace, String service, Path token, Path authority) {}

  private KubernetesDiscovery(Settings settings, int port, Duration timeout, HttpClient http) {
    this.settings = settings;
    this.port = port;
    this.timeout = timeout;
    this.http = http;
  }

  /**
   * Opens the HTTP client.
   *
   * @param port the gossip port of the nodes
   * @throws IOException when the authority's file cannot be read
   */
  public static KubernetesDiscovery open(Settings settings, int port) throws IOException {
    return open(settings, port, TIMEOUT);
  }

  /**
   * As above.
   *
   * @param timeout the limit for a whole response
   */
  static KubernetesDiscovery open(Settings settings, int port, Duration timeout)
      throws IOException {
    HttpClient.Builder builder =
        HttpClient.newBuilder().connectTimeout(timeout).version(HttpClient.Version.HTTP_1_1);
    if (settings.api.getScheme().equals("https")) {
      builder.sslContext(sslContext(settings.authority));
    }
    return new KubernetesDiscovery(settings, port, timeout, builder.build());
  }

  @Override
  public List<InetSocketAddress> find() throws IOException, InterruptedException {
    String service = URLEncoder.encode(settings.service, StandardCharsets.UTF_8);
    String namespace = URLEncoder.encode(settings.namespace, StandardCharsets.UTF_8);
    String slices = "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices".formatted(namespace);
    String selector = "?labelSelector=kubernetes.io%2Fservice-name%3D" + service;
    HttpResponse<byte[]> response = get(slices + selector);
    boolean lacksSlices = response.statusCode() == 404;
    if (lacksSlices) {
      response = get("/api/v1/namespaces/%s/endpoints/%s".formatted(namespace, service));
    }
    if (lacksSlices && response.statusCode() == 404) return List.of(); // no such service yet
    if (response.statusCode() != 200) throw failure(response.statusCode());
    try {
      JsonNode root = JSON.readTree(response.body());
      return lacksSlices ? fromEndpoints(root) : fromEndpointSlices(root);
    } catch (JacksonException e) {
      throw new IOException("the response of the Kubernetes API is not JSON", e);
    }
  }

  private IOException failure(int status) {
    boolean isForbidden = status == 401 || status == 403;
    return new IOException(
        "the Kubernetes API answered %d for service %s in namespace %s%s"
            .formatted(
                status,
                settings.service,
                settings.namespace,
                isForbidden ? "; the service account needs list on endpointslices" : ""));
  }

  @Override
  public void close() {
    http.shutdownNow();
  }

  /** Waits for the whole response: the request's own timeout covers only its header. */
  private HttpResponse<byte[]> get(String path) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(settings.api.resolve(path))
            .header("Authorization", "Bearer " + readToken())
            .header("Accept", "application/json")
            .build();
    CompletableFuture<HttpResponse<byte[]>> answer =
        http.sendAsync(
            request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_RESPONSE_BYTES));
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException(
          "the Kubernetes API at %s did not answer in time".formatted(settings.api), e);
    } catch (ExecutionException e) {
      throw new IOException(
          "the Kubernetes API at %s is not reachable (%s)".formatted(settings.api, e.getCause()),
          e);
    } finally {
      answer.cancel(true);
    }
  }

  /** Reads and checks the token: the HTTP client would show a malformed one in its exception. */
  private String readToken() throws IOException {
    String token;
    try {
      token = Files.readString(settings.token).strip();
    } catch (IOException e) {
      throw new IOException("%s cannot be read (%s)".formatted(settings.token, e), e);
    }
    if (!TOKEN.matcher(token).matches()) {
      throw new IOException("%s does not contain one bearer token".formatted(settings.token));
    }
    return token;
  }

  private List<InetSocketAddress> fromEndpointSlices(JsonNode list) throws IOException {
    List<InetSocketAddress> found = new ArrayList<>();
    for (JsonNode slice : list.path("items")) {
      if (slice.path("addressType").asString("").equals("FQDN")) continue;
      for (JsonNode endpoint : slice.path("endpoints")) {
        if (endpoint.path("conditions").path("terminating").asBoolean(false)) continue;
        for (JsonNode address : endpoint.path("addresses")) add(found, address.asString(""));
      }
    }
    return found;
  }

  private List<InetSocketAddress> fromEndpoints(JsonNode endpoints) throws IOException {
    List<InetSocketAddress> found = new ArrayList<>();
    for (JsonNode subset : endpoints.path("subsets")) {
      for (String kind : List.of("addresses", "notReadyAddresses")) {
        for (JsonNode address : subset.path(kind)) add(found, address.path("ip").asString(""));
      }
    }
    return found;
  }

  private void add(List<InetSocketAddress> found, String address) throws IOException {
    if (found.size() >= MAX_FOUND) return;
    try {
      found.add(new InetSocketAddress(InetAddress.ofLiteral(address), port));
    } catch (IllegalArgumentException e) {
      throw new IOException("the Kubernetes API named a pod's address " + address, e);
    }
  }

  private static SSLContext sslContext(Path authority) throws IOException {
    try (InputStream in = Files.newInputStream(authority)) {
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      int i = 0;
      for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        trusted.setCertificateEntry("authority-" + i++, c);
      }
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(authority + " is not a readable PEM certificate", e);
    }
  }
}
