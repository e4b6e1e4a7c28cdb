/** Tests of the schedule, with a spool in memory and real sockets. */
package org.quorumail.queue;
