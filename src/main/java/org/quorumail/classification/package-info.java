/**
 * The class of each failure and the action that follows, by rules in TOML: those of the operator
 * first, then those of this release. Start with {@link
 * org.quorumail.classification.FailureClassifier}. Immutable values but for a cache; reading a rule
 * file is the only I/O. RFC 3463 (enhanced status codes).
 */
@NullMarked
package org.quorumail.classification;

import org.jspecify.annotations.NullMarked;
