package org.quorumail.tools;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One session of the {@link SmtpSink}. It accepts commands in any order: other tests check that.
 */
final class SmtpSinkSession {
  private static final int MAX_MESSAGE = 64 * 1024 * 1024;
  private static final int MAX_RECIPIENTS = 10_000;

  private final SmtpSocket socket;
  private final SmtpSink.Options options;
  private final Consumer<SmtpSink.ReceivedMessage> deliveries;
  private final AtomicInteger openTransactions;
  private final SplittableRandom random;
  private final SmtpSocket.MessageBuffer content = new SmtpSocket.MessageBuffer(MAX_MESSAGE);
  private final List<String> recipients = new ArrayList<>();
  private String helo = "";
  private String from = "";
  private boolean inTransaction;

  SmtpSinkSession(
      SmtpSocket socket,
      SmtpSink.Options options,
      long seed,
      Consumer<SmtpSink.ReceivedMessage> deliveries,
      AtomicInteger busy) {
    this.socket = socket;
    this.options = options;
    this.deliveries = deliveries;
    this.openTransactions = busy;
    this.random = new SplittableRandom(seed);
  }

  void run() throws IOException {
    try {
      socket.writeLine("220 sink.test ESMTP");
      boolean isOpen = true;
      while (isOpen) isOpen = handle(socket.readLine());
      socket.flush();
    } finally {
      reset();
    }
  }

  private boolean handle(String line) throws IOException {
    String verb = line.length() < 4 ? line : line.substring(0, 4).toUpperCase(Locale.ROOT);
    switch (verb) {
      case "EHLO" -> ehlo(line);
      case "HELO" -> {
        helo = line.substring(4).strip();
        socket.writeLine("250 sink.test");
      }
      case "MAIL" -> mail(line);
      case "RCPT" -> rcpt(line);
      case "DATA" -> {
        return data();
      }
      case "RSET", "NOOP" -> {
        if (verb.equals("RSET")) reset();
        socket.writeLine("250 2.0.0 Ok");
      }
      case "QUIT" -> {
        socket.writeLine("221 2.0.0 Bye");
        return false;
      }
      default -> socket.writeLine("502 5.5.1 Not implemented");
    }
    return true;
  }

  private void ehlo(String line) throws IOException {
    helo = line.substring(4).strip();
    socket.writeLine("250-sink.test");
    socket.writeLine("250-PIPELINING");
    socket.writeLine("250-SIZE " + MAX_MESSAGE);
    socket.writeLine("250-ENHANCEDSTATUSCODES");
    socket.writeLine("250-8BITMIME");
    socket.writeLine("250 SMTPUTF8"); // the sink accepts any octets
  }

  private void mail(String line) throws IOException {
    reset();
    from = path(line);
    inTransaction = true;
    openTransactions.incrementAndGet();
    socket.writeLine("250 2.1.0 Ok");
  }

  private void rcpt(String line) throws IOException {
    if (recipients.size() >= MAX_RECIPIENTS) {
      socket.writeLine("452 4.5.3 Too many recipients");
      return;
    }
    recipients.add(path(line));
    socket.writeLine("250 2.1.5 Ok");
  }

  private boolean data() throws IOException {
    if (recipients.isEmpty()) {
      socket.writeLine("503 5.5.1 RCPT first");
      return true;
    }
    socket.writeLine("354 End with a dot");
    content.clear();
    socket.readData(content);
    delayReply();
    double dice = random.nextDouble();
    if ((dice -= options.drops()) < 0) return false;
    socket.writeLine(finalReply(dice));
    socket.flush();
    reset();
    return true;
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

  private void delayReply() throws IOException {
    if (options.delay().isZero()) return;
    try {
      Thread.sleep(options.delay());
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
