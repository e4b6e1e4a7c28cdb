/** Tests of the values of mail. */
package org.quorumail.mail;
