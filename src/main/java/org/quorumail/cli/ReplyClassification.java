package org.quorumail.cli;

import static org.quorumail.cli.ControlSocketClient.encode;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.classification.Classification;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.config.TextFile;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/** The replies that a command classifies, and the rules by which it does so. */
final class ReplyClassification {
  /** A hundred thousand replies; a larger log is cut before. */
  private static final int BYTES_MAX = 32 << 20;

  private static final String STANDARD_INPUT = "-";

  @Parameters(paramLabel = "REPLY", arity = "0..*", description = "A reply: 550 5.1.1 no such user")
  private List<String> words = List.of();

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description = "File with one reply per line; - reads standard input.")
  private @Nullable String file;

  @Option(
      names = "--rules",
      paramLabel = "FILE",
      description = "Rule file. Default: delivery.classification.file of the configuration.")
  private @Nullable Path rules;

  @Option(names = "--live", description = "Ask the node, by the rules that it uses now.")
  private boolean live;

  int run(NodeOptions options) throws CommandException {
    if (words.isEmpty() == (file == null))
      throw new CommandException(ExitCode.USAGE, "name either a reply or a --file of replies");
    if (live && rules != null)
      throw new CommandException(ExitCode.USAGE, "--live uses the rules of the node, not --rules");
    List<String> replies = file == null ? List.of(String.join(" ", words)) : lines(file);
    ArrayNode found = JsonMapper.shared().createArrayNode();
    ControlSocketClient node = live ? options.client() : null;
    FailureClassifier classifier = live ? FailureClassifier.builtIn() : classifier(options);
    for (String reply : replies)
      found.add(node == null ? offline(classifier, reply) : byNode(node, reply));
    options.print(
        found,
        (answer, out) -> JsonPrinter.table(answer, "class", "rule", "action", "reply").print(out));
    return ExitCode.DONE;
  }

  private static JsonNode byNode(ControlSocketClient node, String reply) throws CommandException {
    return node.call("GET", "/api/queue/classify?reply=" + encode(reply));
  }

  private static JsonNode offline(FailureClassifier classifier, String reply) {
    Classification found = classifier.classify(reply);
    return JsonMapper.shared()
        .createObjectNode()
        .put("class", found.failureClass().text())
        .put("rule", found.rule())
        .put("action", found.action().toString())
        .put("reply", reply);
  }

  private FailureClassifier classifier(NodeOptions options) throws CommandException {
    Optional<Path> own = rules != null ? Optional.of(rules) : options.config().classificationFile();
    try {
      return FailureClassifier.open(own);
    } catch (IOException e) {
      throw new CommandException(ExitCode.USAGE, String.valueOf(e.getMessage()));
    }
  }

  private static List<String> lines(String file) throws CommandException {
    try {
      String text =
          file.equals(STANDARD_INPUT)
              ? new String(System.in.readNBytes(BYTES_MAX), StandardCharsets.UTF_8)
              : TextFile.read(Path.of(file), BYTES_MAX);
      return text.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
    } catch (IOException e) {
      throw new CommandException(ExitCode.USAGE, String.valueOf(e.getMessage()));
    }
  }
}
