package org.quorumail.policy.milter;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A milter on loopback with scripted answers; its default answer is "continue". */
final class FakeMilter implements Closeable {
  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
  private final Map<Character, Queue<byte[]>> answers = new HashMap<>();

  /** Each command with its data, zero octets as {@code |}, numbers left out. */
  final List<String> received = new CopyOnWriteArrayList<>();

  final AtomicInteger connections = new AtomicInteger();
  volatile int version = 6;
  volatile int actions = MilterProtocol.ACTIONS;
  volatile int steps;

  FakeMilter() throws IOException {
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** Scripts the answer to the next such command: packets, each a letter and data. */
  FakeMilter answer(char command, String... packets) {
    return raw(command, packets(packets));
  }

  /** Octets that are sent as they are. */
  synchronized FakeMilter raw(char command, byte[] octets) {
    answers.computeIfAbsent(command, c -> new ArrayDeque<>()).add(octets);
    return this;
  }

  static byte[] packets(String... packets) {
    java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
    for (String packet : packets) {
      byte[] octets = packet.getBytes(StandardCharsets.ISO_8859_1);
      all.writeBytes(java.nio.ByteBuffer.allocate(4).putInt(octets.length).array());
      all.writeBytes(octets);
    }
    return all.toByteArray();
  }

  static String number(int value) {
    byte[] octets = java.nio.ByteBuffer.allocate(4).putInt(value).array();
    return new String(octets, StandardCharsets.ISO_8859_1);
  }

  /** The commands alone, in order, without macros. */
  String commands() {
    StringBuilder letters = new StringBuilder();
    for (String one : received) if (one.charAt(0) != 'D') letters.append(one.charAt(0));
    return letters.toString();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        connections.incrementAndGet();
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (IOException e) {
      // closed: the test is over
    }
  }

  private void serve(Socket socket) {
    try (socket;
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(socket.getOutputStream())) {
      while (true) {
        byte[] packet = in.readNBytes(in.readInt());
        char command = (char) packet[0];
        String data = new String(packet, 1, packet.length - 1, StandardCharsets.ISO_8859_1);
        received.add(command + (command == 'O' ? "" : data.replace('\0', '|')));
        byte[] answer = next(command);
        if (answer != null) out.write(answer);
      }
    } catch (IOException e) {
      // the client has gone
    }
  }

  private synchronized byte @org.jspecify.annotations.Nullable [] next(char command) {
    Queue<byte[]> told = answers.get(command);
    if (told != null && !told.isEmpty()) return told.remove();
    return switch (command) {
      case 'O' -> packets("O" + number(version) + number(actions) + number(steps));
      case 'D', 'A', 'Q' -> null;
      default -> unanswered(command) ? null : packets("c");
    };
  }

  private boolean unanswered(char command) {
    List<Character> silent = new ArrayList<>();
    if ((steps & MilterProtocol.NO_REPLY_HEADER) != 0) silent.add('L');
    if ((steps & MilterProtocol.NO_REPLY_BODY) != 0) silent.add('B');
    return silent.contains(command);
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
