package org.quorumail.inject;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.InjectionView.InjectionAnswer;
import org.quorumail.inject.MessageDraft.DraftRecipient;
import org.quorumail.mime.MessageComposer;
import org.quorumail.smtp.server.InjectionEndpoint;
import org.quorumail.smtp.server.InjectionEndpoint.InjectionClient;
import org.quorumail.smtp.server.InjectionResult;
import org.quorumail.smtp.server.InjectionResult.Accepted;
import org.quorumail.smtp.server.InjectionSession;

/**
 * The messages of a request with one for each recipient. Some are on their way at once, so that
 * they share entries of the log. When the node can take no more, those that have not begun are not
 * tried.
 */
final class BatchInjection {
  /** The messages on their way at once. */
  private static final int PARALLEL = 16;

  /** Larger ones go one after the other: each is in memory. */
  private static final int LARGE = 64 << 10;

  private final InjectionEndpoint open;
  private final InjectionClient client;
  private final MessageDraft draft;
  private final MessageComposer composer;
  private final IdempotentRequest once;
  private final List<DraftRecipient> recipients;
  private final @Nullable InjectionAnswer[] refusals;
  private final @Nullable Accepted[] accepted;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
  private final AtomicReference<@Nullable InjectionAnswer> end = new AtomicReference<>();

  BatchInjection(
      InjectionEndpoint open,
      InjectionClient client,
      MessageDraft draft,
      MessageComposer composer,
      IdempotentRequest once) {
    this.open = open;
    this.client = client;
    this.draft = draft;
    this.composer = composer;
    this.once = once;
    this.recipients = draft.recipients();
    this.refusals = new InjectionAnswer[recipients.size()];
    this.accepted = new Accepted[recipients.size()];
  }

  /** Composes all messages once, so that a fault is found before any is accepted; then sends. */
  InjectionAnswer run(InjectionSession session) throws IOException {
    int longest = 0;
    for (DraftRecipient r : recipients) {
      int length = draft.composeFor(r, composer, open.maxMessageSize()).length;
      if (length > open.maxMessageSize()) throw Placeholders.tooLarge(open.maxMessageSize());
      longest = Math.max(longest, length);
    }
    int more = longest > LARGE ? 0 : Math.min(PARALLEL, recipients.size()) - 1;
    List<Thread> helpers = new ArrayList<>();
    for (int i = 0; i < more; i++) {
      helpers.add(Thread.ofVirtual().name("http-batch").start(this::help));
    }
    try {
      work(session);
    } finally {
      for (Thread helper : helpers) join(helper);
    }
    RuntimeException failed = failure.get();
    if (failed != null) throw failed;
    return answer();
  }

  private void help() {
    Optional<InjectionSession> session = open.open(client);
    if (session.isEmpty()) return; // the others do it
    try (InjectionSession opened = session.get()) {
      work(opened);
    } catch (RuntimeException e) { // thrown by the request's own thread
      failure.compareAndSet(null, e);
    }
  }

  private void work(InjectionSession session) {
    for (int i = next.getAndIncrement(); i < recipients.size(); i = next.getAndIncrement()) {
      if (end.get() != null || failure.get() != null) return;
      submit(i, session);
    }
  }

  private void submit(int i, InjectionSession session) {
    Optional<InjectionResult> before = once.accepted(i);
    if (before.isPresent() && before.get() instanceof Accepted done) {
      accepted[i] = done;
      return;
    }
    DraftRecipient recipient = recipients.get(i);
    byte[] message = draft.composeFor(recipient, composer, open.maxMessageSize());
    InjectionResult result;
    try {
      result =
          session.submit(
              draft.sender(),
              List.of(recipient.address()),
              sink -> sink.write(message, 0, message.length),
              () -> once.key(i));
    } catch (IOException e) {
      throw new IllegalStateException("a message in memory can be read", e);
    }
    once.ended(result);
    switch (result) {
      case Accepted done -> accepted[i] = done;
      case InjectionResult.Refused refused -> {
        InjectionAnswer answer = Answers.refused(refused, List.of(recipient.field()));
        refusals[i] = answer;
        switch (refused.cause()) {
          case UNAVAILABLE, DISK_FULL, BUSY, ACCEPTED_BEFORE, SENDER ->
              end.compareAndSet(null, answer);
          case TOO_LARGE, RECIPIENT, CONTENT -> {}
        }
      }
    }
  }

  /** One answer for all: 202 when any message was accepted, with the fate of each. */
  private InjectionAnswer answer() {
    InjectionAnswer ended = end.get();
    InjectionAnswer first =
        Arrays.stream(refusals).filter(r -> r != null).findFirst().orElse(ended);
    if (first != null && Arrays.stream(accepted).allMatch(a -> a == null)) {
      return ended != null ? ended : first;
    }
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < recipients.size(); i++) {
      Accepted done = accepted[i];
      DraftRecipient recipient = recipients.get(i);
      if (done != null) {
        messages.add(Answers.accepted(done, List.of(recipient.address())));
        continue;
      }
      InjectionAnswer refusal = refusals[i] != null ? refusals[i] : ended;
      Map<String, Object> message = new LinkedHashMap<>();
      message.put("recipients", List.of(recipient.address().toString()));
      if (refusal != null) message.put("problem", refusal.body());
      messages.add(message);
    }
    return InjectionAnswer.accepted(Map.of("messages", messages));
  }

  private static void join(Thread helper) {
    boolean interrupted = false;
    while (true) {
      try {
        helper.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) Thread.currentThread().interrupt();
  }
}
