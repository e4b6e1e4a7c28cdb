/** Route, hosts, session, outcome. */
@NullMarked
package org.quorumail.delivery;

import org.jspecify.annotations.NullMarked;
