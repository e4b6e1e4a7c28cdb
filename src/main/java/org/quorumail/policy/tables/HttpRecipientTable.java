package org.quorumail.policy.tables;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.policy.RecipientTable;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * A recipient table behind an HTTP service: 2xx means that a recipient exists, 404 and 410 that it
 * does not. Any other answer means that the service is unavailable. The body of the answer is not
 * read; redirections are not followed.
 */
public final class HttpRecipientTable implements RecipientTable {
  private static final Logger LOG = LoggerFactory.getLogger(HttpRecipientTable.class);

  private static final JsonMapper JSON = JsonMapper.shared();

  private final PolicyConfig.HttpTableConfig config;
  private final HttpClient client;

  public HttpRecipientTable(PolicyConfig.HttpTableConfig config) {
    this.config = config;
    this.client =
        HttpClient.newBuilder()
            .connectTimeout(config.timeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  @Override
  public Existence find(MailAddress address) {
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(request(address), BodyHandlers.ofInputStream());
    try {
      HttpResponse<InputStream> response =
          answer.get(config.timeout().toMillis(), TimeUnit.MILLISECONDS);
      response.body().close();
      return existenceOf(response.statusCode(), address);
    } catch (TimeoutException e) {
      answer.cancel(true);
      return unavailable(address, "no answer within " + config.timeout().toMillis() + " ms");
    } catch (ExecutionException e) {
      return unavailable(address, String.valueOf(e.getCause()));
    } catch (IOException e) {
      return unavailable(address, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      return Existence.UNAVAILABLE;
    }
  }

  /** A service that is asked about the domain alone does not know this very recipient. */
  @Override
  public Existence findExact(MailAddress address) {
    return config.asksForLocalPart() ? find(address) : Existence.UNKNOWN;
  }

  private HttpRequest request(MailAddress address) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(config.at(address.toString(), address.localPart(), address.domain()))
            .timeout(config.timeout())
            .header("User-Agent", "Quorumail");
    if (!config.post()) return request.GET().build();
    String body = JSON.writeValueAsString(Map.of("address", address.toString()));
    return request
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body))
        .build();
  }

  private static Existence existenceOf(int status, MailAddress address) {
    if (status >= 200 && status < 300) return Existence.KNOWN;
    if (status == 404 || status == 410) return Existence.UNKNOWN;
    return unavailable(address, "it answers " + status);
  }

  private static Existence unavailable(MailAddress address, String reason) {
    LOG.warn(
        "event=recipient_table_failed table=http recipient={} reason={}",
        Escape.quoted(address.toString()),
        Escape.quoted(reason));
    return Existence.UNAVAILABLE;
  }
}
