package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The load generator, {@code quorumail bench}: many clients send numbered messages to any SMTP
 * server and measure its replies. With its own sink it also measures delivery end to end.
 */
public final class LoadGenerator {
  private static final int WARM_UP_MESSAGES = 500;

  /** With more sessions, platform threads cost more than their faster wake-ups save. */
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

  /** Prints the report; returns 0 when every message was accepted (and delivered), else 1. */
  public int run() {
    try {
      if (options.workload().messages() == 0) return runSink();
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
      err.println("The run was interrupted.");
      return 1;
    }
  }

  /** Warms up, runs, waits for the sink, and returns the measurements. */
  public LoadReport measure() throws IOException, InterruptedException {
    if (options.sinkPort().isEmpty()) return warmUpAndRun();
    SmtpSink.Options sink = SmtpSink.Options.onPort(options.sinkPort().getAsInt());
    try (SmtpSink ignored = SmtpSink.start(sink, this::onReceived)) {
      return warmUpAndRun();
    }
  }

  private void onReceived(SmtpSink.ReceivedMessage message) {
    LoadRun run = current.get();
    if (run != null) run.recordDelivery(message);
  }

  private LoadReport warmUpAndRun() throws InterruptedException {
    Workload workload = options.workload();
    long warmUpEnd = System.nanoTime() + options.warmUp().toNanos();
    while (!options.warmUp().isZero() && System.nanoTime() < warmUpEnd) {
      runOnce(workload.withMessages(WARM_UP_MESSAGES));
    }
    return runOnce(workload);
  }

  private LoadReport runOnce(Workload workload) throws InterruptedException {
    LoadRun run = new LoadRun(workload, options.timeout(), options.sinkPort().isPresent());
    current.set(run);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < workload.sessions(); i++) {
      InetSocketAddress target = options.targets().get(i % options.targets().size());
      threads.add(threadBuilder().start(new LoadClient(options, target, run)));
    }
    for (Thread thread : threads) thread.join();
    return run.report();
  }

  private Thread.Builder threadBuilder() {
    return options.workload().sessions() <= MAX_PLATFORM_THREADS
        ? Thread.ofPlatform()
        : Thread.ofVirtual();
  }

  /** Runs only the sink, as a next hop for another load generator, until interrupted. */
  private int runSink() throws IOException, InterruptedException {
    int port = options.sinkPort().orElse(0);
    try (SmtpSink sink = SmtpSink.start(SmtpSink.Options.onPort(port), delivery -> {})) {
      out.println("sink listens on 127.0.0.1:" + sink.port() + "; Ctrl-C ends it");
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
