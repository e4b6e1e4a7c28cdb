package org.quorumail.policy.milter;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.SessionView;

/** Sendmail's macros for a milter; names and stages are those of Postfix. */
final class MilterMacros {
  private MilterMacros() {}

  /**
   * The data of the macro packet before a command; empty when the command has no macros.
   *
   * @param recipient of RCPT
   */
  static byte[] packetData(byte command, SessionView session, @Nullable MailAddress recipient) {
    if (command == MilterProtocol.HEADER || command == MilterProtocol.BODY) return new byte[0];
    Map<String, String> macros = new LinkedHashMap<>();
    switch (command) {
      case MilterProtocol.CONNECT -> connection(macros, session);
      case MilterProtocol.HELO -> tls(macros, session);
      case MilterProtocol.MAIL -> {
        session.user().ifPresent(user -> macros.put("{auth_authen}", user));
        session.submitter().ifPresent(by -> macros.put("{auth_author}", by.toString()));
        session.sender().ifPresent(sender -> macros.put("{mail_addr}", sender.toString()));
      }
      case MilterProtocol.RCPT -> {
        if (recipient != null) macros.put("{rcpt_addr}", recipient.toString());
      }
      default -> {}
    }
    session.queueId().ifPresent(id -> macros.put("i", id.toString()));
    if (macros.isEmpty()) return new byte[0];
    ByteArrayOutputStream data = new ByteArrayOutputStream(128);
    data.write(command);
    macros.forEach(
        (name, value) -> {
          data.writeBytes(MilterConnection.zeroTerminated(name));
          data.writeBytes(MilterConnection.zeroTerminated(value));
        });
    return data.toByteArray();
  }

  private static void connection(Map<String, String> macros, SessionView session) {
    String address = addressText(session.client());
    macros.put("j", session.hostname());
    macros.put("v", "Quorumail");
    macros.put("_", "[" + address + "]");
    macros.put("{daemon_name}", session.service().name().toLowerCase(Locale.ROOT));
    macros.put("{daemon_addr}", addressText(session.listener().getAddress()));
    macros.put("{daemon_port}", Integer.toString(session.listener().getPort()));
    macros.put("{client_addr}", address);
    macros.put("{client_name}", "[" + address + "]");
    macros.put("{client_port}", Integer.toString(session.peer().getPort()));
  }

  private static void tls(Map<String, String> macros, SessionView session) {
    Optional<String> tls = session.tls();
    if (tls.isEmpty()) return;
    String[] words = tls.get().split(" ", 2);
    macros.put("{tls_version}", words[0]);
    if (words.length > 1) macros.put("{cipher}", words[1]);
  }

  static String addressText(InetAddress address) {
    String text = address.getHostAddress();
    int zone = text.indexOf('%');
    return zone < 0 ? text : text.substring(0, zone);
  }
}
