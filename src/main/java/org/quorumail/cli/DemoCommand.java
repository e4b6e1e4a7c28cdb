package org.quorumail.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.Demo;
import org.quorumail.tools.DemoOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code demo}: three nodes, one of them killed, nothing lost. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description =
        "Run three nodes on this machine, send mail, kill one node half way, and count the mail.",
    footer = {
      "",
      "Exit 0 only when accepted = delivered + queued + bounced, lost 0.",
      "Examples:",
      "  quorumail demo",
      "  quorumail demo --keep      leave the nodes running and print their addresses"
    })
final class DemoCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofMinutes(3);

  @Option(names = "--keep", description = "Leave the nodes running until Ctrl-C.")
  private boolean keep;

  @Option(
      names = "--messages",
      defaultValue = "2000",
      description = "Number of messages. Default: ${DEFAULT-VALUE}")
  private int messages;

  @Option(names = "--dir", description = "Work directory; it is kept. Default: a temporary one.")
  private @Nullable Path directory;

  @Override
  public Integer call() {
    Optional<Path> kept = Optional.ofNullable(directory);
    DemoOptions options = new DemoOptions(messages, keep, kept, Terminal.isTerminal(), TIMEOUT);
    return new Demo(options, System.out).run();
  }
}
