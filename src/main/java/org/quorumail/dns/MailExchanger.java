package org.quorumail.dns;

/**
 * A host named by an MX record.
 *
 * @param name without a final dot
 * @param preference lower is tried first
 */
public record MailExchanger(String name, int preference) {}
