package org.quorumail.dns;

/**
 * A host that takes mail for a domain, as an MX record names it.
 *
 * @param name without a final dot
 * @param preference lower is tried first
 */
public record MailExchanger(String name, int preference) {}
