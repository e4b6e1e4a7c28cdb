package org.quorumail.policy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.quorumail.policy.MessageHeader.Field;

/**
 * A message with changes: a header in memory before a body that is not copied. A message that only
 * gets fields in front keeps every received octet.
 */
final class EditedContent implements MessageContent {
  private final byte[] head;
  private final MessageContent body;
  private final long bodyAt;

  private EditedContent(byte[] head, MessageContent body, long bodyAt) {
    this.head = head;
    this.body = body;
    this.bodyAt = bodyAt;
  }

  /**
   * @throws MessageHeader.TooLongException when the header is too long to be changed
   */
  static MessageContent of(MessageContent content, List<Edit> edits) throws IOException {
    List<Edit.ContentEdit> changes = new ArrayList<>();
    for (Edit edit : edits) if (edit instanceof Edit.ContentEdit change) changes.add(change);
    if (changes.isEmpty()) return content;
    if (changes.stream().allMatch(EditedContent::isPrepend)) {
      return new EditedContent(prependedFields(changes), content, 0);
    }
    MessageHeader header = MessageHeader.read(content);
    List<Field> fields = new ArrayList<>(header.fields());
    MessageContent body = content;
    long bodyAt = header.bodyAt();
    for (Edit.ContentEdit change : changes) {
      switch (change) {
        case Edit.InsertHeader e ->
            fields.add(Math.clamp(e.index(), 0, fields.size()), field(e.name(), e.value()));
        case Edit.AppendHeader e -> fields.add(field(e.name(), e.value()));
        case Edit.ChangeHeader e -> change(fields, e);
        case Edit.ReplaceBody e -> {
          body = e.body();
          bodyAt = 0;
        }
      }
    }
    boolean emptyLine = header.hasEmptyLine() || body != content || bodyAt < content.size();
    return new EditedContent(octets(fields, emptyLine), body, bodyAt);
  }

  @Override
  public long size() {
    return head.length + body.size() - bodyAt;
  }

  @Override
  public InputStream open(long from) throws IOException {
    if (from >= head.length) return body.open(bodyAt + from - head.length);
    ByteArrayInputStream rest =
        new ByteArrayInputStream(head, (int) from, head.length - (int) from);
    return new SequenceInputStream(rest, body.open(bodyAt));
  }

  static boolean isPrepend(Edit edit) {
    return edit instanceof Edit.InsertHeader insert && insert.index() == 0;
  }

  /** The octets of the fields that edits put in front of a message; the last edit comes first. */
  static byte[] prependedFields(List<? extends Edit> edits) {
    List<Field> fields = new ArrayList<>();
    for (Edit edit : edits) {
      if (edit instanceof Edit.InsertHeader insert) {
        fields.addFirst(field(insert.name(), insert.value()));
      }
    }
    return octets(fields, false);
  }

  private static byte[] octets(List<Field> fields, boolean emptyLine) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(256);
    for (int i = 0; i < fields.size(); i++) {
      byte[] octets = fields.get(i).octets();
      out.writeBytes(octets);
      boolean unterminated = octets.length < 2 || octets[octets.length - 1] != '\n';
      if (unterminated && (emptyLine || i + 1 < fields.size()))
        out.writeBytes(new byte[] {'\r', '\n'});
    }
    if (emptyLine) out.writeBytes(new byte[] {'\r', '\n'});
    return out.toByteArray();
  }

  private static void change(List<Field> fields, Edit.ChangeHeader edit) {
    int seen = 0;
    for (int i = 0; i < fields.size(); i++) {
      if (!fields.get(i).isNamed(edit.name()) || ++seen < edit.occurrence()) continue;
      if (edit.value().isEmpty()) fields.remove(i);
      else fields.set(i, field(edit.name(), edit.value()));
      return;
    }
    if (!edit.value().isEmpty()) fields.add(field(edit.name(), edit.value()));
  }

  /**
   * Makes exactly one field, whatever the value holds: each line but the first begins with a blank,
   * and no octet is NUL or a bare CR or LF.
   */
  static Field field(String name, String value) {
    StringBuilder text = new StringBuilder(name.length() + value.length() + 4);
    for (char c : name.toCharArray()) if (c > ' ' && c < 0x7F && c != ':') text.append(c);
    if (text.isEmpty()) text.append("X-Unnamed");
    text.append(':');
    if (!value.startsWith(" ") && !value.startsWith("\t")) text.append(' ');
    List<String> lines = Arrays.asList(value.split("\r\n|\r|\n"));
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).replace("\0", "");
      if (i > 0) {
        if (line.isBlank())
          continue; // a line of blanks alone is obsolete (RFC 5322 §4.2) and misleads parsers
        text.append("\r\n");
        if (!line.startsWith(" ") && !line.startsWith("\t")) text.append('\t');
      }
      text.append(line);
    }
    return new Field(text.append("\r\n").toString());
  }
}
