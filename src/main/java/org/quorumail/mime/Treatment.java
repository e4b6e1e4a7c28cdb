package org.quorumail.mime;

/** What is done with one entity. */
public sealed interface Treatment {
  /** Nothing. */
  record Keep() implements Treatment {}

  /** The octets stay; what the header promises of them is lowered. */
  record Relabel(DataKind kind) implements Treatment {}

  record QuotedPrintable() implements Treatment {}

  record Base64() implements Treatment {}
}
