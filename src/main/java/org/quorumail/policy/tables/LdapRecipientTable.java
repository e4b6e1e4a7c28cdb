package org.quorumail.policy.tables;

import com.unboundid.ldap.sdk.BindRequest;
import com.unboundid.ldap.sdk.DereferencePolicy;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPConnectionOptions;
import com.unboundid.ldap.sdk.LDAPConnectionPool;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.SearchRequest;
import com.unboundid.ldap.sdk.SearchScope;
import com.unboundid.ldap.sdk.SimpleBindRequest;
import com.unboundid.ldap.sdk.SingleServerSet;
import com.unboundid.util.ssl.HostNameSSLSocketVerifier;
import com.unboundid.util.ssl.JVMDefaultTrustManager;
import com.unboundid.util.ssl.SSLUtil;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.policy.RecipientTable;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks an LDAP directory whether there is an entry for a recipient. What the client wrote is
 * escaped in the filter (RFC 4515 §3), so that no address can ask another question.
 */
public final class LdapRecipientTable implements RecipientTable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LdapRecipientTable.class);
  private static final int CONNECTIONS =
      8; // answers are cached; more would only load the directory
  private static final int SIZE_LIMIT = 1; // entry is enough

  private final PolicyConfig.LdapTableConfig config;
  private final LDAPConnectionPool pool;

  /**
   * Opens no connection yet: a directory that is down must not keep mail from starting.
   *
   * @throws IOException with one sentence when the password cannot be read
   */
  public LdapRecipientTable(PolicyConfig.LdapTableConfig config) throws IOException {
    this.config = config;
    try {
      pool = new LDAPConnectionPool(server(config), bind(config), 0, CONNECTIONS, null);
    } catch (LDAPException | GeneralSecurityException e) {
      throw new IOException("policy.recipients.ldap: " + e.getMessage(), e);
    }
    pool.setCreateIfNecessary(false); // the bound counts
    pool.setMaxWaitTimeMillis(config.timeout().toMillis());
    pool.setRetryFailedOperationsDueToInvalidConnections(true);
  }

  @Override
  public Existence find(MailAddress address) {
    try {
      SearchRequest request =
          new SearchRequest(
              config.base(),
              SearchScope.SUB,
              DereferencePolicy.NEVER,
              SIZE_LIMIT,
              (int) Math.max(1, config.timeout().toSeconds()),
              false,
              filter(address),
              SearchRequest.NO_ATTRIBUTES);
      request.setResponseTimeoutMillis(config.timeout().toMillis());
      return pool.search(request).getEntryCount() > 0 ? Existence.KNOWN : Existence.UNKNOWN;
    } catch (LDAPException e) {
      if (e.getResultCode().equals(ResultCode.NO_SUCH_OBJECT)) return Existence.UNKNOWN;
      if (e.getResultCode().equals(ResultCode.SIZE_LIMIT_EXCEEDED)) return Existence.KNOWN;
      LOG.warn(
          "event=recipient_table_failed table=ldap recipient={} reason={}",
          Escape.quoted(address.toString()),
          Escape.quoted(String.valueOf(e.getMessage())));
      return Existence.UNAVAILABLE;
    }
  }

  @Override
  public void close() {
    pool.close();
  }

  private Filter filter(MailAddress address) throws LDAPException {
    return Filter.create(
        config
            .filter()
            .replace("{address}", Filter.encodeValue(address.toString()))
            .replace("{local}", Filter.encodeValue(address.localPart()))
            .replace("{domain}", Filter.encodeValue(address.domain())));
  }

  private static SingleServerSet server(PolicyConfig.LdapTableConfig config)
      throws GeneralSecurityException {
    URI url = config.url();
    boolean tls = url.getScheme().equalsIgnoreCase("ldaps");
    LDAPConnectionOptions options = new LDAPConnectionOptions();
    options.setConnectTimeoutMillis((int) config.timeout().toMillis());
    options.setResponseTimeoutMillis(config.timeout().toMillis());
    options.setFollowReferrals(false); // would carry the password to wherever it points
    options.setUseSynchronousMode(true);
    options.setSSLSocketVerifier(new HostNameSSLSocketVerifier(false));
    SSLUtil ssl = new SSLUtil(JVMDefaultTrustManager.getInstance());
    SocketFactory sockets = tls ? ssl.createSSLSocketFactory() : SocketFactory.getDefault();
    int port = url.getPort() > 0 ? url.getPort() : tls ? 636 : 389;
    return new SingleServerSet(url.getHost(), port, sockets, options);
  }

  private static @Nullable BindRequest bind(PolicyConfig.LdapTableConfig config)
      throws IOException {
    if (config.bindDn().isEmpty() || config.passwordFile().isEmpty()) return null;
    String password = Files.readString(config.passwordFile().get()).strip();
    return new SimpleBindRequest(config.bindDn(), password);
  }
}
