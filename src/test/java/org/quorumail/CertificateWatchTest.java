package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.config.Config;
import org.quorumail.config.ConfigSources;
import org.quorumail.dns.DnsResolver;
import org.quorumail.policy.LocalState;
import org.quorumail.smtp.TestCertificates;

class CertificateWatchTest {
  @TempDir Path folder;
  private LiveConfig config;
  private CertificateWatch watch;

  @BeforeEach
  void start() throws Exception {
    TestCertificates.write(folder, "old");
    TestCertificates.write(folder, "new");
    use("old.pem", "old.key");
    Config read =
        Config.standalone(
            folder,
            Map.of(
                "tls.certificate", folder.resolve("pem").toString(),
                "tls.key", folder.resolve("key").toString()));
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    Clock clock = Clock.systemUTC();
    DnsResolver resolver = new DnsResolver(read.delivery().dns(), clock, meters);
    PolicyRules rules = new PolicyRules(resolver, new LocalState(1_000, clock), meters, clock);
    ConfigSources nowhere = new ConfigSources(Map.of(), Map.of(), Optional.empty());
    config = LiveConfig.of(read, nowhere, rules);
    watch = CertificateWatch.idle(config);
  }

  @Test
  void aReplacedPairCountsOnceItHasSettled() throws Exception {
    use("new.pem", "new.key");
    watch.look();
    assertThat(subject()).isEqualTo("CN=old");
    watch.look();
    assertThat(subject()).isEqualTo("CN=new");
  }

  @Test
  void aBadPairChangesNothingUntilItIsGood() throws Exception {
    use("new.pem", "old.key");
    watch.look();
    watch.look();
    assertThat(subject()).isEqualTo("CN=old");
    Files.delete(folder.resolve("key"));
    watch.look();
    watch.look();
    assertThat(subject()).isEqualTo("CN=old");
    use("new.pem", "new.key");
    watch.look();
    watch.look();
    assertThat(subject()).isEqualTo("CN=new");
  }

  private String subject() {
    return config
        .tls(0)
        .orElseThrow()
        .keys()
        .getFirst()
        .chain()
        .getFirst()
        .getSubjectX500Principal()
        .getName();
  }

  private void use(String certificate, String key) throws Exception {
    Files.copy(
        folder.resolve(certificate), folder.resolve("pem"), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(folder.resolve(key), folder.resolve("key"), StandardCopyOption.REPLACE_EXISTING);
  }
}
