package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The links between the pages: each leads to a file and a heading, and all pages are linked. */
class PageLinksTest {
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
  private static final Pattern CODE = Pattern.compile("(?s)```.*?```");

  /** A link to a page of this repository; the anchor is empty when it has none. */
  private record Link(Path target, String anchor) {}

  @Test
  void everyLinkLeadsToAFileAndAHeading() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path page : pages()) {
      for (Link link : links(page)) {
        if (!Files.exists(link.target())) broken.add(page + ": no file " + link.target());
        else if (!link.anchor().isEmpty() && !anchors(link.target()).contains(link.anchor())) {
          broken.add(page + ": no heading #" + link.anchor() + " in " + link.target());
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void everyPageIsReachedFromTheReadme() throws IOException {
    Set<Path> reached = new TreeSet<>();
    Deque<Path> next = new ArrayDeque<>(List.of(Path.of("README.md")));
    while (!next.isEmpty()) {
      Path page = next.pop();
      if (!page.toString().endsWith(".md") || !Files.exists(page) || !reached.add(page)) continue;
      for (Link link : links(page)) next.add(link.target());
    }
    // a link to the folder of the decisions leads to all of them
    List<Path> expected =
        pages().stream().filter(page -> !page.startsWith(Path.of("docs", "decisions"))).toList();
    assertThat(reached).hasSizeGreaterThan(15).containsAll(expected);
  }

  @Test
  void thePolicyOfSecurityIsWhereReportersLookForIt() throws IOException {
    assertThat(links(Path.of("README.md"))).contains(new Link(Path.of("SECURITY.md"), ""));
    assertThat(links(Path.of("docs/README.md"))).contains(new Link(Path.of("SECURITY.md"), ""));
    assertThat(Files.readString(Path.of("SECURITY.md"))).contains("Report a vulnerability");
  }

  private static List<Link> links(Path page) throws IOException {
    List<Link> links = new ArrayList<>();
    Matcher link = LINK.matcher(CODE.matcher(Files.readString(page)).replaceAll(""));
    while (link.find()) {
      String target = link.group(1);
      if (target.contains("://") || target.startsWith("mailto:")) continue;
      int hash = target.indexOf('#');
      String file = hash < 0 ? target : target.substring(0, hash);
      String anchor = hash < 0 ? "" : target.substring(hash + 1);
      Path resolved = file.isEmpty() ? page : page.resolveSibling(file).normalize();
      links.add(new Link(resolved, anchor));
    }
    return links;
  }

  /** The anchors as GitHub makes them: lower case, no punctuation, hyphens for blanks. */
  private static Set<String> anchors(Path page) throws IOException {
    Set<String> anchors = new TreeSet<>();
    if (!page.toString().endsWith(".md")) return anchors;
    Matcher heading = HEADING.matcher(CODE.matcher(Files.readString(page)).replaceAll(""));
    while (heading.find()) {
      String text = heading.group(1).toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}_ -]", "");
      anchors.add(text.strip().replace(' ', '-'));
    }
    return anchors;
  }

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    for (String folder : List.of("docs", "bench")) {
      try (Stream<Path> files = Files.walk(Path.of(folder))) {
        files.filter(f -> f.toString().endsWith(".md")).sorted().forEach(pages::add);
      }
    }
    try (Stream<Path> files = Files.list(Path.of(""))) {
      files.filter(f -> f.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    return pages;
  }
}
