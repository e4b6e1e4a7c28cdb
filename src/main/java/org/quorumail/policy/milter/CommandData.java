package org.quorumail.policy.milter;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import org.quorumail.policy.MessageHeader;
import org.quorumail.policy.SessionView;

/** The data of commands to a milter that carry more than one text. */
final class CommandData {
  private CommandData() {}

  /** The data of SMFIC_CONNECT: the client's name, address and port. */
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

  /**
   * The data of SMFIC_HEADER: name and value.
   *
   * @throws MessageHeader.TooLongException when no packet can hold the field
   */
  static byte[] field(MessageHeader.Field field, NegotiatedOptions terms)
      throws MessageHeader.TooLongException {
    String value = field.value().replace("\r\n", "\n");
    if (!terms.hasStep(MilterProtocol.LEADING_SPACE) && value.startsWith(" "))
      value = value.substring(1);
    byte[] name = MilterConnection.zeroTerminated(field.name());
    if (name.length + value.length() + 1 > MilterProtocol.MAX_DATA) {
      throw new MessageHeader.TooLongException(field.name(), value.length());
    }
    ByteArrayOutputStream data = new ByteArrayOutputStream(name.length + value.length() + 1);
    data.writeBytes(name);
    data.writeBytes(MilterConnection.zeroTerminated(value));
    return data.toByteArray();
  }
}
