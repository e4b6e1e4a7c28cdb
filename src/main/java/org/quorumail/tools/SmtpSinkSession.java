package org.quorumail.tools;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.quorumail.tools.SinkScript.Situation;
import org.quorumail.tools.SinkScript.Stage;

/**
 * One session of the {@link SmtpSink}. It accepts EHLO, MAIL and RCPT in an order that a real
 * server may refuse: other tests check that.
 */
final class SmtpSinkSession {
  private static final int MAX_MESSAGE = 64 * 1024 * 1024;
  private static final int MAX_RECIPIENTS = 10_000;

  private final SmtpSocket socket;
  private final SmtpSink.Options options;
  private final Supplier<SinkScript> script;
  private final Consumer<SmtpSink.ReceivedMessage> deliveries;
  private final AtomicInteger openTransactions;
  private final SplittableRandom random;
  private final SmtpSocket.MessageBuffer content = new SmtpSocket.MessageBuffer(MAX_MESSAGE);
  private final List<String> recipients = new ArrayList<>();
  private String helo = "";
  private String from = "";
  private boolean inTransaction;
  private boolean isClosing;

  SmtpSinkSession(
      SmtpSocket socket,
      SmtpSink.Options options,
      Supplier<SinkScript> script,
      long seed,
      Consumer<SmtpSink.ReceivedMessage> deliveries,
      AtomicInteger busy) {
    this.socket = socket;
    this.options = options;
    this.script = script;
    this.deliveries = deliveries;
    this.openTransactions = busy;
    this.random = new SplittableRandom(seed);
  }

  void run() throws IOException {
    try {
      boolean isOpen = isAccepted(Stage.CONNECT) && greet();
      while (isOpen) isOpen = handle(socket.readLine());
      socket.flush();
    } finally {
      reset();
    }
  }

  private boolean greet() throws IOException {
    SinkScript.Decision decision = decide(Stage.GREETING, from, recipients);
    if (decision.close()) socket.write("220-sink".getBytes(StandardCharsets.US_ASCII));
    else socket.writeLine(decision.reply().orElse("220 sink.test ESMTP"));
    return !decision.close() && decision.reply().isEmpty();
  }

  private boolean handle(String line) throws IOException {
    String verb = line.length() < 4 ? line : line.substring(0, 4).toUpperCase(Locale.ROOT);
    switch (verb) {
      case "EHLO", "HELO" -> hello(verb, line);
      case "MAIL" -> mail(line);
      case "RCPT" -> rcpt(line);
      case "DATA" -> data();
      case "STAR" -> {
        if (isAccepted(Stage.STARTTLS)) socket.writeLine("454 4.7.0 TLS not available");
      }
      case "RSET", "NOOP" -> {
        if (verb.equals("RSET")) reset();
        socket.writeLine("250 2.0.0 Ok");
      }
      case "QUIT" -> {
        socket.writeLine("221 2.0.0 Bye");
        isClosing = true;
      }
      default -> socket.writeLine("502 5.5.1 Not implemented");
    }
    return !isClosing;
  }

  /**
   * Applies the script to a command: waits, and sends the reply of the script. Returns true when
   * the command is accepted. A reply 421 and the action {@code close} end the session.
   */
  private boolean isAccepted(Stage stage) throws IOException {
    return isAccepted(stage, from, recipients);
  }

  private boolean isAccepted(Stage stage, String sender, List<String> about) throws IOException {
    SinkScript.Decision decision = decide(stage, sender, about);
    decision.reply().ifPresent(reply -> isClosing |= reply.startsWith("421"));
    isClosing |= decision.close();
    if (decision.reply().isPresent()) socket.writeLine(decision.reply().get());
    return decision.reply().isEmpty() && !decision.close();
  }

  private SinkScript.Decision decide(Stage stage, String sender, List<String> about)
      throws IOException {
    Situation situation = new Situation(helo, sender, about);
    SinkScript.Decision decision = script.get().at(stage, situation);
    if (!decision.delay().isZero()) {
      socket.flush(); // the replies before are not delayed
      sleep(decision.delay());
    }
    return decision;
  }

  private void hello(String verb, String line) throws IOException {
    helo = line.substring(4).strip();
    if (!isAccepted(Stage.EHLO)) return;
    if (verb.equals("HELO")) {
      socket.writeLine("250 sink.test");
      return;
    }
    socket.writeLine("250-sink.test");
    socket.writeLine("250-PIPELINING");
    if (script.get().concerns(Stage.STARTTLS)) socket.writeLine("250-STARTTLS");
    socket.writeLine("250-SIZE " + MAX_MESSAGE);
    socket.writeLine("250-ENHANCEDSTATUSCODES");
    socket.writeLine("250-8BITMIME");
    socket.writeLine("250 SMTPUTF8"); // the sink accepts any octets
  }

  private void mail(String line) throws IOException {
    reset();
    if (!isAccepted(Stage.MAIL, path(line), recipients)) return;
    from = path(line);
    inTransaction = true;
    openTransactions.incrementAndGet();
    socket.writeLine("250 2.1.0 Ok");
  }

  private void rcpt(String line) throws IOException {
    if (!inTransaction) {
      socket.writeLine("503 5.5.1 MAIL first");
      return;
    }
    if (recipients.size() >= MAX_RECIPIENTS) {
      socket.writeLine("452 4.5.3 Too many recipients");
      return;
    }
    String recipient = path(line);
    if (!isAccepted(Stage.RCPT, from, List.of(recipient))) return;
    recipients.add(recipient);
    socket.writeLine("250 2.1.5 Ok");
  }

  private void data() throws IOException {
    if (recipients.isEmpty()) {
      socket.writeLine("503 5.5.1 RCPT first");
      return;
    }
    if (!isAccepted(Stage.DATA)) return;
    socket.writeLine("354 End with a dot");
    if (script.get().concerns(Stage.CONTENT) && !takesContent()) return;
    content.clear();
    socket.readData(content);
    if (!options.delay().isZero()) sleep(options.delay());
    double dice = random.nextDouble();
    if ((dice -= options.drops()) < 0) {
      isClosing = true;
      return;
    }
    if (isAccepted(Stage.DOT)) {
      String reply = finalReply(dice);
      if (!reply.startsWith("2") || isAccepted(Stage.AFTER_DOT)) socket.writeLine(reply);
    }
    socket.flush();
    reset();
  }

  /** Applies the script when the first octets of the content are there; it may end the session. */
  private boolean takesContent() throws IOException {
    socket.awaitInput();
    if (isAccepted(Stage.CONTENT)) return true;
    isClosing = true; // what follows is no command
    return false;
  }

  private String finalReply(double dice) {
    double left = dice - options.transientFailures();
    if (left < 0) return "451 4.7.1 Try again";
    if (left - options.permanentFailures() < 0 && !from.isEmpty()) return "550 5.7.1 Refused";
    if (content.isTooLong()) return "552 5.3.4 Too big for this sink";
    deliveries.accept(
        new SmtpSink.ReceivedMessage(
            helo,
            from,
            List.copyOf(recipients),
            content.array(),
            content.length(),
            System.nanoTime()));
    return "250 2.0.0 Ok";
  }

  private static void sleep(Duration time) throws IOException {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
  }

  private void reset() {
    recipients.clear();
    if (inTransaction && openTransactions.decrementAndGet() < 0) {
      throw new IllegalStateException("the sink counts fewer than zero open transactions");
    }
    inTransaction = false;
  }

  private static String path(String line) {
    int open = line.indexOf('<');
    int close = line.indexOf('>', open + 1);
    return open < 0 || close < 0 ? "" : line.substring(open + 1, close);
  }
}
