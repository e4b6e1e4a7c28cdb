package org.apache.ratis.util;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileOutputStreamTest {
  @TempDir Path directory;

  /** The JVM's own record of every FileChannel.force. */
  @Test
  void theFileAndThenItsDirectoryAreForced() throws Exception {
    Path file = directory.resolve("raft-meta");
    try (Recording recording = new Recording()) {
      recording.enable("jdk.FileForce").withThreshold(Duration.ZERO);
      recording.start();
      write(file, "term=5");
      recording.stop();
      assertThat(forced(recording))
          .containsExactly(file + AtomicFileOutputStream.TMP_EXTENSION, directory.toString());
    }
    assertThat(file).hasContent("term=5");
  }

  @Test
  void theOldContentStaysUntilTheNewOneIsComplete() throws Exception {
    Path file = directory.resolve("raft-meta");
    write(file, "term=5");
    try (var out = new AtomicFileOutputStream(file.toFile())) {
      out.write("term=6".getBytes(UTF_8));
      assertThat(file).hasContent("term=5");
    }
    assertThat(file).hasContent("term=6");
  }

  @Test
  void anAbortLeavesNothingBehind() throws Exception {
    Path file = directory.resolve("raft-meta");
    write(file, "term=5");
    var out = new AtomicFileOutputStream(file.toFile());
    out.write(1);
    out.abort();
    out.close();
    assertThat(out.isClosed()).isTrue();
    assertThat(file).hasContent("term=5");
    assertThat(directory).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void theWatcherOfTheDirectoryHearsOfAFailureAndNoOther() throws Exception {
    List<IOException> heard = new ArrayList<>();
    List<IOException> elsewhere = new ArrayList<>();
    Path blocked = Files.createDirectories(directory.resolve("blocked"));
    Files.createDirectories(blocked.resolve("raft-meta").resolve("not empty"));
    AtomicFileOutputStream.watch(blocked, heard::add);
    AtomicFileOutputStream.watch(directory.resolve("other"), elsewhere::add);
    try {
      assertThatThrownBy(() -> write(blocked.resolve("raft-meta"), "term=5"))
          .isInstanceOf(IOException.class);
    } finally {
      AtomicFileOutputStream.unwatch(blocked);
      AtomicFileOutputStream.unwatch(directory.resolve("other"));
    }
    assertThat(heard).hasSize(1);
    assertThat(elsewhere).isEmpty();
  }

  private static void write(Path file, String content) throws IOException {
    try (var out = new AtomicFileOutputStream(file.toFile())) {
      out.write(content.getBytes(UTF_8));
    }
  }

  private List<String> forced(Recording recording) throws IOException {
    Path dump = directory.resolveSibling(directory.getFileName() + ".jfr");
    try {
      recording.dump(dump);
      return RecordingFile.readAllEvents(dump).stream()
          .map((RecordedEvent event) -> event.getString("path"))
          .filter(path -> path.startsWith(directory.toString()))
          .toList();
    } finally {
      Files.deleteIfExists(dump);
    }
  }

  @Test
  void anInterruptedThreadStillPutsItsVoteOnDisk(@TempDir Path folder) throws IOException {
    File vote = folder.resolve("raft-meta").toFile();
    try (AtomicFileOutputStream out = new AtomicFileOutputStream(vote)) {
      out.write(new byte[] {7});
      Thread.currentThread().interrupt();
    }
    assertThat(Thread.interrupted()).isTrue();
    assertThat(vote).hasBinaryContent(new byte[] {7});
  }
}
