package org.quorumail.policy.tables;

import java.util.List;
import java.util.function.Function;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.RecipientTable;

/** Several tables in order, the nearest first. A recipient exists if one of them knows it. */
public record CombinedRecipientTable(List<RecipientTable> tables) implements RecipientTable {
  public CombinedRecipientTable {
    tables = List.copyOf(tables);
  }

  @Override
  public Existence find(MailAddress address) {
    return any(table -> table.find(address));
  }

  @Override
  public Existence findExact(MailAddress address) {
    return any(table -> table.findExact(address));
  }

  private Existence any(Function<RecipientTable, Existence> query) {
    boolean complete = true;
    for (RecipientTable table : tables) {
      switch (query.apply(table)) {
        case KNOWN -> {
          return Existence.KNOWN;
        }
        case UNAVAILABLE -> complete = false;
        case UNKNOWN -> {}
      }
    }
    return complete ? Existence.UNKNOWN : Existence.UNAVAILABLE;
  }
}
