package org.quorumail.dns;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.xbill.DNS.Message;
import org.xbill.DNS.SimpleResolver;

/**
 * A target of Jazzer: the input is the answer of a name server to each of our questions. The
 * resolver looks up {@code fuzz.example} in every way that the node does.
 */
public final class HostileAnswers {
  private static final String DOMAIN = "fuzz.example";
  private static final int MAX_VALUES = 20;
  private static final Path NO_HOSTS = Path.of("/nonexistent");

  private HostileAnswers() {}

  public static void fuzzerTestOneInput(byte[] input) {
    accepts(input);
  }

  /** Reads the answer, and returns whether a lookup found something in it. */
  public static boolean accepts(byte[] input) {
    DnsConfig config =
        new DnsConfig(
            List.of(), Duration.ofSeconds(1), 10, Duration.ofSeconds(1), Duration.ofSeconds(60));
    NameServers servers = new NameServers(List.of(new AnsweringServer(input)));
    DnsResolver resolver =
        new DnsResolver(servers, config, () -> Instant.EPOCH, new SimpleMeterRegistry(), NO_HOSTS);
    boolean found = false;
    if (resolver.mailExchangers(DOMAIN) instanceof LookupResult.Found<MailExchanger> hosts) {
      checkNumber(hosts.values());
      hosts.values().forEach(host -> checkPrintable(host.name()));
      found = true;
    }
    if (resolver.addresses(DOMAIN) instanceof LookupResult.Found<InetAddress> addresses) {
      checkNumber(addresses.values());
      found = true;
    }
    if (resolver.dnsListCodes(DOMAIN) instanceof LookupResult.Found<InetAddress> codes) {
      checkNumber(codes.values());
      found = true;
    }
    if (resolver.textRecords(DOMAIN) instanceof LookupResult.Found<String> texts) {
      checkNumber(texts.values());
      texts.values().forEach(HostileAnswers::checkPrintable);
      found = true;
    }
    InetAddress client = InetAddress.ofLiteral("192.0.2.1");
    if (resolver.hostNames(client) instanceof LookupResult.Found<String> names) {
      checkNumber(names.values());
      names.values().forEach(HostileAnswers::checkPrintable);
      found = true;
    }
    return found;
  }

  private static void checkNumber(List<?> values) {
    if (values.isEmpty() || values.size() > MAX_VALUES) {
      throw new IllegalStateException("found " + values.size() + " values");
    }
  }

  /** Names and texts of an answer go into logs, replies and reports. */
  private static void checkPrintable(String text) {
    if (!text.chars().allMatch(c -> c >= ' ' && c < 0x7F)) {
      throw new IllegalStateException("not printable: " + text);
    }
  }

  /** A server that gives the same answer to each question, read as dnsjava reads it. */
  private static final class AnsweringServer extends SimpleResolver {
    private final byte[] answer;

    AnsweringServer(byte[] answer) {
      super(new InetSocketAddress(InetAddress.getLoopbackAddress(), 53));
      this.answer = answer;
    }

    @Override
    public Message send(Message query) throws IOException {
      return new Message(answer);
    }
  }
}
