/**
 * The conversion of content for a next hop that takes less than the client sent: parts with octets
 * above 127 or with binary data are encoded, and nothing else changes. Start with {@link
 * org.quorumail.mime.Conversion}. Streams in bounded memory; pure, no threads. RFC 2045
 * (encodings), RFC 2046 (multipart, message), RFC 6152 §3, RFC 3030 §3, RFC 1428. Must not know
 * SMTP.
 */
@NullMarked
package org.quorumail.mime;

import org.jspecify.annotations.NullMarked;
