package org.quorumail;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGHUP, by which operators have servers read their configuration again. The JDK has no public way
 * to hear it; {@code sun.misc.Signal} is reached by reflection, and where it is missing the API and
 * the command line still reload.
 */
final class HangupSignal {
  private static final Logger log = LoggerFactory.getLogger(HangupSignal.class);

  private HangupSignal() {}

  static void handle(Runnable reaction) {
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
      Object hangup = signal.getConstructor(String.class).newInstance("HUP");
      signal.getMethod("handle", signal, handler).invoke(null, hangup, proxy);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      log.debug("hangup_signal_unavailable reason=\"{}\"", String.valueOf(e));
    }
  }
}
