package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.ClusterFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** The command {@code cluster}: shows the nodes and their groups; any node answers for all. */
@Command(
    name = "cluster",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = ClusterConfigCommand.class,
    description =
        "Show the cluster; make its files and a secret; transfer the leadership; remove or replace"
            + " a node.",
    footer = {"", "Example: quorumail cluster nodes"})
final class ClusterCommand extends CommandGroup {
  private static final int SECRET_BYTES = 32;

  @Spec private CommandSpec group = CommandSpec.create();

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      description = "Show the state, the leader and the number of healthy nodes.",
      footer = {"", "Example: quorumail cluster status --format json"})
  int status(@Mixin NodeOptions options) throws CommandException {
    options.print(options.client().call("GET", "/api/cluster/status"), JsonPrinter::printFields);
    return ExitCode.DONE;
  }

  @Command(
      name = "nodes",
      mixinStandardHelpOptions = true,
      description = "List all nodes.",
      footer = {"", "Example: quorumail cluster nodes"})
  int nodes(@Mixin NodeOptions options) throws CommandException {
    options.print(options.client().call("GET", "/api/cluster/nodes"), ClusterCommand::printTable);
    return ExitCode.DONE;
  }

  private static void printTable(JsonNode nodes, PrintWriter out) {
    JsonPrinter.table(
            nodes,
            "id",
            "address",
            "port",
            "role",
            "status",
            "region",
            "zone",
            "metadata/cpu_usage",
            "metadata/active_connections",
            "metadata/messages_processed",
            "last_heartbeat",
            "metadata/version",
            "metadata/uptime_seconds",
            "maintenance_reason")
        .print(out);
  }

  @Command(
      name = "node",
      mixinStandardHelpOptions = true,
      description = "Show one node.",
      footer = {"", "Example: quorumail cluster node node-1"})
  int node(@Mixin NodeOptions options, @Parameters(paramLabel = "ID") String id)
      throws CommandException {
    String path = "/api/cluster/nodes/" + encode(id);
    options.print(options.client().call("GET", path), JsonPrinter::printFields);
    return ExitCode.DONE;
  }

  @Command(
      name = "replication",
      mixinStandardHelpOptions = true,
      description = "Show the Raft groups of which the node is a member.",
      footer = {"", "Example: quorumail cluster replication"})
  int replication(@Mixin NodeOptions options) throws CommandException {
    options.print(
        options.client().call("GET", "/api/cluster/replication/stats"),
        (answer, out) -> {
          JsonPrinter.printFields(answer, out);
          JsonPrinter.table(
                  answer.path("spools"), "name", "role", "leader", "term", "index", "replicas")
              .print(out);
        });
    return ExitCode.DONE;
  }

  @Command(
      name = "leader",
      mixinStandardHelpOptions = true,
      description = "Print the id of the leader; exit 1 when there is none.",
      footer = {"", "Example: quorumail cluster leader"})
  int leader(@Mixin NodeOptions options) throws CommandException {
    JsonNode status = options.client().call("GET", "/api/cluster/status");
    if (status.path("leader_id").isNull()) {
      throw new CommandException(ExitCode.FAILED, "the cluster has no leader at the moment");
    }
    options.print(status, (answer, out) -> out.println(JsonPrinter.cell(answer.path("leader_id"))));
    return ExitCode.DONE;
  }

  @Command(
      name = "elect",
      mixinStandardHelpOptions = true,
      description = "Move the leadership of a group to another node; any node passes it on.",
      footer = {
        "",
        "Examples:",
        "  quorumail cluster elect",
        "  quorumail cluster elect node-2",
        "  quorumail cluster elect node-1 --group spool-node-1"
      })
  int elect(
      @Mixin NodeOptions options,
      @Mixin GroupOption group,
      @Parameters(
              paramLabel = "ID",
              arity = "0..1",
              description = "The next leader. Default: any node that is ready.")
          @Nullable String successor)
      throws CommandException {
    String path = "/api/cluster/elect?group=" + encode(group.group);
    if (successor != null) path += "&successor=" + encode(successor);
    options.print(options.client().call("POST", path), ClusterCommand::printLeader);
    return ExitCode.DONE;
  }

  /** The group that is meant. */
  static final class GroupOption {
    @Option(
        names = "--group",
        defaultValue = "meta",
        description = "meta or a spool, such as spool-node-1. Default: ${DEFAULT-VALUE}")
    private String group = "meta";
  }

  @Command(
      name = "step-down",
      mixinStandardHelpOptions = true,
      description = "Let a node give up the leadership of a group; exit 1 when it has none.",
      footer = {"", "Example: quorumail cluster step-down --node node-1"})
  int stepDown(
      @Mixin NodeOptions options,
      @Mixin GroupOption group,
      @Option(
              names = "--node",
              paramLabel = "ID",
              description = "The node that is meant. Default: the node of the control socket.")
          @Nullable String node)
      throws CommandException {
    String path = "/api/cluster/step-down?group=" + encode(group.group);
    if (node != null) path += "&node=" + encode(node);
    options.print(options.client().call("POST", path), ClusterCommand::printLeader);
    return ExitCode.DONE;
  }

  private static void printLeader(JsonNode answer, PrintWriter out) {
    out.println(
        JsonPrinter.cell(answer.path("leader_id"))
            + " leads "
            + JsonPrinter.cell(answer.path("group")));
  }

  @Command(
      name = "remove",
      mixinStandardHelpOptions = true,
      description = "Remove a node that is lost for good; ask another node.",
      footer = {"", "Example: quorumail cluster remove node-3 --yes"})
  int remove(
      @Mixin NodeOptions options,
      @Parameters(paramLabel = "ID") String id,
      @Option(names = "--yes", description = "Confirm the removal.") boolean yes)
      throws CommandException {
    if (!yes) {
      throw new CommandException(
          ExitCode.USAGE,
          "a node that was removed never comes back with its directory: confirm with --yes");
    }
    options.print(
        options.client().call("DELETE", "/api/cluster/nodes/" + encode(id)),
        (answer, out) ->
            out.println(
                JsonPrinter.cell(answer.path("id"))
                    + " is removed; the other replicas of its spool have its queue"));
    return ExitCode.DONE;
  }

  @Command(
      name = "leave",
      mixinStandardHelpOptions = true,
      description = "Let this node leave the cluster for good: it drains, then ends.",
      footer = {"", "Example: quorumail cluster leave --yes"})
  int leave(
      @Mixin NodeOptions options,
      @Option(names = "--yes", description = "Confirm that the node leaves.") boolean yes)
      throws CommandException {
    if (!yes) {
      throw new CommandException(
          ExitCode.USAGE,
          "a node that has left never comes back with its directory: confirm with --yes");
    }
    options.print(
        options.client().call("POST", "/api/cluster/leave"),
        (answer, out) ->
            out.println(
                JsonPrinter.cell(answer.path("id"))
                    + " leaves the cluster: it drains, gives its places to other nodes, and ends"));
    return ExitCode.DONE;
  }

  @Command(
      name = "replace",
      mixinStandardHelpOptions = true,
      description = "Give all places of one node to another one, which has joined.",
      footer = {"", "Example: quorumail cluster replace node-3 node-4 --yes"})
  int replace(
      @Mixin NodeOptions options,
      @Parameters(paramLabel = "OLD") String formerId,
      @Parameters(paramLabel = "NEW") String replacementId,
      @Option(names = "--yes", description = "Confirm the replacement.") boolean yes)
      throws CommandException {
    if (!yes) {
      throw new CommandException(
          ExitCode.USAGE,
          "a node that was replaced never comes back with its directory: confirm with --yes");
    }
    options.print(
        options
            .client()
            .call(
                "POST",
                "/api/cluster/nodes/%s/replace?with=%s"
                    .formatted(encode(formerId), encode(replacementId))),
        (answer, out) ->
            out.println(
                "%s is replaced by %s, which gets its replicas one group after the other"
                    .formatted(
                        JsonPrinter.cell(answer.path("id")),
                        JsonPrinter.cell(answer.path("replacement")))));
    return ExitCode.DONE;
  }

  @Command(
      name = "secret",
      mixinStandardHelpOptions = true,
      description = "Generate a new value for cluster.secret; no node is called.",
      footer = {"", "Example: quorumail cluster secret"})
  int secret() {
    group.commandLine().getOut().println(newSecret());
    return ExitCode.DONE;
  }

  private static String newSecret() {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    return Base64.getEncoder().encodeToString(secret);
  }

  @Command(
      name = "create",
      mixinStandardHelpOptions = true,
      description = "Write the configurations of a new cluster; no node is called.",
      footer = {
        "",
        "Without --hosts all nodes are on loopback of this host, for a first look.",
        "Examples:",
        "  quorumail cluster create --nodes 3 --dir /tmp/mail --start",
        "  quorumail cluster create --nodes 3 --dir conf --hosts"
            + " mx1.example.org,mx2.example.org,mx3.example.org"
      })
  int create(
      @Option(
              names = "--nodes",
              defaultValue = "3",
              description = "Number of nodes. Default: ${DEFAULT-VALUE}")
          int nodes,
      @Option(names = "--dir", required = true, description = "Where the files are written.")
          Path directory,
      @Option(names = "--hosts", split = ",", description = "The name of each node's host.")
          @Nullable List<String> hosts,
      @Option(names = "--start", description = "Run the nodes on this host until Ctrl-C.")
          boolean start)
      throws CommandException {
    List<String> named = hosts == null ? List.of() : hosts;
    ClusterFiles files = new ClusterFiles(nodes, directory, named, newSecret());
    if (start && !named.isEmpty()) {
      throw new CommandException(ExitCode.USAGE, "--start: the nodes have hosts of their own");
    }
    Optional<String> problem = files.problem();
    if (problem.isPresent()) throw new CommandException(ExitCode.USAGE, problem.get());
    PrintWriter out = group.commandLine().getOut();
    try {
      for (Path file : files.write()) out.println(file);
      files.warning().ifPresent(group.commandLine().getErr()::println);
      out.flush();
      if (start) files.run(line -> out.append(line).append('\n').flush());
      return ExitCode.DONE;
    } catch (IOException e) {
      throw new CommandException(ExitCode.FAILED, "--dir: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCode.FAILED;
    }
  }
}
