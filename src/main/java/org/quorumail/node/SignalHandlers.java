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

  /** Says so in the log when SIGHUP does nothing, as after {@code nohup}. */
  public static void onHangup(Runnable reload) {
    if (!handle("HUP", reload))
      LOG.info("event=signal_unavailable signal=HUP reason=\"ignored since the start (nohup)\"");
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

  /** False when the signal was ignored at the start of this process: then it stays ignored. */
  private static boolean handle(String name, Runnable reaction) {
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
      Object former = signal.getMethod("handle", signal, handler).invoke(null, handled, proxy);
      return !handler.getField("SIG_IGN").get(null).equals(former);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      LOG.info("event=signal_unavailable signal={} reason=\"{}\"", name, String.valueOf(e));
      return true; // the log has it
    }
  }
}
