package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.quorumail.config.Problem;
import org.quorumail.metrics.Logging;
import org.quorumail.node.ConfigResult;
import org.quorumail.node.ConfigSources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command {@code serve}: runs a node until a signal or a command stops it. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description =
        "Run a node. Without a configuration it is stand-alone and relays only for loopback.",
    footer = {
      "",
      "SIGTERM drains and stops the node; SIGHUP reloads the configuration and certificates.",
      "Examples:",
      "  quorumail serve",
      "  quorumail serve -c node-1.toml",
      "  quorumail serve --set smtp.listeners.0.socket=127.0.0.1:2525 --set log.level=debug"
    })
public final class ServeCommand implements Callable<Integer> {
  /** The node that the composition root builds. */
  @FunctionalInterface
  public interface NodeRunner {
    /**
     * Starts the node, runs it until a signal or a command stops it, and drains it.
     *
     * @param sources sources that a reload reads again
     * @throws StartException when the node cannot start
     */
    void run(ConfigResult.Valid config, ConfigSources sources)
        throws StartException, InterruptedException;

    /**
     * The problems of the files that a configuration names (certificates, keys, tables, users), one
     * sentence each. Reads these files and opens nothing else.
     */
    default List<String> fileProblems(ConfigResult.Valid config) {
      return List.of();
    }

    /** A failed start: one sentence with the reason and the remedy. */
    final class StartException extends Exception {
      private static final long serialVersionUID = 1L;

      private final boolean isConfigurationError;

      public StartException(String message) {
        this(message, false);
      }

      /**
       * @param configuration true when the configuration is wrong (exit 2), else exit 1
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

  private static final Logger LOG = LoggerFactory.getLogger(ServeCommand.class);

  private final NodeRunner node;

  @Mixin private ConfigOptions config = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--dry-run", description = "Validate the configuration only, as 'check' does.")
  private boolean dryRun;

  ServeCommand(NodeRunner node) {
    this.node = node;
  }

  @Override
  public Integer call() throws InterruptedException {
    ConfigSources sources = config.sources();
    ConfigResult result = sources.read();
    PrintWriter err = spec.commandLine().getErr();
    if (dryRun) return CheckCommand.check(result, node, spec.commandLine().getOut(), err);
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
      for (Problem warning : valid.warnings()) {
        LOG.warn("event=configuration_warning warning=\"{}\"", warning);
      }
      node.run(valid, sources);
      return ExitCode.DONE;
    } catch (Logging.UnwritableException e) {
      err.println("quorumail: " + e.getMessage());
      return ExitCode.FAILED;
    } catch (NodeRunner.StartException e) {
      err.println("quorumail: " + e.getMessage());
      return e.isConfigurationError() ? ExitCode.USAGE : ExitCode.FAILED;
    } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
      // a bug, not a mistake of the user: one sentence, and the stack trace at level debug
      LOG.debug("event=node_crashed", e);
      err.println(
          ("quorumail: the node stopped after an unexpected error (%s); all acknowledged mail is on"
                  + " disk; please report the error with the log at log.level = \"debug\"")
              .formatted(String.valueOf(e).replaceAll("\\s+", " ")));
      return ExitCode.FAILED;
    }
  }
}
