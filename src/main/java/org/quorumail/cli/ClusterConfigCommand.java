package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.TomlEdit;
import org.quorumail.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** The command {@code cluster config}: the configuration that the cluster keeps for all nodes. */
@Command(
    name = "config",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Show and change the configuration of all nodes; a node's own file is stronger.",
    footer = {
      "",
      "Examples:",
      "  quorumail cluster config get > shared.toml",
      "  quorumail cluster config set shared.toml --comment \"a new customer\"",
      "  quorumail cluster config set log.level debug",
      "  quorumail cluster config status"
    })
final class ClusterConfigCommand extends CommandGroup {
  /** The longest body of a request. */
  private static final int DOCUMENT_MAX = 64 << 10;

  private static final String PATH = "/api/cluster/config";
  private static final int BAD_REQUEST = 400;
  private static final int UNPROCESSABLE = 422;

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Print the latest version as TOML, or another one.",
      footer = {"", "Example: quorumail cluster config get > shared.toml"})
  int get(
      @Mixin NodeOptions options,
      @Parameters(paramLabel = "N", arity = "0..1", description = "A former version.")
          @Nullable Integer version)
      throws CommandException {
    String query = version == null ? "" : "?version=" + version;
    options.print(
        options.client().call("GET", PATH + query),
        (answer, out) -> out.print(answer.path("toml").asString("")));
    return ExitCode.DONE;
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      description = {
        "Make a file the next version, in force on all nodes; - reads standard input.",
        "With a key and a value: change that key alone."
      },
      footer = {
        "",
        "Examples:",
        "  quorumail cluster config set shared.toml --comment \"a new customer\"",
        "  quorumail cluster config set relay.domains '[\"example.org\"]'"
      })
  int set(
      @Mixin NodeOptions options,
      @Parameters(index = "0", paramLabel = "FILE|KEY") String fileOrKey,
      @Parameters(
              index = "1",
              arity = "0..1",
              paramLabel = "VALUE",
              description = "The value of KEY, in TOML; anything else is a text.")
          @Nullable String value,
      @Mixin ChangeOptions change)
      throws CommandException {
    if (value != null) {
      return edit(options, fileOrKey, change, "set", edit -> edit.set(value));
    }
    String query = change.query("", null);
    JsonNode done = send(options, "PUT", PATH + query, read(Path.of(fileOrKey)));
    options.print(done, ClusterConfigCommand::printAccepted);
    return ExitCode.DONE;
  }

  @Command(
      name = "unset",
      mixinStandardHelpOptions = true,
      description = "Remove a key: the value of each node's own file counts, or the default.",
      footer = {"", "Example: quorumail cluster config unset relay.domains"})
  int unset(
      @Mixin NodeOptions options,
      @Parameters(paramLabel = "KEY") String key,
      @Mixin ChangeOptions change)
      throws CommandException {
    return edit(options, key, change, "unset", TomlEdit::unset);
  }

  /** The options of a command that makes a new version. */
  static final class ChangeOptions {
    @Option(names = "--comment", paramLabel = "C", description = "Comment for the history.")
    private @Nullable String comment;

    @Option(
        names = "--base",
        paramLabel = "N",
        description = "Refuse it when the latest version is another one.")
    private @Nullable Integer base;

    /** The query of the change, with what counts where an option is not given. */
    String query(String defaultComment, @Nullable Integer defaultBase) {
      Integer latest = base == null ? defaultBase : base;
      String said = comment == null ? defaultComment : comment;
      return "?comment=" + encode(said) + (latest == null ? "" : "&base=" + latest);
    }
  }

  /** A change of one key in the text of a version. */
  private interface KeyEdit {
    String of(TomlEdit edit) throws TomlEdit.EditException;
  }

  /** Changes one key of the latest version; refused when another version comes first. */
  private static int edit(
      NodeOptions options, String key, ChangeOptions change, String verb, KeyEdit edit)
      throws CommandException {
    ControlSocketClient.ApiResponse latest = options.client().send("GET", PATH);
    if (!latest.isSuccess() && latest.status() != ControlSocketClient.NOT_FOUND)
      throw new CommandException(ExitCode.FAILED, latest.problem());
    String text = latest.isSuccess() ? latest.body().path("toml").asString("") : "";
    int version = latest.isSuccess() ? latest.body().path("version").asInt(0) : 0;
    try {
      String next = edit.of(TomlEdit.of(text, key));
      String query = change.query(verb + " " + key, version);
      options.print(send(options, "PUT", PATH + query, next), ClusterConfigCommand::printAccepted);
      return ExitCode.DONE;
    } catch (TomlEdit.EditException e) {
      throw new CommandException(ExitCode.USAGE, String.valueOf(e.getMessage()));
    }
  }

  private static void printAccepted(JsonNode version, PrintWriter out) {
    out.println(
        "version "
            + JsonPrinter.cell(version.path("version"))
            + " is accepted; cluster config status shows which nodes run it");
  }

  @Command(
      name = "validate",
      mixinStandardHelpOptions = true,
      description = "Check a file as the next version, and change nothing.",
      footer = {"", "Example: quorumail cluster config validate shared.toml"})
  int validate(@Mixin NodeOptions options, @Parameters(paramLabel = "FILE") Path file)
      throws CommandException {
    JsonNode done = send(options, "POST", PATH + "/validate", read(file));
    options.print(done, (answer, out) -> out.println("the configuration is valid"));
    return ExitCode.DONE;
  }

  @Command(
      name = "diff",
      mixinStandardHelpOptions = true,
      description = "Show the lines that differ between two versions; the last change by default.",
      footer = {"", "Example: quorumail cluster config diff 3 5"})
  int diff(
      @Mixin NodeOptions options,
      @Parameters(paramLabel = "FROM", arity = "0..1") @Nullable Integer from,
      @Parameters(paramLabel = "TO", arity = "0..1") @Nullable Integer to)
      throws CommandException {
    String query = from == null ? "" : "?from=" + from;
    if (to != null) query += "&to=" + to;
    options.print(
        options.client().call("GET", PATH + "/diff" + query),
        (answer, out) ->
            answer.path("lines").forEach(line -> out.println(TextTable.escape(line.asString("")))));
    return ExitCode.DONE;
  }

  @Command(
      name = "history",
      mixinStandardHelpOptions = true,
      description = "List the versions that the cluster keeps.",
      footer = {"", "Example: quorumail cluster config history"})
  int history(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", PATH + "/history"),
        (answer, out) ->
            JsonPrinter.table(answer, "version", "time", "author", "comment").print(out));
    return ExitCode.DONE;
  }

  @Command(
      name = "rollback",
      mixinStandardHelpOptions = true,
      description = "Make the text of a former version the next one.",
      footer = {"", "Example: quorumail cluster config rollback 3"})
  int rollback(@Mixin NodeOptions options, @Parameters(paramLabel = "N") int version)
      throws CommandException {
    JsonNode done = options.client().call("POST", PATH + "/rollback?to=" + version);
    options.print(done, ClusterConfigCommand::printAccepted);
    return ExitCode.DONE;
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      description = "Show the version that each node runs, and why it is not the latest.",
      footer = {"", "Example: quorumail cluster config status"})
  int status(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", PATH + "/status"),
        (answer, out) ->
            JsonPrinter.table(answer, "node", "version", "overridden", "problem").print(out));
    return ExitCode.DONE;
  }

  /** Sends a document; its problems are faults of a configuration. */
  private static JsonNode send(NodeOptions options, String method, String path, String toml)
      throws CommandException {
    ControlSocketClient.ApiResponse response = options.client().send(method, path, toml);
    if (response.isSuccess()) return response.body();
    boolean isFaulty = response.status() == UNPROCESSABLE || response.status() == BAD_REQUEST;
    throw new CommandException(isFaulty ? ExitCode.USAGE : ExitCode.FAILED, response.problem());
  }

  private static String read(Path file) throws CommandException {
    try (InputStream in = file.toString().equals("-") ? System.in : Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(DOCUMENT_MAX + 1);
      if (bytes.length > DOCUMENT_MAX)
        throw new CommandException(ExitCode.USAGE, file + " has more than 64 KiB");
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new CommandException(ExitCode.USAGE, file + " is not UTF-8");
    } catch (IOException e) {
      throw new CommandException(ExitCode.USAGE, file + " cannot be read");
    }
  }
}
