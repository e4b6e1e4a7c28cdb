package org.quorumail.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.tools.DnsSimulator;
import org.quorumail.tools.DnsZones;
import org.quorumail.tools.ReceivedMessagePrinter;
import org.quorumail.tools.SinkControl;
import org.quorumail.tools.SinkScript;
import org.quorumail.tools.SinkScriptReader;
import org.quorumail.tools.SmtpSink;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code sink}: a next hop that prints every message and stores none. */
@Command(
    name = "sink",
    mixinStandardHelpOptions = true,
    description =
        "Listen on loopback as a next hop that prints every message and stores none. A script"
            + " refuses, delays or closes; a name server for tests can run beside it.",
    footer = {
      "",
      "A script FILE.toml has a table [[rule]] for each rule (docs/simulate.md). Any other script",
      "has one rule a line: STAGE [PATTERN] [times=N] [share=P] ACTION",
      "  STAGE    connect, ehlo, mail, rcpt, data or dot",
      "  PATTERN  EHLO name, sender or recipient; * matches any text",
      "  times=N  the first N matches only; share=P: a part of them, 0 to 1",
      "  ACTION   reply CODE TEXT (400 to 599), delay TIME, or close",
      "",
      "Examples:",
      "  quorumail sink",
      "  quorumail sink --port 2526 --content",
      "  quorumail sink --script world.toml --control 8026 --dns zones.toml --dns-port 5353",
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

  @Option(
      names = "--control",
      paramLabel = "PORT",
      description = "HTTP port on 127.0.0.1 for counts, messages and another script.")
  private @Nullable Integer control;

  @Option(
      names = "--dns",
      paramLabel = "FILE",
      description = "Also answer as a name server, UDP and TCP, with the names of this file.")
  private @Nullable Path dns;

  @Option(
      names = "--dns-port",
      defaultValue = "5353",
      paramLabel = "PORT",
      description = "Port of the name server on 127.0.0.1. Default: ${DEFAULT-VALUE}")
  private int dnsPort;

  @Option(names = "--content", description = "Print the whole message, not only one line.")
  private boolean content;

  @Override
  public Integer call() throws CommandException, InterruptedException {
    requirePort("--port", port);
    requirePort("--dns-port", dnsPort);
    requirePort("--control", control == null ? 0 : control);
    DnsZones zones = dns == null ? null : read(dns, DnsZones::parse);
    SinkScript rules = script == null ? SinkScript.EMPTY : read(script);
    PrintStream out = System.out;
    ReceivedMessagePrinter printer = new ReceivedMessagePrinter(out, content);
    SinkControl.Mailbox mailbox = new SinkControl.Mailbox();
    Consumer<SmtpSink.ReceivedMessage> consumer =
        message -> {
          mailbox.add(message);
          printer.print(message);
        };
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(port), rules, consumer);
        SinkControl http = control == null ? null : SinkControl.start(sink, mailbox, control);
        DnsSimulator names = zones == null ? null : DnsSimulator.start(zones, dnsPort)) {
      out.printf("sink listens on 127.0.0.1:%d; Ctrl-C ends it%n", sink.port());
      if (http != null) out.printf("control listens on http://127.0.0.1:%d%n", http.port());
      if (names != null) out.printf("name server listens on 127.0.0.1:%d%n", names.port());
      out.flush();
      new CountDownLatch(1).await(); // a signal ends the process
    } catch (IOException e) {
      throw new CommandException(ExitCode.FAILED, String.valueOf(e.getMessage()));
    }
    return ExitCode.DONE;
  }

  private static void requirePort(String option, int port) throws CommandException {
    if (port >= 0 && port <= LAST_PORT) return;
    throw new CommandException(ExitCode.USAGE, option + " must be 0 to " + LAST_PORT);
  }

  private static SinkScript read(Path file) throws CommandException {
    boolean toml = file.toString().endsWith(".toml");
    return read(file, toml ? SinkScriptReader::toml : (name, text) -> SinkScript.parse(text));
  }

  @FunctionalInterface
  private interface Parser<T> {
    T parse(String fileName, String text) throws SinkScript.SyntaxException;
  }

  private static <T> T read(Path file, Parser<T> parser) throws CommandException {
    try {
      if (Files.size(file) > MAX_SCRIPT) {
        throw new CommandException(ExitCode.USAGE, file + ": a script has at most 256 KiB");
      }
      return parser.parse(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
    } catch (SinkScript.SyntaxException e) {
      throw new CommandException(
          ExitCode.USAGE, "%s:%d: %s".formatted(file, e.line(), e.getMessage()));
    } catch (IOException e) {
      throw new CommandException(ExitCode.USAGE, file + " cannot be read: " + e);
    }
  }
}
