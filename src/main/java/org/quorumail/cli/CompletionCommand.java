package org.quorumail.cli;

import java.io.PrintWriter;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code completion}: what a shell needs to complete the commands and options of this program. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description =
        "Print a script that completes commands and options in bash, and in zsh after"
            + " 'autoload bashcompinit; bashcompinit'.",
    footer = {
      "",
      "Examples:",
      "  source <(quorumail completion)",
      "  quorumail completion > /usr/share/bash-completion/completions/quorumail"
    })
final class CompletionCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    CommandLine whole = CommandLineInterface.description();
    PrintWriter out = spec.commandLine().getOut();
    out.print(AutoComplete.bash("quorumail", whole));
    out.flush();
  }
}
