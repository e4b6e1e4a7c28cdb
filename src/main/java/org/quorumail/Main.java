package org.quorumail;

import java.util.List;
import org.quorumail.cli.CommandLineInterface;
import org.quorumail.cli.ServeCommand.NodeRunner;
import org.quorumail.node.ConfigFileCheck;
import org.quorumail.node.ConfigResult;
import org.quorumail.node.ConfigSources;
import org.quorumail.node.NodeStartException;

/** The program's entry point. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(CommandLineInterface.run(args, new Program()));
  }

  private static final class Program implements NodeRunner {
    @Override
    public void run(ConfigResult.Valid config, ConfigSources sources)
        throws StartException, InterruptedException {
      try {
        new Node(config, sources).run();
      } catch (NodeStartException e) {
        throw new StartException(String.valueOf(e.getMessage()), e.configuration());
      }
    }

    @Override
    public List<String> fileProblems(ConfigResult.Valid config) {
      return ConfigFileCheck.problems(config);
    }
  }
}
