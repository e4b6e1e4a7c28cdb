package org.quorumail.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class EventsCommandTest {
  @Test
  void controlCharactersOfOtherHostsDoNotReachTheTerminal() {
    String json =
        "{\"time\":\"t\",\"node\":\"n\\u001b[2J\",\"type\":\"x\",\"details\":{\"r\":\"a\\n"
            + "b\\u009b1m\"}}";
    String line = EventsCommand.line(JsonMapper.shared().readTree(json));
    assertThat(line).startsWith("t n").contains(" x r=a");
    assertThat(line.chars()).noneMatch(Character::isISOControl);
  }
}
