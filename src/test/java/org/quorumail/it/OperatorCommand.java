package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.quorumail.tools.NodeProcess;

/** A command of the program as an operator types it at the shell of a node. */
final class OperatorCommand {
  private OperatorCommand() {}

  /**
   * @param text standard output and standard error
   */
  record CommandResult(int exitCode, String text) {}

  static CommandResult run(Path directory, NodeProcess node, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(NodeProcess.program().toString()));
    command.addAll(List.of(words));
    command.addAll(List.of("-c", node.settings().configFile().toString()));
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean hasEnded = process.waitFor(60, TimeUnit.SECONDS);
    process.destroyForcibly().waitFor();
    assertThat(hasEnded).isTrue();
    return new CommandResult(process.exitValue(), Files.readString(output));
  }
}
