package org.quorumail.config;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A text file that an operator has written, read line by line. The text is UTF-8, with or without a
 * byte order mark; lines end with LF, CRLF or CR. What is not such a text is refused with one
 * sentence that names the file and, where there is one, the line.
 */
public final class TextFile implements Closeable {
  /** The longest line; the longest useful one is an alias with a thousand targets. */
  private static final int MAX_LINE = 1 << 20;

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private final Path file;
  private final InputStream in;
  private int number;
  private int pushedBack = -1;

  private TextFile(Path file, InputStream in) {
    this.file = file;
    this.in = in;
  }

  /** Opens a file to read its lines. */
  public static TextFile open(Path file) throws IOException {
    try {
      return new TextFile(file, new BufferedInputStream(Files.newInputStream(file), 1 << 16));
    } catch (FileSystemException e) {
      throw unreadable(file, e);
    }
  }

  /**
   * Reads a whole file; its lines end with LF.
   *
   * @param maxSize octets; a larger file was named by mistake
   */
  public static String read(Path file, long maxSize) throws IOException {
    try (TextFile lines = open(file)) {
      if (Files.size(file) > maxSize) {
        throw new IOException(file + " is larger than " + maxSize + " bytes");
      }
      StringBuilder text = new StringBuilder();
      for (String line = lines.next(); line != null; line = lines.next()) {
        text.append(line).append('\n');
      }
      return text.toString();
    }
  }

  /** Reads the next line without its end; null after the last one. */
  public @Nullable String next() throws IOException {
    ByteArrayOutputStream octets = new ByteArrayOutputStream(80);
    int c = octet();
    if (c < 0) return null;
    number++;
    while (c >= 0 && c != '\n' && c != '\r') {
      if (octets.size() == MAX_LINE) throw problem("is longer than " + MAX_LINE + " bytes");
      octets.write(c);
      c = octet();
    }
    if (c == '\r') {
      c = octet();
      if (c != '\n') pushedBack = c;
    }
    return text(octets.toByteArray());
  }

  /** The number of the line that {@link #next} has returned, from 1. */
  public int number() {
    return number;
  }

  /** The place of the line, for an error: {@code FILE line N}. */
  public String place() {
    return file + " line " + number;
  }

  private String text(byte[] octets) throws IOException {
    if (number == 1 && startsLikeUtf16(octets)) {
      throw new LineException(this, "is UTF-16 text; save the file as UTF-8");
    }
    String line;
    try {
      line = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
    } catch (CharacterCodingException e) {
      throw problem("is not UTF-8; save the file as UTF-8");
    }
    if (number == 1 && line.indexOf(BYTE_ORDER_MARK) == 0) line = line.substring(1);
    if (line.indexOf(BYTE_ORDER_MARK) >= 0) {
      throw problem("has a byte order mark inside the text; remove it");
    }
    if (line.indexOf('\0') >= 0) throw problem("has a NUL octet: this is no text in UTF-8");
    return line;
  }

  private static boolean startsLikeUtf16(byte[] octets) {
    if (octets.length < 2) return false;
    int mark = (octets[0] & 0xFF) << 8 | (octets[1] & 0xFF);
    return mark == 0xFFFE || mark == 0xFEFF;
  }

  private int octet() throws IOException {
    int pushed = pushedBack;
    if (pushed >= 0) {
      pushedBack = -1;
      return pushed;
    }
    try {
      return in.read();
    } catch (FileSystemException e) {
      throw unreadable(file, e);
    } catch (IOException e) { // such as that of a directory, which opens
      throw new IOException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private IOException problem(String fault) {
    return new LineException(this, fault);
  }

  private static IOException unreadable(Path file, FileSystemException e) {
    if (e instanceof NoSuchFileException) return new IOException("there is no file " + file, e);
    String reason = e.getReason() == null ? "permission denied" : e.getReason();
    return new IOException(file + " cannot be read: " + reason, e);
  }

  /** A line that is no text. The message names file and line. */
  public static final class LineException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int line;
    private final String fault;

    LineException(TextFile file, String fault) {
      super(file.place() + " " + fault);
      this.line = file.number;
      this.fault = fault;
    }

    public int line() {
      return line;
    }

    /** The fault without its place. */
    public String fault() {
      return fault;
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
