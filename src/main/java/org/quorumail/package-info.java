/** Entry point and composition root; everything is wired here and nowhere else. */
@NullMarked
package org.quorumail;

import org.jspecify.annotations.NullMarked;
