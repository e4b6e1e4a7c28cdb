package org.quorumail.policy.milter;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.PolicyConfig.Milter;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.MessageContent;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.MessageHeader;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A milter's part in one session: one connection, kept for all its messages. Tells the milter what
 * happens and carries out what it says. When the milter fails, its default action counts for the
 * rest of the session; what it has said before stays.
 */
final class MilterSession implements MessageFilter {
  private static final Logger LOG = LoggerFactory.getLogger(MilterSession.class);
  private static final Verdict TEMPFAIL =
      Verdict.defer(451, "4.7.1", "Service unavailable, try again later");
  private static final Verdict REJECT = Verdict.reject(550, "5.7.1", "Command rejected");
  private static final Verdict SHUTDOWN = Verdict.defer(421, "4.7.0", "Try again later");

  /** "I am still at it" may be said so often; a milter that never ends is one that hangs. */
  private static final int PROGRESS_MAX = 100;

  /** What is not answered at once is sent when so much has gathered. */
  private static final int UNSENT_MAX = 64 * 1024;

  private enum Interest {
    ALL,
    /** It has accepted this message. */
    NOT_THIS_MESSAGE,
    /** It has accepted this session, or does not serve this listener. */
    NONE,
    FAILED
  }

  private final Milter config;
  private final Supplier<ContentBuffer> buffers;
  private Interest interest = Interest.ALL;
  private @Nullable MilterConnection connection;
  private Terms terms = Terms.NONE;
  private boolean inMessage; // MAIL was said, and neither its end nor ABORT
  private boolean skipBody;
  private @Nullable ContentBuffer otherBody;

  MilterSession(Milter config, Supplier<ContentBuffer> buffers) {
    this.config = config;
    this.buffers = buffers;
  }

  @Override
  public String name() {
    return config.name();
  }

  @Override
  public Verdict connect(SessionView session) {
    if (!config.services().contains(session.service())) interest = Interest.NONE;
    if (interest != Interest.ALL) return Verdict.ACCEPT;
    try {
      connection = MilterConnection.open(config.socket(), config.connectTimeout());
      terms = Terms.negotiated(connection, config.commandTimeout());
      return say(Protocol.CONNECT, CommandData.connect(session), session);
    } catch (IOException e) {
      failed(e);
      return Verdict.ACCEPT; // told at MAIL, so that the client may come to it
    }
  }

  @Override
  public Verdict ehlo(SessionView session) {
    if (interest == Interest.FAILED || interest == Interest.NONE) return Verdict.ACCEPT;
    try {
      String name = session.helo().orElse("");
      return say(Protocol.HELO, MilterConnection.text(name), session);
    } catch (IOException e) {
      failed(e);
      return Verdict.ACCEPT;
    }
  }

  @Override
  public Verdict mail(SessionView session) {
    if (interest == Interest.FAILED) return defaultAction();
    if (interest != Interest.ALL) return Verdict.ACCEPT;
    inMessage = true;
    String path = "<" + session.sender().map(Object::toString).orElse("") + ">";
    return tell(Protocol.MAIL, path, session, null);
  }

  @Override
  public Verdict rcpt(SessionView session, MailAddress recipient) {
    if (interest == Interest.FAILED) return defaultAction();
    if (interest != Interest.ALL) return Verdict.ACCEPT;
    return tell(Protocol.RCPT, "<" + recipient + ">", session, recipient);
  }

  @Override
  public boolean readsContent(SessionView session) {
    return interest == Interest.ALL;
  }

  @Override
  public Verdict data(SessionView session, MessageContent content) throws IOException {
    try {
      Verdict early = send(content, session);
      if (early != Verdict.ACCEPT || interest != Interest.ALL) return early;
      return end(session);
    } catch (MilterException e) {
      failed(e);
      return defaultAction();
    }
  }

  /** The message is over; what the milter has of it goes, if it has not judged it. */
  @Override
  public void reset(SessionView session) {
    closeOtherBody();
    if (interest == Interest.NOT_THIS_MESSAGE) interest = Interest.ALL;
    MilterConnection open = connection;
    if (!inMessage || open == null || interest != Interest.ALL) return;
    inMessage = false;
    try {
      open.send(Protocol.ABORT, new byte[0]);
      open.flush(config.commandTimeout());
    } catch (IOException e) {
      failed(e);
    }
  }

  @Override
  public void close(SessionView session) {
    closeOtherBody();
    MilterConnection open = connection;
    if (open == null) return;
    try {
      if (interest != Interest.FAILED) {
        open.send(Protocol.QUIT, new byte[0]);
        open.flush(config.commandTimeout());
      }
    } catch (IOException e) {
      LOG.debug("event=milter_lost milter={}", config.name(), e);
    } finally {
      open.close();
    }
  }

  private Verdict tell(
      byte command, String argument, SessionView session, @Nullable MailAddress recipient) {
    try {
      return say(command, MilterConnection.text(argument), session, recipient);
    } catch (IOException e) {
      failed(e);
      return defaultAction();
    }
  }

  private Verdict say(byte command, byte[] data, SessionView session) throws IOException {
    return say(command, data, session, null);
  }

  /** One command, with the macros before it, and what the milter says to it. */
  private Verdict say(
      byte command, byte[] data, SessionView session, @Nullable MailAddress recipient)
      throws IOException {
    MilterConnection open = connection;
    if (open == null || !terms.wants(command)) return Verdict.ACCEPT;
    byte[] macros = Macros.before(command, session, recipient);
    if (macros.length > 0) open.send(Protocol.MACRO, macros);
    open.send(command, data);
    if (!terms.answers(command)) {
      if (open.unsent() > UNSENT_MAX) open.flush(config.commandTimeout());
      return Verdict.ACCEPT;
    }
    return verdict(command, open.receive(config.commandTimeout()));
  }

  /** Header and body. Returns what the milter decides before it has seen all. */
  private Verdict send(MessageContent content, SessionView session) throws IOException {
    Verdict verdict = say(Protocol.DATA, new byte[0], session);
    if (verdict != Verdict.ACCEPT || interest != Interest.ALL) return verdict;
    MessageHeader header = MessageHeader.read(content);
    for (MessageHeader.Field field : header.fields()) {
      if (field.name().isEmpty()) continue; // no field: a milter could make nothing of it
      verdict = say(Protocol.HEADER, CommandData.field(field, terms), session);
      if (verdict != Verdict.ACCEPT || interest != Interest.ALL) return verdict;
    }
    verdict = say(Protocol.END_OF_HEADER, new byte[0], session);
    if (verdict != Verdict.ACCEPT || interest != Interest.ALL) return verdict;
    skipBody = false;
    byte[] piece = new byte[Protocol.MAX_DATA];
    try (InputStream body = content.open(header.bodyAt())) {
      for (int n; (n = body.readNBytes(piece, 0, piece.length)) > 0 && !skipBody; ) {
        verdict = say(Protocol.BODY, Arrays.copyOf(piece, n), session);
        if (verdict != Verdict.ACCEPT || interest != Interest.ALL) return verdict;
      }
    }
    return Verdict.ACCEPT;
  }

  /** The end of the body: changes, then the last word. */
  private Verdict end(SessionView session) throws IOException {
    MilterConnection open = connection;
    if (open == null) return Verdict.ACCEPT;
    byte[] macros = Macros.before(Protocol.END_OF_BODY, session, null);
    if (macros.length > 0) open.send(Protocol.MACRO, macros);
    open.send(Protocol.END_OF_BODY, new byte[0]);
    Changes changes = new Changes(terms.actions(), session.maxMessageSize(), buffers);
    try {
      int progress = 0;
      while (true) {
        Packet packet = open.receive(config.contentTimeout());
        if (packet.command() == 'p') {
          if (++progress > PROGRESS_MAX) throw new MilterException("it does not come to an end");
        } else if (!changes.take(packet)) {
          inMessage = false;
          Verdict verdict = verdict(Protocol.END_OF_BODY, packet);
          return verdict == Verdict.ACCEPT ? changes.verdict() : verdict;
        }
      }
    } finally {
      otherBody = changes.ownedBody().orElse(null);
    }
  }

  /** What a reply means; ACCEPT for "go on" and for "enough", which {@link #interest} tells. */
  private Verdict verdict(byte command, Packet reply) throws IOException {
    return switch (reply.command()) {
      case 'c' -> Verdict.ACCEPT;
      case 'a' -> {
        boolean ofSession = command == Protocol.CONNECT || command == Protocol.HELO;
        interest = ofSession ? Interest.NONE : Interest.NOT_THIS_MESSAGE;
        yield Verdict.ACCEPT;
      }
      case 's' -> {
        if (command != Protocol.BODY || !terms.has(Protocol.SKIP)) throw reply.malformed();
        skipBody = true;
        yield Verdict.ACCEPT;
      }
      case 'p' -> verdict(command, connected().receive(config.commandTimeout()));
      case 'r' -> REJECT;
      case 't', 'f' -> TEMPFAIL;
      case 'd' -> new Verdict.Discard("its milter says so");
      case '4' -> SHUTDOWN;
      case 'y' -> Verdict.refusal(ReplyCode.parse(reply));
      default -> throw reply.malformed();
    };
  }

  private MilterConnection connected() throws MilterException {
    MilterConnection open = connection;
    if (open == null) throw new MilterException("there is no connection");
    return open;
  }

  private void failed(IOException e) {
    interest = Interest.FAILED;
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
      case QUARANTINE -> new Verdict.Quarantine("the milter cannot be used");
    };
  }

  private void closeOtherBody() {
    ContentBuffer body = otherBody;
    otherBody = null;
    if (body == null) return;
    try {
      body.close();
    } catch (IOException e) {
      LOG.debug("event=scratch_not_closed", e);
    }
  }
}
