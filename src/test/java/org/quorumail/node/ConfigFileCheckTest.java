package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.smtp.TestCertificates;

class ConfigFileCheckTest {
  @TempDir private Path folder;

  @BeforeEach
  void certificates() throws Exception {
    TestCertificates.write(folder, "one");
    TestCertificates.write(folder, "two");
  }

  @Test
  void filesThatCanBeUsedAreNoProblem() throws IOException {
    Files.writeString(folder.resolve("aliases"), "sales@a.example: ann@a.example\n");
    Files.writeString(folder.resolve("recipients"), "ann@a.example\n");
    assertThat(
            problems(
                Map.of(
                    "tls.certificate", file("one.pem"),
                    "tls.key", file("one.key"),
                    "auth.users_file", file("users-to-come"),
                    "aliases.file", file("aliases"),
                    "relay.domains", "a.example",
                    "relay.recipients", file("recipients"))))
        .isEmpty();
  }

  @Test
  void aCertificateThatIsNoneIsNamedWithItsKey() throws IOException {
    Files.writeString(folder.resolve("no.pem"), "not a certificate\n");
    assertThat(problems(Map.of("tls.certificate", file("no.pem"), "tls.key", file("one.key"))))
        .singleElement()
        .asString()
        .startsWith("tls.certificate, .key: ")
        .contains("no.pem")
        .doesNotContain("Exception");
  }

  @Test
  void aBadCertificateOfAnyServerIsNamedWithItsKeyAndLine() throws IOException {
    String pair = "certificate = '%s'\nkey = '%s'\n".formatted(file("one.pem"), file("two.key"));
    String listener = "[[smtp.listeners]]\nsocket = '[::]:2525'\ntls = 'starttls'\n";
    assertThat(located("[node]\n[api.tls]\n" + pair))
        .singleElement()
        .asString()
        .startsWith("f:3: api.tls.certificate, .key: the key in " + file("two.key"));
    assertThat(located("[tls]\n" + pair + listener))
        .singleElement()
        .asString()
        .startsWith("f:2: tls.certificate, .key: the key in ");
    assertThat(located(listener + "[smtp.listeners.extensions.starttls]\n" + pair))
        .singleElement()
        .asString()
        .startsWith("f:5: smtp.listeners[0].extensions.starttls.certificate, .key: the key in ");
  }

  private static List<String> located(String toml) {
    ConfigResult read = ConfigReader.read(toml, "f", Map.of(), Map.of());
    return ConfigFileCheck.problems((ConfigResult.Valid) read);
  }

  @Test
  void aKeyMustBeThatOfItsCertificate() throws IOException {
    assertThat(problems(Map.of("tls.certificate", file("one.pem"), "tls.key", file("two.key"))))
        .singleElement()
        .asString()
        .contains("two.key");
    Files.writeString(folder.resolve("broken.key"), "not a key\n");
    assertThat(problems(Map.of("tls.certificate", file("one.pem"), "tls.key", file("broken.key"))))
        .singleElement()
        .asString()
        .contains("broken.key");
  }

  @Test
  void eachKindOfFileHasASentenceOfItsOwn() throws IOException {
    Files.writeString(folder.resolve("users"), "alice in wonderland\n");
    Files.writeString(
        folder.resolve("aliases"), "a@b.example: c@b.example\nc@b.example: a@b.example\n");
    Files.writeString(folder.resolve("recipients"), "no address at all\n");
    List<String> problems =
        problems(
            Map.of(
                "tls.certificate", file("one.pem"),
                "tls.key", file("two.key"),
                "auth.users_file", file("users"),
                "aliases.file", file("aliases"),
                "relay.domains", "b.example",
                "relay.recipients", file("recipients")));
    assertThat(problems).hasSize(4);
    assertThat(problems.get(1)).startsWith("auth.users_file");
    assertThat(problems.get(2)).contains("aliases: a loop: ");
    assertThat(problems.get(3)).startsWith("relay.recipients: ");
  }

  @Test
  void aBadRuleForFailuresIsNamedWithKeyAndLine() throws IOException {
    Files.writeString(folder.resolve("rules.toml"), "[[rule]]\nname = 'a'\nclass = 'policy'\n");
    assertThat(problems(Map.of("delivery.classification.file", file("rules.toml"))))
        .singleElement()
        .asString()
        .startsWith("delivery.classification.file: ")
        .contains("rules.toml:1: rule[0]: the rule has no condition");
  }

  @Test
  void aByteOrderMarkIsNoPartOfAFile() throws IOException {
    Files.writeString(folder.resolve("deny"), "\uFEFFbad.example\r\nworse.example\r\n");
    Files.writeString(folder.resolve("nets"), "\uFEFF192.0.2.0/24\r\n");
    Path users = folder.resolve("users");
    Files.writeString(users, "\uFEFF%secret " + "A".repeat(43) + "=\r\n");
    Path pem = folder.resolve("one.pem");
    Files.writeString(pem, "\uFEFF" + Files.readString(pem).replace("\n", "\r\n"));
    Path key = folder.resolve("one.key");
    Files.writeString(key, "\uFEFF" + Files.readString(key).replace("\n", "\r\n"));
    assertThat(
            problems(
                Map.of(
                    "policy.lists.deny_senders", "file:" + file("deny"),
                    "policy.lists.deny_clients", "file:" + file("nets"),
                    "auth.users_file", file("users"),
                    "tls.certificate", file("one.pem"),
                    "tls.key", file("one.key"))))
        .isEmpty();
  }

  @Test
  void anOctetThatIsNotUtf8IsNamedWithFileAndLine() throws IOException {
    byte[] text = "# ok\n# M\u00fcller\n".getBytes(StandardCharsets.ISO_8859_1);
    for (String name : List.of("users", "aliases", "recipients", "deny")) {
      Files.write(folder.resolve(name), text);
    }
    assertThat(
            problems(
                Map.of(
                    "auth.users_file", file("users"),
                    "aliases.file", file("aliases"),
                    "relay.domains", "b.example",
                    "relay.recipients", file("recipients"),
                    "policy.lists.deny_senders", "file:" + file("deny"))))
        .hasSize(4)
        .allSatisfy(problem -> assertThat(problem).contains(" line 2 is not UTF-8"));
  }

  @Test
  void anEntryOfAListFileIsNamedWithFileAndLine() throws IOException {
    Files.writeString(folder.resolve("deny"), "b\u00fccher.example\n\n<ann@a.example>\n");
    Files.writeString(folder.resolve("nets"), "192.0.2.0/24\nhost.example\n");
    assertThat(problems(Map.of("policy.lists.deny_senders", "file:" + file("deny"))))
        .singleElement()
        .asString()
        .contains(file("deny") + " line 3: ");
    assertThat(problems(Map.of("policy.lists.deny_clients", "file:" + file("nets"))))
        .singleElement()
        .asString()
        .contains(file("nets") + " line 2: ");
  }

  private List<String> problems(Map<String, String> keys) {
    return ConfigFileCheck.problems(Config.standalone(folder.resolve("data"), keys));
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }
}
