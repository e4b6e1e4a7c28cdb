package org.quorumail.tls;

/** Whether clients are asked for a certificate in the handshake, and whether they must have one. */
public enum ClientCertificates {
  NONE,
  REQUEST,
  REQUIRE
}
