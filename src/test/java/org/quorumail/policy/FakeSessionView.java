package org.quorumail.policy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.Service;

/** A session that a test sets up: by default a stranger from 192.0.2.1 with EHLO client.example. */
public final class FakeSessionView implements SessionView {
  public InetSocketAddress peer = new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 40_000);
  public InetSocketAddress listener =
      new InetSocketAddress(InetAddress.ofLiteral("198.51.100.25"), 25);
  public @Nullable String helo = "client.example";
  public @Nullable String user;
  public boolean trusted;
  public boolean binaryContent;
  public ReversePath sender = ReversePath.of("a@client.example");
  public Optional<MailAddress> submitter = Optional.empty();
  public List<MailAddress> recipients = new ArrayList<>();
  public Optional<QueueId> queueId = QueueId.parse("01J00000000000000000000000");

  public static FakeSessionView from(String address) {
    FakeSessionView session = new FakeSessionView();
    session.peer = new InetSocketAddress(InetAddress.ofLiteral(address), 40_000);
    return session;
  }

  public FakeSessionView saying(@Nullable String helo) {
    this.helo = helo;
    return this;
  }

  @Override
  public InetSocketAddress peer() {
    return peer;
  }

  @Override
  public InetSocketAddress listener() {
    return listener;
  }

  @Override
  public Service service() {
    return Service.MX;
  }

  @Override
  public boolean binaryContent() {
    return binaryContent;
  }

  @Override
  public String hostname() {
    return "mx.test.example";
  }

  @Override
  public long maxMessageSize() {
    return 1_000_000;
  }

  @Override
  public Optional<String> helo() {
    return Optional.ofNullable(helo);
  }

  @Override
  public String protocol() {
    return "ESMTP";
  }

  @Override
  public Optional<String> tls() {
    return Optional.empty();
  }

  @Override
  public Optional<String> user() {
    return Optional.ofNullable(user);
  }

  @Override
  public boolean trusted() {
    return trusted;
  }

  @Override
  public Optional<ReversePath> sender() {
    return Optional.of(sender);
  }

  @Override
  public Optional<MailAddress> submitter() {
    return submitter;
  }

  @Override
  public List<MailAddress> recipients() {
    return recipients;
  }

  @Override
  public Optional<QueueId> queueId() {
    return queueId;
  }
}
