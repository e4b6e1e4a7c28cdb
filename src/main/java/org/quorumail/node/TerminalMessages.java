package org.quorumail.node;

import java.io.Console;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.quorumail.smtp.server.ListenerConfig;

/**
 * The messages of a node to a person who started it on a terminal: that it is ready and what to try
 * next, and that it stops. Without a terminal there are none; the log has the same events.
 */
public final class TerminalMessages {
  private final Optional<PrintStream> terminal;

  TerminalMessages(Optional<PrintStream> terminal) {
    this.terminal = terminal;
  }

  /** The messages to a stream, if input and output of this process are a terminal. */
  public static TerminalMessages ofThisProcess(PrintStream stream) {
    boolean isTerminal =
        Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    return new TerminalMessages(isTerminal ? Optional.of(stream) : Optional.empty());
  }

  /** Reports that the node starts. */
  public void starting(Config config) {
    print("quorumail: starting " + config.summary());
  }

  /** Reports that the node accepts mail, and what to try. */
  public void ready(Config config) {
    if (terminal.isEmpty()) return;
    print("");
    print("quorumail is ready: " + config.summary() + ".");
    if (!config.listeners().isEmpty())
      print("  try: swaks " + swaks(config) + " --to you@example.net");
    print("  see: quorumail queue list · quorumail help · Ctrl-C stops the node");
    print("");
  }

  /** Reports that the node stops, and how long that may take. */
  public void stopping() {
    print(
        "quorumail: stopping; running transactions have up to 30 s to finish, Ctrl-C again stops"
            + " at once (acknowledged mail is on disk)");
  }

  /** Reports that the node has left the cluster. */
  public void left(String sentence) {
    print("quorumail: " + sentence);
  }

  private static String swaks(Config config) {
    ListenerConfig listener = config.listeners().getFirst();
    InetSocketAddress socket = listener.socket();
    String host =
        socket.getAddress().isAnyLocalAddress()
            ? "127.0.0.1"
            : socket.getAddress().getHostAddress();
    boolean isV6 = host.indexOf(':') >= 0;
    return "--server %s:%d".formatted(isV6 ? "[" + host + "]" : host, socket.getPort());
  }

  private void print(String line) {
    terminal.ifPresent(out -> out.println(line));
  }
}
