package org.quorumail.tls;

import java.nio.file.Path;

/** PEM files: a certificate chain and its private key (PKCS#8). */
public record KeyPairFiles(Path certificate, Path key) {}
