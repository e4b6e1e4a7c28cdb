package org.quorumail.policy.tables;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.RecipientTable;

/**
 * A cache of another table's answers, bounded in number and time. Failures are not cached: the next
 * query asks the table again.
 */
public final class CachingRecipientTable implements RecipientTable {
  private final RecipientTable table;
  private final Cache<Query, Existence> answers;

  /**
   * @param size most answers that are cached; 0: none
   */
  public CachingRecipientTable(RecipientTable table, Duration ttl, int size, Ticker ticker) {
    this.table = table;
    this.answers =
        Caffeine.newBuilder().maximumSize(size).expireAfterWrite(ttl).ticker(ticker).build();
  }

  @Override
  public Existence find(MailAddress address) {
    return find(new Query(address, false));
  }

  @Override
  public Existence findExact(MailAddress address) {
    return find(new Query(address, true));
  }

  private Existence find(Query query) {
    Existence known = answers.getIfPresent(query);
    if (known != null) return known;
    Existence answer =
        query.exact() ? table.findExact(query.address()) : table.find(query.address());
    if (answer != Existence.UNAVAILABLE) answers.put(query, answer);
    return answer;
  }

  private record Query(MailAddress address, boolean exact) {}
}
