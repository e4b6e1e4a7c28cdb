package org.quorumail.policy.milter;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.MessageContent;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.MessageHeader;
import org.quorumail.policy.PolicyConfig.MilterConfig;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A milter's part in one SMTP session: one connection for all messages of the session. It sends the
 * session's commands to the milter and applies the replies. When the milter fails, its default
 * action holds for the rest of the session; earlier replies stay valid.
 */
final class MilterSession implements MessageFilter {
  private static final Logger LOG = LoggerFactory.getLogger(MilterSession.class);
  private static final Verdict TEMPFAIL =
      Verdict.defer(451, "4.7.1", "Service unavailable, try again later");
  private static final Verdict REJECT = Verdict.reject(550, "5.7.1", "Command rejected");
  private static final Verdict HEADER_TOO_LONG =
      Verdict.reject(552, "5.3.4", "The header of the message is too long");
  private static final Verdict SHUTDOWN = Verdict.defer(421, "4.7.0", "Try again later");

  /** Most progress packets for one message; a milter that sends more counts as hanging. */
  private static final int MAX_PROGRESS = 100;

  /** Queued octets at which commands without an answer are sent. */
  private static final int MAX_UNSENT = 64 * 1024;

  /** The part that the milter still takes in the session. */
  private enum Participation {
    ACTIVE,
    /** The milter has accepted this message. */
    MESSAGE_ACCEPTED,
    /** The milter has accepted this session, or does not serve this listener. */
    SESSION_ACCEPTED,
    FAILED
  }

  private final MilterConfig config;
  private final Supplier<ContentBuffer> buffers;
  private Participation participation = Participation.ACTIVE;
  private @Nullable MilterConnection connection;
  private NegotiatedOptions terms = NegotiatedOptions.NONE;
  private boolean inMessage; // MAIL was sent, and neither the end of the message nor ABORT
  private boolean skipBody;
  private @Nullable ContentBuffer replacementBody;

  MilterSession(MilterConfig config, Supplier<ContentBuffer> buffers) {
    this.config = config;
    this.buffers = buffers;
  }

  @Override
  public String name() {
    return config.name();
  }

  @Override
  public Verdict connect(SessionView session) {
    if (!config.services().contains(session.service()))
      participation = Participation.SESSION_ACCEPTED;
    if (participation != Participation.ACTIVE) return Verdict.ACCEPT;
    try {
      connection = MilterConnection.open(config.socket(), config.connectTimeout());
      terms = NegotiatedOptions.negotiate(connection, config.commandTimeout());
      return sendCommand(MilterProtocol.CONNECT, CommandData.connect(session), session);
    } catch (IOException e) {
      failed(e);
      return Verdict.ACCEPT; // the default action holds from MAIL on
    }
  }

  @Override
  public Verdict ehlo(SessionView session) {
    if (participation == Participation.FAILED || participation == Participation.SESSION_ACCEPTED)
      return Verdict.ACCEPT;
    try {
      String name = session.helo().orElse("");
      return sendCommand(MilterProtocol.HELO, MilterConnection.zeroTerminated(name), session);
    } catch (IOException e) {
      failed(e);
      return Verdict.ACCEPT;
    }
  }

  @Override
  public Verdict mail(SessionView session) {
    if (participation == Participation.FAILED) return defaultAction();
    if (participation != Participation.ACTIVE) return Verdict.ACCEPT;
    inMessage = true;
    String path = "<" + session.sender().map(Object::toString).orElse("") + ">";
    return sendOrDefault(MilterProtocol.MAIL, path, session, null);
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    if (participation == Participation.FAILED) return defaultAction();
    if (participation != Participation.ACTIVE) return Verdict.ACCEPT;
    return sendOrDefault(MilterProtocol.RCPT, "<" + recipient + ">", session, recipient);
  }

  @Override
  public boolean readsContent(SessionView session) {
    return participation == Participation.ACTIVE;
  }

  @Override
  public Verdict data(SessionView session, MessageContent content) throws IOException {
    try {
      Verdict early = sendMessage(content, session);
      if (early != Verdict.ACCEPT || participation != Participation.ACTIVE) return early;
      return sendEndOfBody(session);
    } catch (MessageHeader.TooLongException e) {
      return HEADER_TOO_LONG; // reset() ends the message for the milter
    } catch (MilterException e) {
      failed(e);
      return defaultAction();
    }
  }

  /** Ends the message; a milter that has not decided yet gets ABORT. */
  @Override
  public void reset(SessionView session) {
    closeReplacementBody();
    if (participation == Participation.MESSAGE_ACCEPTED) participation = Participation.ACTIVE;
    MilterConnection open = connection;
    if (!inMessage || open == null || participation != Participation.ACTIVE) return;
    inMessage = false;
    try {
      open.send(MilterProtocol.ABORT, new byte[0]);
      open.flush(config.commandTimeout());
    } catch (IOException e) {
      failed(e);
    }
  }

  @Override
  public void close(SessionView session) {
    closeReplacementBody();
    MilterConnection open = connection;
    if (open == null) return;
    try {
      if (participation != Participation.FAILED) {
        open.send(MilterProtocol.QUIT, new byte[0]);
        open.flush(config.commandTimeout());
      }
    } catch (IOException e) {
      LOG.debug("event=milter_lost milter={}", config.name(), e);
    } finally {
      open.close();
    }
  }

  private Verdict sendOrDefault(
      byte command, String argument, SessionView session, @Nullable MailAddress recipient) {
    try {
      return sendCommand(command, MilterConnection.zeroTerminated(argument), session, recipient);
    } catch (IOException e) {
      failed(e);
      return defaultAction();
    }
  }

  private Verdict sendCommand(byte command, byte[] data, SessionView session) throws IOException {
    return sendCommand(command, data, session, null);
  }

  /** Sends one command with its macros, and returns the verdict of the reply. */
  private Verdict sendCommand(
      byte command, byte[] data, SessionView session, @Nullable MailAddress recipient)
      throws IOException {
    MilterConnection open = connection;
    if (open == null || !terms.expectsCommand(command)) return Verdict.ACCEPT;
    byte[] macros = MilterMacros.packetData(command, session, recipient);
    if (macros.length > 0) open.send(MilterProtocol.MACRO, macros);
    open.send(command, data);
    if (!terms.repliesTo(command)) {
      if (open.unsent() > MAX_UNSENT) open.flush(config.commandTimeout());
      return Verdict.ACCEPT;
    }
    return verdict(command, open.receive(config.commandTimeout()));
  }

  /** Sends header and body. Returns the verdict if the milter decides before the end. */
  private Verdict sendMessage(MessageContent content, SessionView session) throws IOException {
    Verdict verdict = sendCommand(MilterProtocol.DATA, new byte[0], session);
    if (verdict != Verdict.ACCEPT || participation != Participation.ACTIVE) return verdict;
    MessageHeader header = MessageHeader.read(content);
    for (MessageHeader.Field field : header.fields()) {
      if (field.name().isEmpty()) continue; // no field: the protocol cannot carry it
      verdict = sendCommand(MilterProtocol.HEADER, CommandData.field(field, terms), session);
      if (verdict != Verdict.ACCEPT || participation != Participation.ACTIVE) return verdict;
    }
    verdict = sendCommand(MilterProtocol.END_OF_HEADER, new byte[0], session);
    if (verdict != Verdict.ACCEPT || participation != Participation.ACTIVE) return verdict;
    skipBody = false;
    byte[] piece = new byte[MilterProtocol.MAX_DATA];
    try (InputStream body = content.open(header.bodyAt())) {
      for (int n; (n = body.readNBytes(piece, 0, piece.length)) > 0 && !skipBody; ) {
        verdict = sendCommand(MilterProtocol.BODY, Arrays.copyOf(piece, n), session);
        if (verdict != Verdict.ACCEPT || participation != Participation.ACTIVE) return verdict;
      }
    }
    return Verdict.ACCEPT;
  }

  /** Sends the end of the body and reads modifications until the final verdict. */
  private Verdict sendEndOfBody(SessionView session) throws IOException {
    MilterConnection open = connection;
    if (open == null) return Verdict.ACCEPT;
    byte[] macros = MilterMacros.packetData(MilterProtocol.END_OF_BODY, session, null);
    if (macros.length > 0) open.send(MilterProtocol.MACRO, macros);
    open.send(MilterProtocol.END_OF_BODY, new byte[0]);
    MilterModifications changes =
        new MilterModifications(
            terms.actions(), session.maxMessageSize(), session.binaryContent(), buffers);
    try {
      int progress = 0;
      while (true) {
        MilterPacket packet = open.receive(config.contentTimeout());
        if (packet.command() == 'p') {
          if (++progress > MAX_PROGRESS)
            throw new MilterException("it sends more than " + MAX_PROGRESS + " progress packets");
        } else if (!changes.handle(packet)) {
          inMessage = false;
          Verdict verdict = verdict(MilterProtocol.END_OF_BODY, packet);
          return verdict == Verdict.ACCEPT ? changes.verdict() : verdict;
        }
      }
    } finally {
      replacementBody = changes.replacementBody().orElse(null);
    }
  }

  /** The verdict of a reply. A reply of acceptance also ends the {@link #participation}. */
  private Verdict verdict(byte command, MilterPacket reply) throws IOException {
    return switch (reply.command()) {
      case 'c' -> Verdict.ACCEPT;
      case 'a' -> {
        boolean ofSession = command == MilterProtocol.CONNECT || command == MilterProtocol.HELO;
        participation = ofSession ? Participation.SESSION_ACCEPTED : Participation.MESSAGE_ACCEPTED;
        yield Verdict.ACCEPT;
      }
      case 's' -> {
        if (command != MilterProtocol.BODY || !terms.hasStep(MilterProtocol.SKIP))
          throw reply.malformed();
        skipBody = true;
        yield Verdict.ACCEPT;
      }
      case 'p' -> verdict(command, connected().receive(config.commandTimeout()));
      case 'r' -> REJECT;
      case 't', 'f' -> TEMPFAIL;
      case 'd' -> new Verdict.Discard("the milter discards it");
      case '4' -> SHUTDOWN;
      case 'y' -> Verdict.refusal(MilterReplyParser.parse(reply));
      default -> throw reply.malformed();
    };
  }

  private MilterConnection connected() throws MilterException {
    MilterConnection open = connection;
    if (open == null) throw new MilterException("there is no connection");
    return open;
  }

  private void failed(IOException e) {
    participation = Participation.FAILED;
    LOG.warn(
        "event=milter_failed milter={} socket={} action={} reason={}",
        config.name(),
        config.socket(),
        config.defaultAction().name().toLowerCase(Locale.ROOT),
        Escape.quoted(String.valueOf(e.getMessage())));
    MilterConnection open = connection;
    if (open != null) open.close();
  }

  private Verdict defaultAction() {
    return switch (config.defaultAction()) {
      case ACCEPT -> Verdict.ACCEPT;
      case TEMPFAIL -> TEMPFAIL;
      case REJECT -> REJECT;
      case QUARANTINE -> new Verdict.Quarantine("the milter is unavailable");
    };
  }

  private void closeReplacementBody() {
    ContentBuffer body = replacementBody;
    replacementBody = null;
    if (body == null) return;
    try {
      body.close();
    } catch (IOException e) {
      LOG.debug("event=scratch_not_closed", e);
    }
  }
}
