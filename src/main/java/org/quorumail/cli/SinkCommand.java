package org.quorumail.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.ReceivedMessagePrinter;
import org.quorumail.tools.SinkScript;
import org.quorumail.tools.SmtpSink;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code sink}: a next hop that prints every message and stores none. */
@Command(
    name = "sink",
    mixinStandardHelpOptions = true,
    description =
        "Listen on loopback as a next hop that prints every message and stores none. A script"
            + " refuses, delays or closes.",
    footer = {
      "",
      "A script has one rule a line: STAGE [PATTERN] [times=N] [share=P] ACTION",
      "  STAGE    connect, ehlo, mail, rcpt, data or dot",
      "  PATTERN  EHLO name, sender or recipient; * matches any text",
      "  times=N  the first N matches only; share=P: a part of them, 0 to 1",
      "  ACTION   reply CODE TEXT (400 to 599), delay TIME, or close",
      "",
      "Examples:",
      "  quorumail sink",
      "  quorumail sink --port 2526 --content",
      "  quorumail sink --script refusals.txt, with these lines in refusals.txt:",
      "    rcpt  nobody@*       reply 550 5.1.1 No such user",
      "    dot   times=2        reply 451 4.3.0 Try again later",
      "    rcpt  *@slow.test    delay 3s",
      "    ehlo  share=0.1      close"
    })
final class SinkCommand implements Callable<Integer> {
  private static final int MAX_SCRIPT = 256 * 1024;
  private static final int LAST_PORT = 65_535;

  @Option(
      names = "--port",
      defaultValue = "1025",
      paramLabel = "PORT",
      description = "Port on 127.0.0.1; 0: any free one. Default: ${DEFAULT-VALUE}")
  private int port;

  @Option(names = "--script", paramLabel = "FILE", description = "Rules, see below.")
  private @Nullable Path script;

  @Option(names = "--content", description = "Print the whole message, not only one line.")
  private boolean content;

  @Override
  public Integer call() throws CommandException, InterruptedException {
    if (port < 0 || port > LAST_PORT) {
      throw new CommandException(ExitCode.USAGE, "--port must be 0 to " + LAST_PORT);
    }
    SinkScript rules = script == null ? SinkScript.EMPTY : read(script);
    PrintStream out = System.out;
    ReceivedMessagePrinter printer = new ReceivedMessagePrinter(out, content);
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(port), rules, printer::print)) {
      out.printf("sink listens on 127.0.0.1:%d; Ctrl-C ends it%n", sink.port());
      out.flush();
      new CountDownLatch(1).await(); // a signal ends the process
    } catch (IOException e) {
      throw new CommandException(ExitCode.FAILED, String.valueOf(e.getMessage()));
    }
    return ExitCode.DONE;
  }

  private static SinkScript read(Path file) throws CommandException {
    try {
      if (Files.size(file) > MAX_SCRIPT) {
        throw new CommandException(ExitCode.USAGE, file + ": a script has at most 256 KiB");
      }
      return SinkScript.parse(Files.readString(file, StandardCharsets.UTF_8));
    } catch (SinkScript.SyntaxException e) {
      throw new CommandException(
          ExitCode.USAGE, "%s:%d: %s".formatted(file, e.line(), e.getMessage()));
    } catch (IOException e) {
      throw new CommandException(ExitCode.USAGE, "--script cannot be read: " + e);
    }
  }
}
