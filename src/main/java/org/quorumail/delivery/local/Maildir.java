package org.quorumail.delivery.local;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Mailboxes of one file for each message: written to {@code tmp}, forced, then renamed to {@code
 * new}. The name is that of the message and its recipient, so a delivery that a crash repeats
 * replaces its file as long as nobody has read it.
 */
public record Maildir(MailboxPath path, MailboxAccount account) implements LocalTarget {
  @Override
  public Maildir withAccount(MailboxAccount other) {
    return new Maildir(path, other);
  }

  @Override
  public LocalResult deliver(LocalMessage message, BooleanSupplier mayDeliver) {
    Optional<Path> mailbox = path.resolve(message.recipient());
    if (mailbox.isEmpty()) return Mbox.noName(message, toString());
    String target = "maildir:" + LocalContent.oneLine(mailbox.get());
    Optional<String> obstacle = account.obstacle();
    if (obstacle.isPresent()) return LocalResult.deferred(3, 5, obstacle.get(), target);
    try (LocalContent content = LocalContent.open(message)) {
      if (content.loops()) return Mbox.loop(message, target);
      return write(mailbox.get(), name(message), content, mayDeliver, target);
    } catch (LocalContent.ContentException e) {
      return new LocalResult.Unreadable(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return LocalFiles.notWritten(target, e);
    }
  }

  /** Unique in the world: the id is. A colon would begin the flags that readers add. */
  private static String name(LocalMessage message) {
    long seconds = message.id().arrived().getEpochSecond();
    return seconds + "." + message.id() + "R" + message.recipientIndex() + ".quorumail";
  }

  private LocalResult write(
      Path mailbox, String name, LocalContent content, BooleanSupplier mayDeliver, String target)
      throws IOException {
    for (String part : new String[] {"tmp", "new", "cur"})
      path.createDirectories(mailbox.resolve(part), account);
    Path tmp = mailbox.resolve("tmp").resolve(name + ".P" + ProcessHandle.current().pid());
    Path delivered = mailbox.resolve("new").resolve(name);
    Files.deleteIfExists(tmp);
    try {
      writeFile(tmp, content);
      if (!mayDeliver.getAsBoolean()) return new LocalResult.Denied();
      Files.move(tmp, delivered, StandardCopyOption.ATOMIC_MOVE);
      LocalFiles.force(LocalFiles.parent(delivered));
      return LocalResult.delivered("delivered to the mailbox", target);
    } finally {
      Files.deleteIfExists(tmp);
    }
  }

  private void writeFile(Path file, LocalContent content) throws IOException {
    Set<StandardOpenOption> create =
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try (FileChannel channel = FileChannel.open(file, create, MailboxPath.FILE_MODE)) {
      account.give(file);
      OutputStream out = Channels.newOutputStream(channel);
      content.writeTo(out, false);
      channel.force(true);
    }
  }

  /** The target as the configuration writes it, with its account. */
  @Override
  public String toString() {
    return "maildir:" + path.template() + (account.user().isEmpty() ? "" : " as " + account);
  }
}
