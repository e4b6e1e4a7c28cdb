package org.quorumail.ldap;

import com.unboundid.ldap.sdk.BindRequest;
import com.unboundid.ldap.sdk.BindResult;
import com.unboundid.ldap.sdk.DereferencePolicy;
import com.unboundid.ldap.sdk.FailoverServerSet;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPConnectionOptions;
import com.unboundid.ldap.sdk.LDAPConnectionPool;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPSearchException;
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
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStoreException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.SocketFactory;
import javax.net.ssl.X509TrustManager;

/** An LDAP directory: one or more equal servers behind a bounded pool of connections. */
public final class LdapDirectory implements AutoCloseable {
  private static final int LDAP_PORT = 389;
  private static final int LDAPS_PORT = 636;

  private final Duration timeout;
  private final LDAPConnectionPool pool;

  /**
   * The servers of a directory and the way to reach them.
   *
   * @param servers {@code ldap://host:port} or {@code ldaps://…}, all with one scheme; the first
   *     that answers is used
   * @param ca PEM file; without it the issuers that the JDK trusts
   * @param bind identity for searches; empty: anonymous
   * @param timeout of each connection and request
   * @param connections upper bound of the pool
   */
  public record Settings(
      List<URI> servers,
      boolean startTls,
      Optional<Path> ca,
      Optional<Bind> bind,
      Duration timeout,
      int connections) {
    public Settings {
      servers = List.copyOf(servers);
      if (servers.isEmpty()) throw new IllegalArgumentException("a directory has a server");
    }

    boolean implicitTls() {
      return servers.getFirst().getScheme().equalsIgnoreCase("ldaps");
    }
  }

  /** The name and password with which the pool's connections bind. */
  public record Bind(String dn, byte[] password) {
    /** Never shows the password. */
    @Override
    public String toString() {
      return dn;
    }
  }

  /**
   * The entries of a search.
   *
   * @param truncated whether the directory has more entries than were asked for
   */
  public record Found(List<SearchResultEntry> entries, boolean truncated) {
    public Found {
      entries = List.copyOf(entries);
    }

    public boolean isEmpty() {
      return entries.isEmpty() && !truncated;
    }

    /** The entry, when the search found exactly one. */
    public Optional<SearchResultEntry> single() {
      return entries.size() == 1 && !truncated ? Optional.of(entries.getFirst()) : Optional.empty();
    }
  }

  private LdapDirectory(Duration timeout, LDAPConnectionPool pool) {
    this.timeout = timeout;
    this.pool = pool;
  }

  /**
   * Makes the pool. Opens no connection yet: mail starts while a directory is down.
   *
   * @param key the configuration's name of the directory, for the error
   * @throws IOException with one sentence that names the key
   */
  public static LdapDirectory open(Settings settings, String key) throws IOException {
    try {
      BindRequest bind =
          settings.bind().map(b -> new SimpleBindRequest(b.dn(), b.password())).orElse(null);
      LDAPConnectionPool pool =
          new LDAPConnectionPool(servers(settings), bind, 0, settings.connections(), null);
      pool.setCreateIfNecessary(false); // never more connections than the bound
      pool.setMaxWaitTimeMillis(settings.timeout().toMillis());
      pool.setRetryFailedOperationsDueToInvalidConnections(true);
      return new LdapDirectory(settings.timeout(), pool);
    } catch (LDAPException | GeneralSecurityException e) {
      throw new IOException(key + ": " + e.getMessage(), e);
    }
  }

  /**
   * Searches the subtree below a base. A base that does not exist has no entries.
   *
   * @param limit most entries that the directory returns
   * @throws LDAPException when the directory cannot be asked
   */
  public Found search(String baseDn, Filter filter, int limit, String... attributes)
      throws LDAPException {
    SearchRequest request =
        new SearchRequest(
            baseDn,
            SearchScope.SUB,
            DereferencePolicy.NEVER,
            limit,
            (int) Math.max(1, timeout.toSeconds()),
            false,
            filter,
            attributes);
    request.setResponseTimeoutMillis(timeout.toMillis());
    try {
      return new Found(pool.search(request).getSearchEntries(), false);
    } catch (LDAPSearchException e) {
      if (e.getResultCode().equals(ResultCode.NO_SUCH_OBJECT)) return new Found(List.of(), false);
      if (!e.getResultCode().equals(ResultCode.SIZE_LIMIT_EXCEEDED)) throw e;
      return new Found(e.getSearchEntries() == null ? List.of() : e.getSearchEntries(), true);
    }
  }

  /**
   * Binds as an entry, and gives the connection its own identity back. An empty password is
   * refused: RFC 4513 §5.1.2 makes it an anonymous bind.
   *
   * @throws LDAPException for every result but success
   */
  public BindResult bind(String dn, String password) throws LDAPException {
    BindRequest request = new SimpleBindRequest(dn, password);
    request.setResponseTimeoutMillis(timeout.toMillis());
    return pool.bindAndRevertAuthentication(request);
  }

  @Override
  public void close() {
    pool.close();
  }

  private static FailoverServerSet servers(Settings settings)
      throws GeneralSecurityException, LDAPException {
    SSLUtil tls = new SSLUtil(trustManager(settings.ca()));
    boolean implicit = settings.implicitTls();
    SocketFactory sockets = implicit ? tls.createSSLSocketFactory() : SocketFactory.getDefault();
    PostConnectProcessor startTls =
        !implicit && settings.startTls()
            ? new StartTLSPostConnectProcessor(tls.createSSLSocketFactory())
            : null;
    String[] hosts = settings.servers().stream().map(URI::getHost).toArray(String[]::new);
    int[] ports = settings.servers().stream().mapToInt(uri -> port(uri, implicit)).toArray();
    return new FailoverServerSet(hosts, ports, sockets, options(settings), null, startTls);
  }

  private static LDAPConnectionOptions options(Settings settings) {
    LDAPConnectionOptions options = new LDAPConnectionOptions();
    options.setConnectTimeoutMillis((int) settings.timeout().toMillis());
    options.setResponseTimeoutMillis(settings.timeout().toMillis());
    options.setFollowReferrals(false); // a referral would send the password to its host
    options.setUseSynchronousMode(true);
    options.setSSLSocketVerifier(new HostNameSSLSocketVerifier(false));
    return options;
  }

  private static X509TrustManager trustManager(Optional<Path> ca) throws KeyStoreException {
    if (ca.isEmpty()) return JVMDefaultTrustManager.getInstance();
    return new PEMFileTrustManager(ca.get().toFile());
  }

  private static int port(URI uri, boolean implicit) {
    if (uri.getPort() > 0) return uri.getPort();
    return implicit ? LDAPS_PORT : LDAP_PORT;
  }
}
