package org.quorumail.mime;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** The converted content: each entity is encoded as planned while the stream is read. */
final class ConvertedStream extends InputStream implements MimeParser.EntityHandler {
  private final InputStream content;
  private final MimeParser parser;
  private final List<EncodingAction> actions;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(2 * CrlfLineReader.MAX_PIECE);
  private BodyEncoder body = new BodyEncoder.Plain(out);
  private byte[] ready = {};
  private int at;

  ConvertedStream(InputStream content, List<EncodingAction> treatments) {
    this.content = content;
    this.parser = new MimeParser(content, this);
    this.actions = treatments;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) return 0;
    if (at == ready.length && !advance()) return -1;
    int count = Math.min(length, ready.length - at);
    System.arraycopy(ready, at, bytes, offset, count);
    at += count;
    return count;
  }

  @Override
  public void close() throws IOException {
    content.close();
  }

  /** Converts until there is something to read; false at the end. */
  private boolean advance() throws IOException {
    out.reset();
    boolean more = true;
    while (more && out.size() < CrlfLineReader.MAX_PIECE) more = parser.step();
    ready = out.toByteArray();
    at = 0;
    return ready.length > 0;
  }

  @Override
  public void header(int entity, EntityHeader header) {
    switch (actions.get(entity)) {
      case EncodingAction.Keep keep -> {
        header.write(out);
        body = new BodyEncoder.Plain(out);
      }
      case EncodingAction.Relabel relabel -> {
        header.write(out, relabel.kind().label(), false);
        body = new BodyEncoder.Plain(out);
      }
      case EncodingAction.QuotedPrintable quoted -> {
        header.write(out, "quoted-printable", true);
        body = new BodyEncoder.QuotedPrintable(out);
      }
      case EncodingAction.Base64 base64 -> {
        header.write(out, "base64", true);
        body = new BodyEncoder.Base64(out);
      }
    }
  }

  @Override
  public void text(int entity, byte[] bytes, int offset, int length) {
    body.text(bytes, offset, length);
  }

  @Override
  public void lineEnd(int entity) {
    body.lineEnd();
  }

  @Override
  public void end(int entity, boolean last) {
    body.end(last);
  }

  @Override
  public void betweenParts(byte[] bytes, int offset, int length) {
    out.write(bytes, offset, length);
  }

  @Override
  public void lineEndBetweenParts() {
    out.write('\r');
    out.write('\n');
  }
}
