/** The language of SMTP, shared by server and client. */
@NullMarked
package org.quorumail.smtp;

import org.jspecify.annotations.NullMarked;
