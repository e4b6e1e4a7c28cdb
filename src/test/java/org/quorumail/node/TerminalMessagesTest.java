package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.Console;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TerminalMessagesTest {
  @TempDir Path folder;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @Test
  void aReadyNodeShowsItsPortsItsDataAndAFirstCommand() {
    Config config =
        Config.standalone(
            folder,
            Map.of(
                "smtp.listeners[0].socket", "[::1]:2599", "health.listen_address", "0.0.0.0:8099"));
    TerminalMessages messages = new TerminalMessages(Optional.of(new PrintStream(bytes, true)));
    messages.starting(config);
    messages.ready(config);
    messages.stopping();
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .contains(
            "starting",
            "port 2599",
            "HTTP on port 8099",
            "data in " + folder,
            "swaks --server [0:0:0:0:0:0:0:1]:2599",
            "Ctrl-C again stops at once");
  }

  @Test
  void withoutATerminalNothingIsPrinted() {
    TerminalMessages.ofThisProcess(new PrintStream(bytes, true)).stopping();
    boolean isTerminal =
        Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    assertThat(bytes.size() > 0).isEqualTo(isTerminal);
  }
}
