package org.quorumail.cli;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.quorumail.config.HostPort;
import org.quorumail.tools.LoadGenerator;
import org.quorumail.tools.LoadOptions;
import org.quorumail.tools.OutputFormat;
import org.quorumail.tools.Workload;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code bench}: runs the load generator. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Send messages to any SMTP server as fast as it accepts them, and measure.",
    footer = {
      "",
      "Examples:",
      "  quorumail bench --to 127.0.0.1:2525 --messages 10000 --sessions 20",
      "  quorumail bench --to mx1:25,mx2:25 --reuse --rate 500 --format json",
      "  quorumail bench --to 127.0.0.1:2525 --sink 2526    end to end: the server relays to 2526",
      "  quorumail bench --messages 0 --sink 2526           only a next hop that accepts everything"
    })
final class BenchCommand implements Callable<Integer> {
  private static final int SMTP_PORT = 25;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--to",
      split = ",",
      defaultValue = "127.0.0.1:2525",
      paramLabel = "HOST:PORT",
      description = "Servers; several share the sessions. Default: ${DEFAULT-VALUE}")
  private List<String> to = List.of();

  @Option(
      names = "--sessions",
      defaultValue = "20",
      description = "Number of clients at once. Default: ${DEFAULT-VALUE}")
  private int sessions;

  @Option(
      names = "--messages",
      defaultValue = "10000",
      description = "Total number of messages. Default: ${DEFAULT-VALUE}")
  private int messages;

  @Option(
      names = "--size",
      defaultValue = "4096",
      description = "Size of a message in bytes. Default: ${DEFAULT-VALUE}")
  private int size;

  @Option(names = "--reuse", description = "Send many messages per connection.")
  private boolean reuse;

  @Option(
      names = "--connection-per-message",
      description = "Open one connection for each message; this is the default.")
  private boolean connectionPerMessage;

  @Option(
      names = "--pipelining",
      description = "Send MAIL, RCPT and DATA in one packet (RFC 2920).")
  private boolean pipelining;

  @Option(
      names = "--rate",
      defaultValue = "0",
      paramLabel = "PER-SECOND",
      description = "Messages per second; 0: as fast as replies come.")
  private double rate;

  @Option(
      names = "--from",
      defaultValue = "sender@bench.test",
      description = "Reverse-path. Default: ${DEFAULT-VALUE}")
  private String from = "";

  @Option(
      names = "--rcpt",
      defaultValue = "recipient@sink.test",
      description = "Recipient. Default: ${DEFAULT-VALUE}")
  private String recipient = "";

  @Option(
      names = "--warm-up",
      defaultValue = "0s",
      paramLabel = "DURATION",
      description = "Time of load before the measured run, not counted.")
  private Duration warmUp = Duration.ZERO;

  @Option(
      names = "--sink",
      paramLabel = "PORT",
      defaultValue = "-1",
      description = "Run a next hop on this port, and measure until it has everything.")
  private int sink;

  @Option(
      names = "--timeout",
      defaultValue = "10m",
      paramLabel = "DURATION",
      description = "Longest time of the run. Default: ${DEFAULT-VALUE}")
  private Duration timeout = Duration.ZERO;

  @Option(
      names = "--format",
      defaultValue = "text",
      description = "Output format, text or json. Default: ${DEFAULT-VALUE}")
  private OutputFormat format = OutputFormat.TEXT;

  @Override
  public Integer call() {
    if (reuse && connectionPerMessage) {
      throw usageError("--reuse and --connection-per-message exclude each other");
    }
    if (sessions < 1 || messages < 0 || size < 1 || rate < 0) {
      throw usageError(
          "--sessions and --size must be at least 1, --messages and --rate at least 0");
    }
    if (messages == 0 && sink < 0) throw usageError("--messages 0 needs --sink");
    LoadOptions options =
        new LoadOptions(
            to.stream().map(this::target).toList(),
            new Workload(sessions, messages, size, OptionalDouble.empty(), from, recipient)
                .withRate(rate),
            new LoadOptions.Connections(reuse, pipelining),
            warmUp,
            sink < 0 ? OptionalInt.empty() : OptionalInt.of(sink),
            timeout,
            format);
    return new LoadGenerator(options, System.out, System.err).run();
  }

  private InetSocketAddress target(String text) {
    try {
      HostPort target = HostPort.parse(text, SMTP_PORT);
      InetSocketAddress address = new InetSocketAddress(target.host(), target.port());
      if (address.isUnresolved()) throw usageError("--to: no such host: " + target.host());
      return address;
    } catch (IllegalArgumentException e) {
      throw usageError("--to: " + e.getMessage());
    }
  }

  private ParameterException usageError(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
