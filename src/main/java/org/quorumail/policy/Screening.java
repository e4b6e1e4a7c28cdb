package org.quorumail.policy;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session before the filters: asks them in order at each stage, until one refuses, and keeps
 * what they want done with the message. Used by the session's thread. A filter that throws defers
 * the mail: it is never lost, nor let through unseen.
 */
public final class Screening implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Screening.class);
  private static final Reply FAILED =
      Reply.of(451, "4.3.0", "A check of this server failed, try again later");

  private final List<MessageFilter> filters;
  private final SessionView session;
  private final MeterRegistry meters;
  private final Notes ofSession = new Notes();
  private Notes ofTransaction = new Notes();

  /** What filters want, beside letting the mail through. */
  private static final class Notes {
    boolean exempt;
    @Nullable String hold;
    @Nullable String discard;
    List<Edit> edits = List.of();

    void add(List<Edit> more) {
      if (more.isEmpty()) return;
      List<Edit> all = new ArrayList<>(edits);
      all.addAll(more);
      edits = all;
    }
  }

  @FunctionalInterface
  private interface Stage {
    Verdict ask(MessageFilter filter) throws IOException;
  }

  Screening(List<MessageFilter> shared, SessionView session, MeterRegistry meters) {
    this.session = session;
    this.meters = meters;
    this.filters = new ArrayList<>(shared.size());
    for (MessageFilter filter : shared) filters.add(filter.inSession(session));
  }

  /** What is said instead of the greeting, if anything. */
  public Optional<Reply> connect() {
    return ask(ofSession, filter -> filter.connect(session));
  }

  public Optional<Reply> ehlo() {
    return ask(ofSession, filter -> filter.ehlo(session));
  }

  public Optional<Reply> mail() {
    return ask(ofTransaction, filter -> filter.mail(session));
  }

  /**
   * One recipient. What filters want counts only if all accept it; an exemption is for it alone.
   */
  public Optional<Reply> rcpt(MailAddress recipient) {
    boolean exempt = ofTransaction.exempt;
    List<Edit> edits = ofTransaction.edits;
    String hold = ofTransaction.hold;
    Optional<Reply> refusal = ask(ofTransaction, filter -> filter.rcpt(session, recipient));
    ofTransaction.exempt = exempt;
    if (refusal.isPresent()) {
      ofTransaction.edits = edits;
      ofTransaction.hold = hold;
    }
    return refusal;
  }

  /** Whether the content must be gathered for {@link #judge}. */
  public boolean readsContent() {
    for (Edit edit : ofSession.edits) if (!EditedContent.isInFront(edit)) return true;
    for (Edit edit : ofTransaction.edits) if (!EditedContent.isInFront(edit)) return true;
    for (MessageFilter filter : filters) if (applies(filter) && reads(filter)) return true;
    return false;
  }

  /**
   * The fields that go in front of a content which no filter reads, and what else was decided
   * before it came.
   *
   * @return a judgement whose content is these fields alone; or a refusal
   */
  public Judgement judgeUnread() {
    String discard = discard();
    if (discard != null) return new Judgement.Discard(discard);
    byte[] front = EditedContent.inFront(edits());
    return new Judgement.Take(new Octets(front), envelopeEdits(edits()), hold());
  }

  /** Asks the filters about the whole message. */
  public Judgement judge(MessageContent received) {
    try {
      MessageContent content = EditedContent.of(received, edits());
      List<Edit> envelope = new ArrayList<>(envelopeEdits(edits()));
      for (MessageFilter filter : filters) {
        if (!applies(filter) || !reads(filter)) continue;
        Notes notes = new Notes();
        MessageContent soFar = content;
        Optional<Reply> refusal = ask(filter, notes, f -> f.data(session, soFar));
        if (refusal.isPresent()) return new Judgement.Refuse(refusal.get());
        if (notes.hold != null) ofTransaction.hold = notes.hold;
        if (notes.discard != null) return new Judgement.Discard(notes.discard);
        content = EditedContent.of(content, notes.edits);
        envelope.addAll(envelopeEdits(notes.edits));
      }
      String discard = discard();
      if (discard != null) return new Judgement.Discard(discard);
      return new Judgement.Take(content, envelope, hold());
    } catch (MessageHeader.TooLongException e) {
      return new Judgement.Refuse(Reply.of(552, "5.3.4", "The header of the message is too long"));
    } catch (IOException e) {
      LOG.warn("event=content_unreadable reason={}", Escape.quoted(String.valueOf(e.getMessage())));
      return new Judgement.Refuse(FAILED);
    }
  }

  /** The transaction has ended, by whatever way. */
  public void reset() {
    ofTransaction = new Notes();
    for (MessageFilter filter : filters) {
      try {
        filter.reset(session);
      } catch (RuntimeException e) {
        failed(filter, e);
      }
    }
  }

  @Override
  public void close() {
    for (MessageFilter filter : filters) {
      try {
        filter.close(session);
      } catch (RuntimeException e) {
        failed(filter, e);
      }
    }
  }

  private Optional<Reply> ask(Notes notes, Stage stage) {
    for (MessageFilter filter : filters) {
      if (!applies(filter)) continue;
      Optional<Reply> refusal = ask(filter, notes, stage);
      if (refusal.isPresent()) return refusal;
    }
    return Optional.empty();
  }

  private Optional<Reply> ask(MessageFilter filter, Notes notes, Stage stage) {
    Verdict verdict;
    try {
      verdict = stage.ask(filter);
    } catch (IOException | RuntimeException e) {
      failed(filter, e);
      return Optional.of(FAILED);
    }
    switch (verdict) {
      case Verdict.Accept accept -> {}
      case Verdict.Exempt exempt -> notes.exempt = true;
      case Verdict.Reject reject -> {
        return refusal(filter, reject.reply());
      }
      case Verdict.Defer defer -> {
        return refusal(filter, defer.reply());
      }
      case Verdict.Discard discard -> notes.discard = filter.name() + ": " + discard.reason();
      case Verdict.Quarantine quarantine -> {
        notes.hold = filter.name() + ": " + quarantine.reason();
        notes.add(quarantine.edits());
      }
      case Verdict.Change change -> notes.add(change.edits());
    }
    return Optional.empty();
  }

  private Optional<Reply> refusal(MessageFilter filter, Reply reply) {
    String verdict = reply.permanentFailure() ? "reject" : "defer";
    meters.counter("smtp.policy.refusals", "filter", filter.name(), "verdict", verdict).increment();
    return Optional.of(reply);
  }

  private boolean applies(MessageFilter filter) {
    if (!filter.judgesReputation()) return true;
    return !ofSession.exempt && !ofTransaction.exempt && !session.trusted();
  }

  private boolean reads(MessageFilter filter) {
    try {
      return filter.readsContent(session);
    } catch (RuntimeException e) {
      failed(filter, e);
      return true; // data() will be asked, and will say what it thinks
    }
  }

  private List<Edit> edits() {
    if (ofSession.edits.isEmpty()) return ofTransaction.edits;
    List<Edit> all = new ArrayList<>(ofSession.edits);
    all.addAll(ofTransaction.edits);
    return all;
  }

  private Optional<String> hold() {
    return Optional.ofNullable(ofTransaction.hold != null ? ofTransaction.hold : ofSession.hold);
  }

  private @Nullable String discard() {
    return ofTransaction.discard != null ? ofTransaction.discard : ofSession.discard;
  }

  private static List<Edit> envelopeEdits(List<Edit> edits) {
    return edits.stream().filter(edit -> !(edit instanceof Edit.OfContent)).toList();
  }

  private void failed(MessageFilter filter, Exception e) {
    meters.counter("smtp.policy.failures", "filter", filter.name()).increment();
    LOG.error(
        "event=filter_failed filter={} client={}",
        filter.name(),
        session.client().getHostAddress(),
        e);
  }
}
