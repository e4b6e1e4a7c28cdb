package org.quorumail.policy.tables;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.RecipientTable;

/**
 * Keeps what another table said, bounded in number and time. That nobody could say is not kept: the
 * next client asks again.
 */
public final class CachingRecipientTable implements RecipientTable {
  private final RecipientTable table;
  private final Cache<MailAddress, Existence> answers;

  /**
   * @param size answers kept, 0: none
   */
  public CachingRecipientTable(RecipientTable table, Duration ttl, int size, Ticker ticker) {
    this.table = table;
    this.answers =
        Caffeine.newBuilder().maximumSize(size).expireAfterWrite(ttl).ticker(ticker).build();
  }

  @Override
  public Existence find(MailAddress address) {
    Existence known = answers.getIfPresent(address);
    if (known != null) return known;
    Existence answer = table.find(address);
    if (answer != Existence.UNAVAILABLE) answers.put(address, answer);
    return answer;
  }
}
