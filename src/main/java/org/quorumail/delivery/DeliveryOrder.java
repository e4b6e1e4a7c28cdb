package org.quorumail.delivery;

import java.io.InputStream;
import java.util.List;
import java.util.function.Supplier;
import org.quorumail.smtp.client.FinalDotGuard;
import org.quorumail.spool.SpooledMessage;

/**
 * The message that an attempt delivers, and the recipients that it is for.
 *
 * @param recipientIndexes places in {@link SpooledMessage#recipients}; at least one
 * @param dot asked just before the final dot of each transaction; see {@code OwnedSpool.enterDoubt}
 */
public record DeliveryOrder(
    SpooledMessage message,
    List<Integer> recipientIndexes,
    Supplier<InputStream> content,
    FinalDotGuard dot) {
  public DeliveryOrder {
    if (recipientIndexes.isEmpty()) throw new IllegalArgumentException("no recipient");
    recipientIndexes = List.copyOf(recipientIndexes);
  }
}
