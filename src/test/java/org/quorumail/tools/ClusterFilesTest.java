package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterFilesTest {
  private static final String SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=";

  @TempDir Path directory;

  private ClusterFiles files(int nodes, String... hosts) {
    return new ClusterFiles(nodes, directory.resolve("c"), List.of(hosts), SECRET);
  }

  @Test
  void eachNodeOfOneHostHasPortsOfItsOwnAndKnowsAllOthers() throws Exception {
    ClusterFiles three = files(3);
    assertThat(three.problem()).isEmpty();
    assertThat(three.warning()).isEmpty();
    List<Path> written = three.write();
    assertThat(written).hasSize(3);
    String second = Files.readString(written.get(1));
    assertThat(second)
        .contains("id = \"node-2\"", "127.0.0.1:2526", "127.0.0.1:8081", "port = 7956")
        .contains("seeds = [\"127.0.0.1:7946\", \"127.0.0.1:7956\", \"127.0.0.1:7966\"]")
        .contains("expect = 3", SECRET);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(written.get(1))))
        .isEqualTo("rw-------");
    assertThat(three.problem()).get().asString().contains("exists already");
  }

  @Test
  void nodesOnHostsOfTheirOwnHaveTheUsualPorts() {
    ClusterFiles three = files(3, "a.example", "b.example", "c.example");
    assertThat(three.problem()).isEmpty();
    assertThat(three.toml(0))
        .contains("hostname = \"a.example\"", "advertise_address = \"a.example\"", "[::]:25")
        .contains("\"b.example:7946\"");
  }

  @Test
  void wrongNumbersAndNamesAreRefusedInOneSentence() {
    assertThat(files(0).problem()).get().asString().contains("--nodes");
    assertThat(files(10).problem()).get().asString().contains("--nodes");
    assertThat(files(3, "a").problem()).get().asString().contains("name 3 hosts");
    assertThat(files(2, "a", "a").problem()).get().asString().contains("each host once");
    assertThat(files(1, "a\"b").problem()).get().asString().contains("quotes");
  }

  @Test
  void aClusterThatSurvivesLittleIsWarnedOf() {
    assertThat(files(1).warning()).isPresent();
    assertThat(files(2).warning()).get().asString().contains("while one of them is down");
    assertThat(files(4).warning()).get().asString().contains("no more losses than 3");
  }
}
