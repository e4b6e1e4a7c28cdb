package org.quorumail.queue;

import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnedSpoolContract;

/** The fake spool of the queue's tests keeps the contract of the replicated one. */
class FakeOwnedSpoolTest extends OwnedSpoolContract {
  private final FakeOwnedSpool spool = new FakeOwnedSpool("spool-a");

  @Override
  protected OwnedSpool spool() {
    return spool;
  }

  @Override
  protected QueueId accept(Envelope envelope, String content) {
    return spool.accept(envelope, content, NOW);
  }

  @Override
  protected long inDoubt() {
    return spool.inDoubt();
  }
}
