package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.config.ConfigValues;
import org.quorumail.config.HostPort;
import org.quorumail.config.Network;
import org.quorumail.config.Problem;
import org.quorumail.delivery.NextHop;
import org.quorumail.metrics.LogConfig;
import org.quorumail.smtp.server.ListenerConfig;
import org.quorumail.smtp.server.ListenerLimits;
import org.quorumail.smtp.server.TlsMode;

class ConfigReaderTest {
  @Test
  void readingTheSameTwiceFindsNoDifference() {
    String toml =
        """
        [smtp]
        listeners = [{ socket = "127.0.0.1:25", proxy_protocol_from = ["10.0.0.0/8"] }]
        [policy.limits]
        client_message_rate = "60/m burst 120"
        exempt = ["192.0.2.0/24"]
        [policy.recipients.ldap]
        url = "ldap://localhost"
        [aliases.catch_all]
        "example.org" = "a@example.org"
        [[milter]]
        socket = "inet:localhost:1"
        [[route]]
        domain = "*.example.org"
        to = ["smtp://relay.example.net?priority=10"]
        [delivery.domains."example.net"]
        require_tls = true
        """;
    ConfigValues first = values(toml);
    assertThat(first.differences(values(toml))).isEmpty();
    assertThat(first.differences(values(toml.replace("example.net", "example.com"))))
        .containsExactlyInAnyOrder(
            "route[0].to", "delivery.domains.\"example.net\"", "delivery.domains.\"example.com\"");
    assertThat(first.differences(values("[[milter]]\nsocket = \"inet:localhost:1\"\n")))
        .contains("route", "delivery.domains", "policy.limits.exempt", "smtp.listeners[0].socket")
        .doesNotContain("milter", "milter[0].socket");
  }

  private static ConfigValues values(String toml) {
    return switch (ConfigReader.read(toml, "f", Map.of(), Map.of())) {
      case ConfigResult.Valid valid -> valid.values();
      case ConfigResult.Invalid invalid -> throw new AssertionError(invalid.problems());
    };
  }

  private static final String SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";

  @Test
  void withoutAnythingItIsAStandAloneNodeWithTheDocumentedDefaults() {
    Config config = valid("");
    assertThat(config.listeners()).hasSize(1);
    ListenerConfig listener = config.listeners().getFirst();
    assertThat(listener.socket().getPort()).isEqualTo(2525);
    assertThat(listener.socket().getAddress().isAnyLocalAddress()).isTrue();
    assertThat(listener.tls()).isEqualTo(TlsMode.NONE);
    assertThat(listener.maxMessageSize()).isEqualTo(25L << 20);
    assertThat(listener.timeouts().command()).isEqualTo(Duration.ofMinutes(5));
    assertThat(listener.timeouts().connection()).isEqualTo(Duration.ofMinutes(30));
    assertThat(listener.limits())
        .isEqualTo(new ListenerLimits(10_000, 100, 1_000, 0, 20, 2_048, 30));
    assertThat(config.health().listenAddress().getPort()).isEqualTo(8080);
    assertThat(config.node().dataDirectory()).isEqualTo(Path.of("data"));
    assertThat(config.spool().path()).isEqualTo(Path.of("data/spool"));
    assertThat(config.controlSocket()).isEqualTo(Path.of("data/control.sock"));
    assertThat(config.relay().networks())
        .containsExactly(Network.parse("127.0.0.0/8"), Network.parse("::1/128"));
    assertThat(config.cluster().enabled()).isFalse();
    assertThat(config.cluster().electionTimeoutMin()).isEqualTo(Duration.ofMillis(600));
    assertThat(config.cluster().electionTimeoutMax()).isEqualTo(Duration.ofMillis(1200));
    assertThat(config.delivery().messageExpiration()).isEqualTo(Duration.ofDays(5));
    assertThat(config.delivery().maxAttempts()).isEqualTo(25);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hostnam = 'x' | f:1: hostnam: unknown key; did you mean hostname?",
        "[health]\\nlisten_adress = '' | f:2: health.listen_adress: unknown key; did you mean"
            + " listen_address?",
        "listen_address = '[::]:1' | f:1: listen_address: unknown key; did you mean"
            + " health.listen_address?",
        "[node]\\ndata_directory = 5 | f:2: node.data_directory: must be a path in quotes",
        "[health]\\nenabled = 'yes' | f:2: health.enabled: must be true or false, without quotes",
        "[delivery]\\nmax_attempts = 0 | f:2: delivery.max_attempts: must be 1 to 10000",
        "[delivery]\\nmax_attempts = '5' | f:2: delivery.max_attempts: must be an integer, without"
            + " quotes",
        "[delivery]\\nscan_interval = '30' | f:2: delivery.scan_interval: not a duration; write it"
            + " like \"30s\", \"5m\", \"250ms\", \"1h\" or \"5d\"",
        "[delivery]\\nscan_interval = 30 | f:2: delivery.scan_interval: must be a duration such as"
            + " \"30s\" or \"5m\" in quotes",
        "[delivery]\\nscan_interval = '2h' | f:2: delivery.scan_interval: must be 100ms to 1h",
        "[delivery]\\nretry_jitter_factor = 1.5 | f:2: delivery.retry_jitter_factor: must be 0.0 to"
            + " 1.0",
        "[spool]\\nmin_free = '1 pony' | f:2: spool.min_free: not a size; write it like \"25MB\","
            + " \"512KB\" or \"1GB\"",
        "[[smtp.listeners]]\\nsocket = '25' | f:2: smtp.listeners[0].socket: must be an address and"
            + " a port such as \"[::]:2525\" or \"127.0.0.1:2525\", not \"25\"",
        "[[smtp.listeners]]\\ntls = 'starttls' | f:2: smtp.listeners[0].tls: needs a certificate:"
            + " set tls.certificate and tls.key, or extensions.starttls of this listener, or"
            + " \"none\"",
        "[[smtp.listeners]]\\n[[smtp.listeners]]\\nsocket = '[::]:2525' | f:3:"
            + " smtp.listeners[1].socket: uses the same socket as smtp.listeners[0].socket",
        "[health]\\nlisten_address = '127.0.0.1:2525' | f:2: health.listen_address: uses the same"
            + " socket as smtp.listeners[0].socket",
        "[policy.recipients.ldap]\\n"
            + "bind_dn = 'cn=m'\\n"
            + "password_file = '/dev/null'\\n"
            + "url = 'ldap://ldap.example.org' | f:4: policy.recipients.ldap.url: sends the"
            + " password of bind_dn readable over the network: set starttls = true, or use"
            + " ldaps://, or allow it with allow_without_tls = true",
        "[api.tls]\\nkey = 'k.pem' | f:2: api.tls.key: a certificate and its key belong"
            + " together: set both or neither",
        "[tls]\\ncertificate = 'c.pem' | f:2: tls.certificate: a certificate and its key belong"
            + " together: set both or neither",
        "[relay]\\nnetworks = ['10.0.0.0/8',\\n 'x'] | f:3: relay.networks[1]: a network is written"
            + " as address/bits: x",
        "[[route]]\\nto = [] | f:2: route[0].to: must name at least one next hop",
        "[[route]]\\nto = ['ftp://x'] | f:2: route[0].to[0]: must be \"smtp://host:25\","
            + " \"lmtp://host:24\", \"lmtp+unix:/path\", \"maildir:/path/{user}\","
            + " \"mbox:/path/{user}\", \"pipe:/program argument\", \"mx\", \"discard\" or"
            + " \"error:550 5.1.1 text\", not \"ftp://x\"",
        "[log]\\nlevel = 'loud' | f:2: log.level: must be trace, debug, info, warn or error, not"
            + " \"loud\"",
        "[cluster]\\nenabled = true\\nexpect = 1 | f:1: cluster.secret: a cluster needs"
            + " cluster.secret (`quorumail cluster secret` makes one) or cluster.tls with"
            + " certificate, key and ca",
        "[cluster]\\nsecret = 'short' | f:2: cluster.secret: must be at least 32 bytes in base64;"
            + " `quorumail cluster secret` makes one",
        "[cluster.tls]\\nca = 'ca.pem' | f:1: cluster.tls: certificate, key and ca belong together:"
            + " set all three or none",
        "[cluster.regions]\\n"
            + "current = 'x' | f:1: cluster.regions: is not available in this version; remove it",
        "[cluster.gossip.bridge]\\n"
            + "persistence_path = \"a\\u0000b\" | f:2: cluster.gossip.bridge.persistence_path: Nul"
            + " character not allowed: a\0b",
        "[cluster.gossip.storage]\\n"
            + "path = 'x' | f:2: cluster.gossip.storage.path: is not available in this version;"
            + " remove it or leave it at its default \"\"",
        "[cluster]\\ntransport = 'tcp' | f:2: cluster.transport: must be one of udp, quic, not"
            + " \"tcp\"",
        "[delivery]\\nbase_retry_delay = '2d' | f:2: delivery.base_retry_delay: must be 1s to 1d",
        "[delivery]\\nmax_retry_delay = '10s' | f:1: delivery.base_retry_delay: is longer than"
            + " delivery.max_retry_delay",
        "smtp = 5 | f:1: smtp: must be a table: [smtp]",
        "[smtp]\\nlisteners = 5 | f:2: smtp.listeners: must be a list of tables:"
            + " [[smtp.listeners]]",
        "[delivery.domains.\"a b\"] | f:1: delivery.domains.\"a b\": not a host name: \"a b\"",
        "[delivery.domains.'a.b']\\nrate_limit = 'fast' | f:2:"
            + " delivery.domains.\"a.b\".rate_limit: not a rate; write it like \"10/s burst 20\"",
        "[[smtp.listeners]]\\ntimeouts = { comand = '1s' } | f:2:"
            + " smtp.listeners[0].timeouts.comand: unknown key; did you mean command?"
      })
  void aMistakeIsNamedWithItsKeyAndLine(String toml, String expected) {
    assertThat(problems(toml.replace("\\n", "\n"))).contains(expected);
  }

  @Test
  void gossipOverQuicNeedsTheSecret() {
    String toml =
        """
        [cluster]
        enabled = true
        tls = { certificate = "c", key = "k", ca = "a" }
        transport = "quic"
        """;
    ConfigResult result = ConfigReader.read(toml, "f", Map.of(), Map.of());
    assertThat(((ConfigResult.Invalid) result).problems())
        .extracting(Problem::toString)
        .contains(
            "f:4: cluster.transport: is of no use without cluster.secret: such a cluster has no"
                + " gossip");
  }

  @Test
  void allProblemsComeAtOnce() {
    assertThat(problems("a = 1\nb = 2\n[node]\nid = 5\n[spool]\nmin_free = 'x'\n")).hasSize(4);
  }

  @Test
  void brokenTomlIsNamedWithItsLine() {
    List<String> problems = problems("[node]\nid = \n");
    assertThat(problems).hasSize(1);
    assertThat(problems.getFirst()).startsWith("f:").contains("not valid TOML");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "command_secs = 42",
        "command_ms = 42000",
        "command_seconds = 42",
        "command = '42s'",
        "command = '42000ms'"
      })
  void durationsMayHaveTheirUnitInTheKey(String key) {
    Config config = valid("[[smtp.listeners]]\n[smtp.listeners.timeouts]\n" + key);
    assertThat(config.listeners().getFirst().timeouts().command())
        .isEqualTo(Duration.ofSeconds(42));
  }

  @Test
  void theSameThingTwiceIsRefused() {
    String toml = "[cluster]\nelection_timeout = '1s'\nelection_timeout_ms = 700\n";
    assertThat(problems(toml))
        .contains("f:3: cluster.election_timeout_ms: says the same as election_timeout");
  }

  @Test
  void commandLineBeatsEnvironmentBeatsFileBeatsDefault() {
    String toml = "[log]\nlevel = 'error'\n";
    Map<String, String> own = Map.of("QUORUMAIL_LOG_LEVEL", "debug", "LOG_LEVEL", "Warning");
    assertThat(level("", Map.of(), Map.of())).isEqualTo(LogConfig.Level.INFO);
    assertThat(level(toml, Map.of(), Map.of())).isEqualTo(LogConfig.Level.ERROR);
    assertThat(level(toml, Map.of("LOG_LEVEL", "Warning"), Map.of()))
        .isEqualTo(LogConfig.Level.WARN);
    assertThat(level(toml, own, Map.of())).isEqualTo(LogConfig.Level.DEBUG);
    assertThat(level(toml, own, Map.of("log.level", "trace"))).isEqualTo(LogConfig.Level.TRACE);
  }

  @Test
  void theNamesOfZetianAndSmtpServerAreUnderstood() {
    Config config =
        valid(
            "",
            Map.ofEntries(
                Map.entry("NODE_ID", "n1"),
                Map.entry("SMTP_PORT", "2626"),
                Map.entry("HEALTH_PORT", "9090"),
                Map.entry("SMTP_CLUSTER_ENABLED", "true"),
                Map.entry("SMTP_CLUSTER_BIND_PORT", "9000"),
                Map.entry("SMTP_CLUSTER_ELECTION_TIMEOUT", "900"),
                Map.entry("SEED_NODES", "n2:9000,n3:9000"),
                Map.entry("CLUSTER_SECRET", SECRET),
                Map.entry("DISCOVERY_METHOD", "Static"),
                Map.entry("LOG_LEVEL", "Information"),
                Map.entry("ENABLE_METRICS", "false"),
                Map.entry("DATA_DIRECTORY", "/d"),
                Map.entry("POD_IP", "10.0.0.7")));
    assertThat(config.node().id()).hasValue("n1");
    assertThat(config.listeners().getFirst().socket().getPort()).isEqualTo(2626);
    assertThat(config.health().listenAddress().getPort()).isEqualTo(9090);
    assertThat(config.cluster().port()).isEqualTo(9000);
    assertThat(config.cluster().raftPort()).isEqualTo(9001);
    assertThat(config.cluster().electionTimeoutMin()).isEqualTo(Duration.ofMillis(900));
    assertThat(config.cluster().seeds())
        .containsExactly(new HostPort("n2", 9000), new HostPort("n3", 9000));
    assertThat(config.metrics().enabled()).isFalse();
    assertThat(config.node().dataDirectory()).isEqualTo(Path.of("/d"));
    assertThat(config.cluster().advertiseAddress()).hasValue("10.0.0.7");
  }

  @Test
  void falseInTheEnvironmentMeansFalse() {
    assertThat(valid("", Map.of("SMTP_CLUSTER_ENABLED", "false")).cluster().enabled()).isFalse();
  }

  @Test
  void listsAndTablesCanBeGivenByEnvironment() {
    Config config =
        valid(
            "",
            Map.of(
                "QUORUMAIL_RELAY_DOMAINS", "example.org, example.net",
                "QUORUMAIL_ROUTE", "[{domain = \"*\", to = [\"smtp://relay:26?priority=5\"]}]",
                "QUORUMAIL_SMTP_LISTENERS_0_SOCKET", "127.0.0.1:0"));
    assertThat(config.relay().domains()).containsExactlyInAnyOrder("example.org", "example.net");
    assertThat(config.routes().getFirst().to())
        .containsExactly(new NextHop.Smtp(new HostPort("relay", 26), 5, 100));
    assertThat(config.listeners().getFirst().socket().getPort()).isZero();
  }

  @Test
  void whatKubernetesSetsForServicesIsNoConfiguration() {
    ConfigResult result =
        ConfigReader.read(
            "",
            "f",
            Map.of(
                "SMTP_PORT", "tcp://10.0.0.1:25",
                "QUORUMAIL_PORT", "tcp://10.0.0.1:25",
                "QUORUMAIL_SERVICE_HOST", "10.0.0.1",
                "QUORUMAIL_HTTP_SERVICE_PORT", "8080",
                "QUORUMAIL_PORT_25_TCP_ADDR", "10.0.0.1"),
            Map.of());
    assertThat(result).isInstanceOf(ConfigResult.Valid.class);
    assertThat(((ConfigResult.Valid) result).warnings()).isEmpty();
  }

  @Test
  void aVariableThatIsNoKeyIsAWarning() {
    ConfigResult result =
        ConfigReader.read("", "f", Map.of("QUORUMAIL_LOG_LEVL", "debug"), Map.of());
    assertThat(((ConfigResult.Valid) result).warnings().toString())
        .contains("QUORUMAIL_LOG_LEVL", "did you mean QUORUMAIL_LOG_LEVEL?");
  }

  @Test
  void anOpenRelayIsAWarning() {
    ConfigResult result =
        ConfigReader.read("[relay]\nnetworks = ['0.0.0.0/0']", "f", Map.of(), Map.of());
    assertThat(((ConfigResult.Valid) result).warnings().toString()).contains("open relay");
  }

  @Test
  void theSecretNeverPrints() {
    String toml = "[cluster]\nenabled = true\nexpect = 1\nsecret = '" + SECRET + "'";
    assertThat(valid(toml).toString()).doesNotContain(SECRET).contains("***");
    assertThat(problems(toml.replace("c2Vj", "!!!!")).toString()).doesNotContain("cmV0c2Vj");
  }

  @Test
  void missingFilesAreNamed(@TempDir Path folder) throws IOException {
    Path key = Files.writeString(folder.resolve("key.pem"), "x");
    String toml = "[tls]\ncertificate = 'none.pem'\nkey = '" + key + "'\n";
    assertThat(problems(toml))
        .containsExactly(
            "f:2: tls.certificate: the file none.pem does not exist or cannot be read");
  }

  @Test
  void aListenerOffersTlsOnceThereIsACertificate(@TempDir Path folder) throws IOException {
    Path pem = Files.writeString(folder.resolve("pem"), "x");
    Config config = valid("[tls]\ncertificate = '" + pem + "'\nkey = '" + pem + "'\n");
    assertThat(config.listeners().getFirst().tls()).isEqualTo(TlsMode.STARTTLS);
  }

  @Test
  void secretAndSeedsOrDiscoveryImplyACluster() {
    String secret = "[cluster]\nsecret = '" + SECRET + "'\n";
    assertThat(valid(secret + "seeds = ['node-2']").cluster().enabled()).isTrue();
    assertThat(valid(secret + "discovery = 'dns'").cluster().enabled()).isTrue();
    assertThat(
            valid("", Map.of("CLUSTER_SECRET", SECRET, "SEED_NODES", "n2:7946,n3:7946"))
                .cluster()
                .enabled())
        .isTrue();
    assertThat(problems("[cluster]\nseeds = ['node-2']"))
        .singleElement()
        .asString()
        .contains("cluster.secret: a cluster needs");
  }

  @Test
  void aClusterThatIsSwitchedOffWithSecretAndSeedsIsRefused() {
    String toml = "[cluster]\nenabled = false\nsecret = '" + SECRET + "'\nseeds = ['node-2']";
    assertThat(problems(toml)).singleElement().asString().startsWith("f:2: cluster.enabled: is");
  }

  @Test
  void aSecretOfAStandAloneNodeIsAWarning() {
    ConfigResult result = ConfigReader.read("", "f", Map.of("CLUSTER_SECRET", SECRET), Map.of());
    assertThat(((ConfigResult.Valid) result).warnings())
        .singleElement()
        .asString()
        .contains("CLUSTER_SECRET: cluster.secret: has no effect", "stand-alone");
  }

  @Test
  void aForeignVariableWithoutEffectIsAWarning() {
    Map<String, String> environment =
        Map.of(
            "SMTP_CLUSTER_AUTH_ENABLED", "false",
            "SMTP_CLUSTER_REPLICATION_BUFFER_SIZE", "1000",
            "SMTP_CLUSTER_PEER", "n2:1",
            "SMTP_CLUSTER_SERVICE_HOST", "10.0.0.1");
    ConfigResult result = ConfigReader.read("", "f", environment, Map.of());
    assertThat(((ConfigResult.Valid) result).warnings().stream().map(Problem::toString))
        .satisfiesExactly(
            w -> assertThat(w).startsWith("SMTP_CLUSTER_AUTH_ENABLED: is ignored"),
            w -> assertThat(w).endsWith("did you mean SMTP_CLUSTER_PEERS?"),
            w -> assertThat(w).startsWith("SMTP_CLUSTER_REPLICATION_BUFFER_SIZE: is ignored"));
  }

  @Test
  void theTlsFilesOfSmtpServerCountUnlessTheyAreSwitchedOff() {
    Map<String, String> environment =
        Map.of(
            "SMTP_CLUSTER_TLS_CERT", "c", "SMTP_CLUSTER_TLS_KEY", "k", "SMTP_CLUSTER_TLS_CA", "a");
    assertThat(valid("", environment).cluster().tls()).isPresent();
    Map<String, String> off = new java.util.HashMap<>(environment);
    off.put("SMTP_CLUSTER_TLS_ENABLED", "false");
    assertThat(valid("", off).cluster().tls()).isEmpty();
  }

  @Test
  void keysOfSmtpServerAreSuggested() {
    assertThat(
            problems(
                "[cluster]\nnode_id = 'a'\nbind_port = 1\npeers = []\n"
                    + "leader_election_timeout_ms = 5\nenable_auto_discovery = true"))
        .satisfiesExactlyInAnyOrder(
            p -> assertThat(p).endsWith("did you mean node.id?"),
            p -> assertThat(p).endsWith("did you mean cluster.port?"),
            p -> assertThat(p).endsWith("did you mean cluster.seeds?"),
            p -> assertThat(p).endsWith("did you mean cluster.election_timeout?"),
            p -> assertThat(p).endsWith("did you mean cluster.discovery?"));
  }

  @Test
  void filesWithASecretThatEveryUserCanReadAreAWarning(@TempDir Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path token = Files.writeString(folder.resolve("token"), "0123456789abcdef");
    Path key = Files.writeString(folder.resolve("key"), "x");
    Path toml =
        Files.writeString(
            folder.resolve("f.toml"),
            """
            cluster = { secret = '%s', expect = 1, enabled = true }
            api = { token_file = '%s' }
            tls = { certificate = '%s', key = '%s' }
            """
                .formatted(SECRET, token, key, key));
    for (Path file : List.of(token, key, toml)) mode(file, "rw-r--r--");
    assertThat(warnings(toml))
        .hasSize(3)
        .allSatisfy(w -> assertThat(w).contains("can be read by every user of this host", "chmod"));
    for (Path file : List.of(token, key, toml)) mode(file, "rw-r-----");
    assertThat(warnings(toml)).isEmpty();
    mode(token, "rw-----w-");
    assertThat(warnings(toml)).singleElement().asString().contains("can be changed");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    assertThat(warnings(toml)).isEmpty();
  }

  private static void mode(Path file, String mode) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  private static List<String> warnings(Path toml) {
    ConfigResult result = new ConfigSources(Map.of(), Map.of(), Optional.of(toml)).read();
    return switch (result) {
      case ConfigResult.Valid valid -> valid.warnings().stream().map(Problem::toString).toList();
      case ConfigResult.Invalid invalid -> fail(invalid.problems().toString());
    };
  }

  @Test
  void problemsAreInTheOrderOfTheLines() {
    assertThat(
            problems(
                """
                [log]
                level = 'loud'
                [health]
                enabled = 5
                [smpt]
                [delivery]
                max_attempts = 0
                """))
        .extracting(problem -> problem.substring(0, 4))
        .containsExactly("f:2:", "f:4:", "f:5:", "f:7:");
  }

  @Test
  void aBadSocketIsOneProblem() {
    assertThat(
            problems("[[smtp.listeners]]\nsocket = '25'\n[[smtp.listeners]]\nsocket = '[::]:2525'"))
        .singleElement()
        .asString()
        .startsWith("f:2: smtp.listeners[0].socket: must be");
  }

  @Test
  void unknownTablesAndKeysOfSmallTablesGetASuggestion() {
    assertThat(problems("[dns]\nservers = []")).singleElement().asString().contains("delivery.dns");
    assertThat(problems("[smtp]\nportt = 25"))
        .containsExactly("f:2: smtp.portt: unknown key; smtp has listeners, memory");
  }

  @Test
  void domainsInUnicodeAreReadInTheirAsciiForm() {
    Config config =
        valid(
            """
            [relay]
            domains = ["M\u00fcnchen.example", "b.example."]
            [[route]]
            domain = "*.M\u00fcnchen.example"
            to = ["smtp://relay.m\u00fcnchen.example:26"]
            [delivery.dsn]
            postmaster = "postmaster@m\u00fcnchen.example"
            [delivery.domains."m\u00fcnchen.example"]
            mx_override = "mx.m\u00fcnchen.example"
            """);
    String ascii = "xn--mnchen-3ya.example";
    assertThat(config.relay().domains()).containsExactlyInAnyOrder(ascii, "b.example");
    assertThat(config.routes().getFirst().domain().matches("x." + ascii)).isTrue();
    assertThat(config.routes().getFirst().to())
        .containsExactly(new NextHop.Smtp(new HostPort("relay." + ascii, 26), 10, 100));
    assertThat(config.delivery().dsn().postmaster()).contains("postmaster@" + ascii);
    assertThat(config.delivery().domains()).containsOnlyKeys(ascii);
    assertThat(config.delivery().domains().values())
        .singleElement()
        .extracting(domain -> domain.mxOverride())
        .isEqualTo(Optional.of(new HostPort("mx." + ascii, 25)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[relay]\ndomains = ['192.0.2.1']",
        "[relay]\ndomains = ['a..example']",
        "[relay]\ndomains = ['@a.example']",
        "[[route]]\nto = ['smtp://relay host:25']",
        "[[route]]\nto = ['smtp://user@relay.example']",
        "[[route]]\nto = ['lmtp://a/b']",
        "[[route]]\nto = ['smtp://127.1:25']",
        "[delivery.domains.'a.example']\nmx_override = 'http://b.example'",
        "[delivery.dsn]\npostmaster = 'postmaster@a b'",
        "[delivery.dns]\nservers = ['1.1']",
        "[[smtp.listeners]]\nsocket = '127.1:2525'",
        "[[smtp.listeners]]\nsocket = '010.0.0.1:2525'",
      })
  void aValueThatMeansSomethingElseIsRefused(String toml) {
    assertThat(problems(toml)).singleElement().asString().contains("f:");
  }

  @Test
  void aConfigurationFileMayBeginWithAByteOrderMark(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("f.toml"), "\uFEFFhostname = 'a.example'\r\n");
    ConfigResult result = new ConfigSources(Map.of(), Map.of(), Optional.of(file)).read();
    assertThat(result).isInstanceOf(ConfigResult.Valid.class);
    assertThat(((ConfigResult.Valid) result).config().hostname()).isEqualTo("a.example");
  }

  @Test
  void aConfigurationFileThatIsNotUtf8IsRefusedWithItsLine(@TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("f.toml");
    Files.write(file, "# ok\n# M\u00fcller\n".getBytes(StandardCharsets.ISO_8859_1));
    ConfigResult result = new ConfigSources(Map.of(), Map.of(), Optional.of(file)).read();
    assertThat(((ConfigResult.Invalid) result).problems().getFirst().toString())
        .isEqualTo(file + ":2: is not UTF-8; save the file as UTF-8");
  }

  private static LogConfig.Level level(
      String toml, Map<String, String> environment, Map<String, String> overrides) {
    ConfigResult result = ConfigReader.read(toml, "f", environment, overrides);
    assertThat(result).isInstanceOf(ConfigResult.Valid.class);
    return ((ConfigResult.Valid) result).config().log().level();
  }

  private static Config valid(String toml) {
    return valid(toml, Map.of());
  }

  private static Config valid(String toml, Map<String, String> environment) {
    return switch (ConfigReader.read(toml, "f", environment, Map.of())) {
      case ConfigResult.Valid valid -> valid.config();
      case ConfigResult.Invalid invalid -> fail(invalid.problems().toString());
    };
  }

  private static List<String> problems(String toml) {
    return switch (ConfigReader.read(toml, "f", Map.of(), Map.of())) {
      case ConfigResult.Valid valid -> List.of();
      case ConfigResult.Invalid invalid ->
          invalid.problems().stream().map(Problem::toString).toList();
    };
  }
}
