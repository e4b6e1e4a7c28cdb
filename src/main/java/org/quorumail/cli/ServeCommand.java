package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.quorumail.config.Problem;
import org.quorumail.metrics.Logging;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigResult;
import org.quorumail.node.ConfigSources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code serve}: runs a node until it is told to stop. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = "Run a node. Without any configuration: stand-alone, relays only for loopback.",
    footer = {
      "",
      "SIGTERM drains and leaves, SIGHUP reads file and certificates again.",
      "Examples:",
      "  quorumail serve",
      "  quorumail serve -c node-1.toml",
      "  quorumail serve --set smtp.listeners.0.socket=127.0.0.1:2525 --set log.level=debug"
    })
public final class ServeCommand implements Callable<Integer> {
  /** A node, as the composition root builds it. */
  @FunctionalInterface
  public interface NodeRunner {
    /**
     * Starts, runs until a signal or a command ends it, and has drained when it returns.
     *
     * @param sources where a reload reads again
     * @throws StartException when it cannot start
     */
    void run(Config config, ConfigSources sources) throws StartException, InterruptedException;

    /**
     * What is wrong with the files that a configuration names: certificates, keys, tables, users;
     * one sentence each. Reads them and opens nothing else.
     */
    default List<String> fileProblems(Config config) {
      return List.of();
    }

    /** Why a node does not start, in one sentence with what to do. */
    final class StartException extends Exception {
      private static final long serialVersionUID = 1L;

      private final boolean isConfigurationError;

      public StartException(String message) {
        this(message, false);
      }

      /**
       * @param configuration whether the configuration is to blame (exit 2), not the world (exit 1)
       */
      public StartException(String message, boolean configuration) {
        super(message);
        this.isConfigurationError = configuration;
      }

      public boolean isConfigurationError() {
        return isConfigurationError;
      }
    }
  }

  private final NodeRunner server;

  @Mixin private ConfigOptions config = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--dry-run", description = "As 'check': validate and open nothing.")
  private boolean dryRun;

  ServeCommand(NodeRunner server) {
    this.server = server;
  }

  @Override
  public Integer call() throws InterruptedException {
    ConfigSources sources = config.sources();
    ConfigResult result = sources.read();
    PrintWriter err = spec.commandLine().getErr();
    if (dryRun) return CheckCommand.check(result, server, spec.commandLine().getOut(), err);
    return switch (result) {
      case ConfigResult.Valid valid -> serve(valid, sources, err);
      case ConfigResult.Invalid invalid -> {
        CheckCommand.printProblems(invalid.problems(), err);
        yield ExitCode.USAGE;
      }
    };
  }

  private int serve(ConfigResult.Valid valid, ConfigSources sources, PrintWriter err)
      throws InterruptedException {
    try {
      Logging.configure(valid.config().log());
      Logger log = LoggerFactory.getLogger(ServeCommand.class);
      for (Problem warning : valid.warnings()) log.warn("configuration warning=\"{}\"", warning);
      server.run(valid.config(), sources);
      return ExitCode.DONE;
    } catch (Logging.UnwritableException e) {
      err.println("quorumail: " + e.getMessage());
      return ExitCode.FAILED;
    } catch (NodeRunner.StartException e) {
      err.println("quorumail: " + e.getMessage());
      return e.isConfigurationError() ? ExitCode.USAGE : ExitCode.FAILED;
    } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
      // nothing that a user did: say so in a sentence, and leave the trace to who asks for it
      LoggerFactory.getLogger(ServeCommand.class).debug("node_broken", e);
      err.println(
          "quorumail: the node ended by an unexpected fault (%s); what it acknowledged is on disk; please report it with what log.level = \"debug\" shows"
              .formatted(String.valueOf(e).replaceAll("\\s+", " ")));
      return ExitCode.FAILED;
    }
  }
}
