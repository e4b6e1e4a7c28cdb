import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites the jars of a folder without the native libraries of other platforms, which are the
 * larger part of a distribution. The same jars give the same bytes.
 *
 * <p>Usage: {@code java PlatformJars.java FOLDER amd64|arm64 EPOCH_SECONDS}
 */
final class PlatformJars {
  private static final Pattern NATIVE = Pattern.compile(".*\\.(so|dll|jnilib|dylib)");

  /** What the libraries call a platform of Linux with glibc, in names of files and folders. */
  private static final Map<String, Pattern> OWN =
      Map.of(
          "amd64", Pattern.compile(".*(linux64\\.so|linux/amd64/.*|_x86_64\\.so)"),
          "arm64", Pattern.compile(".*(linux-aarch64\\.so|linux/aarch64/.*|_aarch_64\\.so)"));

  private PlatformJars() {}

  public static void main(String[] args) throws IOException {
    Pattern own = args.length == 3 ? OWN.get(args[1]) : null;
    if (own == null) {
      System.err.println("usage: PlatformJars FOLDER amd64|arm64 EPOCH_SECONDS");
      System.exit(2);
    }
    FileTime time = FileTime.fromMillis(Long.parseLong(args[2]) * 1000);
    try (Stream<Path> jars = Files.list(Path.of(args[0]))) {
      for (Path jar : jars.filter(f -> f.toString().endsWith(".jar")).sorted().toList()) {
        trim(jar, own, time);
      }
    }
  }

  private static void trim(Path jar, Pattern own, FileTime time) throws IOException {
    int natives = 0;
    int kept = 0;
    try (ZipFile in = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : in.stream().toList()) {
        if (!NATIVE.matcher(entry.getName()).matches()) continue;
        natives++;
        if (own.matcher(entry.getName()).matches()) kept++;
      }
      if (natives == 0 || natives == kept) return;
      if (kept > 0) rewrite(in, jar, own, time);
    }
    if (kept == 0) Files.delete(jar); // a jar of natives of another platform and nothing else
    else Files.move(rewritten(jar), jar, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  private static Path rewritten(Path jar) {
    return jar.resolveSibling(jar.getFileName() + ".tmp");
  }

  private static void rewrite(ZipFile in, Path jar, Pattern own, FileTime time) throws IOException {
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(rewritten(jar)))) {
      out.setLevel(Deflater.BEST_COMPRESSION);
      for (ZipEntry entry : in.stream().toList()) {
        String name = entry.getName();
        if (NATIVE.matcher(name).matches() && !own.matcher(name).matches()) continue;
        ZipEntry copy = new ZipEntry(name);
        copy.setLastModifiedTime(time);
        out.putNextEntry(copy);
        in.getInputStream(entry).transferTo(out);
        out.closeEntry();
      }
    }
  }
}
