package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The load generator, {@code quorumail bench}: many sessions that send numbered messages to any
 * SMTP server and measure how it answers; with a sink of its own also how mail comes out again.
 */
public final class LoadGenerator {
  private static final int WARM_UP_MESSAGES = 500;

  /** Beyond so many sessions threads of the platform cost more than their wake-ups save. */
  private static final int MAX_PLATFORM_THREADS = 256;

  private final LoadOptions options;
  private final PrintStream out;
  private final PrintStream err;
  private final AtomicReference<@Nullable LoadRun> current = new AtomicReference<>();

  public LoadGenerator(LoadOptions options, PrintStream out, PrintStream err) {
    this.options = options;
    this.out = out;
    this.err = err;
  }

  /** Prints the result; 0 when every message was accepted (and delivered), else 1. */
  public int run() {
    try {
      if (options.workload().messages() == 0) return sinkOnly();
      LoadReport report = measure();
      if (options.format() == OutputFormat.JSON) {
        out.println(OutputFormat.json(report.toJson()));
      } else {
        out.print(report.toText());
      }
      return report.isGood() ? 0 : 1;
    } catch (IOException e) {
      err.println(e.getMessage());
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      err.println("The load was interrupted.");
      return 1;
    }
  }

  /** Warms up, runs, waits for the sink, and says what came out. */
  public LoadReport measure() throws IOException, InterruptedException {
    if (options.sinkPort().isEmpty()) return load();
    SmtpSink.Options sink = SmtpSink.Options.onPort(options.sinkPort().getAsInt());
    SmtpSink running = SmtpSink.start(sink, this::onDelivered);
    try {
      return load();
    } finally {
      running.close();
    }
  }

  private void onDelivered(SmtpSink.ReceivedMessage delivery) {
    LoadRun run = current.get();
    if (run != null) run.delivered(delivery);
  }

  private LoadReport load() throws InterruptedException {
    long warmUntil = System.nanoTime() + options.warmUp().toNanos();
    while (!options.warmUp().isZero() && System.nanoTime() < warmUntil) runOnce(WARM_UP_MESSAGES);
    return runOnce(options.workload().messages());
  }

  private LoadReport runOnce(int messages) throws InterruptedException {
    boolean hasSink = options.sinkPort().isPresent();
    LoadRun run = new LoadRun(messages, options.workload().rate(), options.timeout(), hasSink);
    current.set(run);
    List<LoadClient> sessions = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < options.workload().sessions(); i++) {
      InetSocketAddress target = options.targets().get(i % options.targets().size());
      LoadClient session = new LoadClient(options, target, run);
      sessions.add(session);
      threads.add(threadBuilder().start(session));
    }
    for (Thread thread : threads) thread.join();
    Duration took = run.elapsed();
    LoadReport.Sum sum = new LoadReport.Sum();
    for (LoadClient session : sessions) session.addTo(sum);
    return sum.report(messages, took, hasSink ? endToEnd(run, sum.accepted()) : null);
  }

  private Thread.Builder threadBuilder() {
    return options.workload().sessions() <= MAX_PLATFORM_THREADS
        ? Thread.ofPlatform()
        : Thread.ofVirtual();
  }

  private static LoadReport.SinkResult endToEnd(LoadRun run, int accepted) {
    run.awaitDelivered(accepted);
    LoadRun.DeliverySummary end = run.delivered();
    return new LoadReport.SinkResult(
        end.messages(),
        end.duplicates(),
        end.corrupt(),
        end.took(),
        LoadReport.Quantiles.of(end.latency()));
  }

  /** {@code --messages 0 --sink PORT}: a next hop for somebody else's load, until interrupted. */
  private int sinkOnly() throws IOException, InterruptedException {
    int port = options.sinkPort().orElse(0);
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(port), delivery -> {})) {
      out.println("sink listens on 127.0.0.1:" + sink.port() + "; end it with Ctrl-C");
      long end = System.nanoTime() + options.timeout().toNanos();
      for (long last = -1; System.nanoTime() < end; Thread.sleep(1000)) {
        long now = sink.messages();
        if (now != last) out.println("messages=" + now);
        last = now;
      }
    }
    return 0;
  }
}
