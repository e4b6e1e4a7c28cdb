package org.quorumail.tools;

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
final class LoadClient implements Runnable {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration READ_TIMEOUT = Duration.ofMinutes(2);

  /** A server that refuses at once must not be hammered in a loop without end. */
  private static final Duration PAUSE_AFTER_ERROR = Duration.ofMillis(5);

  private final LoadOptions options;
  private final InetSocketAddress target;
  private final LoadRun run;
  private final NumberedMessage message;
  private final Latencies dotTo250 = new Latencies();
  private final Latencies transaction = new Latencies();
  private final Map<String, Integer> errors = new TreeMap<>();
  private int accepted;
  private @Nullable SmtpSocket socket;

  LoadClient(LoadOptions options, InetSocketAddress target, LoadRun run) {
    this.options = options;
    this.target = target;
    this.run = run;
    this.message =
        new NumberedMessage(
            options.workload().size(), options.workload().from(), options.workload().recipient());
  }

  @Override
  public void run() {
    for (OptionalInt n = run.nextNumber(); n.isPresent(); n = run.nextNumber()) {
      try {
        send(n.getAsInt());
        accepted++;
      } catch (UnexpectedReply e) {
        recordError(e.code);
      } catch (SocketTimeoutException e) {
        recordError("timeout");
      } catch (ConnectException e) {
        recordError("connection refused");
      } catch (IOException e) {
        recordError("connection lost");
      }
    }
    close();
  }

  private void send(int number) throws IOException {
    long begin = System.nanoTime();
    SmtpSocket w = socket == null ? connect() : socket;
    if (options.connections().pipelining()) pipelinedEnvelope(w);
    else envelope(w);
    byte[] bytes = message.stamp(number, 1);
    run.recordSent(number);
    long dot = System.nanoTime();
    w.write(bytes);
    require(w.readReply(), '2');
    long answered = System.nanoTime();
    dotTo250.record(answered - dot);
    if (!options.connections().reuse()) quit(w);
    transaction.record(System.nanoTime() - begin);
  }

  private SmtpSocket connect() throws IOException {
    SmtpSocket w = SmtpSocket.connect(target, CONNECT_TIMEOUT, READ_TIMEOUT);
    socket = w;
    require(w.readReply(), '2');
    require(w.request("EHLO bench.test"), '2');
    return w;
  }

  private void envelope(SmtpSocket w) throws IOException {
    require(w.request("MAIL FROM:<" + options.workload().from() + ">"), '2');
    require(w.request("RCPT TO:<" + options.workload().recipient() + ">"), '2');
    require(w.request("DATA"), '3');
  }

  private void pipelinedEnvelope(SmtpSocket w) throws IOException {
    w.writeLine("MAIL FROM:<" + options.workload().from() + ">");
    w.writeLine("RCPT TO:<" + options.workload().recipient() + ">");
    w.writeLine("DATA");
    require(w.readReply(), '2');
    require(w.readReply(), '2');
    require(w.readReply(), '3');
  }

  private void quit(SmtpSocket w) throws IOException {
    w.request("QUIT");
    w.close();
    socket = null;
  }

  private void close() {
    SmtpSocket w = socket;
    socket = null;
    if (w == null) return;
    try (w) {
      w.request("QUIT");
    } catch (IOException e) {
      // it is over anyway
    }
  }

  private void recordError(String what) {
    errors.merge(what, 1, Integer::sum);
    SmtpSocket w = socket;
    socket = null;
    try {
      if (w != null) w.close();
      Thread.sleep(PAUSE_AFTER_ERROR);
    } catch (IOException e) {
      // the connection was broken before
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void require(String reply, char kind) throws UnexpectedReply {
    if (reply.charAt(0) != kind) throw new UnexpectedReply(reply.substring(0, 3));
  }

  void addTo(LoadReport.Sum sum) {
    sum.add(accepted, dotTo250, transaction, errors);
  }

  /** A reply of another kind than the protocol's good case. */
  private static final class UnexpectedReply extends IOException {
    private static final long serialVersionUID = 1;
    private final String code;

    UnexpectedReply(String code) {
      super(code);
      this.code = code;
    }
  }
}
