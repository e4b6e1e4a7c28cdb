package org.quorumail.api;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.InjectionView.InjectionAnswer;
import org.quorumail.api.InjectionView.InjectionRequest;

/** The operation that takes messages over HTTP, and the one by which nodes ask for a key. */
public final class MessageRoutes {
  static final String PATH = "/api/messages";

  /** The path of the operation between nodes, without the key. */
  public static final String KEYS_PATH = "/api/messages/keys";

  private final InjectionView messages;

  MessageRoutes(InjectionView messages) {
    this.messages = messages;
  }

  List<ApiRoute> routes() {
    return List.of(new ApiRoute("POST", PATH, Access.INJECT, this::inject));
  }

  /** The operation that only nodes call. */
  List<ApiRoute> routesBetweenNodes() {
    return List.of(
        new ApiRoute(
            "GET",
            KEYS_PATH + "/{key}",
            Access.OPERATOR,
            request -> ApiResponse.json(messages.known(request.variable("key")))));
  }

  private ApiResponse inject(ApiRequest request) {
    InjectionRequest injection = request.injection();
    InjectionAnswer answer;
    try {
      answer = messages.inject(injection);
    } catch (IOException e) {
      return ApiResponse.badRequest("the body could not be read");
    }
    boolean accepted = answer.status() < 300;
    Map<String, String> headers = new HashMap<>();
    if (answer.retryAfterSeconds() > 0) {
      headers.put("Retry-After", Integer.toString(answer.retryAfterSeconds()));
    }
    return new ApiResponse(
        answer.status(),
        accepted ? "application/json" : "application/problem+json",
        Json.bytes(answer.body()),
        headers);
  }
}
