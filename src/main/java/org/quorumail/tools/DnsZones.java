package org.quorumail.tools;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.ParseContext;
import org.quorumail.config.Problem;
import org.quorumail.config.Section;
import org.quorumail.tools.SinkScript.SyntaxException;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/**
 * The answers of a {@link DnsSimulator}: in TOML, a table {@code [[name]]} for each name, with its
 * records or its fault. A name may begin with {@code *.}, for all names below. Immutable.
 */
public final class DnsZones {
  private static final int CNAMES_MAX = 8;
  private static final int NAMES_MAX = 100_000;
  private static final int WEEK = 7 * 24 * 3600;

  private final Map<Name, NameScript> names;
  private final int negativeTtl;

  /** The behaviours of a name. */
  enum Behaviour {
    ANSWER,
    NXDOMAIN,
    SERVFAIL,
    REFUSED,
    /** No answer. */
    TIMEOUT
  }

  private record NameScript(
      List<String> records, Behaviour behaviour, Duration delay, boolean truncate, int ttl) {}

  /**
   * The answer to a question.
   *
   * @param silent no answer at all
   * @param truncated no records over UDP
   */
  record NameAnswer(
      int rcode,
      List<Record> answers,
      List<Record> authority,
      Duration delay,
      boolean silent,
      boolean truncated) {}

  private DnsZones(Map<Name, NameScript> names, int negativeTtl) {
    this.names = names;
    this.negativeTtl = negativeTtl;
  }

  /**
   * Reads zones in TOML.
   *
   * @param fileName as problems name it
   * @throws SyntaxException with the first problem
   */
  public static DnsZones parse(String fileName, String text) throws SyntaxException {
    ParseContext context = SinkScriptReader.context(fileName, text);
    Section root = context.root();
    int negativeTtl = root.integer("negative_ttl", 5, 0, WEEK, "seconds of a negative answer");
    Map<Name, NameScript> names = new HashMap<>();
    for (Section section : root.sections("name", 0)) read(section, names);
    List<Problem> problems = context.problems();
    if (!problems.isEmpty()) throw SinkScriptReader.syntaxException(problems.getFirst());
    if (names.size() > NAMES_MAX) {
      throw new SyntaxException(1, "there are at most " + NAMES_MAX + " names");
    }
    return new DnsZones(names, negativeTtl);
  }

  private static void read(Section section, Map<Name, NameScript> names) {
    Optional<Name> name = section.optional("name", "name", "", "a name", DnsZones::name);
    int ttl = section.integer("ttl", 60, 0, WEEK, "seconds of its records");
    List<String> records =
        section.list(
            "records",
            "records",
            List.of(),
            "its records, TYPE DATA",
            written -> {
              record(Name.root, written, ttl);
              return written;
            });
    Behaviour behaviour =
        section.choice("answer", Behaviour.class, Behaviour.ANSWER, "answer to all questions");
    Duration delay = section.duration("delay", "0s", "0s", "1m", "delay before the answer");
    boolean truncate = section.flag("truncate", false, "an answer over UDP is truncated");
    if (name.isEmpty()) {
      if (!section.hasProblem("name")) section.problem("name", "is missing");
      return;
    }
    NameScript script = new NameScript(records, behaviour, delay, truncate, ttl);
    if (names.put(name.get(), script) != null) {
      section.problem("name", "has a table of its own already");
    }
  }

  private static Name name(String text) {
    try {
      return Name.fromString(text.toLowerCase(Locale.ROOT), Name.root);
    } catch (TextParseException e) {
      throw new IllegalArgumentException("\"" + text + "\" is no name", e);
    }
  }

  /** Reads a record, {@code MX 10 mx.example.test.}; names in it are absolute. */
  private static Record record(Name owner, String written, int ttl) {
    String[] words = written.strip().split("\\s+", 2);
    int type = Type.value(words[0], false);
    if (type < 0 || words.length < 2) {
      throw new IllegalArgumentException("\"" + written + "\" is no record: TYPE DATA");
    }
    try {
      return Record.fromString(owner, type, DClass.IN, ttl, words[1], Name.root);
    } catch (IOException e) {
      throw new IllegalArgumentException("\"" + written + "\" is no record: " + e.getMessage(), e);
    }
  }

  /** The answer to a question, with the aliases (CNAME) that lead to it. */
  NameAnswer answer(Name asked, int type) {
    List<Record> answers = new ArrayList<>();
    Duration delay = Duration.ZERO;
    boolean truncated = false;
    Name name = lower(asked);
    for (int i = 0; i <= CNAMES_MAX; i++) {
      NameScript script = script(name);
      if (script == null) return negative(Rcode.NXDOMAIN, answers, delay, truncated);
      delay = delay.plus(script.delay);
      truncated |= script.truncate;
      switch (script.behaviour) {
        case NXDOMAIN -> {
          return negative(Rcode.NXDOMAIN, answers, delay, truncated);
        }
        case SERVFAIL -> {
          return failure(Rcode.SERVFAIL, delay);
        }
        case REFUSED -> {
          return failure(Rcode.REFUSED, delay);
        }
        case TIMEOUT -> {
          return new NameAnswer(Rcode.NOERROR, List.of(), List.of(), delay, true, false);
        }
        case ANSWER -> {}
      }
      Name owner = i == 0 ? asked : name;
      Name alias = null;
      boolean found = false;
      for (String written : script.records) {
        Record record = record(owner, written, script.ttl);
        if (record.getType() == type || type == Type.ANY) {
          answers.add(record);
          found = true;
        } else if (record instanceof CNAMERecord cname) {
          answers.add(record);
          alias = lower(cname.getTarget());
        }
      }
      if (found) {
        return new NameAnswer(Rcode.NOERROR, answers, List.of(), delay, false, truncated);
      }
      if (alias == null) return negative(Rcode.NOERROR, answers, delay, truncated);
      name = alias;
    }
    return failure(Rcode.SERVFAIL, delay);
  }

  /** The script of a name, or of the nearest {@code *.} above it; null without one. */
  private @Nullable NameScript script(Name name) {
    NameScript exact = names.get(name);
    if (exact != null) return exact;
    for (int labels = 1; labels < name.labels(); labels++) {
      NameScript wild = names.get(name.wild(labels));
      if (wild != null) return wild;
    }
    return null;
  }

  private static NameAnswer failure(int rcode, Duration delay) {
    return new NameAnswer(rcode, List.of(), List.of(), delay, false, false);
  }

  /** A negative answer has a SOA, which bounds how long it is kept (RFC 2308). */
  private NameAnswer negative(int rcode, List<Record> answers, Duration delay, boolean truncated) {
    Record soa =
        new SOARecord(
            Name.root, DClass.IN, negativeTtl, Name.root, Name.root, 1, 60, 60, 60, negativeTtl);
    return new NameAnswer(rcode, answers, List.of(soa), delay, false, truncated);
  }

  private static Name lower(Name name) {
    return name(name.toString());
  }
}
