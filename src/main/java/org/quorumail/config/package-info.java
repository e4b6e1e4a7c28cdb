/**
 * The engine of the configuration: sections of typed keys over command line, environment and TOML,
 * units, problems with key and line, and the list of all keys; also the value types that every part
 * uses. Start with {@link org.quorumail.config.Section}. All problems are reported at once.
 *
 * <p>Threads: those of the callers; values are immutable. RFC 1123 (host names). Must not know the
 * parts: each part has its own records and reader, and {@code node} composes them.
 */
@NullMarked
package org.quorumail.config;

import org.jspecify.annotations.NullMarked;
