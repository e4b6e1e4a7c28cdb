package org.quorumail.policy;

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
 * The filters' part in one SMTP session. It asks the filters in order at each stage, until one
 * refuses, and collects the effects of their verdicts on the message. Used by the session's thread.
 * A filter that throws defers the mail: the mail is neither lost nor accepted unchecked.
 */
public final class FilterSession implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FilterSession.class);
  private static final Reply FILTER_FAILED =
      Reply.of(451, "4.3.0", "A check of this server failed, try again later");

  private final List<MessageFilter> filters;
  private final SessionView session;
  private final FilterMetrics metrics;
  private final FilterEffects sessionEffects = new FilterEffects();
  private FilterEffects transactionEffects = new FilterEffects();
  private boolean closed;

  /** The effects of all verdicts of a session or of a transaction. */
  private static final class FilterEffects {
    boolean exempt;
    @Nullable String holdReason;
    @Nullable String discardReason;
    List<Edit> edits = List.of();

    void add(List<Edit> more) {
      if (more.isEmpty()) return;
      List<Edit> all = new ArrayList<>(edits);
      all.addAll(more);
      edits = all;
    }
  }

  @FunctionalInterface
  private interface StageCall {
    Verdict ask(MessageFilter filter) throws IOException;
  }

  FilterSession(List<MessageFilter> shared, SessionView session, FilterMetrics metrics) {
    this.session = session;
    this.metrics = metrics;
    this.filters = new ArrayList<>(shared.size());
    for (MessageFilter filter : shared) filters.add(filter.inSession(session));
  }

  /** The reply that replaces the greeting, if a filter refuses the client. */
  public Optional<Reply> connect() {
    return ask(sessionEffects, filter -> filter.connect(session));
  }

  public Optional<Reply> ehlo() {
    return ask(sessionEffects, filter -> filter.ehlo(session));
  }

  public Optional<Reply> mail() {
    return ask(transactionEffects, filter -> filter.mail(session));
  }

  /**
   * Checks one recipient. Edits and holds count only if all filters accept the recipient; an
   * exemption holds for this recipient alone.
   */
  public Optional<Reply> rcpt(MailAddress recipient) {
    boolean exempt = transactionEffects.exempt;
    List<Edit> edits = transactionEffects.edits;
    String hold = transactionEffects.holdReason;
    Optional<Reply> refusal = ask(transactionEffects, filter -> filter.rcpt(session, recipient));
    transactionEffects.exempt = exempt;
    if (refusal.isPresent()) {
      transactionEffects.edits = edits;
      transactionEffects.holdReason = hold;
    }
    return refusal;
  }

  /** Returns whether the content must be buffered for {@link #judge}. */
  public boolean needsContent() {
    for (Edit edit : sessionEffects.edits) if (!EditedContent.isPrepend(edit)) return true;
    for (Edit edit : transactionEffects.edits) if (!EditedContent.isPrepend(edit)) return true;
    for (MessageFilter filter : filters)
      if (applies(filter) && filterReadsContent(filter)) return true;
    return false;
  }

  /**
   * Decides about a message whose content no filter reads.
   *
   * @return a verdict whose content is the fields to be put in front of the message, alone
   */
  public MessageVerdict judgeWithoutContent() {
    String discard = discardReason();
    if (discard != null) return new MessageVerdict.Discard(discard);
    byte[] front = EditedContent.prependedFields(edits());
    return new MessageVerdict.Accept(
        new InMemoryContent(front), envelopeEdits(edits()), holdReason());
  }

  /** Lets the filters check the whole message. */
  public MessageVerdict judge(MessageContent received) {
    try {
      MessageContent content = EditedContent.of(received, edits());
      List<Edit> envelope = new ArrayList<>(envelopeEdits(edits()));
      for (MessageFilter filter : filters) {
        if (!applies(filter) || !filterReadsContent(filter)) continue;
        FilterEffects effects = new FilterEffects();
        MessageContent soFar = content;
        Optional<Reply> refusal = ask(filter, effects, f -> f.data(session, soFar));
        if (refusal.isPresent()) return new MessageVerdict.Refuse(refusal.get());
        if (effects.holdReason != null) transactionEffects.holdReason = effects.holdReason;
        if (effects.discardReason != null) return new MessageVerdict.Discard(effects.discardReason);
        content = EditedContent.of(content, effects.edits);
        envelope.addAll(envelopeEdits(effects.edits));
      }
      String discard = discardReason();
      if (discard != null) return new MessageVerdict.Discard(discard);
      return new MessageVerdict.Accept(content, envelope, holdReason());
    } catch (MessageHeader.TooLongException e) {
      return new MessageVerdict.Refuse(
          Reply.of(552, "5.3.4", "The header of the message is too long"));
    } catch (IOException e) {
      LOG.warn("event=content_unreadable reason={}", Escape.quoted(String.valueOf(e.getMessage())));
      return new MessageVerdict.Refuse(FILTER_FAILED);
    }
  }

  /** Forgets the transaction, whichever way it ended. */
  public void reset() {
    transactionEffects = new FilterEffects();
    for (MessageFilter filter : filters) {
      try {
        filter.reset(session);
      } catch (RuntimeException e) {
        recordFailure(filter, e);
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    for (MessageFilter filter : filters) {
      try {
        filter.close(session);
      } catch (RuntimeException e) {
        recordFailure(filter, e);
      }
    }
  }

  private Optional<Reply> ask(FilterEffects effects, StageCall stage) {
    if (closed) throw new IllegalStateException("the filters of this session are closed");
    for (MessageFilter filter : filters) {
      if (!applies(filter)) continue;
      Optional<Reply> refusal = ask(filter, effects, stage);
      if (refusal.isPresent()) return refusal;
    }
    return Optional.empty();
  }

  private Optional<Reply> ask(MessageFilter filter, FilterEffects effects, StageCall stage) {
    Verdict verdict;
    try {
      verdict = stage.ask(filter);
    } catch (IOException | RuntimeException e) {
      recordFailure(filter, e);
      return Optional.of(FILTER_FAILED);
    }
    switch (verdict) {
      case Verdict.Accept accept -> {}
      case Verdict.Exempt exempt -> effects.exempt = true;
      case Verdict.Reject reject -> {
        return refusal(filter, reject.reply());
      }
      case Verdict.Defer defer -> {
        return refusal(filter, defer.reply());
      }
      case Verdict.Discard discard ->
          effects.discardReason = filter.name() + ": " + discard.reason();
      case Verdict.Quarantine quarantine -> {
        effects.holdReason = filter.name() + ": " + quarantine.reason();
        effects.add(quarantine.edits());
      }
      case Verdict.Change change -> effects.add(change.edits());
    }
    return Optional.empty();
  }

  private Optional<Reply> refusal(MessageFilter filter, Reply reply) {
    metrics.refused(filter, reply.permanentFailure());
    return Optional.of(reply);
  }

  private boolean applies(MessageFilter filter) {
    if (!filter.judgesReputation()) return true;
    return !sessionEffects.exempt && !transactionEffects.exempt && !session.trusted();
  }

  private boolean filterReadsContent(MessageFilter filter) {
    try {
      return filter.readsContent(session);
    } catch (RuntimeException e) {
      recordFailure(filter, e);
      return true; // data() is called and fails in its own way
    }
  }

  private List<Edit> edits() {
    if (sessionEffects.edits.isEmpty()) return transactionEffects.edits;
    List<Edit> all = new ArrayList<>(sessionEffects.edits);
    all.addAll(transactionEffects.edits);
    return all;
  }

  private Optional<String> holdReason() {
    return Optional.ofNullable(
        transactionEffects.holdReason != null
            ? transactionEffects.holdReason
            : sessionEffects.holdReason);
  }

  private @Nullable String discardReason() {
    return transactionEffects.discardReason != null
        ? transactionEffects.discardReason
        : sessionEffects.discardReason;
  }

  private static List<Edit> envelopeEdits(List<Edit> edits) {
    return edits.stream().filter(edit -> !(edit instanceof Edit.ContentEdit)).toList();
  }

  private void recordFailure(MessageFilter filter, Exception e) {
    metrics.failed(filter);
    LOG.error(
        "event=filter_failed filter={} client={}",
        filter.name(),
        session.client().getHostAddress(),
        e);
  }
}
