/**
 * Messages over HTTP: raw, as JSON, as a form; one for all recipients, or one for each with data of
 * its own. Start with {@link org.quorumail.inject.HttpInjection}, which implements {@link
 * org.quorumail.api.InjectionView}. The messages go through {@link
 * org.quorumail.smtp.server.InjectionEndpoint}, as submitted mail does. Threads: that of the
 * request, and some virtual ones for a batch. RFC 5322, RFC 6409, RFC 7578 (forms). Must not know
 * how mail is stored.
 */
@NullMarked
package org.quorumail.inject;

import org.jspecify.annotations.NullMarked;
