package org.quorumail;

import org.quorumail.cli.CommandLineInterface;
import org.quorumail.cli.ServeCommand.Server;

/** The program's entry point. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Server node =
        (config, sources) -> {
          throw new Server.StartException("this build has no server yet");
        };
    System.exit(CommandLineInterface.run(args, node));
  }
}
