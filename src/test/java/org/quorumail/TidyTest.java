package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The rules of writing that a machine can hold: plain words, first sentences with a subject, one
 * form of log line, names that are nouns, and lines that fit the screen.
 *
 * <p>{@code docs/log-events.md} lists the events of the log as the sources have them. After a
 * change of a log call, {@code mvn test -Dtest=TidyTest -Dsurefire.jvm=-Ddocs.write=true} writes
 * the list again.
 */
class TidyTest {
  private static final int MAX_WIDTH = 100;
  private static final Path MAIN = Path.of("src/main/java/org/quorumail");
  private static final Path TESTS = Path.of("src/test/java/org/quorumail");
  private static final Path EVENTS_PAGE = Path.of("docs/log-events.md");
  private static final String BEGIN = "<!-- events: written from the sources -->\n";
  private static final String END = "<!-- end of events -->\n";

  /** Words that send a reader back to the start of the sentence; the trade has plainer ones. */
  private static final Pattern BANNED =
      Pattern.compile(
          "\\b(patience|anew|eldest|whoever|somebody|for ever|(?:held|holds?|holding) dead"
              + "|left alone|leaves? alone|tells?|told|telling|hears?|heard|hearing"
              + "|of one's own|of its own accord)\\b",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern BANNED_IN_PAGES =
      Pattern.compile(
          "\\b(patience|anew|eldest|whoever|somebody|for ever|(?:held|holds?|holding) dead"
              + "|left alone|leaves? alone|tells?|told|telling)\\b",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern BANNED_IN_NAMES =
      Pattern.compile("patience|(?<!remove)eldest|whoever|anew\\b", Pattern.CASE_INSENSITIVE);

  private static final Pattern HEADLESS =
      Pattern.compile(
          "/\\*\\*\\s+(?:\\*\\s+)?((?:What|Who|Whom|Whose|Whoever|Whatever|How|Where|Why|That)\\b"
              + "[^\\n]*)");

  private static final Pattern COMMENT =
      Pattern.compile(
          "\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*\"|/\\*.*?\\*/|//[^\\n]*", Pattern.DOTALL);

  private static final Pattern LOG_CALL =
      Pattern.compile("\\b(?:LOG|log|logger)\\s*\\.(trace|debug|info|warn|error)\\(\\s*");

  private static final Pattern EVENT = Pattern.compile("\"event=([a-z][a-z0-9_]*)(?:[ \"])");
  private static final Pattern FIELD = Pattern.compile("([a-z][a-z0-9_]*)=");

  /** Nouns of the trade that end like a gerund. */
  private static final Set<String> NOUNS =
      Set.of("Greeting", "KeyRing", "HashRing", "QueryString", "Spelling", "Logging");

  @Test
  void commentsAndTextsUseTheWordsOfTheTrade() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : sources(MAIN)) {
      String text = Files.readString(file);
      Matcher part = COMMENT.matcher(text);
      while (part.find()) {
        Matcher word = BANNED.matcher(part.group());
        while (word.find()) found.add(at(file, text, part.start() + word.start(), word.group()));
      }
      Matcher name = BANNED_IN_NAMES.matcher(text);
      while (name.find()) found.add(at(file, text, name.start(), name.group()));
    }
    assertThat(found).isEmpty();
  }

  @Test
  void pagesUseTheWordsOfTheTrade() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path page : pages()) {
      String text = Files.readString(page);
      Matcher word = BANNED_IN_PAGES.matcher(text);
      while (word.find()) found.add(at(page, text, word.start(), word.group()));
    }
    assertThat(found).isEmpty();
  }

  @Test
  void commentsBeginWithASubject() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path root : List.of(MAIN, TESTS)) {
      for (Path file : sources(root)) {
        String text = Files.readString(file);
        Matcher headless = HEADLESS.matcher(text);
        while (headless.find()) found.add(at(file, text, headless.start(1), headless.group(1)));
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void everyLogCallNamesItsEvent() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : sources(MAIN)) {
      String text = Files.readString(file);
      Matcher call = LOG_CALL.matcher(text);
      while (call.find()) {
        Matcher event = EVENT.matcher(text).region(call.end(), text.length());
        if (!event.lookingAt()) found.add(at(file, text, call.start(), call.group()));
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void thePageOfLogEventsListsThoseOfTheSources() throws IOException {
    String page = Files.readString(EVENTS_PAGE);
    String before = page.substring(0, page.indexOf(BEGIN) + BEGIN.length());
    String after = page.substring(page.indexOf(END));
    String expected = before + eventTable() + after;
    if (Boolean.getBoolean("docs.write")) Files.writeString(EVENTS_PAGE, expected);
    assertThat(Files.readString(EVENTS_PAGE)).isEqualTo(expected);
  }

  @Test
  void typesAreNouns() throws IOException {
    Set<String> gerunds = new TreeSet<>();
    for (Path file : sources(MAIN)) {
      String name = file.getFileName().toString().replace(".java", "");
      if (name.endsWith("ing") && !NOUNS.contains(name)) gerunds.add(name);
    }
    assertThat(gerunds).isEmpty();
  }

  @Test
  void oneNameMeansOneType() throws IOException {
    Map<String, List<String>> places = new TreeMap<>();
    for (Path file : sources(MAIN)) {
      String name = file.getFileName().toString();
      if (name.equals("package-info.java")) continue;
      places.computeIfAbsent(name, n -> new ArrayList<>()).add(file.toString());
    }
    places.values().removeIf(files -> files.size() == 1);
    assertThat(places).isEmpty();
  }

  @Test
  void linesFitAndNothingIsLeftForLater() throws IOException {
    Pattern later = Pattern.compile("\\b(?:TO" + "DO|FIX" + "ME|XX" + "X)\\b");
    List<String> found = new ArrayList<>();
    for (Path root : List.of(MAIN, TESTS)) {
      for (Path file : sources(root)) {
        int number = 0;
        for (String line : Files.readAllLines(file)) {
          number++;
          boolean text = line.contains("\""); // the formatter leaves a long text whole
          if (line.length() > MAX_WIDTH && !text) found.add(file + ":" + number + " too wide");
          if (later.matcher(line).find()) found.add(file + ":" + number + " " + line.strip());
        }
      }
    }
    assertThat(found).isEmpty();
  }

  /** One row per event: its levels, the packages that log it, and its fields. */
  private static String eventTable() throws IOException {
    record Event(Set<String> levels, Set<String> rooms, Set<String> fields) {}
    Map<String, Event> events = new TreeMap<>();
    for (Path file : sources(MAIN)) {
      String text = Files.readString(file);
      Matcher call = LOG_CALL.matcher(text);
      while (call.find()) {
        Matcher event = EVENT.matcher(text).region(call.end(), text.length());
        if (!event.lookingAt()) continue;
        Event row =
            events.computeIfAbsent(
                event.group(1),
                n -> new Event(new TreeSet<>(), new TreeSet<>(), new java.util.LinkedHashSet<>()));
        row.levels().add(call.group(1));
        row.rooms().add(room(file));
        Matcher field = FIELD.matcher(format(text, call.end()));
        while (field.find()) if (!field.group(1).equals("event")) row.fields().add(field.group(1));
      }
    }
    StringBuilder table =
        new StringBuilder("| event | level | package | fields |\n|---|---|---|---|\n");
    events.forEach(
        (name, e) ->
            table.append(
                "| `%s` | %s | %s | %s |\n"
                    .formatted(
                        name,
                        String.join(", ", e.levels()),
                        String.join(", ", e.rooms()),
                        e.fields().isEmpty() ? "–" : String.join(" ", e.fields()))));
    return table.toString();
  }

  /** The constant text at the start of a call: literals joined by plus signs. */
  private static String format(String text, int from) {
    Matcher literal = Pattern.compile("\\s*\\+?\\s*\"((?:\\\\.|[^\"\\\\])*)\"").matcher(text);
    StringBuilder all = new StringBuilder();
    literal.region(from, text.length());
    while (literal.lookingAt()) {
      all.append(literal.group(1));
      literal.region(literal.end(), text.length());
    }
    return all.toString();
  }

  private static String room(Path file) {
    Path folder = MAIN.relativize(file.getParent());
    String name = folder.toString().replace('/', '.');
    return name.isEmpty() ? "root" : name;
  }

  private static String at(Path file, String text, int offset, String what) {
    long line = text.substring(0, offset).chars().filter(c -> c == '\n').count() + 1;
    return file + ":" + line + " " + what;
  }

  private static List<Path> sources(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(f -> f.toString().endsWith(".java"))
          .filter(f -> !f.endsWith("TidyTest.java"))
          .sorted()
          .toList();
    }
  }

  private static List<Path> pages() throws IOException {
    List<Path> all = new ArrayList<>();
    for (String page :
        List.of("README.md", "SECURITY.md", "ARCHITECTURE.md", "CHANGELOG.md", "bench/README.md")) {
      all.add(Path.of(page));
    }
    try (Stream<Path> files = Files.walk(Path.of("docs"))) {
      files.filter(f -> f.toString().endsWith(".md")).sorted().forEach(all::add);
    }
    return all;
  }
}
