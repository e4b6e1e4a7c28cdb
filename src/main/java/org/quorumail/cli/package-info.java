/**
 * The commands that an operator types. All commands but {@code serve}, {@code check}, {@code user}
 * and the tools are clients of a running node over its control socket. Start reading with {@link
 * org.quorumail.cli.CommandLineInterface}.
 *
 * <p>Threads: the main thread runs the command. A command must not know the parts of the server: it
 * shows the JSON that the control socket returns. Nothing but this package uses {@code tools}.
 */
@NullMarked
package org.quorumail.cli;

import org.jspecify.annotations.NullMarked;
