package org.quorumail.api;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.InjectionView.InjectionAnswer;
import org.quorumail.api.InjectionView.InjectionRequest;

/** The operation that takes messages over HTTP. */
final class MessageRoutes {
  static final String PATH = "/api/messages";

  private final InjectionView messages;

  MessageRoutes(InjectionView messages) {
    this.messages = messages;
  }

  List<ApiRoute> routes() {
    return List.of(new ApiRoute("POST", PATH, Access.INJECT, this::inject));
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
