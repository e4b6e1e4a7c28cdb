package org.quorumail.auth;

import com.unboundid.ldap.sdk.BindRequest;
import com.unboundid.ldap.sdk.BindResult;
import com.unboundid.ldap.sdk.DereferencePolicy;
import com.unboundid.ldap.sdk.FailoverServerSet;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPConnectionOptions;
import com.unboundid.ldap.sdk.LDAPConnectionPool;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.PostConnectProcessor;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.SearchRequest;
import com.unboundid.ldap.sdk.SearchResultEntry;
import com.unboundid.ldap.sdk.SearchScope;
import com.unboundid.ldap.sdk.SimpleBindRequest;
import com.unboundid.ldap.sdk.StartTLSPostConnectProcessor;
import com.unboundid.util.ssl.HostNameSSLSocketVerifier;
import com.unboundid.util.ssl.JVMDefaultTrustManager;
import com.unboundid.util.ssl.PEMFileTrustManager;
import com.unboundid.util.ssl.SSLUtil;
import java.io.IOException;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.KeyStoreException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import javax.net.SocketFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.AuthConfig.LdapConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Users of an LDAP directory, RFC 4511: the name is searched for, then the password is tried by a
 * bind as the entry that was found. The directory's passwords never reach us, so SCRAM is not
 * possible. Connections are pooled, at most so many as configured; each request has a timeout.
 */
final class LdapUserStore implements UserStore {
  private static final Logger LOG = LoggerFactory.getLogger(LdapUserStore.class);
  private static final int SIZE_LIMIT =
      2; // one entry more than there may be shows an ambiguous name

  private final LdapConfig config;
  private final LDAPConnectionPool pool;
  private final String[] attributes;

  /** Opens no connection yet: a directory that is down must not keep mail from starting. */
  LdapUserStore(LdapConfig config) throws IOException {
    this.config = config;
    this.attributes = new String[] {config.addressAttribute()};
    try {
      pool = new LDAPConnectionPool(servers(), serviceBind(), 0, config.connections(), null);
    } catch (LDAPException | GeneralSecurityException e) {
      throw new IOException("auth.ldap: " + e.getMessage(), e);
    }
    pool.setCreateIfNecessary(false); // the bound counts
    pool.setMaxWaitTimeMillis(config.timeout().toMillis());
    pool.setRetryFailedOperationsDueToInvalidConnections(true);
  }

  @Override
  public PasswordCheck checkPassword(String name, String password) {
    try {
      Optional<SearchResultEntry> entry = searchEntry(name);
      // who is not there is bound too, in vain: it must take as long
      String dn = entry.map(SearchResultEntry::getDN).orElse("cn=nobody," + config.baseDn());
      BindResult result = bind(dn, password);
      if (result.getResultCode().equals(ResultCode.SUCCESS) && entry.isPresent()) {
        return new PasswordCheck.Correct(user(name, entry.get()));
      }
      return passwordCheckOf(result.getResultCode());
    } catch (LDAPException e) {
      return unavailable(e);
    }
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
      LOG.warn("event=ldap_failed reason=\"{}\"", e.getMessage());
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    pool.close();
  }

  private BindResult bind(String dn, String password) throws LDAPException {
    BindRequest request = new SimpleBindRequest(dn, password); // refuses an empty password itself
    request.setResponseTimeoutMillis(config.timeout().toMillis());
    try {
      return pool.bindAndRevertAuthentication(request);
    } catch (LDAPException e) {
      if (isAnswer(e.getResultCode())) return new BindResult(e);
      throw e;
    }
  }

  private Optional<SearchResultEntry> searchEntry(String name) throws LDAPException {
    Filter filter = Filter.create(config.filter().replace("%u", Filter.encodeValue(name)));
    SearchRequest request =
        new SearchRequest(
            config.baseDn(),
            SearchScope.SUB,
            DereferencePolicy.NEVER,
            SIZE_LIMIT,
            (int) Math.max(1, config.timeout().toSeconds()),
            false,
            filter,
            attributes);
    request.setResponseTimeoutMillis(config.timeout().toMillis());
    try {
      List<SearchResultEntry> entries = pool.search(request).getSearchEntries();
      if (entries.size() == 1) return Optional.of(entries.getFirst());
      if (entries.size() > 1) LOG.warn("event=ldap_name_ambiguous filter=\"{}\"", filter);
      return Optional.empty();
    } catch (LDAPException e) {
      if (!e.getResultCode().equals(ResultCode.NO_SUCH_OBJECT)) throw e;
      return Optional.empty();
    }
  }

  private User user(String name, SearchResultEntry entry) {
    Set<String> senders = new HashSet<>();
    String[] values = entry.getAttributeValues(config.addressAttribute());
    if (values != null) {
      for (String value : values) {
        String sender = value.toLowerCase(Locale.ROOT);
        if (User.isSenderPattern(sender) && !sender.equals("*")) senders.add(sender);
      }
    }
    return new User(name, senders);
  }

  private static PasswordCheck passwordCheckOf(ResultCode code) {
    return isAnswer(code) || code.equals(ResultCode.SUCCESS)
        ? new PasswordCheck.Wrong()
        : new PasswordCheck.Unavailable("LDAP says " + code);
  }

  /** Codes that answer the question; all others mean that it could not be asked. */
  private static boolean isAnswer(ResultCode code) {
    return code.equals(ResultCode.INVALID_CREDENTIALS)
        || code.equals(ResultCode.NO_SUCH_OBJECT)
        || code.equals(ResultCode.INAPPROPRIATE_AUTHENTICATION)
        || code.equals(ResultCode.INSUFFICIENT_ACCESS_RIGHTS)
        || code.equals(ResultCode.INVALID_DN_SYNTAX)
        || code.equals(ResultCode.CONSTRAINT_VIOLATION);
  }

  private static PasswordCheck unavailable(LDAPException e) {
    LOG.warn("event=ldap_failed reason=\"{}\"", e.getMessage());
    return new PasswordCheck.Unavailable("LDAP says " + e.getResultCode());
  }

  private FailoverServerSet servers() throws GeneralSecurityException, LDAPException {
    SSLUtil tls = new SSLUtil(trust());
    boolean implicit = config.servers().getFirst().getScheme().equals("ldaps");
    int millis = (int) config.timeout().toMillis();
    LDAPConnectionOptions options = new LDAPConnectionOptions();
    options.setConnectTimeoutMillis(millis);
    options.setResponseTimeoutMillis(millis);
    options.setFollowReferrals(false); // would carry the password to wherever it points
    options.setUseSynchronousMode(true);
    options.setSSLSocketVerifier(new HostNameSSLSocketVerifier(false));
    SocketFactory sockets = implicit ? tls.createSSLSocketFactory() : SocketFactory.getDefault();
    PostConnectProcessor startTls =
        !implicit && config.startTls()
            ? new StartTLSPostConnectProcessor(tls.createSSLSocketFactory())
            : null;
    String[] hosts = config.servers().stream().map(URI::getHost).toArray(String[]::new);
    int[] ports = config.servers().stream().mapToInt(uri -> port(uri, implicit)).toArray();
    return new FailoverServerSet(hosts, ports, sockets, options, null, startTls);
  }

  private X509TrustManager trust() throws KeyStoreException {
    if (config.ca().isEmpty()) return JVMDefaultTrustManager.getInstance();
    return new PEMFileTrustManager(config.ca().get().toFile());
  }

  private @Nullable BindRequest serviceBind() {
    if (config.bindDn().isEmpty()) return null;
    byte[] password = config.bindPassword().map(secret -> secret.bytes()).orElse(new byte[0]);
    return new SimpleBindRequest(config.bindDn().get(), password);
  }

  private static int port(URI uri, boolean implicit) {
    if (uri.getPort() > 0) return uri.getPort();
    return implicit ? 636 : 389;
  }
}
