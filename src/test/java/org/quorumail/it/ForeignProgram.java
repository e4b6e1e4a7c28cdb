package org.quorumail.it;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of other authors; tests are skipped where it is not installed. */
final class ForeignProgram {
  private static final int TIMEOUT_SECONDS = 90;
  private static final List<String> FOLDERS =
      List.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin");

  private ForeignProgram() {}

  record ProgramResult(int exitCode, String output) {}

  /** The path of a program; skips the test when it is not installed. */
  static String path(String name) {
    for (String folder : FOLDERS) {
      if (Files.isExecutable(Path.of(folder, name))) return folder + "/" + name;
    }
    abort(name + " is not installed");
    return name;
  }

  /** Runs the program with this input to its end; both outputs become one text. */
  static ProgramResult run(Path directory, String input, String... command)
      throws IOException, InterruptedException {
    command[0] = path(command[0]);
    Path in = Files.createTempFile(directory, "in", "");
    Path out = Files.createTempFile(directory, "out", "");
    Files.writeString(in, input);
    Process process =
        new ProcessBuilder(command)
            .redirectInput(in.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    boolean ended = process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    process.destroyForcibly().waitFor();
    String text = Files.readString(out, StandardCharsets.ISO_8859_1);
    return new ProgramResult(ended ? process.exitValue() : -1, text);
  }

  /** Starts the program and keeps it running. */
  static Process start(Path log, String... command) throws IOException {
    command[0] = path(command[0]);
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }
}
