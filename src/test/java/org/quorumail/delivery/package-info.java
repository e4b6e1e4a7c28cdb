/** Tests of routes, hosts and limits. */
package org.quorumail.delivery;
