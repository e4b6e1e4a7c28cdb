@NullUnmarked
package org.quorumail.tls;

import org.jspecify.annotations.NullUnmarked;
