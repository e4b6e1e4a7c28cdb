package org.quorumail.policy.milter;

import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.MilterConfig;
import org.quorumail.policy.SessionView;

/** One configured milter; each session has its own connection to it. */
public final class MilterFilter implements MessageFilter {
  private final MilterConfig config;
  private final java.nio.file.Path scratch;

  /**
   * @param scratch a folder for a body that the milter puts in place of the message's
   */
  public MilterFilter(MilterConfig config, java.nio.file.Path scratch) {
    this.config = config;
    this.scratch = scratch;
  }

  @Override
  public String name() {
    return config.name();
  }

  @Override
  public MessageFilter inSession(SessionView session) {
    return new MilterSession(config, () -> new ContentBuffer(scratch));
  }
}
