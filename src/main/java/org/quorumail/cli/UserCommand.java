package org.quorumail.cli;

import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.NewUser;
import org.quorumail.auth.UsersFileEditor;
import org.quorumail.auth.UsersFileEditor.ListedUser;
import org.quorumail.node.ConfigResult;
import org.quorumail.tools.OutputFormat;
import org.quorumail.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** The command {@code user}: edits the users file, which a running node reads within a second. */
@Command(
    name = "user",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "List, add and remove users in the file that auth.users_file names.",
    footer = {"", "Example: quorumail user add alice@example.org"})
final class UserCommand extends CommandGroup {
  private static final int MAX_INPUT =
      4096; // bytes of a password file; a password has at most 1,024

  @Spec private CommandSpec group = CommandSpec.create();

  /** The option that names the users file. */
  static final class UsersFileOption {
    @Mixin private ConfigOptions config = new ConfigOptions();

    @Option(
        names = "--file",
        paramLabel = "FILE",
        description = "Users file. Default: auth.users_file of the configuration.")
    private @Nullable Path file;

    UsersFileEditor editor() throws CommandException {
      return new UsersFileEditor(file == null ? configured() : file);
    }

    private Path configured() throws CommandException {
      return switch (config.sources().read()) {
        case ConfigResult.Valid valid ->
            valid
                .config()
                .auth()
                .usersFile()
                .orElseThrow(
                    () ->
                        new CommandException(
                            ExitCode.USAGE,
                            "there is no users file: set auth.users_file or --file"));
        case ConfigResult.Invalid invalid ->
            throw new CommandException(
                ExitCode.USAGE,
                "the users file is not known, because the configuration is invalid: "
                    + invalid.problems().getFirst());
      };
    }
  }

  @Command(
      name = "add",
      mixinStandardHelpOptions = true,
      description = "Add a user; the password is read from the terminal, or from standard input.",
      footer = {
        "",
        "Examples:",
        "  quorumail user add alice@example.org --address sales@example.org",
        "  quorumail user add printer --address @example.org --password-file secret.txt"
      })
  int add(
      @Mixin UsersFileOption users,
      @Parameters(paramLabel = "NAME", description = "User name for logins.") String name,
      @Option(
              names = "--address",
              paramLabel = "ADDRESS",
              split = ",",
              description =
                  "Address that the user may send from: an address, @domain, or * (any). A name"
                      + " that is an address counts as one.")
          @Nullable List<String> addresses,
      @Option(
              names = "--password-file",
              paramLabel = "FILE",
              description = "File whose first line is the password.")
          @Nullable Path passwordFile,
      @Option(
              names = "--iterations",
              paramLabel = "N",
              defaultValue = "" + NewUser.DEFAULT_ITERATIONS,
              description = "Iterations of PBKDF2. Default: ${DEFAULT-VALUE}.")
          int iterations,
      @Option(names = "--replace", description = "Replace an existing user.") boolean replace)
      throws CommandException {
    NewUser user = newUser(name, password(passwordFile), iterations, addresses);
    try {
      if (!users.editor().add(user, replace)) {
        throw new CommandException(
            ExitCode.FAILED, user.name() + " exists already; --replace changes the password");
      }
    } catch (IOException e) {
      throw failed(e);
    }
    PrintWriter out = group.commandLine().getOut();
    out.println(user.name() + " may log in");
    if (user.senders().isEmpty() && user.name().indexOf('@') < 0) {
      out.println("no address to send from: add one with --address");
    }
    return ExitCode.DONE;
  }

  @Command(
      name = "remove",
      mixinStandardHelpOptions = true,
      description = "Remove a user.",
      footer = {"", "Example: quorumail user remove alice@example.org"})
  int remove(@Mixin UsersFileOption users, @Parameters(paramLabel = "NAME") String name)
      throws CommandException {
    try {
      if (!users.editor().remove(name)) {
        throw new CommandException(ExitCode.NOT_FOUND, "there is no user " + name);
      }
    } catch (IOException e) {
      throw failed(e);
    }
    group.commandLine().getOut().println(name + " may no longer log in");
    return ExitCode.DONE;
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List all users and the addresses that they may send from.",
      footer = {"", "Example: quorumail user list --format json"})
  int list(
      @Mixin UsersFileOption users,
      @Option(
              names = "--format",
              paramLabel = "text|json",
              defaultValue = "text",
              description = "Output format. Default: text.")
          OutputFormat format)
      throws CommandException {
    List<ListedUser> listed;
    try {
      listed = users.editor().list();
    } catch (IOException e) {
      throw failed(e);
    }
    PrintWriter out = group.commandLine().getOut();
    if (format == OutputFormat.JSON) {
      out.println(JsonMapper.shared().writeValueAsString(listed));
      return ExitCode.DONE;
    }
    TextTable table = new TextTable("NAME", "ITERATIONS", "ADDRESSES");
    for (ListedUser user : listed) {
      String senders = user.senders().isEmpty() ? "-" : String.join(",", user.senders());
      table.row(TextTable.escape(user.name()), String.valueOf(user.iterations()), senders);
    }
    table.print(out);
    return ExitCode.DONE;
  }

  private static NewUser newUser(
      String name, String password, int iterations, @Nullable List<String> addresses)
      throws CommandException {
    try {
      return new NewUser(name, password, iterations, addresses == null ? List.of() : addresses);
    } catch (IllegalArgumentException e) {
      throw new CommandException(ExitCode.USAGE, String.valueOf(e.getMessage()));
    }
  }

  /** Reads the password, never from the command line, which every user of the machine can see. */
  private String password(@Nullable Path file) throws CommandException {
    Optional<Console> terminal = Optional.ofNullable(System.console()).filter(Console::isTerminal);
    try {
      if (file != null) {
        try (InputStream in = Files.newInputStream(file)) {
          return firstLine(in);
        }
      }
      if (terminal.isEmpty()) return firstLine(System.in);
    } catch (IOException e) {
      throw failed(e);
    }
    char[] once = terminal.get().readPassword("Password: ");
    char[] again = terminal.get().readPassword("Again: ");
    if (once == null || again == null || !Arrays.equals(once, again)) {
      throw new CommandException(ExitCode.USAGE, "the two passwords differ");
    }
    return new String(once);
  }

  private static String firstLine(InputStream in) throws IOException, CommandException {
    String text = new String(in.readNBytes(MAX_INPUT), StandardCharsets.UTF_8);
    String line = text.lines().findFirst().orElse("");
    if (line.isEmpty()) {
      throw new CommandException(
          ExitCode.USAGE, "there is no password: the first line of the input is empty");
    }
    return line;
  }

  private static CommandException failed(IOException e) {
    return new CommandException(ExitCode.FAILED, String.valueOf(e.getMessage()));
  }
}
