package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  @TempDir Path temp;

  @Test
  void theIdentityOutlivesTheProcess() throws Exception {
    DataDirectory.StoredIdentity first;
    try (DataDirectory directory = DataDirectory.open(temp.resolve("d"), Optional.empty())) {
      first = directory.identity();
    }
    try (DataDirectory directory = DataDirectory.open(temp.resolve("d"), Optional.empty())) {
      assertThat(directory.identity()).isEqualTo(first);
    }
  }

  @Test
  void aWipedDirectoryGetsAnotherPeerId() throws Exception {
    String before;
    try (DataDirectory directory = DataDirectory.open(temp.resolve("d1"), Optional.of("n1"))) {
      before = directory.identity().peerId();
    }
    try (DataDirectory directory = DataDirectory.open(temp.resolve("d2"), Optional.of("n1"))) {
      assertThat(directory.identity().nodeId()).isEqualTo("n1");
      assertThat(directory.identity().peerId()).isNotEqualTo(before);
    }
  }

  @Test
  void onlyTheOwnerMayReadIt() throws Exception {
    try (DataDirectory directory = DataDirectory.open(temp.resolve("d"), Optional.empty())) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.path())))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void aSecondUserOfTheDirectoryIsRefused() throws Exception {
    try (DataDirectory directory = DataDirectory.open(temp, Optional.of("n1"))) {
      assertThatThrownBy(() -> DataDirectory.open(directory.path(), Optional.of("n1")))
          .isInstanceOf(NodeStartException.class)
          .hasMessageContaining("in use by another process");
    }
  }

  @Test
  void aForeignDirectoryIsLeftAlone() throws Exception {
    Files.writeString(temp.resolve("thesis.tex"), "years of work");
    assertThatThrownBy(() -> DataDirectory.open(temp, Optional.empty()))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("thesis.tex");
    assertThat(temp.resolve("node.json")).doesNotExist();
  }

  @Test
  void theDirectoryOfAnotherNodeIsRefused() throws Exception {
    DataDirectory.open(temp, Optional.of("n1")).close();
    assertThatThrownBy(() -> DataDirectory.open(temp, Optional.of("n2")))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("belongs to n1");
  }

  @Test
  void aFileInItsPlaceIsNamed() throws Exception {
    Path file = Files.writeString(temp.resolve("d"), "");
    assertThatThrownBy(() -> DataDirectory.open(file, Optional.empty()))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("not a directory");
  }
}
