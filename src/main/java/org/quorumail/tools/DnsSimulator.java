package org.quorumail.tools;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import org.quorumail.tools.DnsZones.NameAnswer;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * A DNS server with scripted answers ({@link DnsZones}), for tests: UDP and TCP on one port of
 * loopback. Threads: one virtual for each datagram and each connection.
 */
public final class DnsSimulator implements AutoCloseable {
  private static final int MAX_DATAGRAM = 4096;
  private static final int UDP_WITHOUT_EDNS = 512;
  private static final int CONNECTIONS_MAX = 1_000;
  private static final Duration TCP_TIMEOUT = Duration.ofSeconds(10);

  /** Free ports are tried so often: one must be free for UDP and for TCP. */
  private static final int PORT_TRIES = 20;

  private final DnsZones zones;
  private final DatagramSocket udp;
  private final ServerSocket tcp;
  private final Semaphore permits = new Semaphore(CONNECTIONS_MAX);
  private final Map<String, LongAdder> queries = new ConcurrentHashMap<>();

  private DnsSimulator(DnsZones zones, DatagramSocket udp, ServerSocket tcp) {
    this.zones = zones;
    this.udp = udp;
    this.tcp = tcp;
  }

  /** Listens on loopback; port 0 takes a free port. */
  public static DnsSimulator start(DnsZones zones, int port) throws IOException {
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    IOException failure = new IOException("no port");
    for (int i = 0; i < (port == 0 ? PORT_TRIES : 1); i++) {
      ServerSocket tcp = new ServerSocket();
      try {
        tcp.setReuseAddress(true);
        tcp.bind(new InetSocketAddress(loopback, port));
        DatagramSocket udp =
            new DatagramSocket(new InetSocketAddress(loopback, tcp.getLocalPort()));
        DnsSimulator simulator = new DnsSimulator(zones, udp, tcp);
        Thread.ofVirtual().name("dns-sim-udp").start(simulator::serveDatagrams);
        Thread.ofVirtual().name("dns-sim-tcp").start(simulator::serveConnections);
        return simulator;
      } catch (IOException e) {
        tcp.close();
        failure = e;
      }
    }
    throw new IOException("The DNS server cannot listen on port " + port + ": " + failure, failure);
  }

  public int port() {
    return tcp.getLocalPort();
  }

  /** The questions so far, by name and type, over UDP and TCP. */
  public Map<String, Long> queries() {
    Map<String, Long> all = new TreeMap<>();
    queries.forEach((question, count) -> all.put(question, count.sum()));
    return all;
  }

  @Override
  public void close() {
    udp.close();
    try {
      tcp.close();
    } catch (IOException e) {
      throw new UncheckedIOException("the DNS server cannot be closed", e);
    }
  }

  private void serveDatagrams() {
    while (!udp.isClosed()) {
      byte[] buffer = new byte[MAX_DATAGRAM];
      DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
      try {
        udp.receive(packet);
      } catch (IOException e) {
        continue; // the server is closed, or a client has gone
      }
      if (!permits.tryAcquire()) continue; // as if it were lost
      Thread.ofVirtual().start(() -> answerDatagram(packet));
    }
  }

  private void answerDatagram(DatagramPacket packet) {
    try {
      byte[] query = Arrays.copyOf(packet.getData(), packet.getLength());
      Optional<byte[]> answer = answer(query, false);
      if (answer.isEmpty()) return;
      udp.send(new DatagramPacket(answer.get(), answer.get().length, packet.getSocketAddress()));
    } catch (IOException e) {
      // no answer, as if it were lost
    } finally {
      permits.release();
    }
  }

  private void serveConnections() {
    while (!tcp.isClosed()) {
      try {
        Socket socket = tcp.accept();
        if (permits.tryAcquire()) Thread.ofVirtual().start(() -> serve(socket));
        else socket.close();
      } catch (IOException e) {
        // the server is closed, or a client has gone
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setSoTimeout((int) TCP_TIMEOUT.toMillis());
      DataInputStream in = new DataInputStream(socket.getInputStream());
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      while (true) {
        byte[] query = new byte[in.readUnsignedShort()];
        in.readFully(query);
        Optional<byte[]> answer = answer(query, true);
        if (answer.isEmpty()) return;
        out.writeShort(answer.get().length);
        out.write(answer.get());
        out.flush();
      }
    } catch (EOFException e) {
      // the client has what it wanted
    } catch (IOException e) {
      // the client has gone
    } finally {
      permits.release();
    }
  }

  /** The answer to a query; empty for none. */
  private Optional<byte[]> answer(byte[] octets, boolean overTcp) throws IOException {
    Message query = new Message(octets);
    Record question = query.getQuestion();
    Message answer = new Message(query.getHeader().getID());
    Header header = answer.getHeader();
    header.setFlag(Flags.QR);
    header.setFlag(Flags.AA);
    header.setFlag(Flags.RA);
    if (query.getHeader().getFlag(Flags.RD)) header.setFlag(Flags.RD);
    if (question == null || query.getHeader().getOpcode() != Opcode.QUERY) {
      header.setRcode(Rcode.NOTIMP);
      return Optional.of(answer.toWire(MAX_DATAGRAM));
    }
    answer.addRecord(question, Section.QUESTION);
    String name = question.getName() + " " + Type.string(question.getType());
    queries.computeIfAbsent(name, key -> new LongAdder()).increment();
    NameAnswer found = zones.answer(question.getName(), question.getType());
    if (!found.delay().isZero()) sleep(found.delay());
    if (found.silent()) return Optional.empty();
    header.setRcode(found.rcode());
    if (found.truncated() && !overTcp) {
      header.setFlag(Flags.TC);
      return Optional.of(answer.toWire(MAX_DATAGRAM));
    }
    for (Record record : found.answers()) answer.addRecord(record, Section.ANSWER);
    for (Record record : found.authority()) answer.addRecord(record, Section.AUTHORITY);
    return Optional.of(answer.toWire(overTcp ? Message.MAXLENGTH : udpSize(query)));
  }

  private static int udpSize(Message query) {
    int size = query.getOPT() == null ? UDP_WITHOUT_EDNS : query.getOPT().getPayloadSize();
    return Math.clamp(size, UDP_WITHOUT_EDNS, MAX_DATAGRAM);
  }

  private static void sleep(Duration time) throws IOException {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
  }
}
