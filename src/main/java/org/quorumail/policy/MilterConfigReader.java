package org.quorumail.policy;

import java.nio.file.Path;
import java.util.List;
import org.quorumail.config.HostPort;
import org.quorumail.config.Section;
import org.quorumail.policy.PolicyConfig.MilterAction;
import org.quorumail.policy.PolicyConfig.MilterSocket;
import org.quorumail.smtp.Service;

/** The reader of one {@code [[milter]]}. */
final class MilterConfigReader {
  private static final int MILTER_PORT = 8891; // opendkim's

  private MilterConfigReader() {}

  static PolicyConfig.MilterConfig milter(Section milter) {
    MilterSocket socket =
        milter.value(
            "socket",
            "inet:HOST:PORT or unix:PATH",
            "inet:127.0.0.1:8891",
            new MilterSocket.Inet(new HostPort("127.0.0.1", MILTER_PORT)),
            "socket on which the milter listens",
            MilterConfigReader::milterSocket);
    return new PolicyConfig.MilterConfig(
        milter
            .optionalText("name", "(the socket)", "name in log and metrics")
            .orElse(socket.toString()),
        socket,
        milter.choice(
            "default_action",
            MilterAction.class,
            MilterAction.TEMPFAIL,
            "action for mail while the milter is unavailable"),
        milter.duration("connect_timeout", "30s", "10ms", "10m", "longest wait for the connection"),
        milter.duration(
            "command_timeout", "30s", "10ms", "10m", "longest wait for the reply to a command"),
        milter.duration(
            "content_timeout", "300s", "10ms", "1h", "longest wait for the verdict at the end"),
        milter.list(
            "services",
            "services",
            List.of("mx", "submission", "lmtp"),
            "listeners whose mail the milter filters",
            text -> Section.choose(Service.class, text, "mx, submission, lmtp")));
  }

  private static MilterSocket milterSocket(String text) {
    String socket = text.strip();
    if (socket.startsWith("unix:") && socket.length() > 5) {
      return new MilterSocket.Unix(Path.of(socket.substring(5)));
    }
    if (socket.startsWith("inet:")) {
      return new MilterSocket.Inet(HostPort.parse(socket.substring(5), MILTER_PORT));
    }
    throw new IllegalArgumentException(
        "must be \"inet:127.0.0.1:8891\" or \"unix:/path/socket\", not \"" + text + "\"");
  }
}
