/**
 * The commands that an operator types; all but {@code serve} and {@code check} are clients of a
 * running node over its control socket. Start with {@link org.quorumail.cli.CommandLineInterface}.
 * Everything runs on the main thread. Must not know the server's parts: what a command shows came
 * as JSON through the socket.
 */
@NullMarked
package org.quorumail.cli;

import org.jspecify.annotations.NullMarked;
