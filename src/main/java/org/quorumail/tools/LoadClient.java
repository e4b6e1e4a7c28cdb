package org.quorumail.tools;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * One client of the load generator: sends the messages that its run hands out until none is left.
 */
final class LoadClient implements Runnable {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration READ_TIMEOUT = Duration.ofMinutes(2);

  /** A server that refuses at once must not be hammered in an endless loop. */
  private static final Duration PAUSE_AFTER_ERROR = Duration.ofMillis(5);

  private final LoadOptions options;
  private final Workload workload;
  private final InetSocketAddress target;
  private final LoadRun run;
  private final NumberedMessage message;
  private @Nullable SmtpSocket socket;

  LoadClient(LoadOptions options, InetSocketAddress target, LoadRun run) {
    this.options = options;
    this.workload = options.workload();
    this.target = target;
    this.run = run;
    this.message = new NumberedMessage(workload.size(), workload.from(), workload.recipient());
  }

  @Override
  public void run() {
    for (OptionalInt n = run.nextNumber(); n.isPresent(); n = run.nextNumber()) {
      try {
        send(n.getAsInt());
      } catch (UnexpectedReply e) {
        recordError(e.code);
      } catch (SocketTimeoutException e) {
        recordError("timeout");
      } catch (ConnectException e) {
        recordError("connection refused");
      } catch (IOException e) {
        recordError("connection lost");
      }
    }
    close();
  }

  private void send(int number) throws IOException {
    long begin = System.nanoTime();
    SmtpSocket open = socket == null ? connect() : socket;
    if (options.connections().pipelining()) sendPipelinedEnvelope(open);
    else sendEnvelope(open);
    byte[] content = message.stamp(number, 1);
    run.recordSent(number);
    long dot = System.nanoTime();
    open.write(content);
    require(open.readReply(), '2');
    run.recordReply(System.nanoTime() - dot);
    if (!options.connections().reuse()) quit(open);
    run.recordAccepted(System.nanoTime() - begin);
  }

  private SmtpSocket connect() throws IOException {
    SmtpSocket opened = SmtpSocket.connect(target, CONNECT_TIMEOUT, READ_TIMEOUT);
    socket = opened;
    require(opened.readReply(), '2');
    require(opened.request("EHLO bench.test"), '2');
    return opened;
  }

  private void sendEnvelope(SmtpSocket open) throws IOException {
    require(open.request("MAIL FROM:<" + workload.from() + ">"), '2');
    require(open.request("RCPT TO:<" + workload.recipient() + ">"), '2');
    require(open.request("DATA"), '3');
  }

  private void sendPipelinedEnvelope(SmtpSocket open) throws IOException {
    open.writeLine("MAIL FROM:<" + workload.from() + ">");
    open.writeLine("RCPT TO:<" + workload.recipient() + ">");
    open.writeLine("DATA");
    require(open.readReply(), '2');
    require(open.readReply(), '2');
    require(open.readReply(), '3');
  }

  private void quit(SmtpSocket open) throws IOException {
    open.request("QUIT");
    open.close();
    socket = null;
  }

  private void close() {
    SmtpSocket open = socket;
    socket = null;
    if (open == null) return;
    try (open) {
      open.request("QUIT");
    } catch (IOException e) {
      // the run is over: the reply to QUIT does not matter
    }
  }

  private void recordError(String error) {
    run.recordError(error);
    SmtpSocket open = socket;
    socket = null;
    try {
      if (open != null) open.close();
      Thread.sleep(PAUSE_AFTER_ERROR);
    } catch (IOException e) {
      // the connection was broken before
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void require(String reply, char firstDigit) throws UnexpectedReply {
    if (reply.charAt(0) != firstDigit) throw new UnexpectedReply(reply.substring(0, 3));
  }

  /** A reply with another first digit than the success of its command has. */
  private static final class UnexpectedReply extends IOException {
    private static final long serialVersionUID = 1;
    private final String code;

    UnexpectedReply(String code) {
      super(code);
      this.code = code;
    }
  }
}
