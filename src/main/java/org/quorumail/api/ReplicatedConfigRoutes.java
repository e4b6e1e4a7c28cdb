package org.quorumail.api;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.ReplicatedConfigView.Document;
import org.quorumail.cluster.ConfigVersion;

/** The routes of the configuration that the cluster keeps for all nodes. */
final class ReplicatedConfigRoutes {
  private static final String PATH = "/api/cluster/config";

  private final ReplicatedConfigView config;

  ReplicatedConfigRoutes(ReplicatedConfigView config) {
    this.config = config;
  }

  List<ApiRoute> routes() {
    return List.of(
        new ApiRoute("GET", PATH, Access.READ, this::document),
        new ApiRoute("PUT", PATH, Access.WRITE, this::set),
        new ApiRoute("POST", PATH + "/validate", Access.READ, this::validate),
        new ApiRoute(
            "GET", PATH + "/history", Access.READ, r -> ApiResponse.json(config.history())),
        new ApiRoute("GET", PATH + "/diff", Access.READ, this::diff),
        new ApiRoute("POST", PATH + "/rollback", Access.WRITE, this::rollback),
        new ApiRoute(
            "GET", PATH + "/status", Access.READ, r -> ApiResponse.json(config.nodeVersions())));
  }

  private ApiResponse document(ApiRequest request) {
    return config
        .document(number(request, "version"))
        .map(ApiResponse::json)
        .orElseGet(() -> noSuchVersion(request));
  }

  private static ApiResponse noSuchVersion(ApiRequest request) {
    return ApiResponse.notFound(
        request.parameter("version").isPresent()
            ? "the cluster keeps no version with this number"
            : "the cluster has no configuration of its own: all keys are in the files of the"
                + " nodes");
  }

  private ApiResponse set(ApiRequest request) {
    String toml = text(request);
    List<String> problems = config.problems(toml);
    if (!problems.isEmpty()) return ApiResponse.json(422, new Validation(false, problems));
    return ApiResponse.json(
        config.set(toml, comment(request, ""), request.who(), number(request, "base")));
  }

  private ApiResponse validate(ApiRequest request) {
    List<String> problems = config.problems(text(request));
    return ApiResponse.json(
        problems.isEmpty() ? 200 : 422, new Validation(problems.isEmpty(), problems));
  }

  /** The changes from one version to another; without numbers, those of the latest. */
  private ApiResponse diff(ApiRequest request) {
    Optional<Document> to = config.document(number(request, "to"));
    if (to.isEmpty()) return ApiResponse.notFound("the cluster keeps no version with this number");
    OptionalLong from = number(request, "from");
    long before = from.orElse(to.get().version() - 1);
    Optional<Document> old = config.document(OptionalLong.of(before));
    if (old.isEmpty() && from.isPresent() && before != 0)
      return ApiResponse.notFound("the cluster keeps no version with this number");
    String text = old.map(Document::toml).orElse("");
    return ApiResponse.json(
        new Difference(before, to.get().version(), TextDiff.lines(text, to.get().toml())));
  }

  private ApiResponse rollback(ApiRequest request) {
    OptionalLong to = number(request, "to");
    if (to.isEmpty()) throw new IllegalArgumentException("the parameter to is missing");
    Optional<Document> former = config.document(to);
    if (former.isEmpty()) {
      return ApiResponse.notFound("the cluster keeps no version with this number");
    }
    String toml = former.get().toml();
    List<String> problems = config.problems(toml);
    if (!problems.isEmpty()) return ApiResponse.json(422, new Validation(false, problems));
    String comment = comment(request, "rollback to version " + to.getAsLong());
    return ApiResponse.json(config.set(toml, comment, request.who(), number(request, "base")));
  }

  private static String text(ApiRequest request) {
    if (request.body().length > ConfigVersion.TOML_MAX) {
      throw new IllegalArgumentException(
          "the configuration is longer than %d bytes".formatted(ConfigVersion.TOML_MAX));
    }
    return new String(request.body(), StandardCharsets.UTF_8);
  }

  private static String comment(ApiRequest request, String fallback) {
    String comment = request.parameter("comment").map(String::strip).orElse(fallback);
    if (comment.length() <= ConfigVersion.COMMENT_MAX) return comment;
    throw new IllegalArgumentException(
        "the parameter comment has at most %d characters".formatted(ConfigVersion.COMMENT_MAX));
  }

  private static OptionalLong number(ApiRequest request, String name) {
    Optional<String> given = request.parameter(name);
    if (given.isEmpty()) return OptionalLong.empty();
    if (given.get().matches("\\d{1,15}")) return OptionalLong.of(Long.parseLong(given.get()));
    throw new IllegalArgumentException(
        "the parameter %s is the number of a version".formatted(name));
  }

  /** The result of a check. */
  record Validation(boolean valid, List<String> problems) {}

  /**
   * The changes between two versions.
   *
   * @param lines those that went begin with -, those that came with +, others with a blank
   */
  record Difference(long from, long to, List<String> lines) {}
}
