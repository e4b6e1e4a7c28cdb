package org.quorumail.mime;

import java.io.ByteArrayOutputStream;

/** Writes the body of one entity in one encoding, piece by piece. */
sealed interface BodyEncoder {
  /** Octets of a line, or of a part of one, without its CRLF. */
  void text(byte[] bytes, int offset, int length);

  void lineEnd();

  /**
   * Ends the body.
   *
   * @param last whether the content ends here; else the CRLF of a boundary follows
   */
  void end(boolean last);

  /** The body unchanged. */
  record Plain(ByteArrayOutputStream out) implements BodyEncoder {
    @Override
    public void text(byte[] bytes, int offset, int length) {
      out.write(bytes, offset, length);
    }

    @Override
    public void lineEnd() {
      out.write('\r');
      out.write('\n');
    }

    @Override
    public void end(boolean last) {}
  }

  /** Base64, RFC 2045 §6.8: every octet is encoded, line ends too. */
  final class Base64 implements BodyEncoder {
    private static final int LINE = 57; // 76 characters

    private final ByteArrayOutputStream out;
    private final byte[] line = new byte[LINE];
    private int filled;
    private boolean begun;

    Base64(ByteArrayOutputStream out) {
      this.out = out;
    }

    @Override
    public void text(byte[] bytes, int offset, int length) {
      for (int i = offset; i < offset + length; i++) octet(bytes[i]);
    }

    @Override
    public void lineEnd() {
      octet((byte) '\r');
      octet((byte) '\n');
    }

    @Override
    public void end(boolean last) {
      writeLine();
      if (last && begun) lineBreak();
    }

    private void octet(byte b) {
      line[filled++] = b;
      if (filled == LINE) writeLine();
    }

    private void writeLine() {
      if (filled == 0) return;
      if (begun) lineBreak();
      begun = true;
      byte[] octets = java.util.Arrays.copyOf(line, filled);
      out.writeBytes(java.util.Base64.getEncoder().encode(octets));
      filled = 0;
    }

    private void lineBreak() {
      out.write('\r');
      out.write('\n');
    }
  }

  /** Quoted-printable, RFC 2045 §6.7: the text stays readable, its line ends stay line ends. */
  final class QuotedPrintable implements BodyEncoder {
    private static final int LINE = 75; // and the = of a soft break
    private static final String HEX = "0123456789ABCDEF";

    private final ByteArrayOutputStream out;
    private int column;
    private int pendingBlank; // the blank just before; encoded if the line ends with it; 0 for none
    private boolean afterSoftBreak; // a line begun here could look like a boundary

    QuotedPrintable(ByteArrayOutputStream out) {
      this.out = out;
    }

    @Override
    public void text(byte[] bytes, int offset, int length) {
      for (int i = offset; i < offset + length; i++) {
        byte b = bytes[i];
        flushBlank(false);
        if (b == ' ' || b == '\t') pendingBlank = b;
        else put(b, b > ' ' && b <= '~' && b != '=');
      }
    }

    @Override
    public void lineEnd() {
      flushBlank(true);
      out.write('\r');
      out.write('\n');
      column = 0;
      afterSoftBreak = false;
    }

    @Override
    public void end(boolean last) {
      flushBlank(true);
      if (last && column > 0) softBreak(); // DATA would add a line end that is not in the body
    }

    private void flushBlank(boolean endsLine) {
      if (pendingBlank == 0) return;
      put((byte) pendingBlank, !endsLine);
      pendingBlank = 0;
    }

    private void put(byte b, boolean readable) {
      if (column + (readable ? 1 : 3) > LINE) softBreak();
      if (readable && !(b == '-' && column == 0 && afterSoftBreak)) {
        out.write(b);
        column++;
        return;
      }
      out.write('=');
      out.write(HEX.charAt((b >> 4) & 15));
      out.write(HEX.charAt(b & 15));
      column += 3;
    }

    private void softBreak() {
      out.write('=');
      out.write('\r');
      out.write('\n');
      column = 0;
      afterSoftBreak = true;
    }
  }
}
