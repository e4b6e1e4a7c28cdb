/** Tests of reports. */
package org.quorumail.dsn;
