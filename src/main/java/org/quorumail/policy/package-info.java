/** May this client, sender, recipient proceed. */
@NullMarked
package org.quorumail.policy;

import org.jspecify.annotations.NullMarked;
