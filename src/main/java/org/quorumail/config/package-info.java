/**
 * The configuration as immutable records, parsed and validated once at start and at reload. Start
 * with {@link org.quorumail.node.Config}. Every problem is reported with its key and line, all of
 * them at once. No threads. Must not know the parts that it configures.
 */
@NullMarked
package org.quorumail.config;

import org.jspecify.annotations.NullMarked;
