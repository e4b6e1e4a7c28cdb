package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkDirectoryTest {
  @TempDir Path folder;

  /** A run that a signal interrupts: it names its directory, then waits. */
  public static void main(String[] args) {
    Path named = Path.of(args[0]);
    WorkDirectory.run(
        Optional.empty(),
        System.out,
        directory -> {
          Files.writeString(directory.resolve("data"), "x");
          Files.writeString(named, directory.toString());
          new CountDownLatch(1).await();
          return true;
        });
  }

  @Test
  void anInterruptedRunLeavesNoFiles() throws Exception {
    Path named = folder.resolve("named");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                WorkDirectoryTest.class.getName(),
                named.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("output").toFile())
            .start();
    try {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> Files.exists(named) && Files.size(named) > 0);
      Path directory = Path.of(Files.readString(named));
      assertThat(directory.resolve("data")).exists();
      process.destroy();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(directory).doesNotExist();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aBadRunKeepsItsFilesAndAGoodOneDoesNot() throws Exception {
    PrintStream silent = new PrintStream(PrintStream.nullOutputStream());
    Path[] directories = new Path[2];
    for (int i = 0; i < 2; i++) {
      int run = i;
      WorkDirectory.run(
          Optional.empty(),
          silent,
          directory -> {
            directories[run] = directory;
            return run == 0;
          });
    }
    assertThat(directories[0]).doesNotExist();
    assertThat(directories[1]).exists();
    Files.delete(directories[1]);
  }
}
