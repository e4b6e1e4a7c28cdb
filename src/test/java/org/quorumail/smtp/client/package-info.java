/** Tests of sessions out, against scripted servers on loopback. */
package org.quorumail.smtp.client;
