package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.dns.DnsResolver;
import org.quorumail.policy.LocalPolicyState;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.tls.ServerTls;

class CertificateWatcherTest {
  @TempDir Path folder;
  private LiveConfig config;
  private CertificateWatcher watch;

  @BeforeEach
  void start() throws Exception {
    TestCertificates.write(folder, "old");
    TestCertificates.write(folder, "new");
    use("old.pem", "old.key");
    Map<String, String> keys =
        Map.of(
            "node.data_directory", folder.toString(),
            "tls.certificate", folder.resolve("pem").toString(),
            "tls.key", folder.resolve("key").toString(),
            "api.tls.certificate", folder.resolve("pem").toString(),
            "api.tls.key", folder.resolve("key").toString());
    ConfigResult.Valid read = (ConfigResult.Valid) ConfigReader.read("", "", Map.of(), keys);
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    Clock clock = Clock.systemUTC();
    DnsResolver resolver = new DnsResolver(read.config().delivery().dns(), clock, meters);
    PolicyFactory rules =
        new PolicyFactory(resolver, new LocalPolicyState(1_000, clock), meters, clock);
    config = LiveConfig.open(read, rules);
    watch = new CertificateWatcher(config);
  }

  @Test
  void aReplacedPairCountsOnceItHasSettled() throws Exception {
    use("new.pem", "new.key");
    watch.check();
    assertThat(subject()).isEqualTo("CN=old");
    watch.check();
    assertThat(subject()).isEqualTo("CN=new");
  }

  @Test
  void aBadPairChangesNothingUntilItIsGood() throws Exception {
    use("new.pem", "old.key");
    watch.check();
    watch.check();
    assertThat(subject()).isEqualTo("CN=old");
    Files.delete(folder.resolve("key"));
    watch.check();
    watch.check();
    assertThat(subject()).isEqualTo("CN=old");
    use("new.pem", "new.key");
    watch.check();
    watch.check();
    assertThat(subject()).isEqualTo("CN=new");
  }

  /** The subject of the certificate of SMTP, which must be that of the HTTP server too. */
  private String subject() {
    String smtp = subject(config.tls(0).orElseThrow());
    assertThat(subject(config.apiTls().orElseThrow())).isEqualTo(smtp);
    return smtp;
  }

  private static String subject(ServerTls tls) {
    return tls.keys().getFirst().chain().getFirst().getSubjectX500Principal().getName();
  }

  private void use(String certificate, String key) throws Exception {
    Files.copy(
        folder.resolve(certificate), folder.resolve("pem"), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(folder.resolve(key), folder.resolve("key"), StandardCopyOption.REPLACE_EXISTING);
  }
}
