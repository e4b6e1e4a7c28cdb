package org.quorumail.harness;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One client of the load generator: takes numbers from the run until there are no more. */
final class BenchSession implements Runnable {
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final Duration READ = Duration.ofMinutes(2);

  /** A server that refuses at once must not be hammered in a loop without end. */
  private static final Duration AFTER_AN_ERROR = Duration.ofMillis(5);

  private final BenchOptions options;
  private final InetSocketAddress target;
  private final BenchRun run;
  private final NumberedMessage message;
  private final Latencies dotTo250 = new Latencies();
  private final Latencies transaction = new Latencies();
  private final Map<String, Integer> errors = new TreeMap<>();
  private int accepted;
  private @Nullable Wire wire;

  BenchSession(BenchOptions options, InetSocketAddress target, BenchRun run) {
    this.options = options;
    this.target = target;
    this.run = run;
    this.message =
        new NumberedMessage(
            options.load().size(), options.load().from(), options.load().recipient());
  }

  @Override
  public void run() {
    for (OptionalInt n = run.next(); n.isPresent(); n = run.next()) {
      try {
        send(n.getAsInt());
        accepted++;
      } catch (Refused e) {
        failed(e.code);
      } catch (SocketTimeoutException e) {
        failed("timeout");
      } catch (ConnectException e) {
        failed("connection refused");
      } catch (IOException e) {
        failed("connection lost");
      }
    }
    hangUp();
  }

  private void send(int number) throws IOException {
    long begin = System.nanoTime();
    Wire w = wire == null ? connect() : wire;
    if (options.connections().pipelining()) pipelinedEnvelope(w);
    else envelope(w);
    byte[] bytes = message.stamp(number, 1);
    run.sending(number);
    long dot = System.nanoTime();
    w.write(bytes);
    require(w.reply(), '2');
    long answered = System.nanoTime();
    dotTo250.record(answered - dot);
    if (!options.connections().reuse()) quit(w);
    transaction.record(System.nanoTime() - begin);
  }

  private Wire connect() throws IOException {
    Wire w = Wire.connect(target, CONNECT, READ);
    wire = w;
    require(w.reply(), '2');
    require(w.ask("EHLO bench.test"), '2');
    return w;
  }

  private void envelope(Wire w) throws IOException {
    require(w.ask("MAIL FROM:<" + options.load().from() + ">"), '2');
    require(w.ask("RCPT TO:<" + options.load().recipient() + ">"), '2');
    require(w.ask("DATA"), '3');
  }

  private void pipelinedEnvelope(Wire w) throws IOException {
    w.send("MAIL FROM:<" + options.load().from() + ">");
    w.send("RCPT TO:<" + options.load().recipient() + ">");
    w.send("DATA");
    require(w.reply(), '2');
    require(w.reply(), '2');
    require(w.reply(), '3');
  }

  private void quit(Wire w) throws IOException {
    w.ask("QUIT");
    w.close();
    wire = null;
  }

  private void hangUp() {
    Wire w = wire;
    wire = null;
    if (w == null) return;
    try (w) {
      w.ask("QUIT");
    } catch (IOException e) {
      // it is over anyway
    }
  }

  private void failed(String what) {
    errors.merge(what, 1, Integer::sum);
    Wire w = wire;
    wire = null;
    try {
      if (w != null) w.close();
      Thread.sleep(AFTER_AN_ERROR);
    } catch (IOException e) {
      // the connection was broken before
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void require(String reply, char kind) throws Refused {
    if (reply.charAt(0) != kind) throw new Refused(reply.substring(0, 3));
  }

  void addTo(BenchReport.Sum sum) {
    sum.add(accepted, dotTo250, transaction, errors);
  }

  /** A reply of another kind than the protocol's good case. */
  private static final class Refused extends IOException {
    private static final long serialVersionUID = 1;
    private final String code;

    Refused(String code) {
      super(code);
      this.code = code;
    }
  }
}
