@org.jspecify.annotations.NullMarked
package org.quorumail.auth;
