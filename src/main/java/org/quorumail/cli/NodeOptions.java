package org.quorumail.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigResult;
import org.quorumail.tools.OutputFormat;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The options of every command that calls a node: the node, and the format of the output. */
final class NodeOptions {
  private static final JsonMapper INDENTED =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  @Mixin private ConfigOptions config = new ConfigOptions();

  @Option(
      names = {"-s", "--control-socket"},
      paramLabel = "PATH",
      description = "Control socket of the node. Default: control_socket of the configuration.")
  private @Nullable Path socket;

  @Option(
      names = "--format",
      paramLabel = "text|json",
      description = "Output format. Default: text.")
  private OutputFormat format = OutputFormat.TEXT;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  ControlSocketClient client() throws CommandException {
    if (socket != null) return new ControlSocketClient(socket);
    return switch (config.sources().read()) {
      case ConfigResult.Valid valid ->
          new ControlSocketClient(config.controlSocket(valid.config().controlSocket()));
      case ConfigResult.Invalid invalid ->
          throw new CommandException(
              ExitCode.USAGE,
              "the control socket is not known, because the configuration is invalid: "
                  + invalid.problems().getFirst());
    };
  }

  /** The configuration, which must be valid. */
  Config config() throws CommandException {
    return switch (config.sources().read()) {
      case ConfigResult.Valid valid -> valid.config();
      case ConfigResult.Invalid invalid ->
          throw new CommandException(
              ExitCode.USAGE, "the configuration is invalid: " + invalid.problems().getFirst());
    };
  }

  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  PrintWriter err() {
    return spec.commandLine().getErr();
  }

  boolean isJson() {
    return format == OutputFormat.JSON;
  }

  /** Prints the whole response as JSON, or its text form. */
  void print(JsonNode answer, TextPrinter text) {
    if (isJson()) out().println(INDENTED.writeValueAsString(answer));
    else text.print(answer, out());
    out().flush();
  }

  /** Prints an answer; one that names a problem is a failure instead. */
  int printOrFail(JsonNode answer, TextPrinter text) throws CommandException {
    String problem = answer.path("problem").asString("");
    if (!problem.isEmpty()) throw new CommandException(ExitCode.FAILED, problem);
    print(answer, text);
    return ExitCode.DONE;
  }

  @FunctionalInterface
  interface TextPrinter {
    void print(JsonNode answer, PrintWriter out);
  }
}
