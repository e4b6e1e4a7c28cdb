package org.quorumail.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.metrics.LogConfig.Format;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class LoggingTest {
  private static final String HOSTILE = "helo=\u001b[2Jx\r\n2026 FORGED\u2028y\u202ez \"q\" \\";

  @Test
  void anEventIsOneLineWhateverThePeerSent() {
    String line = encode(Format.TEXT, HOSTILE, null);
    assertThat(line).endsWith("\n");
    assertThat(line.strip())
        .doesNotContain("\n", "\r", "\u001b", "\u2028", "\u202e")
        .contains("\\u001b[2Jx\\r\\n2026 FORGED\\u2028y\\u202ez");
  }

  @Test
  void jsonLinesAreJson() {
    JsonNode event = JsonMapper.shared().readTree(encode(Format.JSON, HOSTILE, null));
    assertThat(event.path("level").asString()).isEqualTo("WARN");
    assertThat(event.path("message").asString()).contains("\"q\" \\", "FORGED");
  }

  @Test
  void anExceptionStaysOnItsLine() {
    String line = encode(Format.TEXT, "failed", new IllegalStateException("a\nb"));
    assertThat(line.strip()).doesNotContain("\n").contains("IllegalStateException");
  }

  @Test
  void aLongMessageIsCut() {
    assertThat(encode(Format.TEXT, "x".repeat(1 << 20), null).length()).isLessThan(20_000);
  }

  @Test
  void aLogFileThatCannotBeWrittenIsOneSentence(@TempDir Path folder) throws Exception {
    Path file = Files.createFile(folder.resolve("file")).resolve("log");
    LogConfig config = new LogConfig(LogConfig.Level.INFO, Format.TEXT, Optional.of(file));
    assertThatThrownBy(() -> Logging.configure(config))
        .isInstanceOf(Logging.UnwritableException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("log.file");
  }

  @Test
  void whatIsToldElsewhereIsLeftOutAndTheLoggersOtherWarningsAreNot() {
    var filter = new DuplicateWarningFilter();
    var logger = new LoggerContext().getLogger("org.apache.ratis.server.RaftServer");
    assertThat(decision(filter, logger, "n1: Failed groupAdd* GroupManagementRequest"))
        .isEqualTo(FilterReply.DENY);
    assertThat(decision(filter, logger, "n1: something that nobody knows"))
        .isEqualTo(FilterReply.NEUTRAL);
    var ours = new LoggerContext().getLogger("org.quorumail.Node");
    assertThat(decision(filter, ours, "Failed groupAdd*")).isEqualTo(FilterReply.NEUTRAL);
  }

  private static FilterReply decision(
      DuplicateWarningFilter filter, ch.qos.logback.classic.Logger logger, String message) {
    return filter.decide(null, logger, Level.WARN, message, null, null);
  }

  private static String encode(
      Format format, String message, @org.jspecify.annotations.Nullable Throwable thrown) {
    ch.qos.logback.classic.Logger logger = new LoggerContext().getLogger("org.quorumail.Test");
    LoggingEvent event = new LoggingEvent("fqcn", logger, Level.WARN, message, thrown, null);
    return new String(new LogLineEncoder(format).encode(event), StandardCharsets.UTF_8);
  }
}
