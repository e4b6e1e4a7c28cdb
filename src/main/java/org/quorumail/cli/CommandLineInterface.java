package org.quorumail.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.quorumail.config.Units;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** The command line of the program: finds the command, runs it and returns its exit code. */
@Command(
    name = "quorumail",
    mixinStandardHelpOptions = true,
    description = "A clustered mail transfer agent: mail is on a quorum of disks before 250.",
    versionProvider = CommandLineInterface.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Examples:",
      "  quorumail serve                  stand-alone, SMTP on 2525, HTTP on 8080",
      "  quorumail serve -c node.toml     a node with this configuration",
      "  quorumail check -c node.toml     all problems of a configuration",
      "  quorumail queue list --status retry",
      "  quorumail help queue list        options and examples of a command",
      "",
      "Exit codes: 0 success, 1 refused or failed, 2 usage or configuration, 3 not",
      "found, 4 node unreachable."
    })
public final class CommandLineInterface implements Runnable {
  @CommandLine.Spec
  private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

  private static final String HELP = "help";
  private static final List<String> GLOBAL_OPTIONS =
      List.of("-c", "--config", "-s", "--control-socket", "--format");
  private static final List<String> GLOBAL_OPTION_PREFIXES =
      List.of("--config=", "--control-socket=", "--format=");

  private CommandLineInterface() {}

  /**
   * Runs one command to its end.
   *
   * @param node starts a node for the command serve
   * @return the exit code, see {@link ExitCode}
   */
  public static int run(String[] args, ServeCommand.NodeRunner node) {
    String[] ordered = globalOptionsLast(helpAsOption(commands(node).keySet(), args));
    return commandLine(node, ordered).execute(ordered);
  }

  /** Reads {@code help queue list} and {@code queue help} as {@code --help} after the command. */
  static String[] helpAsOption(Set<String> commands, String... args) {
    List<String> words = new ArrayList<>(List.of(args));
    boolean first = !words.isEmpty() && words.getFirst().equals(HELP);
    boolean second = words.size() == 2 && words.getLast().equals(HELP);
    if (!first && !second) return args;
    words.remove(first ? 0 : 1);
    boolean isMisspelt = !words.isEmpty() && !commands.contains(words.getFirst());
    if (!isMisspelt) words.add("--help"); // else the error suggests a command
    return words.toArray(String[]::new);
  }

  private static Map<String, Supplier<Object>> commands(ServeCommand.NodeRunner node) {
    Map<String, Supplier<Object>> byName = new LinkedHashMap<>(); // in the order of the help
    byName.put("serve", () -> new ServeCommand(node));
    byName.put("check", () -> new CheckCommand(node));
    byName.put("system", SystemCommand::new);
    byName.put("queue", QueueCommand::new);
    byName.put("spool", SpoolCommand::new);
    byName.put("dns", DnsCommand::new);
    byName.put("routes", RoutesCommand::new);
    byName.put("cluster", ClusterCommand::new);
    byName.put("maintenance", MaintenanceCommand::new);
    byName.put("events", EventsCommand::new);
    byName.put("trace", TraceCommand::new);
    byName.put("audit", AuditCommand::new);
    byName.put("user", UserCommand::new);
    byName.put("demo", DemoCommand::new);
    byName.put("chaos", ChaosCommand::new);
    byName.put("bench", BenchCommand::new);
    byName.put("sink", SinkCommand::new);
    byName.put("sim", SimCommand::new);
    byName.put("completion", CompletionCommand::new);
    byName.put("man-pages", ManPagesCommand::new);
    return byName;
  }

  /**
   * Moves the options of every command from before its name to after it, where picocli wants them.
   */
  static String[] globalOptionsLast(String[] args) {
    List<String> moved = new ArrayList<>();
    int next = 0;
    while (next < args.length) {
      boolean joined = GLOBAL_OPTION_PREFIXES.stream().anyMatch(args[next]::startsWith);
      boolean separate = GLOBAL_OPTIONS.contains(args[next]) && next + 1 < args.length;
      if (!joined && !separate) break;
      moved.add(args[next++]);
      if (separate) moved.add(args[next++]);
    }
    List<String> all = new ArrayList<>(List.of(args).subList(next, args.length));
    all.addAll(moved);
    return all.toArray(String[]::new);
  }

  /**
   * The command that the arguments name, or the whole tree when they name none. Describing all
   * commands is a third of the processor time of a start, and a start needs one.
   */
  static CommandLine commandLine(ServeCommand.NodeRunner node, String... args) {
    Map<String, Supplier<Object>> commands = commands(node);
    if (args.length > 0) {
      Supplier<Object> named = commands.get(args[0]);
      if (named != null) commands = Map.of(args[0], named);
    }
    CommandLine root = new CommandLine(new CommandLineInterface());
    commands.forEach((name, command) -> root.addSubcommand(name, command.get()));
    root.registerConverter(Duration.class, CommandLineInterface::parseDuration);
    root.setCaseInsensitiveEnumValuesAllowed(true);
    root.setUsageHelpAutoWidth(true);
    root.setExecutionExceptionHandler(CommandLineInterface::handleFailure);
    root.setParameterExceptionHandler(CommandLineInterface::handleParameterError);
    return root;
  }

  /** Describes all commands, for pages and shells: it starts no node. */
  static CommandLine description() {
    return commandLine(
        (config, sources) -> {
          throw new IllegalStateException("a description runs nothing");
        });
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private static Duration parseDuration(String text) {
    try {
      return Units.parseDuration(text);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.TypeConversionException(e.getMessage());
    }
  }

  private static int handleParameterError(ParameterException problem, String[] args) {
    CommandLine command = problem.getCommandLine();
    PrintWriter err = command.getErr();
    err.println(command.getCommandSpec().qualifiedName() + ": " + problem.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(problem, err);
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return ExitCode.USAGE;
  }

  private static int handleFailure(
      Exception problem, CommandLine command, CommandLine.ParseResult parsed) {
    if (problem instanceof CommandException known) {
      command.getErr().println("quorumail: " + known.getMessage());
      return known.exitCode();
    }
    String reason =
        problem.getMessage() == null ? problem.getClass().getName() : problem.getMessage();
    command.getErr().println("quorumail: " + command.getCommandName() + " failed: " + reason);
    return ExitCode.FAILED;
  }

  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = CommandLineInterface.class.getPackage().getImplementationVersion();
      return new String[] {"quorumail " + (version == null ? "(development)" : version)};
    }
  }
}
