package org.quorumail.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.api.NodeAnswer;
import org.quorumail.api.OtherNodes;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.AcceptedRequest;
import org.quorumail.spool.Intake.RequestLookup;

class RequestKeysTest {
  private static final String KEY = "0123456789abcdef".repeat(2);
  private static final String BODY = "f".repeat(32);
  private static final long NOW = 1_700_000_000_000L;
  private static final QueueId ID = QueueId.generate(Instant.ofEpochMilli(NOW));

  private final ThreeNodes nodes = new ThreeNodes();
  private Optional<String> old = Optional.empty();
  private RequestLookup here = new RequestLookup(List.of("spool-n1"), List.of(), false);
  private final RequestKeys keys = new RequestKeys(nodes, () -> old);

  /** Node n1 asks n2 and n3; each answers what the test says, or nothing. */
  private static final class ThreeNodes implements OtherNodes {
    private final Map<String, String> answers = new HashMap<>();

    ThreeNodes() {
      answers.put("n2", answer(false, "spool-n2", ""));
      answers.put("n3", answer(false, "spool-n3", ""));
    }

    static String answer(boolean inProgress, String spools, String messages) {
      String quoted = spools.isEmpty() ? "" : "\"" + spools.replace(",", "\",\"") + "\"";
      return "{\"in_progress\":%s,\"spools\":[%s],\"messages\":[%s]}"
          .formatted(inProgress, quoted, messages);
    }

    @Override
    public String self() {
      return "n1";
    }

    @Override
    public List<String> ids() {
      return List.of("n2", "n3");
    }

    @Override
    public boolean isReachable(String node) {
      return answers.containsKey(node);
    }

    @Override
    public Map<String, List<String>> spools() {
      List<String> all = List.of("n1", "n2", "n3");
      return Map.of("spool-n1", all, "spool-n2", all, "spool-n3", all);
    }

    @Override
    public Optional<NodeAnswer> call(String node, String method, String target, Duration timeout) {
      assertThat(method + " " + target).isEqualTo("GET /api/messages/keys/" + KEY);
      return Optional.ofNullable(answers.get(node))
          .map(text -> new NodeAnswer(200, text.getBytes(StandardCharsets.UTF_8)));
    }
  }

  private Map<Integer, ?> begin() {
    return keys.begin(KEY, request -> here, NOW);
  }

  @Test
  void aNewKeyGoesOnWhenTheOwnersOfAllSpoolsHaveAnswered() {
    assertThat(begin()).isEmpty();
    keys.end(KEY, false);
    assertThat(begin()).isEmpty();
  }

  @Test
  void aKeyIsFoundAtTheNodeThatTookOverTheSpool() {
    nodes.answers.remove("n2");
    String message =
        "{\"index\":0,\"id\":\"%s\",\"body\":\"%s\",\"at_millis\":%d}".formatted(ID, BODY, NOW - 5);
    nodes.answers.put("n3", ThreeNodes.answer(false, "spool-n2,spool-n3", message));
    assertThat(begin().get(0)).hasFieldOrPropertyWithValue("id", ID.toString());
  }

  @Test
  void nothingIsAcceptedWhileASpoolHasNoOwner() {
    nodes.answers.remove("n2");
    assertRefused(503, "spool-n2");
    nodes.answers.put("n3", ThreeNodes.answer(false, "spool-n2,spool-n3", ""));
    assertThat(begin()).as("after the takeover").isEmpty();
  }

  @Test
  void aKeyInProgressElsewhereOrHereIsAConflict() {
    nodes.answers.put("n3", ThreeNodes.answer(true, "spool-n3", ""));
    assertRefused(409, "in progress");
    nodes.answers.put("n3", ThreeNodes.answer(false, "spool-n3", ""));
    begin();
    assertRefused(409, "in progress");
    assertThat(keys.known(KEY, here).inProgress()).isTrue();
    keys.end(KEY, true);
    assertThat(keys.known(KEY, here).inProgress()).as("its fate is not known").isTrue();
    assertRefused(409, "in progress");
  }

  @Test
  void theFirstKeyNeedsAllMembersAndALaterOneDoesNot() {
    old = Optional.of("n3");
    assertRefused(503, "n3");
    AcceptedRequest earlier = new AcceptedRequest(0, ID, BODY, NOW);
    here = new RequestLookup(List.of("spool-n1"), List.of(), true);
    assertThat(begin()).isEmpty();
    keys.end(KEY, false);
    here = new RequestLookup(List.of("spool-n1"), List.of(earlier), true);
    assertThat(begin()).hasSize(1);
  }

  @Test
  void aKeyThatIsADayOldIsNew() {
    AcceptedRequest earlier = new AcceptedRequest(0, ID, BODY, NOW - 24 * 3600 * 1000);
    here = new RequestLookup(List.of("spool-n1"), List.of(earlier), true);
    assertThat(begin()).isEmpty();
  }

  private void assertRefused(int status, String words) {
    assertThatThrownBy(this::begin)
        .isInstanceOfSatisfying(
            InjectionProblem.class, p -> assertThat(p.answer().status()).isEqualTo(status))
        .hasMessageContaining(words);
  }
}
