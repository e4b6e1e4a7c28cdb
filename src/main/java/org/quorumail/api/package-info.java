/**
 * The API of a node, over HTTP and over the control socket. Start with {@link
 * org.quorumail.api.Api}, the table of routes. {@link org.quorumail.api.HttpServer} and {@link
 * org.quorumail.api.ControlSocket} are its two transports. {@link org.quorumail.api.NodeView},
 * {@link org.quorumail.api.ClusterView}, {@link org.quorumail.api.QueueView}, {@link
 * org.quorumail.api.DnsView}, {@link org.quorumail.api.ReplicatedConfigView}, {@link
 * org.quorumail.api.TraceView}, {@link org.quorumail.api.MaintenanceView} and {@link
 * org.quorumail.api.InjectionView} are the views that it shows. Package {@code admin} implements
 * most of them, {@code node} maintenance, {@code inject} injection. Their records become JSON by
 * the names of their components. Threads: one virtual thread per connection. RFC 9110, RFC 9457
 * (problem documents), RFC 6750 (bearer tokens). Must not know how the views get their answers.
 */
@NullMarked
package org.quorumail.api;

import org.jspecify.annotations.NullMarked;
