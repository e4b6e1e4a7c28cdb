package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The refusals of mail and the ballast, on a disk whose size the test decides. */
class DiskSpaceTest {
  private static final long MB = 1L << 20;
  private static final long MIN_FREE = 8 * MB;
  private static final long BALLAST = MIN_FREE / 2;

  @TempDir Path directory;

  /** The free bytes of the disk without the ballast. */
  private long free = 1000 * MB;

  private DiskSpace.Unwritten unwritten = new DiskSpace.Unwritten(0, 0);
  private final DiskSpace space = new DiskSpace(MIN_FREE, () -> unwritten);

  @Test
  void whatTheStoresStillHaveToWriteIsNotFree() {
    open();
    free = MIN_FREE + 100 * MB;
    space.check();
    assertThat(space.isFull()).isFalse();
    unwritten = new DiskSpace.Unwritten(101 * MB, 0);
    space.check();
    assertThat(space.isFull()).isTrue();
    unwritten = new DiskSpace.Unwritten(60 * MB, 4); // and a checkpoint of each of four groups
    space.check();
    assertThat(space.isFull()).isFalse();
    unwritten = new DiskSpace.Unwritten(60 * MB, 6);
    space.check();
    assertThat(space.isFull()).isTrue();
  }

  @Test
  void whatIsAppliedBetweenTwoMeasurementsCountsTwice() {
    free = MIN_FREE + 10 * MB;
    open();
    space.applied(4 * MB);
    assertThat(space.isFull()).isFalse();
    space.applied(2 * MB);
    free -= 12 * MB;
    assertThat(space.isFull()).as("at once, not at the next measurement").isTrue();
    free += 12 * MB;
    space.check();
    assertThat(space.isFull()).as("it was deleted again meanwhile").isFalse();
  }

  @Test
  void theBallastCountsAsFreeAndTakesNoSpaceFromMail() {
    free = MIN_FREE;
    open();
    assertThat(ballast()).hasSize(BALLAST);
    assertThat(space.isFull()).isFalse();
  }

  @Test
  void aDiskThatSuddenlyIsFullGetsTheBallast() {
    open();
    unwritten = new DiskSpace.Unwritten(2 * MB, 0);
    free = BALLAST + MB; // somebody else has written the rest
    space.check();
    assertThat(ballast()).doesNotExist();
    assertThat(space.isFull()).isTrue();
    free = MIN_FREE + 2 * MB; // just enough
    space.check();
    assertThat(ballast()).doesNotExist();
    assertThat(space.isFull()).as("not before the ballast is back").isTrue();
    free = MIN_FREE + 2 * MB + BALLAST / 4;
    space.check();
    assertThat(ballast()).hasSize(BALLAST);
    space.check();
    assertThat(space.isFull()).isFalse();
  }

  @Test
  void aFullDiskIsRelievedBeforeTheStoresAreOpened() {
    open();
    free = BALLAST; // nothing beside the ballast
    DiskSpace restarted = new DiskSpace(MIN_FREE, () -> unwritten);
    restarted.watch(directory, this::usable);
    restarted.prepareOpen();
    assertThat(ballast()).doesNotExist();
    assertThat(restarted.isFull()).isTrue();
    assertThat(restarted.usable()).isEqualTo(BALLAST);
  }

  @Test
  void aRestartWithRoomKeepsTheBallast() {
    open();
    DiskSpace restarted = new DiskSpace(MIN_FREE, () -> unwritten);
    restarted.watch(directory, this::usable);
    restarted.prepareOpen();
    assertThat(ballast()).hasSize(BALLAST);
    assertThat(restarted.isFull()).isFalse();
  }

  @Test
  void withoutAMinimumThereIsNoBallast() {
    DiskSpace none = new DiskSpace(0, () -> unwritten);
    none.watch(directory, this::usable);
    none.prepareOpen();
    assertThat(ballast()).doesNotExist();
    assertThat(none.isFull()).isFalse();
  }

  @Test
  void theBallastHasRealBlocks() throws Exception {
    open();
    Object blocks = Files.getAttribute(ballast(), "unix:nlink");
    assertThat(blocks).isEqualTo(1);
    Process du =
        new ProcessBuilder("du", "-k", ballast().toString()).redirectErrorStream(true).start();
    String kilobytes = new String(du.getInputStream().readAllBytes(), US_ASCII).split("\\s")[0];
    assertThat(Long.parseLong(kilobytes) * 1024).isGreaterThanOrEqualTo(BALLAST);
  }

  private void open() {
    space.watch(directory, this::usable);
    space.prepareOpen();
  }

  private long usable() {
    return Files.exists(ballast()) ? free - BALLAST : free;
  }

  private Path ballast() {
    return directory.resolve(Ballast.FILE);
  }
}
