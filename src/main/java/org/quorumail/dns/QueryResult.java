package org.quorumail.dns;

import java.util.List;
import org.xbill.DNS.Record;

/** The result of one question to the name servers. */
sealed interface QueryResult {
  /** The TTL of the answer in seconds. */
  long ttl();

  /** The name of the result in metrics and in the API. */
  default String label() {
    return switch (this) {
      case Records r -> "found";
      case NoData n -> "no_data";
      case NxDomain n -> "no_such_name";
      case Failure f -> "failure";
    };
  }

  record Records(List<Record> records, long ttl) implements QueryResult {
    public Records {
      records = List.copyOf(records);
    }
  }

  /** The name exists, without records of this type. */
  record NoData(long ttl) implements QueryResult {}

  record NxDomain(long ttl) implements QueryResult {}

  /** No usable answer. It is kept for seconds, so that a dead server is not asked per message. */
  record Failure(String reason) implements QueryResult {
    private static final long TTL = 5; // RFC 2308 §7.1 allows up to five minutes

    @Override
    public long ttl() {
      return TTL;
    }
  }
}
