package org.quorumail;

import org.quorumail.cli.CommandLineInterface;
import org.quorumail.cli.ServeCommand.Server;

/** The program's entry point. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Server node =
        (config, sources) -> {
          try {
            new Node(config, sources).run();
          } catch (StartFailure e) {
            throw new Server.StartException(String.valueOf(e.getMessage()), e.configuration());
          }
        };
    System.exit(CommandLineInterface.run(args, node));
  }
}
