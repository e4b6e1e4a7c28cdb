/** HTTP API and health. */
@NullMarked
package org.quorumail.api;

import org.jspecify.annotations.NullMarked;
