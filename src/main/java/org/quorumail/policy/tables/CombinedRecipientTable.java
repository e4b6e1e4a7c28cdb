package org.quorumail.policy.tables;

import java.util.List;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.RecipientTable;

/** Several tables: who is in one of them exists; asked in order, what is nearest first. */
public record CombinedRecipientTable(List<RecipientTable> tables) implements RecipientTable {
  public CombinedRecipientTable {
    tables = List.copyOf(tables);
  }

  @Override
  public Existence find(MailAddress address) {
    boolean sure = true;
    for (RecipientTable table : tables) {
      switch (table.find(address)) {
        case KNOWN -> {
          return Existence.KNOWN;
        }
        case UNAVAILABLE -> sure = false;
        case UNKNOWN -> {}
      }
    }
    return sure ? Existence.UNKNOWN : Existence.UNAVAILABLE;
  }
}
