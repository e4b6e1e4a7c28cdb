package org.quorumail.mime;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Looks at every entity and decides what must be done for a next hop that takes so much. */
final class Survey implements Structure.Reader {
  private static final Treatment KEEP = new Treatment.Keep();

  private final DataKind target;
  private final List<Treatment> treatments = new ArrayList<>();
  private final Measure between = new Measure();
  private @Nullable EntityHeader header;
  private Measure body = new Measure();
  private boolean anyEncoded;
  private Optional<String> problem = Optional.empty();

  Survey(DataKind target) {
    this.target = target;
  }

  /** By the number of the entity. */
  List<Treatment> treatments() {
    return List.copyOf(treatments);
  }

  boolean anyEncoded() {
    return anyEncoded;
  }

  /** Why the content cannot be made to fit. */
  Optional<String> problem() {
    if (problem.isEmpty() && between.kindOfOctets().exceeds(target)) {
      refuse("text between its parts");
    }
    return problem;
  }

  /**
   * Octets above 127 in a header pass as they are: no extension speaks of them (SMTPUTF8 does, and
   * is asked for before), nobody knows their charset, and other systems pass them too.
   */
  @Override
  public void header(int entity, EntityHeader header) {
    Measure octets = new Measure();
    octets.block(header.bytes());
    boolean text = octets.kindOfOctets() != DataKind.BINARY;
    if (!text && target != DataKind.BINARY) refuse("a header");
    this.header = header;
    body = new Measure();
    treatments.add(lowered(header));
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
    if (of.encodable()) {
      boolean readable = of.text() && body.mostlyAscii();
      treatments.set(entity, readable ? new Treatment.QuotedPrintable() : new Treatment.Base64());
      anyEncoded = true;
    } else if (body.kindOfOctets().exceeds(target)) {
      refuse("a body of " + of.typeName());
    }
  }

  @Override
  public void between(byte[] bytes, int offset, int length) {
    between.text(bytes, offset, length);
  }

  @Override
  public void lineEndBetween() {
    between.lineEnd();
  }

  /** Where the header promises more than the next hop takes, and the body will not have it. */
  private Treatment lowered(EntityHeader header) {
    return header.promised().exceeds(target) ? new Treatment.Relabel(target) : KEEP;
  }

  private void refuse(String what) {
    if (problem.isEmpty()) problem = Optional.of(what + " cannot be encoded");
  }
}
