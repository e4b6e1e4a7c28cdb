package org.quorumail.gossip.transport;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A UDP proxy that records the packets to its target. */
final class RecordingUdpProxy implements AutoCloseable {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  final List<byte[]> recorded = new CopyOnWriteArrayList<>();
  private final DatagramSocket outside = new DatagramSocket(0, LOOPBACK);
  private final DatagramSocket inside = new DatagramSocket(0, LOOPBACK);
  private final int target;
  private volatile int caller;

  RecordingUdpProxy(int target) throws SocketException {
    this.target = target;
    Thread.ofVirtual().start(() -> pass(outside, inside, true));
    Thread.ofVirtual().start(() -> pass(inside, outside, false));
  }

  int port() {
    return outside.getLocalPort();
  }

  private void pass(DatagramSocket from, DatagramSocket to, boolean inwards) {
    DatagramPacket packet = new DatagramPacket(new byte[9_000], 9_000);
    try {
      while (true) {
        from.receive(packet);
        byte[] bytes = Arrays.copyOf(packet.getData(), packet.getLength());
        if (inwards) {
          caller = packet.getPort();
          recorded.add(bytes);
        }
        int port = inwards ? target : caller;
        to.send(new DatagramPacket(bytes, bytes.length, LOOPBACK, port));
      }
    } catch (IOException e) {
      // closed: the test is over
    }
  }

  @Override
  public void close() {
    outside.close();
    inside.close();
  }
}
