/**
 * What can be asked of a node and told to it, by HTTP and over the control socket. Start with
 * {@link org.quorumail.api.Api}, the table of routes; {@link org.quorumail.api.HttpServer} and
 * {@link org.quorumail.api.ControlSocket} are the two ways to call it; {@link
 * org.quorumail.api.NodeView}, {@link org.quorumail.api.ClusterView} and {@link
 * org.quorumail.api.QueueView} are what it asks, implemented by the composition root. Threads: one
 * virtual thread per connection. RFC 9110, RFC 9457 (problem documents), RFC 6750 (bearer tokens).
 * Must not know how its answers come about.
 */
@NullMarked
package org.quorumail.api;

import org.jspecify.annotations.NullMarked;
