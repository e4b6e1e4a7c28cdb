package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The build's check of the libraries, and its list of them, over a repository with two jars. */
@Execution(ExecutionMode.CONCURRENT)
class DependenciesTest {
  private static final String LIBRARY = "org/example/lib/1.2/lib-1.2.jar";
  private static final String NATIVE = "org/example/native/3/native-3-linux-x86_64.jar";

  @TempDir private Path folder;
  private String output = "";

  @BeforeEach
  void fill() throws IOException {
    jar(LIBRARY, "one");
    jar(NATIVE, "two");
    Files.writeString(
        repository().resolve("org/example/lib/1.2/lib-1.2.pom"),
        """
        <project><parent><groupId>org.example</groupId><artifactId>parent</artifactId>\
        <version>7</version></parent></project>
        """);
    Path parent = Files.createDirectories(repository().resolve("org/example/parent/7"));
    Files.writeString(
        parent.resolve("parent-7.pom"),
        "<project><licenses><license><name>A \"free\" one</name></license></licenses></project>");
  }

  @Test
  void theJarsOfTheListAreAccepted() throws Exception {
    assertThat(run("write", list())).as(output).isZero();
    assertThat(Files.readAllLines(list()))
        .hasSize(2)
        .allMatch(line -> line.matches("[0-9a-f]{64}  org/example/.*\\.jar"));
    assertThat(run("verify", list())).as(output).isZero();
  }

  @Test
  void aJarThatWasChangedStopsTheBuild() throws Exception {
    run("write", list());
    jar(LIBRARY, "another");
    assertThat(run("verify", list())).isEqualTo(1);
    assertThat(output)
        .contains(LIBRARY + " is not the file that was reviewed")
        .doesNotContain(NATIVE);
  }

  @Test
  void aJarThatIsNotInTheListStopsTheBuild() throws Exception {
    run("write", list());
    List<String> lines = Files.readAllLines(list());
    Files.write(list(), lines.subList(0, 1));
    assertThat(run("verify", list())).isEqualTo(1);
    assertThat(output).contains(NATIVE + " has no checksum");
  }

  @Test
  void theListOfWhatIsShippedNamesEachJarItsHashAndItsLicence() throws Exception {
    Path file = folder.resolve("out/sbom.json");
    assertThat(run("sbom", file, "0.9")).as(output).isZero();
    JsonNode bom = JsonMapper.shared().readTree(Files.readAllBytes(file));
    assertThat(bom.get("bomFormat").asString()).isEqualTo("CycloneDX");
    assertThat(bom.at("/metadata/component/version").asString()).isEqualTo("0.9");
    JsonNode library = bom.at("/components/0");
    assertThat(library.get("purl").asString()).isEqualTo("pkg:maven/org.example/lib@1.2?type=jar");
    assertThat(library.at("/licenses/0/license/name").asString()).isEqualTo("A \"free\" one");
    assertThat(library.at("/hashes/0/content").asString()).matches("[0-9a-f]{64}");
    assertThat(bom.at("/components/1/purl").asString())
        .isEqualTo("pkg:maven/org.example/native@3?classifier=linux-x86_64&type=jar");
  }

  /** The kept list has each jar that this very test runs with. */
  @Test
  void theKeptListHasTheLibrariesOfTheTests() throws Exception {
    List<String> kept = Files.readAllLines(Path.of("src/build/checksums.sha256"));
    assertThat(kept).hasSizeGreaterThan(80);
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> missing = new ArrayList<>();
    int libraries = 0;
    for (String entry : classPath.split(java.io.File.pathSeparator)) {
      int repository = entry.indexOf("/repository/");
      if (!entry.endsWith(".jar") || repository < 0 || entry.contains("/org/junit/platform/"))
        continue;
      libraries++;
      String place = entry.substring(repository + "/repository/".length());
      if (kept.stream().noneMatch(line -> line.endsWith("  " + place))) missing.add(place);
    }
    assertThat(missing).isEmpty();
    assertThat(libraries).isGreaterThan(50);
  }

  private Path repository() {
    return folder.resolve("repository");
  }

  private Path list() {
    return folder.resolve("list");
  }

  private void jar(String place, String content) throws IOException {
    Path jar = repository().resolve(place);
    Files.createDirectories(jar.getParent());
    Files.writeString(jar, content);
  }

  private int run(String order, Path file, String... more) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(Path.of("src/build/Dependencies.java").toString());
    command.add(order);
    command.add(repository().toString());
    command.add(
        "target/classes:" + repository().resolve(LIBRARY) + ":" + repository().resolve(NATIVE));
    command.add(file.toString());
    command.addAll(List.of(more));
    Process tool = new ProcessBuilder(command).redirectErrorStream(true).start();
    output = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(tool.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return tool.exitValue();
  }
}
