@org.jspecify.annotations.NullMarked
package org.quorumail.delivery.local;
