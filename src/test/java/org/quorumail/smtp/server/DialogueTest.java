package org.quorumail.smtp.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.tls.ServerTls;

/** Plays every script of {@code dialogues/} against a listener. */
class DialogueTest {
  @TempDir static Path folder;
  static ServerTls tls;

  @BeforeAll
  static void certificate() throws Exception {
    TestCertificates.write(folder, "mx.test.example");
    tls =
        ServerTls.of(
            folder.resolve("mx.test.example.pem"), folder.resolve("mx.test.example.key"), "1.2");
  }

  static List<Path> scripts() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/test/resources/dialogues"))) {
      return files.filter(file -> file.toString().endsWith(".smtp")).sorted().toList();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scripts")
  void theConversationGoesAsWritten(Path script) throws IOException {
    Dialogue.run(script, tls);
  }
}
