package org.quorumail.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.config.Network;
import org.quorumail.mail.MailAddress;

class RecipientTableTest {
  @TempDir Path folder;

  @Test
  void onlyKnownRecipientsOfOurDomainsAreAccepted() throws IOException {
    RelayPolicy policy = policy("# known\nann@local.example\n\n@all.example\n");
    assertThat(refusal(policy, "Ann@local.example")).isEmpty();
    assertThat(refusal(policy, "anybody@all.example")).isEmpty();
    assertThat(refusal(policy, "postmaster@local.example")).isEmpty();
    assertThat(refusal(policy, "bob@local.example")).contains("550 5.1.1 No such mailbox here");
    assertThat(refusal(policy, "bob@other.example")).contains("550 5.7.1 Relaying denied");
  }

  @Test
  void theTableHoldsForTrustedClientsTooAndOtherDomainsAreOpenToThem() throws IOException {
    RelayPolicy policy = policy("ann@local.example\n");
    ClientIdentity trusted = ClientIdentity.at(InetAddress.getByName("192.0.2.7"));
    assertThat(policy.decide(trusted, MailAddress.of("bob@local.example")))
        .isInstanceOf(RelayPolicy.Decision.Unknown.class);
    assertThat(policy.decide(trusted, MailAddress.of("a%b@other.example")))
        .isInstanceOf(RelayPolicy.Decision.Accept.class);
  }

  @Test
  void anEntryForADomainSaysNothingAboutAddressesThatAnotherHostCouldRouteOn() throws IOException {
    RelayPolicy policy = policy("@all.example\nann%far.example@local.example\n");
    for (String route :
        List.of("x%far.example", "far.example!x", "\"x@far.example\"", "\"x%\\far.example\"")) {
      assertThat(refusal(policy, route + "@all.example"))
          .as(route)
          .contains("550 5.7.1 Addresses that route through this host are refused");
    }
    assertThat(refusal(policy, "ann%far.example@local.example")).isEmpty();
    assertThat(refusal(policy, "\"ann%\\far.example\"@local.example")).isEmpty();
    assertThat(refusal(policy, "bob%far.example@local.example")).isNotEmpty();
  }

  @Test
  void anotherSpellingOfAMailboxIsTheSameMailbox() throws IOException {
    RelayPolicy policy = policy("\"b\\ob\"@local.example\nann@local.example\na..b@local.example\n");
    for (String known : List.of("bob", "\"Bob\"", "\"ann\"", "\"a\\nn\"", "\"a..b\"", "a..b")) {
      assertThat(refusal(policy, known + "@local.example")).as(known).isEmpty();
    }
    assertThat(refusal(policy, "\"b ob\"@local.example")).isNotEmpty();
    assertThat(refusal(policy, "\"\"@local.example")).isNotEmpty();
    assertThat(refusal(policy, "\"postm\\aster\"@local.example")).isEmpty();
  }

  @Test
  void aLineThatIsNoAddressIsNamed() {
    assertThatThrownBy(() -> policy("ann@local.example\nbob\n"))
        .hasMessageContaining("line 2: \"bob\" is neither an address nor @domain");
  }

  private RelayPolicy policy(String table) throws IOException {
    Path file = Files.writeString(folder.resolve("recipients.txt"), table);
    return new RelayPolicy(
        new RelayConfig(
            List.of(Network.parse("192.0.2.0/24")),
            Set.of(),
            Set.of("local.example", "All.example"),
            Optional.of(file)),
        Optional.of(RecipientFileTable.read(file)));
  }

  private static Optional<String> refusal(RelayPolicy policy, String to) throws IOException {
    ClientIdentity stranger = ClientIdentity.at(InetAddress.getByName("198.51.100.1"));
    RelayPolicy.Decision decision = policy.decide(stranger, MailAddress.of(to));
    return switch (decision) {
      case RelayPolicy.Decision.Accept accept -> Optional.empty();
      case RelayPolicy.Decision.Refuse refuse -> Optional.of(refuse.reply().toString());
      case RelayPolicy.Decision.Unknown unknown -> Optional.of(unknown.reply().toString());
      case RelayPolicy.Decision.Routed routed -> Optional.of(routed.reply().toString());
      case RelayPolicy.Decision.Unavailable later -> Optional.of(later.reply().toString());
    };
  }
}
