package org.quorumail.mime;

/** What is done with one entity. */
public sealed interface EncodingAction {
  /** Nothing. */
  record Keep() implements EncodingAction {}

  /** The octets stay; what the header promises of them is lowered. */
  record Relabel(DataKind kind) implements EncodingAction {}

  record QuotedPrintable() implements EncodingAction {}

  record Base64() implements EncodingAction {}
}
