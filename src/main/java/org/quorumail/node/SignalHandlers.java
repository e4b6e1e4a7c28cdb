package org.quorumail.node;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The signals by which operators tell a server to read its configuration again (SIGHUP) and to end
 * (SIGTERM, SIGINT). The JDK has no public way to hear them; {@code sun.misc.Signal} is reached by
 * reflection. Where it is missing, the API and the command line still reload, and the JVM's own
 * handling of SIGTERM drains as well, only with another exit code.
 */
public final class SignalHandlers {
  private static final Logger LOG = LoggerFactory.getLogger(SignalHandlers.class);

  /** What a process that SIGTERM has ended is known by: 128 + 15. */
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
   * The first signal drains. Who sends a second one does not want to wait: what counts is on disk.
   */
  public static void onTermination(Runnable drain) {
    AtomicBoolean told = new AtomicBoolean();
    Runnable reaction =
        () -> {
          if (!told.compareAndSet(false, true)) Runtime.getRuntime().halt(EXIT_TERMINATED);
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
      Object heard = signal.getConstructor(String.class).newInstance(name);
      signal.getMethod("handle", signal, handler).invoke(null, heard, proxy);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      // a shell's nohup, for one, has SIGHUP ignored, and the JVM respects that
      LOG.info("signal_unavailable signal={} reason=\"{}\"", name, String.valueOf(e));
    }
  }
}
