package org.quorumail.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.MailAddress;

class AliasTableTest {
  @TempDir Path folder;

  @Test
  void oneAddressStandsForSeveralAndForWhatTheyStandFor() throws IOException {
    AliasTable aliases =
        aliases(
            """
            # who sells
            Sales@a.example: ann@a.example,
              team@a.example
            team@a.example: bob@b.example, team@a.example
            abuse: postmaster
            @old.example: ann@a.example
            """);
    assertThat(targets(aliases, "SALES@a.example"))
        .containsExactly("ann@a.example", "bob@b.example", "team@a.example");
    assertThat(targets(aliases, "abuse@b.example")).containsExactly("postmaster@b.example");
    assertThat(targets(aliases, "abuse@stranger.example")).isEmpty();
    assertThat(targets(aliases, "ann@a.example")).isEmpty();
    assertThat(aliases.catchAllTargets(MailAddress.of("x@old.example")))
        .contains(List.of(MailAddress.of("ann@a.example")));
  }

  @Test
  void anotherSpellingOfAnAliasIsTheSameAlias() throws IOException {
    AliasTable aliases =
        aliases(
            """
            "s\\ales"@a.example: "a\\nn"@a.example
            ann@a.example: bob@b.example
            abuse: postmaster
            loop@a.example: "l\\oop"@a.example
            """);
    for (String sales : List.of("sales", "\"sales\"", "\"SA\\LES\"")) {
      assertThat(targets(aliases, sales + "@a.example")).containsExactly("bob@b.example");
    }
    assertThat(targets(aliases, "\"ab\\use\"@b.example")).containsExactly("postmaster@b.example");
    assertThat(targets(aliases, "\"loop\"@a.example")).containsExactly("loop@a.example");
    assertThatThrownBy(() -> aliases("x@a.example: b@c.example\n\"x\"@a.example: d@e.example\n"))
        .hasMessageContaining("line 2: an earlier line defines the alias");
  }

  @Test
  void aDomainStandsForAnother() throws IOException {
    AliasTable aliases = read("", Map.of("v.example", "w.example", "w.example", "a.example"));
    assertThat(aliases.mapDomain(MailAddress.of("x@v.example")))
        .isEqualTo(MailAddress.of("x@a.example"));
  }

  @Test
  void loopsAndEndlessChainsAreFoundWhenTheTableIsRead() {
    assertThatThrownBy(() -> aliases("x@a.example: y@a.example\ny@a.example: x@a.example\n"))
        .hasMessageContaining("a loop: ");
    assertThatThrownBy(() -> read("", Map.of("v.example", "w.example", "w.example", "v.example")))
        .hasMessageContaining("aliases.domains: a loop");
    StringBuilder chain = new StringBuilder();
    for (int i = 0; i < 12; i++) chain.append("n%d@c.example: n%d@c.example\n".formatted(i, i + 1));
    assertThatThrownBy(() -> aliases(chain.toString())).hasMessageContaining("too long");
    String many = "m@a.example: " + "x%d@z.example,".repeat(1_001);
    Object[] numbers = new Object[1_001];
    for (int i = 0; i < numbers.length; i++) numbers[i] = i;
    assertThatThrownBy(() -> aliases(many.formatted(numbers)))
        .hasMessageContaining("more than 1000");
  }

  @Test
  void aLineThatIsNoAliasIsNamed() {
    assertThatThrownBy(() -> aliases("a@a.example: b@a.example\nnonsense\n"))
        .hasMessageContaining("line 2 is not");
    assertThatThrownBy(() -> aliases("a@a.example:\n")).hasMessageContaining("names no target");
    assertThatThrownBy(() -> aliases("a@a.example: b\n"))
        .hasMessageContaining("not a mail address");
    assertThatThrownBy(() -> aliases("a@a.example: b@c\nA@A.example: d@e\n"))
        .hasMessageContaining("line 2: an earlier line defines the alias");
  }

  @Test
  void aByteOrderMarkDoesNotHideTheFirstAlias() throws IOException {
    AliasTable aliases = aliases("\uFEFFsales@a.example: ann@a.example\r\n");
    assertThat(targets(aliases, "sales@a.example")).containsExactly("ann@a.example");
  }

  @Test
  void domainsInUnicodeAreReadInTheirAsciiForm() throws IOException {
    AliasTable aliases =
        aliases(
            "sales@m\u00fcnchen.example: ann@b\u00fccher.example\n"
                + "@m\u00fcnchen.example: a@b.example");
    assertThat(targets(aliases, "sales@xn--mnchen-3ya.example"))
        .containsExactly("ann@xn--bcher-kva.example");
    assertThat(aliases.catchAllTargets(MailAddress.of("x@xn--mnchen-3ya.example"))).isPresent();
  }

  @Test
  void targetsOfOtherMailServersAreRefusedWithTheirLine() {
    for (String target :
        List.of("|/usr/bin/vacation", "/dev/null", ":include:/etc/list", "<a@b.example>", "*@b")) {
      assertThatThrownBy(() -> aliases("abuse: " + target + "\n")).hasMessageContaining(" line 1");
    }
  }

  private AliasTable aliases(String text) throws IOException {
    return read(text, Map.of());
  }

  private AliasTable read(String text, Map<String, String> domains) throws IOException {
    Path file = Files.writeString(folder.resolve("aliases"), text);
    return AliasTable.read(
        new PolicyConfig.AliasesConfig(Optional.of(file), domains, Map.of()),
        Set.of("a.example", "B.example"));
  }

  private static List<String> targets(AliasTable aliases, String address) {
    return aliases.targets(MailAddress.of(address)).orElse(List.of()).stream()
        .map(Object::toString)
        .toList();
  }
}
