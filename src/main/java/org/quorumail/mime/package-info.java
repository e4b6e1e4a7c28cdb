/**
 * Messages composed from text, HTML and attachments, and content converted for a next hop that
 * takes less than the client sent. Start with {@link org.quorumail.mime.Conversion} or {@link
 * org.quorumail.mime.MessageComposer}. A conversion streams in bounded memory; a composed message
 * is in memory. No threads. RFC 5322, RFC 2045 (encodings), RFC 2046 (multipart, message), RFC
 * 2047, RFC 2231 (header text), RFC 6152 §3, RFC 3030 §3, RFC 1428. Must not know SMTP.
 */
@NullMarked
package org.quorumail.mime;

import org.jspecify.annotations.NullMarked;
