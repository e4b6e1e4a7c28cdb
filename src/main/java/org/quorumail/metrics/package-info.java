/** The one registry (Micrometer) and its Prometheus exporter; names and help texts. */
@NullMarked
package org.quorumail.metrics;

import org.jspecify.annotations.NullMarked;
