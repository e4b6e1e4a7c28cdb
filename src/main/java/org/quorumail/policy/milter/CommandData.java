package org.quorumail.policy.milter;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import org.quorumail.policy.MessageHeader;
import org.quorumail.policy.SessionView;

/** What commands to a milter carry, where it is more than a text. */
final class CommandData {
  private CommandData() {}

  /** Of SMFIC_CONNECT: who connects, and from where. */
  static byte[] connect(SessionView session) {
    InetAddress client = session.client();
    String address = MilterMacros.addressText(client);
    ByteArrayOutputStream data = new ByteArrayOutputStream(64);
    data.writeBytes(MilterConnection.zeroTerminated("[" + address + "]"));
    data.write(client.getAddress().length == 4 ? '4' : '6');
    int port = session.peer().getPort();
    data.write(port >> 8);
    data.write(port);
    data.writeBytes(MilterConnection.zeroTerminated(address));
    return data.toByteArray();
  }

  /** Of SMFIC_HEADER: name and value, the value as long as there is room for it. */
  static byte[] field(MessageHeader.Field field, NegotiatedOptions terms) {
    String value = field.value().replace("\r\n", "\n");
    if (!terms.hasStep(MilterProtocol.LEADING_SPACE) && value.startsWith(" "))
      value = value.substring(1);
    byte[] name = MilterConnection.zeroTerminated(field.name());
    int room = MilterProtocol.MAX_DATA - name.length - 1;
    if (value.length() > room) value = value.substring(0, Math.max(0, room));
    ByteArrayOutputStream data = new ByteArrayOutputStream(name.length + value.length() + 1);
    data.writeBytes(name);
    data.writeBytes(MilterConnection.zeroTerminated(value));
    return data.toByteArray();
  }
}
