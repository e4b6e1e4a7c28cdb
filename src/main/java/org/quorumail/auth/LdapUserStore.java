package org.quorumail.auth;

import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.SearchResultEntry;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.quorumail.auth.AuthConfig.LdapConfig;
import org.quorumail.config.Secret;
import org.quorumail.ldap.LdapDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Users of an LDAP directory, RFC 4511: a search finds the user's entry, then a bind as that entry
 * tries the password. The directory keeps its passwords to itself, so SCRAM is not possible.
 */
final class LdapUserStore implements UserStore {
  private static final Logger LOG = LoggerFactory.getLogger(LdapUserStore.class);
  private static final String KEY = "auth.ldap";
  private static final int SIZE_LIMIT = 2; // a second entry shows that a name is ambiguous

  private final LdapConfig config;
  private final LdapDirectory directory;

  private LdapUserStore(LdapConfig config, LdapDirectory directory) {
    this.config = config;
    this.directory = directory;
  }

  /**
   * Opens no connection yet: mail starts while the directory is down.
   *
   * @throws IOException with one sentence that names the key
   */
  static LdapUserStore open(LdapConfig config) throws IOException {
    Optional<LdapDirectory.Bind> bind =
        config
            .bindDn()
            .map(
                dn ->
                    new LdapDirectory.Bind(
                        dn, config.bindPassword().map(Secret::bytes).orElse(new byte[0])));
    LdapDirectory.Settings settings =
        new LdapDirectory.Settings(
            config.servers(),
            config.startTls(),
            config.ca(),
            bind,
            config.timeout(),
            config.connections());
    return new LdapUserStore(config, LdapDirectory.open(settings, KEY));
  }

  @Override
  public PasswordCheck checkPassword(String name, String password) {
    try {
      Optional<SearchResultEntry> entry = searchEntry(name);
      // an unknown name is bound too, in vain: the answer must take as long
      String dn = entry.map(SearchResultEntry::getDN).orElse("cn=nobody," + config.baseDn());
      boolean bound = bind(dn, password);
      return bound && entry.isPresent()
          ? new PasswordCheck.Correct(user(name, entry.get()))
          : new PasswordCheck.Wrong();
    } catch (LDAPException e) {
      logFailure(e);
      return new PasswordCheck.Unavailable("LDAP answers " + e.getResultCode());
    }
  }

  @Override
  public int maxConcurrentChecks() {
    return config.connections();
  }

  @Override
  public boolean hasScramKeys() {
    return false;
  }

  @Override
  public ScramCredentials scramCredentials(String name) {
    throw new IllegalStateException("a directory has no keys for SCRAM");
  }

  @Override
  public Optional<User> findUser(String name) {
    try {
      return searchEntry(name).map(entry -> user(name, entry));
    } catch (LDAPException e) {
      logFailure(e);
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    directory.close();
  }

  /** Returns whether the password is the entry's. */
  private boolean bind(String dn, String password) throws LDAPException {
    try {
      return directory.bind(dn, password).getResultCode().equals(ResultCode.SUCCESS);
    } catch (LDAPException e) {
      if (isRefusal(e.getResultCode())) return false;
      throw e;
    }
  }

  private Optional<SearchResultEntry> searchEntry(String name) throws LDAPException {
    Filter filter = Filter.create(config.filter().replace("%u", Filter.encodeValue(name)));
    LdapDirectory.Found found =
        directory.search(config.baseDn(), filter, SIZE_LIMIT, config.addressAttribute());
    if (!found.isEmpty() && found.single().isEmpty()) {
      LOG.warn("event=ldap_name_ambiguous filter=\"{}\"", filter);
    }
    return found.single();
  }

  private User user(String name, SearchResultEntry entry) {
    Set<String> senders = new HashSet<>();
    String[] values = entry.getAttributeValues(config.addressAttribute());
    if (values != null) {
      for (String value : values) {
        try {
          String sender = UsersFile.senderPattern(value);
          if (!sender.equals("*")) senders.add(sender);
        } catch (IllegalArgumentException e) {
          LOG.debug("event=ldap_address_skipped reason=\"{}\"", e.getMessage());
        }
      }
    }
    return new User(name, senders);
  }

  /** Codes that refuse the password; all others mean that the directory cannot answer now. */
  private static boolean isRefusal(ResultCode code) {
    return code.equals(ResultCode.INVALID_CREDENTIALS)
        || code.equals(ResultCode.NO_SUCH_OBJECT)
        || code.equals(ResultCode.INAPPROPRIATE_AUTHENTICATION)
        || code.equals(ResultCode.INSUFFICIENT_ACCESS_RIGHTS)
        || code.equals(ResultCode.INVALID_DN_SYNTAX)
        || code.equals(ResultCode.CONSTRAINT_VIOLATION);
  }

  private static void logFailure(LDAPException e) {
    LOG.warn("event=ldap_failed reason=\"{}\"", e.getMessage());
  }
}
