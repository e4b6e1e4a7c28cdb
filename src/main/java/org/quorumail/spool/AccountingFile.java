package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.replication.DurableFile;
import org.quorumail.spool.MailEvent.Position;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * The file with the events of the mail that this node has accepted: those of its own spool, also
 * when another node owns it. They come from the replica on this node, so events from the time of a
 * takeover follow when the node is back. The position behind the last written event is in a file
 * beside the data; a crash between the two writes some lines a second time.
 *
 * <p>The file is opened for each write: it may be moved away at any time.
 *
 * <p>Thread: one calls {@link #write}.
 */
public final class AccountingFile {
  private static final Logger LOG = LoggerFactory.getLogger(AccountingFile.class);

  /** The time between two writes; each forces the file. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  private static final int PAGE = 1_000;
  private static final JsonMapper JSON = JsonMapper.shared();

  private final AccountingConfig config;
  private final Path file;
  private final Path cursorFile;
  private final String spool;
  private final Spools spools;
  private boolean failing;

  /**
   * @param cursorFile keeps the position over restarts
   * @param spool the name of the node's own spool
   */
  public AccountingFile(AccountingConfig config, Path cursorFile, String spool, Spools spools) {
    this.config = config;
    this.file = config.file().orElseThrow();
    this.cursorFile = cursorFile;
    this.spool = spool;
    this.spools = spools;
  }

  /** Writes the events since the last call. A failure is one line; the next call tries again. */
  public void write() {
    try {
      boolean more = true;
      while (more && !spools.isDiskFull()) more = writePage(); // mail needs the room more
      if (failing) LOG.info("event=accounting_resumed file={}", file);
      failing = false;
    } catch (IOException | UncheckedIOException e) {
      if (!failing)
        LOG.warn("event=accounting_not_written file={} reason=\"{}\"", file, e.getMessage());
      failing = true;
    }
  }

  /** Writes at most one page; true when there may be more. */
  private boolean writePage() throws IOException {
    Optional<Position> cursor = cursor();
    List<EventQueries.Page> pages =
        spools.events().after(List.of(spool), name -> cursor, Long.MAX_VALUE, PAGE);
    if (pages.isEmpty()) return false;
    EventQueries.Page page = pages.getFirst();
    if (!page.events().isEmpty()) {
      StringBuilder lines = new StringBuilder();
      for (MailEvent event : page.events())
        lines.append(JSON.writeValueAsString(MailEventFields.of(spool, event))).append('\n');
      append(lines.toString().getBytes(StandardCharsets.UTF_8));
    } else if (cursor.isPresent()) {
      return false;
    }
    DurableFile.replace(cursorFile, page.position().toString().getBytes(StandardCharsets.US_ASCII));
    return page.events().size() == PAGE;
  }

  /** The position behind the last written event; empty before the first call of all. */
  private Optional<Position> cursor() throws IOException {
    if (!Files.exists(cursorFile)) return Optional.empty();
    String text = Files.readString(cursorFile, StandardCharsets.US_ASCII).strip();
    if (!text.matches("[0-9]{1,18}\\.[0-9]{1,9}")) {
      LOG.warn("event=accounting_position_damaged file={}", cursorFile);
      return Optional.empty(); // new events only
    }
    int dot = text.indexOf('.');
    return Optional.of(
        new Position(
            Long.parseLong(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1))));
  }

  /** Appends all bytes or none, and forces them. */
  private void append(byte[] bytes) throws IOException {
    if (Files.exists(file) && Files.size(file) >= config.maxSize()) rotate();
    var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    try (FileChannel out =
        FileChannel.open(file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), mode)) {
      long before = out.size();
      try {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        for (long at = before; rest.hasRemaining(); ) at += out.write(rest, at);
        out.force(true);
      } catch (IOException e) {
        out.truncate(before); // no line without its end
        throw e;
      }
    }
  }

  private void rotate() throws IOException {
    for (int i = config.keep(); i > 0; i--) {
      Path from = i == 1 ? file : numbered(i - 1);
      if (Files.exists(from)) Files.move(from, numbered(i), StandardCopyOption.REPLACE_EXISTING);
    }
    if (config.keep() == 0) Files.delete(file);
  }

  private Path numbered(int i) {
    return file.resolveSibling(file.getFileName() + "." + i);
  }
}
