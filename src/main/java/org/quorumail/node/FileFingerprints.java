package org.quorumail.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.ConfigValues;

/**
 * The digests of the files that keys of the configuration name, so that a reload can report which
 * of them changed.
 */
record FileFingerprints(Map<String, List<String>> byKey) {
  /** The prefix of a list entry that names a file, as in {@code policy.lists}. */
  private static final String FILE_ENTRY = "file:";

  FileFingerprints {
    byKey = Map.copyOf(byKey);
  }

  /** Reads the files that the values of the accepted keys name. */
  static FileFingerprints of(ConfigValues values, Predicate<String> accepted) {
    Map<String, List<String>> digests = new TreeMap<>();
    values.forEach(
        (key, value) -> {
          if (!accepted.test(key)) return;
          Path file = fileOf(value);
          if (file != null) digests.computeIfAbsent(key, k -> new ArrayList<>()).add(digest(file));
        });
    return new FileFingerprints(digests);
  }

  /** Lists the keys of both whose files have other contents. */
  List<String> differences(FileFingerprints other) {
    return byKey.entrySet().stream()
        .filter(e -> other.byKey.containsKey(e.getKey()))
        .filter(e -> !e.getValue().equals(other.byKey.get(e.getKey())))
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  private static @Nullable Path fileOf(Object value) {
    if (value instanceof Path path) return path;
    return value instanceof String text && text.startsWith(FILE_ENTRY)
        ? Path.of(text.substring(FILE_ENTRY.length()).strip())
        : null;
  }

  private static String digest(Path file) {
    if (!Files.isRegularFile(file)) return "none";
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      new DigestInputStream(in, digest).transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      return "unreadable";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
