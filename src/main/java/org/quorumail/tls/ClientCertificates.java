package org.quorumail.tls;

/** The demand for a client certificate in the handshake: none, optional or required. */
public enum ClientCertificates {
  NONE,
  REQUEST,
  REQUIRE
}
