package org.quorumail.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.quorumail.config.Config;
import org.quorumail.config.ConfigResult;
import org.quorumail.config.Problem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code check}: reads and validates everything, opens nothing. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = "Read and validate the configuration; open nothing.",
    footer = {
      "",
      "Prints every problem with its key and line; exit 0 when there is none, else 2.",
      "Example: quorumail check -c /etc/quorumail/quorumail.toml"
    })
final class CheckCommand implements Callable<Integer> {
  @Mixin private ConfigOptions config = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    return check(config.sources().read(), spec.commandLine().getOut(), spec.commandLine().getErr());
  }

  static int check(ConfigResult result, PrintWriter out, PrintWriter err) {
    return switch (result) {
      case ConfigResult.Valid valid -> {
        warn(valid.warnings(), err);
        out.println("the configuration is valid: " + summary(valid.config()));
        yield ExitCode.DONE;
      }
      case ConfigResult.Invalid invalid -> {
        refuse(invalid.problems(), err);
        yield ExitCode.USAGE;
      }
    };
  }

  static void warn(List<Problem> warnings, PrintWriter err) {
    for (Problem warning : warnings) err.println("warning: " + warning);
  }

  static void refuse(List<Problem> problems, PrintWriter err) {
    for (Problem problem : problems) err.println(problem);
    err.println(problems.size() == 1 ? "1 problem" : problems.size() + " problems");
  }

  private static String summary(Config config) {
    StringBuilder text = new StringBuilder(config.hostname());
    config.listeners().forEach(l -> text.append(", SMTP on ").append(address(l.socket())));
    if (config.health().enabled()) {
      text.append(", HTTP on ").append(address(config.health().listenAddress()));
    }
    text.append(config.cluster().enabled() ? ", clustered" : ", stand-alone");
    return text.append(", data in ").append(config.node().dataDirectory()).toString();
  }

  private static String address(java.net.InetSocketAddress socket) {
    if (socket.getAddress().isAnyLocalAddress()) return "port " + socket.getPort();
    return socket.getAddress().getHostAddress() + " port " + socket.getPort();
  }
}
