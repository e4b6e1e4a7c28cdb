package org.quorumail.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/**
 * Runs independent simulations in parallel, as many as there are processors and the heap can hold.
 * Results come in the order of the tasks, so that the output does not depend on timing.
 */
final class SimulationExecutor {
  private SimulationExecutor() {}

  /**
   * @param bytes heap that one simulation needs, roughly
   */
  static <T> List<T> run(List<Supplier<T>> tasks, long bytes) throws InterruptedException {
    Runtime runtime = Runtime.getRuntime();
    long fit = Math.clamp(runtime.maxMemory() / bytes, 1, runtime.availableProcessors());
    List<Callable<T>> calls = new ArrayList<>();
    for (Supplier<T> task : tasks) calls.add(task::get);
    List<T> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool((int) fit)) {
      for (Future<T> done : threads.invokeAll(calls)) results.add(done.get());
      return results;
    } catch (ExecutionException e) {
      throw new IllegalStateException("a simulation failed", e);
    }
  }
}
