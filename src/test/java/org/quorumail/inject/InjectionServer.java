package org.quorumail.inject;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.api.Api;
import org.quorumail.api.ApiConfig;
import org.quorumail.api.FakeNode;
import org.quorumail.api.HttpServer;
import org.quorumail.api.HttpToken;
import org.quorumail.api.OtherNodes;
import org.quorumail.auth.AuthConfig;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.LoginFailures;
import org.quorumail.auth.User;
import org.quorumail.node.Config;
import org.quorumail.policy.AliasTable;
import org.quorumail.policy.FilterChain;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.RelayConfig;
import org.quorumail.policy.RelayFilter;
import org.quorumail.policy.RelayPolicy;
import org.quorumail.policy.SessionPolicy;
import org.quorumail.policy.Tarpit;
import org.quorumail.smtp.server.FakeIntake;
import org.quorumail.smtp.server.InjectionEndpoint;
import org.quorumail.smtp.server.InjectionEndpoint.InjectionClient;
import org.quorumail.smtp.server.InjectionSession;
import org.quorumail.smtp.server.MemoryBudget;
import org.quorumail.smtp.server.ServerContext;

/**
 * An HTTP server that takes messages into a {@link FakeIntake}. The token {@code app} may send from
 * app.example.
 */
final class InjectionServer implements AutoCloseable {
  static final String APP_TOKEN = "0123456789abcdef-app";
  static final String READ_TOKEN = "0123456789abcdef-read";
  static final long MAX_MESSAGE = 2_000_000;
  static final int MAX_RECIPIENTS = 20;

  final FakeIntake intake = new FakeIntake();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final MemoryBudget memory = MemoryBudget.within(16 << 20, meters);
  private final HttpClient client = HttpClient.newHttpClient();
  private final HttpServer server;
  private volatile Optional<InjectionEndpoint> endpoint;

  InjectionServer(Path folder, MessageFilter... filters) throws IOException {
    Config config = Config.standalone(folder, Map.of("health.listen_address", "127.0.0.1:0"));
    RelayPolicy relay =
        new RelayPolicy(
            new RelayConfig(List.of(), Set.of(), Set.of(), Optional.empty()), Optional.empty());
    List<MessageFilter> all = new ArrayList<>();
    AliasTable aliases = AliasTable.read(config.policy().aliases(), Set.of());
    all.add(new RelayFilter(relay, aliases, true));
    all.addAll(List.of(filters));
    SessionPolicy rules =
        new SessionPolicy(new FilterChain(all, meters), new Tarpit(config.policy().tarpit()));
    AuthConfig auth = config.auth();
    Authentication authentication = Authentication.open(auth, new LoginFailures(auth.limits()));
    endpoint =
        Optional.of(
            new InjectionEndpoint(
                new ServerContext(
                    "mx.test.example",
                    intake,
                    () -> relay,
                    () -> rules,
                    folder.resolve("scratch"),
                    Optional::empty,
                    domain -> {
                      throw new IllegalStateException("no ETRN over HTTP");
                    },
                    domain -> Optional.empty(),
                    () -> authentication,
                    memory,
                    meters,
                    Clock.systemUTC()),
                MAX_MESSAGE,
                MAX_RECIPIENTS));
    FakeNode node = new FakeNode(folder, Map.of());
    ApiConfig security =
        new ApiConfig(
            Optional.empty(),
            Optional.empty(),
            List.of(
                new HttpToken(
                    "app",
                    token(folder, APP_TOKEN),
                    HttpToken.Rights.INJECT,
                    List.of("@app.example")),
                new HttpToken(
                    "reader", token(folder, READ_TOKEN), HttpToken.Rights.READ, List.of())),
            Optional.empty());
    HttpInjection injection = new HttpInjection(() -> endpoint, OtherNodes.none(), Optional::empty);
    Api api = new Api(node, node, node, node, node, Optional.empty(), OtherNodes.none(), injection);
    server = HttpServer.start(api, config.health(), security, Optional::empty);
  }

  private static Path token(Path folder, String token) throws IOException {
    return Files.writeString(folder.resolve(token), token + "\n");
  }

  int port() {
    return server.port();
  }

  /** Takes most of the memory until it is closed. */
  InjectionSession fillMemory() {
    InetSocketAddress here = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    User user = new User("filler", Set.of());
    InjectionClient filler = new InjectionClient(here, here, "HTTP", Optional.empty(), user);
    InjectionSession session = endpoint.orElseThrow().open(filler).orElseThrow();
    if (!session.tryReserve(11 << 20)) throw new IllegalStateException("the memory is full");
    return session;
  }

  double memoryUsed() {
    return meters.get("smtp.memory.used").gauge().value();
  }

  /** The node takes no mail: it has no listeners. */
  void withoutEndpoint() {
    endpoint = Optional.empty();
  }

  HttpResponse<String> json(String document) throws Exception {
    return post("", "application/json", BodyPublishers.ofString(document));
  }

  HttpResponse<String> post(String query, String type, BodyPublisher body, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port() + "/api/messages" + query))
            .header("Authorization", "Bearer " + APP_TOKEN)
            .header("Content-Type", type)
            .POST(body);
    if (headers.length > 0) request.headers(headers);
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Override
  public void close() {
    server.close();
    client.close();
  }
}
