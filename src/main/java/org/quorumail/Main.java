package org.quorumail;

import java.util.List;
import org.quorumail.cli.CommandLineInterface;
import org.quorumail.cli.ServeCommand.Server;
import org.quorumail.config.Config;
import org.quorumail.config.ConfigSources;

/** The program's entry point. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(CommandLineInterface.run(args, new Program()));
  }

  private static final class Program implements Server {
    @Override
    public void run(Config config, ConfigSources sources)
        throws StartException, InterruptedException {
      try {
        new Node(config, sources).run();
      } catch (StartFailure e) {
        throw new StartException(String.valueOf(e.getMessage()), e.configuration());
      }
    }

    @Override
    public List<String> problemsOfFiles(Config config) {
      return NamedFiles.problems(config);
    }
  }
}
