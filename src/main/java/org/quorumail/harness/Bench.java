package org.quorumail.harness;

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
public final class Bench {
  private static final int WARM_UP_STEP = 500;

  /** Beyond so many sessions threads of the platform cost more than their wake-ups save. */
  private static final int PLATFORM_THREADS = 256;

  private final BenchOptions options;
  private final PrintStream out;
  private final PrintStream err;
  private final AtomicReference<@Nullable BenchRun> current = new AtomicReference<>();

  public Bench(BenchOptions options, PrintStream out, PrintStream err) {
    this.options = options;
    this.out = out;
    this.err = err;
  }

  /** Prints the result; 0 when every message was accepted (and delivered), else 1. */
  public int run() {
    try {
      if (options.load().messages() == 0) return sinkOnly();
      BenchReport report = measure();
      if (options.format() == OutputFormat.JSON) {
        out.println(OutputFormat.json(report.json()));
      } else {
        out.print(report.text());
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
  public BenchReport measure() throws IOException, InterruptedException {
    if (options.sinkPort().isEmpty()) return load();
    Sink.Options sink = Sink.Options.onPort(options.sinkPort().getAsInt());
    Sink running = Sink.start(sink, this::delivered);
    try {
      return load();
    } finally {
      running.close();
    }
  }

  private void delivered(Sink.Delivery delivery) {
    BenchRun run = current.get();
    if (run != null) run.delivered(delivery);
  }

  private BenchReport load() throws InterruptedException {
    long warmUntil = System.nanoTime() + options.warmUp().toNanos();
    while (!options.warmUp().isZero() && System.nanoTime() < warmUntil) once(WARM_UP_STEP);
    return once(options.load().messages());
  }

  private BenchReport once(int messages) throws InterruptedException {
    boolean hasSink = options.sinkPort().isPresent();
    BenchRun run = new BenchRun(messages, options.load().rate(), options.timeout(), hasSink);
    current.set(run);
    List<BenchSession> sessions = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < options.load().sessions(); i++) {
      InetSocketAddress target = options.targets().get(i % options.targets().size());
      BenchSession session = new BenchSession(options, target, run);
      sessions.add(session);
      threads.add(threads().start(session));
    }
    for (Thread thread : threads) thread.join();
    Duration took = run.elapsed();
    BenchReport.Sum sum = new BenchReport.Sum();
    for (BenchSession session : sessions) session.addTo(sum);
    return sum.report(messages, took, hasSink ? endToEnd(run, sum.accepted()) : null);
  }

  private Thread.Builder threads() {
    return options.load().sessions() <= PLATFORM_THREADS ? Thread.ofPlatform() : Thread.ofVirtual();
  }

  private static BenchReport.EndToEnd endToEnd(BenchRun run, int accepted) {
    run.awaitDelivered(accepted);
    BenchRun.Delivered end = run.delivered();
    return new BenchReport.EndToEnd(
        end.messages(),
        end.duplicates(),
        end.corrupt(),
        end.took(),
        BenchReport.Quantiles.of(end.latency()));
  }

  /** {@code --messages 0 --sink PORT}: a next hop for somebody else's load, until interrupted. */
  private int sinkOnly() throws IOException, InterruptedException {
    int port = options.sinkPort().orElse(0);
    try (Sink sink = Sink.start(Sink.Options.onPort(port), delivery -> {})) {
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
