package org.quorumail.harness;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** One connection to the {@link Sink}. Lenient about order: senders are tested elsewhere. */
final class SinkSession {
  private static final int MAX_MESSAGE = 64 * 1024 * 1024;
  private static final int MAX_RECIPIENTS = 10_000;

  private final Wire wire;
  private final Sink.Options options;
  private final Consumer<Sink.Delivery> deliveries;
  private final AtomicInteger busy;
  private final SplittableRandom random;
  private final Wire.Content content = new Wire.Content(MAX_MESSAGE);
  private final List<String> recipients = new ArrayList<>();
  private String helo = "";
  private String from = "";
  private boolean isBusy;

  SinkSession(
      Wire wire,
      Sink.Options options,
      long seed,
      Consumer<Sink.Delivery> deliveries,
      AtomicInteger busy) {
    this.wire = wire;
    this.options = options;
    this.deliveries = deliveries;
    this.busy = busy;
    this.random = new SplittableRandom(seed);
  }

  void run() throws IOException {
    try {
      wire.send("220 sink.test ESMTP");
      boolean open = true;
      while (open) open = obey(wire.line());
      wire.flush();
    } finally {
      idle();
    }
  }

  private boolean obey(String line) throws IOException {
    String verb = line.length() < 4 ? line : line.substring(0, 4).toUpperCase(Locale.ROOT);
    switch (verb) {
      case "EHLO" -> ehlo(line);
      case "HELO" -> {
        helo = line.substring(4).strip();
        wire.send("250 sink.test");
      }
      case "MAIL" -> mail(line);
      case "RCPT" -> rcpt(line);
      case "DATA" -> {
        return data();
      }
      case "RSET", "NOOP" -> {
        if (verb.equals("RSET")) idle();
        wire.send("250 2.0.0 Ok");
      }
      case "QUIT" -> {
        wire.send("221 2.0.0 Bye");
        return false;
      }
      default -> wire.send("502 5.5.1 Not implemented");
    }
    return true;
  }

  private void ehlo(String line) throws IOException {
    helo = line.substring(4).strip();
    wire.send("250-sink.test");
    wire.send("250-PIPELINING");
    wire.send("250-SIZE " + MAX_MESSAGE);
    wire.send("250-ENHANCEDSTATUSCODES");
    wire.send("250-8BITMIME");
    wire.send("250 SMTPUTF8"); // it takes any octets
  }

  private void mail(String line) throws IOException {
    idle();
    from = path(line);
    isBusy = true;
    busy.incrementAndGet();
    wire.send("250 2.1.0 Ok");
  }

  private void rcpt(String line) throws IOException {
    if (recipients.size() >= MAX_RECIPIENTS) {
      wire.send("452 4.5.3 Too many recipients");
      return;
    }
    recipients.add(path(line));
    wire.send("250 2.1.5 Ok");
  }

  private boolean data() throws IOException {
    if (recipients.isEmpty()) {
      wire.send("503 5.5.1 RCPT first");
      return true;
    }
    wire.send("354 End with a dot");
    content.clear();
    wire.data(content);
    pause();
    double dice = random.nextDouble();
    if ((dice -= options.drops()) < 0) return false;
    wire.send(verdict(dice));
    wire.flush();
    idle();
    return true;
  }

  private String verdict(double dice) {
    double left = dice - options.transientFailures();
    if (left < 0) return "451 4.7.1 Try again";
    if (left - options.permanentFailures() < 0 && !from.isEmpty()) return "550 5.7.1 Refused";
    if (content.tooLong()) return "552 5.3.4 Too big for this sink";
    deliveries.accept(
        new Sink.Delivery(
            helo,
            from,
            List.copyOf(recipients),
            content.array(),
            content.length(),
            System.nanoTime()));
    return "250 2.0.0 Ok";
  }

  private void pause() throws IOException {
    if (options.delay().isZero()) return;
    try {
      Thread.sleep(options.delay());
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
  }

  private void idle() {
    recipients.clear();
    if (isBusy) busy.decrementAndGet();
    isBusy = false;
  }

  private static String path(String line) {
    int open = line.indexOf('<');
    int close = line.indexOf('>', open + 1);
    return open < 0 || close < 0 ? "" : line.substring(open + 1, close);
  }
}
