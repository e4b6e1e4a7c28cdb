/** Tests of the conversion of content. */
package org.quorumail.inject;
