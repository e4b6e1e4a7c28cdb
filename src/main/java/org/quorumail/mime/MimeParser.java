package org.quorumail.mime;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The parser of a content's entities, RFC 2046 §5.1 and §5.2.1. It passes every octet once, in
 * order, to an {@link EntityHandler}. It holds one header and the open boundaries, never a body.
 */
final class MimeParser {
  private static final int MAX_HEADER = 256 * 1024; // far above what mail systems let pass
  private static final int MAX_DEPTH = 100; // Postfix's mime_nesting_limit
  private static final int MAX_ENTITIES = 10_000;
  private static final byte[] LINE_END = {'\r', '\n'};

  private final CrlfLineReader lines;
  private final EntityHandler reader;
  private final List<OpenEntity> openEntities = new ArrayList<>();
  private final ByteArrayOutputStream header = new ByteArrayOutputStream();
  private State state = State.HEADER;
  private boolean headerOfMessage = true;
  private ContentType defaultType = ContentType.TEXT;
  private int entity;
  private boolean inBoundary; // the line of a boundary is longer than a piece
  private boolean lineEndOpen; // of a body; it belongs to a boundary that follows (RFC 2046 §5.1.1)
  private Optional<String> problem = Optional.empty();

  /** The receiver of the parts. Entities are numbered from 0 in the order of their headers. */
  interface EntityHandler {
    void header(int entity, EntityHeader header);

    /** Octets of a body without parts, without line ends. */
    void text(int entity, byte[] bytes, int offset, int length);

    void lineEnd(int entity);

    /**
     * The end of a body without parts.
     *
     * @param last whether the content ends too, so that no boundary follows
     */
    void end(int entity, boolean last);

    /** Octets between the parts: boundaries, preambles and epilogues. */
    void betweenParts(byte[] bytes, int offset, int length);

    void lineEndBetweenParts();
  }

  private enum State {
    HEADER,
    BODY,
    BETWEEN
  }

  /**
   * An open entity that has entities in it.
   *
   * @param boundary with the hyphens before it; empty for a message, which ends with its container
   */
  private record OpenEntity(byte[] boundary, ContentType defaultType) {}

  MimeParser(InputStream content, EntityHandler reader) {
    this.lines = new CrlfLineReader(content);
    this.reader = reader;
  }

  /** The reason why the content cannot be parsed; {@link #step} ends with it. */
  Optional<String> problem() {
    return problem;
  }

  /** Parses one piece; false at the end of the content. */
  boolean step() throws IOException {
    if (problem.isPresent()) return false;
    if (!lines.next()) {
      finish();
      return false;
    }
    if (inBoundary) {
      restOfBoundary();
      return true;
    }
    OpenEntity level = lines.startsLine() ? boundaryHere() : null;
    if (level != null) boundary(level);
    else if (state == State.HEADER) headerPiece();
    else bodyPiece();
    return true;
  }

  private void finish() {
    if (state == State.HEADER) headerEnds(false);
    if (state == State.BODY) bodyEnds(true);
    state = State.BETWEEN;
  }

  /** The open entity with the longest boundary that the line begins with (RFC 2046 §5.1.1). */
  private @Nullable OpenEntity boundaryHere() {
    if (lines.length() < 2 || lines.bytes()[lines.offset()] != '-') return null;
    OpenEntity longest = null;
    for (OpenEntity level : openEntities) {
      boolean longer = longest == null || level.boundary.length >= longest.boundary.length;
      if (longer && level.boundary.length > 0 && lineBeginsWith(level.boundary)) longest = level;
    }
    return longest;
  }

  private boolean lineBeginsWith(byte[] text) {
    if (lines.length() < text.length) return false;
    for (int i = 0; i < text.length; i++) {
      if (lines.bytes()[lines.offset() + i] != text[i]) return false;
    }
    return true;
  }

  private void boundary(OpenEntity level) {
    if (state == State.HEADER) headerEnds(false);
    if (state == State.BODY) bodyEnds(false);
    while (openEntities.getLast() != level) openEntities.removeLast();
    int after = lines.offset() + level.boundary.length;
    boolean closes =
        lines.length() >= level.boundary.length + 2
            && lines.bytes()[after] == '-'
            && lines.bytes()[after + 1] == '-';
    restOfBoundary();
    if (closes) {
      openEntities.removeLast();
      state = State.BETWEEN;
    } else {
      beginHeader(false, level.defaultType);
    }
  }

  private void restOfBoundary() {
    reader.betweenParts(lines.bytes(), lines.offset(), lines.length());
    if (lines.endsLine()) reader.lineEndBetweenParts();
    inBoundary = !lines.endsLine();
  }

  private void beginHeader(boolean ofMessage, ContentType otherwise) {
    entity++;
    if (entity >= MAX_ENTITIES) problem = Optional.of("it has too many parts");
    header.reset();
    headerOfMessage = ofMessage;
    defaultType = otherwise;
    state = State.HEADER;
  }

  private void headerPiece() {
    byte[] bytes = lines.bytes();
    if (lines.startsLine()) {
      if (lines.length() == 0) {
        headerEnds(true);
        return;
      }
      boolean folded =
          header.size() > 0 && (bytes[lines.offset()] == ' ' || bytes[lines.offset()] == '\t');
      if (!folded && !EntityHeader.isField(bytes, lines.offset(), lines.length())) {
        headerEnds(false); // a body without a blank line before it
        bodyPiece();
        return;
      }
    }
    header.write(bytes, lines.offset(), lines.length());
    if (lines.endsLine()) header.writeBytes(LINE_END);
    if (header.size() > MAX_HEADER) problem = Optional.of("a header of it is too long");
  }

  private void headerEnds(boolean blankLine) {
    EntityHeader found =
        new EntityHeader(header.toByteArray(), blankLine, headerOfMessage, defaultType);
    header.reset();
    reader.header(entity, found);
    state = State.BODY;
    lineEndOpen = false;
    if (!blankLine) return; // without it the rest is hardly what the header declares
    Optional<String> boundary = found.multipartBoundary();
    if (boundary.isPresent()) {
      byte[] delimiter = ("--" + boundary.get()).getBytes(StandardCharsets.ISO_8859_1);
      enter(new OpenEntity(delimiter, found.isDigest() ? ContentType.MESSAGE : ContentType.TEXT));
      state = State.BETWEEN;
    } else if (found.isMessage()) {
      enter(new OpenEntity(new byte[0], ContentType.TEXT));
      beginHeader(true, ContentType.TEXT);
    }
  }

  private void enter(OpenEntity level) {
    openEntities.add(level);
    if (openEntities.size() > MAX_DEPTH) problem = Optional.of("its parts are nested too deep");
  }

  private void bodyPiece() {
    if (state == State.BETWEEN) {
      reader.betweenParts(lines.bytes(), lines.offset(), lines.length());
      if (lines.endsLine()) reader.lineEndBetweenParts();
      return;
    }
    if (lineEndOpen) reader.lineEnd(entity);
    reader.text(entity, lines.bytes(), lines.offset(), lines.length());
    lineEndOpen = lines.endsLine();
  }

  private void bodyEnds(boolean last) {
    if (lineEndOpen && last) reader.lineEnd(entity);
    reader.end(entity, last);
    if (lineEndOpen && !last) reader.lineEndBetweenParts();
    lineEndOpen = false;
  }
}
