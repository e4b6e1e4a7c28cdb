package org.quorumail;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.quorumail.api.HostileRequests;
import org.quorumail.auth.HostileTokens;
import org.quorumail.cluster.HostileGossip;
import org.quorumail.dns.HostileAnswers;
import org.quorumail.policy.milter.HostileMilter;
import org.quorumail.smtp.client.HostileServer;
import org.quorumail.smtp.server.HostileInput;

/**
 * The parsers that read from strangers, each as a target of Jazzer. {@code bench/fuzz NAME} runs
 * one; {@link FuzzCorpusTest} reads the kept inputs again; {@link FuzzTargetsTest} runs Jazzer over
 * all of them for some seconds, by {@link #fuzzerTestOneInput}, whose first octet chooses.
 */
public enum FuzzTarget {
  SMTP(HostileInput::accepts),
  REPLIES(HostileServer::accepts),
  DNS(HostileAnswers::accepts),
  MILTER(HostileMilter::accepts),
  GOSSIP(HostileGossip::accepts),
  HTTP(HostileRequests::accepts),
  TOKENS(HostileTokens::accepts);

  static final Path RESOURCES = Path.of("src/test/resources/fuzz");

  /** The targets of the short run; SMTP has a run of its own. */
  private static final List<FuzzTarget> SHORT_RUN =
      List.of(REPLIES, DNS, MILTER, GOSSIP, HTTP, TOKENS);

  @SuppressWarnings("ImmutableEnumChecker") // a method without state
  private final Reader reader;

  /** Reads an input, throws when something breaks, and returns whether it was accepted. */
  interface Reader {
    boolean accepts(byte[] input) throws Exception;
  }

  FuzzTarget(Reader reader) {
    this.reader = reader;
  }

  boolean accepts(byte[] input) throws Exception {
    return reader.accepts(input);
  }

  /** The kept inputs: files that are accepted, or refused. */
  Path corpus(boolean accepted) {
    return RESOURCES
        .resolve(name().toLowerCase(Locale.ROOT))
        .resolve(accepted ? "accepted" : "refused");
  }

  /** The place of a target in the first octet of the short run's inputs. */
  static byte selector(FuzzTarget target) {
    return (byte) SHORT_RUN.indexOf(target);
  }

  static List<FuzzTarget> shortRun() {
    return SHORT_RUN;
  }

  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    if (input.length == 0) return;
    FuzzTarget target = SHORT_RUN.get(Math.floorMod(input[0], SHORT_RUN.size()));
    target.accepts(Arrays.copyOfRange(input, 1, input.length));
  }
}
