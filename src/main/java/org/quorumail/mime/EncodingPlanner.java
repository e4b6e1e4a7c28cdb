package org.quorumail.mime;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Plans the action on every entity for a next hop that takes one kind of data at most. */
final class EncodingPlanner implements MimeParser.EntityHandler {
  private static final EncodingAction KEEP = new EncodingAction.Keep();

  private final DataKind target;
  private final List<EncodingAction> actions = new ArrayList<>();
  private final DataKindScanner between = new DataKindScanner();
  private @Nullable EntityHeader header;
  private DataKindScanner body = new DataKindScanner();
  private boolean anyEncoded;
  private Optional<String> problem = Optional.empty();

  EncodingPlanner(DataKind target) {
    this.target = target;
  }

  /** The actions, by the number of the entity. */
  List<EncodingAction> actions() {
    return List.copyOf(actions);
  }

  boolean anyEncoded() {
    return anyEncoded;
  }

  /** The reason why the content cannot be converted; empty when it can. */
  Optional<String> problem() {
    if (problem.isEmpty() && between.kindOfOctets().exceeds(target)) {
      refuse("text between its parts");
    }
    return problem;
  }

  /**
   * Octets above 127 in a header pass unchanged. No extension covers them but SMTPUTF8, which is
   * checked before; their charset is unknown, and other systems pass them too.
   */
  @Override
  public void header(int entity, EntityHeader header) {
    DataKindScanner octets = new DataKindScanner();
    octets.block(header.bytes());
    boolean text = octets.kindOfOctets() != DataKind.BINARY;
    if (!text && target != DataKind.BINARY) refuse("a header");
    this.header = header;
    body = new DataKindScanner();
    actions.add(relabelIfNeeded(header));
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
    EntityHeader of = header;
    if (of == null || !body.kind().exceeds(target)) return;
    if (of.isEncodable()) {
      boolean readable = of.isText() && body.mostlyAscii();
      actions.set(
          entity, readable ? new EncodingAction.QuotedPrintable() : new EncodingAction.Base64());
      anyEncoded = true;
    } else if (body.kindOfOctets().exceeds(target)) {
      refuse("a body of " + of.typeName());
    }
  }

  @Override
  public void betweenParts(byte[] bytes, int offset, int length) {
    between.text(bytes, offset, length);
  }

  @Override
  public void lineEndBetweenParts() {
    between.lineEnd();
  }

  /** Relabels a header that declares more than the next hop takes; the body will not have it. */
  private EncodingAction relabelIfNeeded(EntityHeader header) {
    return header.declaredKind().exceeds(target) ? new EncodingAction.Relabel(target) : KEEP;
  }

  private void refuse(String what) {
    if (problem.isEmpty()) problem = Optional.of(what + " cannot be encoded");
  }
}
