package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThatCode;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RocksDbLibraryTest {
  @Test
  void aRelativeDirectoryIsGoodEnough(@TempDir Path directory) {
    Path relative = Path.of("").toAbsolutePath().relativize(directory.toAbsolutePath());
    assertThatCode(() -> RocksDbLibrary.load(relative)).doesNotThrowAnyException();
  }
}
