/**
 * The answers of a running node about its queue, cluster, DNS and health: implementations of the
 * views that {@code api} declares. Thread-safe and without waiting. Only the root wires them.
 */
@NullMarked
package org.quorumail.admin;

import org.jspecify.annotations.NullMarked;
