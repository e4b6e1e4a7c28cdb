package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The directory of one run and its nodes. A temporary one is deleted after a good run and after an
 * interruption. After a bad run it stays, so that logs and data show the reason.
 */
final class WorkDirectory {
  private WorkDirectory() {}

  /** A run in a directory; returns whether its result is good. */
  @FunctionalInterface
  interface Task {
    boolean runIn(Path directory) throws IOException, InterruptedException;
  }

  /**
   * Runs the task and reports failures to {@code messages}; returns 0 after a good run, else 1.
   *
   * @param chosen a directory that is kept; empty: a temporary one
   */
  static int run(Optional<Path> chosen, PrintStream messages, Task task) {
    boolean isGood = false;
    Path directory = null;
    try {
      directory = chosen.isPresent() ? chosen.get() : Files.createTempDirectory("quorumail-chaos-");
      Optional<Thread> deletion = chosen.isPresent() ? Optional.empty() : deleteAtExit(directory);
      try {
        isGood = task.runIn(directory);
      } finally {
        deletion.ifPresent(WorkDirectory::keepAtExit);
      }
      if (isGood && chosen.isEmpty()) {
        delete(directory);
        directory = null;
      }
    } catch (IOException e) {
      isGood = false;
      messages.println(e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      messages.println("The run was interrupted.");
    }
    if (directory != null) messages.println("Logs and data are kept in " + directory);
    return isGood ? 0 : 1;
  }

  /** Deletes the directory when a signal ends the program during the run. */
  private static Optional<Thread> deleteAtExit(Path directory) {
    Thread deletion =
        Thread.ofPlatform()
            .name("delete-work-directory")
            .unstarted(
                () -> {
                  NodeProcess.killAll(); // no node writes any more
                  try {
                    delete(directory);
                  } catch (IOException e) {
                    System.err.println("Logs and data are kept in " + directory);
                  }
                });
    Runtime.getRuntime().addShutdownHook(deletion);
    return Optional.of(deletion);
  }

  private static void keepAtExit(Thread deletion) {
    try {
      Runtime.getRuntime().removeShutdownHook(deletion);
    } catch (IllegalStateException e) {
      // the program ends already, and the hook runs
    }
  }

  private static void delete(Path directory) throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
