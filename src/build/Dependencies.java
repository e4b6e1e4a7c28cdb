import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/**
 * The check of the libraries in the build, and the list of those that are shipped. Maven runs it
 * (pom.xml); it needs nothing but a JDK 17.
 *
 * <pre>
 * java src/build/Dependencies.java verify REPOSITORY CLASS-PATH LIST         each jar is in the list
 * java src/build/Dependencies.java write  REPOSITORY CLASS-PATH LIST         writes the list
 * java src/build/Dependencies.java sbom   REPOSITORY CLASS-PATH FILE VERSION writes CycloneDX 1.6
 * </pre>
 *
 * <p>The list has lines as {@code sha256sum} writes them, with the path in the local repository.
 */
public final class Dependencies {
  private static final int MAX_PARENTS = 10;

  private Dependencies() {}

  /** A jar of the class path: its place in the repository says what it is. */
  private record Library(
      String path, String group, String name, String version, String qualifier, String sha256) {
    String purl() {
      String suffix = qualifier.isEmpty() ? "?type=jar" : "?classifier=" + qualifier + "&type=jar";
      return "pkg:maven/" + group + "/" + name + "@" + version + suffix;
    }
  }

  public static void main(String[] args) throws IOException {
    if (args.length < 4) {
      System.err.println("usage: see the comment of " + Dependencies.class.getName());
      System.exit(2);
    }
    Path repository = Path.of(args[1]).toAbsolutePath().normalize();
    List<Library> libraries = libraries(repository, args[2]);
    Path file = Path.of(args[3]);
    switch (args[0]) {
      case "verify" -> {
        List<String> problems = problems(libraries, read(file));
        problems.forEach(System.err::println);
        if (!problems.isEmpty()) {
          System.err.println(
              "dependencies: not built. After a wanted change of a library: mvn -q initialize"
                  + " -Dchecksums=write");
          System.exit(1);
        }
      }
      case "write" -> {
        StringBuilder list = new StringBuilder();
        for (Library library : libraries)
          list.append(library.sha256).append("  ").append(library.path).append('\n');
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, list);
      }
      case "sbom" -> {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, sbom(repository, libraries, args[4]));
      }
      default -> {
        System.err.println("dependencies: unknown order " + args[0]);
        System.exit(2);
      }
    }
  }

  /** The jars of a class path that lie in the repository, sorted by their paths. */
  private static List<Library> libraries(Path repository, String classPath) throws IOException {
    TreeMap<String, Library> found = new TreeMap<>();
    for (String entry : classPath.split(java.io.File.pathSeparator)) {
      Path jar = Path.of(entry).toAbsolutePath().normalize();
      if (!entry.endsWith(".jar") || !jar.startsWith(repository)) continue;
      Path place = repository.relativize(jar);
      int parts = place.getNameCount();
      if (parts < 4) throw new IOException(jar + " is not at a place of a Maven repository");
      String version = place.getName(parts - 2).toString();
      String name = place.getName(parts - 3).toString();
      String group = place.subpath(0, parts - 3).toString().replace('/', '.');
      String file = place.getFileName().toString();
      String base = name + "-" + version;
      if (!file.startsWith(base)) throw new IOException(jar + " is not named after its folder");
      String rest = file.substring(base.length(), file.length() - ".jar".length());
      String qualifier = rest.startsWith("-") ? rest.substring(1) : "";
      String path = place.toString();
      found.put(path, new Library(path, group, name, version, qualifier, sha256(jar)));
    }
    return List.copyOf(found.values());
  }

  private static Map<String, String> read(Path list) throws IOException {
    Map<String, String> sums = new TreeMap<>();
    for (String line : Files.readAllLines(list)) {
      if (line.isBlank() || line.startsWith("#")) continue;
      int gap = line.indexOf("  ");
      if (gap != 64) throw new IOException(list + ": not a line of sha256sum: " + line);
      sums.put(line.substring(gap + 2), line.substring(0, gap));
    }
    return sums;
  }

  /** One sentence for each jar that is not as it was when the list was written. */
  private static List<String> problems(List<Library> libraries, Map<String, String> sums) {
    List<String> problems = new ArrayList<>();
    if (libraries.isEmpty())
      problems.add("dependencies: the class path has no jar of the repository");
    for (Library library : libraries) {
      String expected = sums.get(library.path);
      if (expected == null) {
        problems.add("dependencies: " + library.path + " has no checksum in the list");
      } else if (!expected.equals(library.sha256)) {
        problems.add(
            "dependencies: "
                + library.path
                + " is not the file that was reviewed: its SHA-256 is "
                + library.sha256
                + ", not "
                + expected);
      }
    }
    return problems;
  }

  private static String sbom(Path repository, List<Library> libraries, String version) {
    StringBuilder content = new StringBuilder();
    for (Library library : libraries) content.append(library.sha256);
    UUID serial = UUID.nameUUIDFromBytes((version + content).getBytes(StandardCharsets.US_ASCII));
    StringBuilder json = new StringBuilder();
    json.append("{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.6\",\n");
    json.append("  \"serialNumber\": \"urn:uuid:")
        .append(serial)
        .append("\",\n  \"version\": 1,\n");
    json.append("  \"metadata\": {\n    \"component\": {\n");
    json.append("      \"type\": \"application\",\n      \"bom-ref\": \"quorumail\",\n");
    json.append("      \"group\": \"org.quorumail\",\n      \"name\": \"quorumail\",\n");
    json.append("      \"version\": ").append(quoted(version)).append(",\n");
    json.append("      \"licenses\": [{\"license\": {\"id\": \"Apache-2.0\"}}]\n    }\n  },\n");
    json.append("  \"components\": [");
    String separator = "\n";
    for (Library library : libraries) {
      json.append(separator).append(component(repository, library));
      separator = ",\n";
    }
    return json.append("\n  ]\n}\n").toString();
  }

  private static String component(Path repository, Library library) {
    StringBuilder licences = new StringBuilder();
    for (String licence : licences(repository, library)) {
      licences.append(licences.isEmpty() ? "" : ", ");
      licences.append("{\"license\": {\"name\": ").append(quoted(licence)).append("}}");
    }
    return """
    {
      "type": "library",
      "bom-ref": %s,
      "group": %s,
      "name": %s,
      "version": %s,
      "purl": %s,
      "hashes": [{"alg": "SHA-256", "content": %s}],
      "licenses": [%s]
    }\
    """
        .formatted(
            quoted(library.purl()),
            quoted(library.group),
            quoted(library.name),
            quoted(library.version),
            quoted(library.purl()),
            quoted(library.sha256),
            licences)
        .indent(4)
        .stripTrailing();
  }

  /** The licences in the library's POM, or in the nearest parent that has some. */
  private static List<String> licences(Path repository, Library library) {
    String group = library.group;
    String name = library.name;
    String version = library.version;
    for (int i = 0; i < MAX_PARENTS; i++) {
      Path pom =
          repository
              .resolve(group.replace('.', '/'))
              .resolve(name)
              .resolve(version)
              .resolve(name + "-" + version + ".pom");
      Optional<Element> project = Files.exists(pom) ? parse(pom) : Optional.empty();
      if (project.isEmpty()) return List.of();
      TreeSet<String> names = new TreeSet<>();
      child(project.get(), "licenses")
          .ifPresent(
              all ->
                  children(all, "license")
                      .forEach(
                          one ->
                              child(one, "name")
                                  .ifPresent(n -> names.add(n.getTextContent().strip()))));
      if (!names.isEmpty()) return List.copyOf(names);
      Optional<Element> parent = child(project.get(), "parent");
      if (parent.isEmpty()) return List.of();
      group = text(parent.get(), "groupId");
      name = text(parent.get(), "artifactId");
      version = text(parent.get(), "version");
    }
    return List.of();
  }

  private static Optional<Element> parse(Path pom) {
    try (InputStream in = Files.newInputStream(pom)) {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
      factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_DTD, "");
      return Optional.of(factory.newDocumentBuilder().parse(in).getDocumentElement());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ParserConfigurationException | SAXException e) {
      return Optional.empty(); // a POM that is no XML names no licence
    }
  }

  private static String text(Element parent, String name) {
    return child(parent, name).map(e -> e.getTextContent().strip()).orElse("");
  }

  private static Optional<Element> child(Element parent, String name) {
    return children(parent, name).stream().findFirst();
  }

  private static List<Element> children(Element parent, String name) {
    List<Element> found = new ArrayList<>();
    for (Node n = parent.getFirstChild(); n != null; n = n.getNextSibling()) {
      if (n instanceof Element e && e.getTagName().equals(name)) found.add(e);
    }
    return found;
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < ' ') out.append("\\u%04x".formatted((int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = Files.newInputStream(file)) {
        byte[] piece = new byte[1 << 16];
        for (int n; (n = in.read(piece)) > 0; ) digest.update(piece, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
