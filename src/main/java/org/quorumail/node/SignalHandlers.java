package org.quorumail.node;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The handlers of the signals by which operators reload a server (SIGHUP) and stop it (SIGTERM,
 * SIGINT). The JDK has no public API for them; {@code sun.misc.Signal} is called by reflection.
 * Where it is missing, the API and the command line still reload. SIGTERM then drains through the
 * JVM's shutdown hook, with another exit code.
 */
public final class SignalHandlers {
  private static final Logger LOG = LoggerFactory.getLogger(SignalHandlers.class);

  /** The exit code of a process that SIGTERM has ended: 128 + 15. */
  private static final int EXIT_TERMINATED = 143;

  private SignalHandlers() {}

  /** Keeps a SIGHUP before {@link #onHangup} from ending the process, which is the default. */
  public static void ignoreHangup() {
    handle("HUP", () -> LOG.info("event=reload_ignored reason=\"the node is starting\""));
  }

  public static void onHangup(Runnable reload) {
    handle("HUP", reload);
  }

  /**
   * Drains at the first signal. A second one ends the process at once: accepted mail is on disk.
   */
  public static void onTermination(Runnable drain) {
    AtomicBoolean signalled = new AtomicBoolean();
    Runnable reaction =
        () -> {
          if (!signalled.compareAndSet(false, true)) Runtime.getRuntime().halt(EXIT_TERMINATED);
          drain.run();
        };
    handle("TERM", reaction);
    handle("INT", reaction);
  }

  private static void handle(String name, Runnable reaction) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      InvocationHandler react =
          (proxy, method, arguments) -> {
            if (method.getName().equals("handle")) reaction.run();
            return null;
          };
      Object proxy =
          Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, react);
      Object handled = signal.getConstructor(String.class).newInstance(name);
      signal.getMethod("handle", signal, handler).invoke(null, handled, proxy);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      // a shell's nohup, for one, has SIGHUP ignored, and the JVM respects that
      LOG.info("event=signal_unavailable signal={} reason=\"{}\"", name, String.valueOf(e));
    }
  }
}
