package org.quorumail.policy.milter;

import java.nio.file.Path;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig.MilterConfig;
import org.quorumail.policy.SessionView;

/** The filter of one configured milter. Each session has its own connection to the milter. */
public final class MilterFilter implements MessageFilter {
  private final MilterConfig config;
  private final Path scratch;

  /**
   * @param scratch directory for the bodies with which the milter replaces messages' own
   */
  public MilterFilter(MilterConfig config, Path scratch) {
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
