package org.quorumail.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.api.ApiRequest.Caller;
import org.quorumail.api.InjectionView.InjectionAnswer;
import org.quorumail.metrics.Metrics;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The page {@code docs/http-api.md} has every operation of the API, with its access, an example and
 * the answer to it. After a change {@code mvn test -Dtest=HttpApiPageTest
 * -Dsurefire.jvm=-Ddocs.write=true} writes access, examples and answers again; the words are
 * written by hand.
 */
class HttpApiPageTest {
  private static final Path PAGE = Path.of("docs/http-api.md");

  /** The heading of an operation, its words, and what this test writes below them. */
  private static final Pattern SECTION =
      Pattern.compile(
          "(?ms)^### `([A-Z]+ [^`]+)`\\n(.*?)<!-- example -->\\n(.*?)<!-- end of example -->\\n");

  /** Other paths of an operation: "Also `GET /path`, `GET /other`." */
  private static final Pattern ALSO = Pattern.compile("(?m)^Also ((?:`[A-Z]+ [^`]+`(?:, )?)+)\\.$");

  private static final String ID = "01KB3J5M00Q4V7X2N8R6T1W9YZ";
  private static final int MAX_LINES = 24;

  /** Members by name, since some have another order in each run. */
  private static final JsonMapper SORTED =
      JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

  /** Operations whose answer is long, or different on each machine. */
  private static final List<String> WITHOUT_ANSWER = List.of("GET /metrics", "GET /api/config");

  /** The targets of operations that need more than their pattern. */
  private static final Map<String, String> CONFIG_EXAMPLES =
      Map.of(
          "GET /api/cluster/config/diff", "/api/cluster/config/diff?from=1&to=2",
          "PUT /api/cluster/config", "/api/cluster/config?comment=customer&base=2",
          "POST /api/cluster/config/rollback", "/api/cluster/config/rollback?to=1");

  /** Operations with a document as their body. */
  private static final Set<String> WITH_DOCUMENT =
      Set.of("PUT /api/cluster/config", "POST /api/cluster/config/validate");

  private static final String INJECTION = "POST /api/messages";

  private static final String MESSAGE =
      """
      {"from": "Shop <shop@example.org>", "to": ["ann@example.net"],
       "subject": "Your order", "text": "It is on its way."}
      """;

  private static final String CONFIG = "[relay]\ndomains = [\"example.org\"]\n";

  private static final Map<String, String> EXAMPLES =
      Map.ofEntries(
          Map.entry("GET /api/queue/classify", "/api/queue/classify?reply=550+5.1.1+no+such+user"),
          Map.entry("GET /api/queue/count", "/api/queue/count?class=mailbox-full&older_than=1d"),
          Map.entry("POST /api/queue/retry", "/api/queue/retry?domain=example.net&force=true"),
          Map.entry("POST /api/queue/hold", "/api/queue/hold?sender=bulk@"),
          Map.entry("POST /api/queue/release", "/api/queue/release?status=held"),
          Map.entry("DELETE /api/queue", "/api/queue?recipient=spam@&limit=1"),
          Map.entry("POST /api/queue/bounce", "/api/queue/bounce?sender=bulk@&reason=mistake"),
          Map.entry("GET /api/queue/stats/{by}", "/api/queue/stats/destination?limit=20"),
          Map.entry("GET /api/queue", "/api/queue?status=pending&domain=example.net&limit=1"),
          Map.entry(
              "POST /api/queue/suspend",
              "/api/queue/suspend?domain=example.net&for=2h&reason=full"),
          Map.entry("POST /api/queue/resume", "/api/queue/resume?domain=example.net"),
          Map.entry(
              "POST /api/queue/reroute",
              "/api/queue/reroute?domain=example.net&to=backup.example.net"),
          Map.entry(
              "PUT /api/dns/overrides/{domain}",
              "/api/dns/overrides/example.net?host=mx.example.net:2525"),
          Map.entry("GET /api/routes/{address}", "/api/routes/user@example.net"),
          Map.entry("GET /api/events", "/api/events?after=0"),
          Map.entry("GET /api/events/mail", "/api/events/mail?since=1h"),
          Map.entry("GET /api/trace", "/api/trace?recipient=bob@example.net"),
          Map.entry(
              "POST /maintenance/enter", "/maintenance/enter?drain_timeout=2m&reason=new-disk"),
          Map.entry(
              "POST /api/cluster/nodes/{id}/replace", "/api/cluster/nodes/n2/replace?with=n4"),
          Map.entry("DELETE /api/cluster/nodes/{id}", "/api/cluster/nodes/n2"));

  @TempDir private Path folder;

  @Test
  void thePageHasEveryOperationWithItsExample() throws Exception {
    String page = Files.readString(PAGE);
    String expected = written(page);
    if (Boolean.getBoolean("docs.write")) Files.writeString(PAGE, expected);
    assertThat(Files.readString(PAGE)).isEqualTo(expected);
  }

  @Test
  void thePageHasNoOperationThatIsGone() throws Exception {
    TreeSet<String> known = new TreeSet<>();
    for (ApiRoute route : api().routes()) known.add(route.operation());
    assertThat(described(Files.readString(PAGE))).hasSizeGreaterThan(40).isEqualTo(known);
  }

  /** The operations that the page names in headings and as other paths. */
  private static Set<String> described(String page) {
    Set<String> all = new TreeSet<>();
    Matcher section = SECTION.matcher(page);
    while (section.find()) {
      all.add(section.group(1));
      Matcher also = ALSO.matcher(section.group(2));
      while (also.find()) all.addAll(List.of(also.group(1).replace("`", "").split(", ")));
    }
    return all;
  }

  private String written(String page) throws Exception {
    Map<String, ApiRoute> routes = new LinkedHashMap<>();
    for (ApiRoute route : api().routes()) routes.put(route.operation(), route);
    StringBuilder out = new StringBuilder();
    Matcher section = SECTION.matcher(page);
    while (section.find()) {
      ApiRoute route = Optional.ofNullable(routes.get(section.group(1))).orElseThrow();
      String head = "### `" + route.operation() + "`\n" + section.group(2);
      String text = head + "<!-- example -->\n" + example(route) + "<!-- end of example -->\n";
      section.appendReplacement(out, Matcher.quoteReplacement(text));
    }
    section.appendTail(out);
    return out.toString();
  }

  private String example(ApiRoute route) throws Exception {
    FakeNode node = node();
    node.hosts.put("example.net", "mx.example.net:2525");
    suspend(node, "example.org");
    if (route.operation().contains("resume")) suspend(node, "example.net");
    node.set("[relay]\ndomains = []\n", "", "user:root", OptionalLong.empty());
    node.set(CONFIG, "customer", "user:root", OptionalLong.empty());
    String target = target(route, node);
    boolean hasDocument = WITH_DOCUMENT.contains(route.operation());
    boolean injects = route.operation().equals(INJECTION);
    String body = hasDocument ? CONFIG : injects ? MESSAGE : "";
    ApiResponse answer = call(api(node), route.method(), target, body);
    String shown = target.replace(node.first.toString(), ID);
    String quoted = shown.contains("?") ? "'" + url(shown) + "'" : url(shown);
    StringBuilder text = new StringBuilder();
    text.append("Access: ").append(access(route)).append("\n```\n");
    if (route.access() == ApiRoute.Access.OPERATOR) {
      text.append(route.method()).append(' ').append(shown).append("   (control socket)\n");
    } else {
      text.append("curl");
      if (route.access() != ApiRoute.Access.PROBE)
        text.append(" -H \"Authorization: Bearer $TOKEN\"");
      if (!route.method().equals("GET")) text.append(" -X ").append(route.method());
      if (hasDocument) text.append(" --data-binary @shared.toml");
      if (injects) {
        text.append(" -H \"Content-Type: application/json\"");
        text.append(" --data-binary @message.json");
      }
      text.append(' ').append(quoted).append('\n');
    }
    text.append("```\n");
    if (WITHOUT_ANSWER.contains(route.operation())) return text.toString();
    text.append(answer.status()).append(" `").append(answer.contentType()).append("`\n```\n");
    return text.append(body(answer, node)).append("\n```\n").toString();
  }

  private static void suspend(FakeNode node, String domain) {
    node.suspend(domain, java.time.Duration.ofHours(2), "their disk is full", "user:root");
  }

  private static String url(String target) {
    return "http://localhost:8080" + target;
  }

  private static String access(ApiRoute route) {
    return switch (route.access()) {
      case PROBE -> "everybody";
      case READ -> "a token, also one that only reads; on this host all, where no token is set";
      case WRITE -> "a token that may write, or the control socket";
      case INJECT -> "a token that may inject or write, or the control socket";
      case OPERATOR -> "the control socket";
    };
  }

  private static String target(ApiRoute route, FakeNode node) {
    String example =
        CONFIG_EXAMPLES.getOrDefault(route.operation(), EXAMPLES.get(route.operation()));
    if (example != null) return example;
    boolean isMessage =
        route.pattern().startsWith("/api/queue") || route.pattern().startsWith("/api/trace");
    String id = isMessage ? node.first.toString() : "n1";
    return route.pattern().replace("{id}", id).replace("{domain}", "example.net");
  }

  private static ApiResponse call(Api api, String method, String target, String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    ApiResponse answer =
        api.call(
            ApiRequest.ofTarget(
                method, target, bytes, Caller.OPERATOR, "user:root", "control socket"));
    assertThat(answer.status()).as(method + " " + target).isBetween(200, 299);
    return answer;
  }

  /** The body as people read it: indented, bounded, and without what differs from run to run. */
  private static String body(ApiResponse answer, FakeNode node) {
    String text = new String(answer.body(), StandardCharsets.UTF_8);
    if (answer.contentType().equals("application/json")) {
      Object value = SORTED.readValue(text, Object.class);
      text = SORTED.writerWithDefaultPrettyPrinter().writeValueAsString(value);
    }
    text = text.replace(node.first.toString(), ID).replaceAll("\"pid\" : [0-9]+", "\"pid\" : 4711");
    List<String> lines = new ArrayList<>(text.lines().toList());
    if (lines.size() <= MAX_LINES) return String.join("\n", lines);
    return String.join("\n", lines.subList(0, MAX_LINES)) + "\n…";
  }

  private FakeNode node() {
    FakeNode node = new FakeNode(folder, Map.of());
    node.statuses.put(node.first, "pending");
    node.mailEvents.add("delivered");
    node.statuses.remove(node.second);
    return node;
  }

  private Api api() {
    return api(node());
  }

  private static Api api(FakeNode node) {
    return new Api(
        node,
        node,
        node,
        node,
        node,
        Optional.of(new Metrics()),
        OtherNodes.none(),
        request ->
            InjectionAnswer.accepted(
                Map.of(
                    "messages",
                    List.of(Map.of("id", ID, "recipients", List.of("ann@example.net"))))));
  }
}
