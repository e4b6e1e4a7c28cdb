package org.quorumail.policy.tables;

import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.SearchRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.TextFile;
import org.quorumail.ldap.LdapDirectory;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.PolicyConfig.LdapTableConfig;
import org.quorumail.policy.RecipientTable;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A recipient table in an LDAP directory: a recipient exists when a search finds an entry.
 * Addresses are escaped in the filter (RFC 4515 §3), so no client can write a filter of another
 * meaning.
 */
public final class LdapRecipientTable implements RecipientTable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LdapRecipientTable.class);
  private static final String KEY = "policy.recipients.ldap";
  private static final int CONNECTIONS =
      8; // answers are cached: more would only load the directory
  private static final long MAX_PASSWORD_FILE = 4096;
  private static final int SIZE_LIMIT = 1; // one entry proves that the recipient exists

  private final LdapTableConfig config;
  private final LdapDirectory directory;

  private LdapRecipientTable(LdapTableConfig config, LdapDirectory directory) {
    this.config = config;
    this.directory = directory;
  }

  /**
   * Opens no connection yet: mail starts while the directory is down.
   *
   * @throws IOException with one sentence when the password cannot be read
   */
  public static LdapRecipientTable open(LdapTableConfig config) throws IOException {
    LdapDirectory.Settings settings =
        new LdapDirectory.Settings(
            List.of(config.url()),
            config.startTls(),
            config.ca(),
            bind(config),
            config.timeout(),
            CONNECTIONS);
    return new LdapRecipientTable(config, LdapDirectory.open(settings, KEY));
  }

  @Override
  public Existence find(MailAddress address) {
    try {
      LdapDirectory.Found found =
          directory.search(config.base(), filter(address), SIZE_LIMIT, SearchRequest.NO_ATTRIBUTES);
      return found.isEmpty() ? Existence.UNKNOWN : Existence.KNOWN;
    } catch (LDAPException e) {
      LOG.warn(
          "event=recipient_table_failed table=ldap recipient={} reason={}",
          Escape.quoted(address.toString()),
          Escape.quoted(String.valueOf(e.getMessage())));
      return Existence.UNAVAILABLE;
    }
  }

  /** A search for the domain alone does not know this very recipient. */
  @Override
  public Existence findExact(MailAddress address) {
    return config.asksForLocalPart() ? find(address) : Existence.UNKNOWN;
  }

  @Override
  public void close() {
    directory.close();
  }

  private Filter filter(MailAddress address) throws LDAPException {
    return Filter.create(
        config
            .filter()
            .replace("{address}", Filter.encodeValue(address.toString()))
            .replace("{local}", Filter.encodeValue(address.localPart()))
            .replace("{domain}", Filter.encodeValue(address.domain())));
  }

  private static Optional<LdapDirectory.Bind> bind(LdapTableConfig config) throws IOException {
    if (config.bindDn().isEmpty() || config.passwordFile().isEmpty()) return Optional.empty();
    String password = TextFile.read(config.passwordFile().get(), MAX_PASSWORD_FILE).strip();
    byte[] octets = password.getBytes(StandardCharsets.UTF_8);
    return Optional.of(new LdapDirectory.Bind(config.bindDn(), octets));
  }
}
