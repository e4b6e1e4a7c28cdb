package org.quorumail.delivery.local;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.quorumail.mail.ReversePath;

/**
 * Mailboxes of one file for all messages, each after a line {@code From sender date}. The file is
 * locked as mail readers do, by {@code FILE.lock} and by fcntl. A failed append is cut off again.
 */
public record Mbox(MailboxPath path, MailboxAccount account) implements LocalTarget {
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration LOCK_POLL = Duration.ofMillis(50);

  /** A lock file of this age belongs to a program that has died; Postfix waits as long. */
  private static final Duration STALE_LOCK_AGE = Duration.ofSeconds(500);

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss yyyy", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  @Override
  public Mbox withAccount(MailboxAccount other) {
    return new Mbox(path, other);
  }

  static LocalResult noName(LocalMessage message, String target) {
    String reason = message.recipient().printable() + " cannot be the name of a mailbox";
    return LocalResult.failed(1, 3, reason, target);
  }

  static LocalResult loop(LocalMessage message, String target) {
    String reason = "mail forwarding loop for " + message.recipient().printable();
    return LocalResult.failed(4, 6, reason, target);
  }

  @Override
  public LocalResult deliver(LocalMessage message, BooleanSupplier mayDeliver) {
    Optional<Path> file = path.resolve(message.recipient());
    if (file.isEmpty()) return noName(message, toString());
    String target = "mbox:" + LocalContent.oneLine(file.get());
    Optional<String> obstacle = account.obstacle();
    if (obstacle.isPresent()) return LocalResult.deferred(3, 5, obstacle.get(), target);
    try (LocalContent content = LocalContent.open(message)) {
      if (content.loops()) return loop(message, target);
      return underLock(file.get(), message, content, mayDeliver, target);
    } catch (LocalContent.ContentException e) {
      return new LocalResult.Unreadable(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return LocalFiles.notWritten(target, e);
    }
  }

  private LocalResult underLock(
      Path file,
      LocalMessage message,
      LocalContent content,
      BooleanSupplier mayDeliver,
      String target)
      throws IOException {
    path.createDirectories(LocalFiles.parent(file), account);
    Path lock = file.resolveSibling(file.getFileName() + ".lock");
    long deadline = System.nanoTime() + LOCK_TIMEOUT.toNanos();
    if (!createLock(lock, deadline))
      return LocalResult.deferred(2, 0, "the mailbox is locked by " + lock, target);
    try {
      return append(file, message, content, mayDeliver, target, deadline);
    } finally {
      Files.deleteIfExists(lock);
    }
  }

  private static boolean createLock(Path lock, long deadline) throws IOException {
    while (true) {
      try {
        Files.createFile(lock, MailboxPath.FILE_MODE);
        return true;
      } catch (FileAlreadyExistsException e) {
        removeStale(lock);
        if (!sleepBefore(deadline)) return false;
      }
    }
  }

  private static void removeStale(Path lock) throws IOException {
    try {
      Instant since = Files.getLastModifiedTime(lock, LinkOption.NOFOLLOW_LINKS).toInstant();
      if (since.isBefore(Instant.now().minus(STALE_LOCK_AGE))) Files.deleteIfExists(lock);
    } catch (NoSuchFileException e) {
      // its owner has just removed it
    }
  }

  /** Sleeps once; false when the time is over. */
  private static boolean sleepBefore(long deadline) {
    if (System.nanoTime() - deadline >= 0) return false;
    try {
      Thread.sleep(LOCK_POLL);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private LocalResult append(
      Path file,
      LocalMessage message,
      LocalContent content,
      BooleanSupplier mayDeliver,
      String target,
      long deadline)
      throws IOException {
    boolean isNew = !Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    if (!isNew && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
      throw new IOException(file + " is not a file");
    Set<OpenOption> append =
        Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    try (FileChannel channel = FileChannel.open(file, append, MailboxPath.FILE_MODE)) {
      if (isNew) account.give(file);
      FileLock lock = channel.tryLock();
      while (lock == null && sleepBefore(deadline)) lock = channel.tryLock();
      if (lock == null) return LocalResult.deferred(2, 0, "a program locks the mailbox", target);
      if (!mayDeliver.getAsBoolean()) return new LocalResult.Denied();
      append(channel, message, content);
    }
    if (isNew) LocalFiles.force(LocalFiles.parent(file));
    return LocalResult.delivered("delivered to the mailbox", target);
  }

  private static void append(FileChannel channel, LocalMessage message, LocalContent content)
      throws IOException {
    long before = channel.size();
    boolean complete = false;
    try {
      channel.position(before);
      var out = Channels.newOutputStream(channel);
      out.write(fromLine(message).getBytes(StandardCharsets.UTF_8));
      content.writeTo(out, true);
      out.write('\n');
      channel.force(true);
      complete = true;
    } finally {
      if (!complete) {
        channel.truncate(before);
        channel.force(true);
      }
    }
  }

  private static String fromLine(LocalMessage message) {
    boolean isReport = message.reversePath() instanceof ReversePath.Null;
    String sender = isReport ? "MAILER-DAEMON" : LocalContent.oneLine(message.reversePath());
    return "From " + sender.replace(' ', '_') + " " + DATE.format(Instant.now()) + "\n";
  }

  /** The target as the configuration writes it, with its account. */
  @Override
  public String toString() {
    return "mbox:" + path.template() + (account.user().isEmpty() ? "" : " as " + account);
  }
}
