package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The kept inputs of the fuzz targets: each is read again, and is accepted or refused as its folder
 * says. An input that once broke a parser is among them.
 */
class FuzzCorpusTest {
  private static final int MAX_FILE = 4096;

  @ParameterizedTest
  @EnumSource
  void keptInputsAreAcceptedOrRefusedAsBefore(FuzzTarget target) throws Exception {
    for (boolean accepted : List.of(true, false)) {
      List<Path> files = files(target.corpus(accepted));
      assertThat(files).as("%s, accepted: %s", target, accepted).hasSizeGreaterThan(1);
      for (Path file : files) {
        byte[] input = Files.readAllBytes(file);
        assertThat(input).as("%s", file).hasSizeLessThanOrEqualTo(MAX_FILE);
        assertThat(target.accepts(input)).as("%s", file).isEqualTo(accepted);
      }
    }
  }

  /** Every prefix of an accepted input is read without a fault, as a broken connection ends it. */
  @ParameterizedTest
  @EnumSource
  void inputsMayEndAnywhere(FuzzTarget target) throws Exception {
    int read = 0;
    for (Path file : files(target.corpus(true))) {
      byte[] input = Files.readAllBytes(file);
      int step = Math.max(1, input.length / 40);
      for (int length = 0; length < input.length; length += step) {
        target.accepts(java.util.Arrays.copyOf(input, length));
        read++;
      }
    }
    assertThat(read).isGreaterThan(40);
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }
}
