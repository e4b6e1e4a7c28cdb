/** Tests of the reports of a node. */
@NullMarked
package org.quorumail.admin;

import org.jspecify.annotations.NullMarked;
