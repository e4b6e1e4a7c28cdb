package org.quorumail.mime;

/** The action on one entity of a content that is converted. */
public sealed interface EncodingAction {
  /** The entity stays unchanged. */
  record Keep() implements EncodingAction {}

  /** The octets stay; the header declares a narrower kind. */
  record Relabel(DataKind kind) implements EncodingAction {}

  /** The body is encoded as quoted-printable. */
  record QuotedPrintable() implements EncodingAction {}

  /** The body is encoded as base64. */
  record Base64() implements EncodingAction {}
}
