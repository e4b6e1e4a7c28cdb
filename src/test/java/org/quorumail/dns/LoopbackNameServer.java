package org.quorumail.dns;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

/** A name server on loopback with a few records; all other names do not exist. */
public final class LoopbackNameServer implements AutoCloseable {
  private final DatagramSocket socket;
  private final Map<Name, List<Record>> records = new ConcurrentHashMap<>();
  private final Map<Name, Integer> codes = new ConcurrentHashMap<>();
  private final AtomicInteger queries = new AtomicInteger();
  private volatile boolean silent;

  public LoopbackNameServer() throws IOException {
    this("127.0.0.1", 0);
  }

  LoopbackNameServer(String address, int port) throws IOException {
    socket = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral(address), port));
    Thread.ofVirtual().start(this::serve);
  }

  public InetSocketAddress address() {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  int queries() {
    return queries.get();
  }

  void silent() {
    silent = true;
  }

  void code(String name, int code) throws IOException {
    codes.put(Name.fromString(name + "."), code);
  }

  /** Adds a record such as {@code "MX", "10 a.example."}. */
  public void add(String name, int type, String data) throws IOException {
    Name owner = Name.fromString(name + ".");
    Record r = Record.fromString(owner, type, DClass.IN, 300, data, Name.root);
    records.merge(
        owner,
        List.of(r),
        (a, b) -> java.util.stream.Stream.concat(a.stream(), b.stream()).toList());
  }

  private void serve() {
    byte[] buffer = new byte[4096];
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        queries.incrementAndGet();
        if (silent) continue;
        byte[] query = java.util.Arrays.copyOf(buffer, packet.getLength());
        byte[] answer = answer(new Message(query)).toWire(1232);
        socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
      }
    } catch (IOException e) {
      // closed: the test is over
    }
  }

  private Message answer(Message query) {
    Record question = query.getQuestion();
    Message answer = new Message(query.getHeader().getID());
    answer.getHeader().setFlag(Flags.QR);
    answer.addRecord(question, Section.QUESTION);
    Integer code = codes.get(question.getName());
    if (code != null) {
      answer.getHeader().setRcode(code);
      return answer;
    }
    List<Record> known = records.get(question.getName());
    if (known == null) answer.getHeader().setRcode(Rcode.NXDOMAIN);
    else {
      for (Record r : known) {
        boolean fits = r.getType() == question.getType();
        if (fits || r.getType() == org.xbill.DNS.Type.CNAME) {
          answer.addRecord(r, Section.ANSWER);
        }
      }
    }
    return answer;
  }

  @Override
  public void close() {
    socket.close();
  }
}
