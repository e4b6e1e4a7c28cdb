package org.quorumail;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The structure that ARCHITECTURE.md promises is the structure of the code. */
class ArchitectureTest {
  private static final String ROOT = "org.quorumail";
  private static final Pattern NAME = Pattern.compile("`([A-Z][a-z]+(?:[A-Z][a-z]+)+)[.`]");
  private static final Set<String> FOR_ALL = Set.of("config", "metrics");

  /** Sockets, files, threads, clocks of their own, and unseeded randomness. */
  private static final Set<String> IMPURE =
      Set.of(
          "java.net.",
          "java.io.File",
          "java.io.RandomAccess",
          "java.nio.channels.",
          "java.nio.file.",
          "java.lang.Thread",
          "java.lang.Process",
          "java.util.Timer",
          "java.util.concurrent.",
          "java.time.Clock",
          "java.security.SecureRandom",
          "org.slf4j.");

  private static final Set<String> CLOCKS =
      Set.of(
          "java.lang.Runtime.getRuntime",
          "java.lang.System.nanoTime",
          "java.lang.System.currentTimeMillis",
          "java.lang.Math.random",
          "java.time.Instant.now",
          "java.time.LocalDateTime.now");

  /** Calls of RocksDB that may last for seconds. */
  private static final Set<String> LONG_NATIVE_CALLS =
      Set.of(
          "open",
          "flush",
          "compactRange",
          "createCheckpoint",
          "verifyChecksum",
          "cancelAllBackgroundWork");

  private static final Set<String> RESERVED = new TreeSet<>();
  private static final Map<String, Set<String>> table = readTable();
  private static final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(ROOT);

  @Test
  void everyArrowIsInTheTable() {
    Set<String> strangers = new TreeSet<>();
    for (JavaClass origin : classes) {
      Set<String> allowed = allowed(rowOf(origin));
      for (Dependency dependency : origin.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        if (!target.getPackageName().startsWith(ROOT)) continue;
        if (!allowed.contains(rowOf(target))) strangers.add(dependency.getDescription());
      }
    }
    assertThat(strangers).isEmpty();
  }

  @Test
  void theTableNamesEveryPackageAndNoOther() {
    Set<String> inCode = new TreeSet<>();
    for (JavaClass c : classes) inCode.add(rowOf(c));
    Set<String> rows = new TreeSet<>(table.keySet());
    rows.removeAll(RESERVED);
    assertThat(rows).isEqualTo(inCode);
    assertThat(inCode).as("a reserved row that has code").doesNotContainAnyElementsOf(RESERVED);
  }

  @Test
  void theTableHasNoCycle() {
    for (String row : table.keySet()) {
      if (row.equals("root")) continue;
      assertThat(reachable(row)).as("packages reachable from %s", row).doesNotContain(row);
    }
  }

  @Test
  void everyPackageSaysWhatItIs() {
    Set<String> silent = new TreeSet<>();
    for (JavaClass c : classes) {
      String folder = c.getPackageName().replace('.', '/');
      if (!Files.exists(Path.of("src/main/java", folder, "package-info.java"))) silent.add(folder);
    }
    assertThat(silent).isEmpty();
  }

  /** A native call holds the carrier of a virtual thread: with two cores, half of the sessions. */
  @Test
  void longNativeCallsAreMadeOnPlatformThreads() {
    Set<String> unguarded = new TreeSet<>();
    Set<String> guarded = new TreeSet<>();
    for (JavaClass c : classes) {
      for (JavaCodeUnit unit : c.getCodeUnits()) {
        boolean callsLong =
            unit.getMethodCallsFromSelf().stream()
                .anyMatch(
                    call ->
                        call.getTargetOwner().getPackageName().startsWith("org.rocksdb")
                            && LONG_NATIVE_CALLS.contains(call.getName()));
        if (!callsLong) continue;
        boolean guards =
            unit.getMethodCallsFromSelf().stream()
                .anyMatch(call -> call.getTargetOwner().getSimpleName().equals("PlatformThread"));
        (guards ? guarded : unguarded).add(unit.getFullName());
      }
    }
    assertThat(unguarded).isEmpty();
    assertThat(guarded).as("the rule sees the calls").hasSizeGreaterThan(4);
  }

  /** Classes, entries and events: two humps, so that a word of English is none. */
  @Test
  void theDocumentsNameNothingThatTheCodeDoesNot() throws IOException {
    StringBuilder sources = new StringBuilder();
    try (Stream<Path> files = Files.walk(Path.of("src"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        sources.append(Files.readString(file));
      }
    }
    Set<String> words = new HashSet<>(List.of(sources.toString().split("\\W+")));
    Set<String> unknown = new TreeSet<>();
    for (String document : List.of("ARCHITECTURE.md", "docs/flows.md", "docs/spool-states.md")) {
      Matcher name = NAME.matcher(Files.readString(Path.of(document)));
      while (name.find()) {
        if (!words.contains(name.group(1))) unknown.add(document + ": " + name.group(1));
      }
    }
    assertThat(unknown).isEmpty();
  }

  @Test
  void nothingReadsSerializedJavaObjects() {
    Set<String> readers = new TreeSet<>();
    for (JavaClass c : classes) {
      for (Dependency d : c.getDirectDependenciesFromSelf()) {
        if (d.getTargetClass().getName().equals("java.io.ObjectInputStream")) {
          readers.add(c.getName());
        }
      }
    }
    assertThat(readers).isEmpty();
  }

  @Test
  void onlyTheCommandLineWritesToStandardOutput() {
    Set<String> writers = new TreeSet<>();
    for (JavaClass c : classes) {
      if (Set.of("cli", "tools", "root").contains(rowOf(c))) continue;
      c.getFieldAccessesFromSelf().stream()
          .filter(access -> access.getTargetOwner().getName().equals("java.lang.System"))
          .filter(access -> Set.of("out", "err").contains(access.getTarget().getName()))
          .forEach(access -> writers.add(access.getDescription()));
    }
    assertThat(writers).isEmpty();
  }

  @Test
  void gossipsCoresAreTouchedByNothingOutsideTheirArguments() {
    Set<String> impurities = new TreeSet<>();
    for (JavaClass c : classes) {
      if (!Set.of("gossip", "gossip.swim", "gossip.plumtree", "gossip.sim").contains(rowOf(c)))
        continue;
      for (Dependency d : c.getDirectDependenciesFromSelf()) {
        String target = d.getTargetClass().getBaseComponentType().getName();
        // counters that others may read are no way to wait for anybody
        if (target.startsWith("java.util.concurrent.atomic.")) continue;
        if (IMPURE.stream().anyMatch(target::startsWith)) impurities.add(d.getDescription());
      }
      for (var access : c.getAccessesFromSelf()) {
        String target = access.getTargetOwner().getName() + "." + access.getName();
        if (CLOCKS.contains(target)) impurities.add(access.getDescription());
      }
    }
    assertThat(impurities).isEmpty();
  }

  private Set<String> allowed(String row) {
    Set<String> allowed = new TreeSet<>(table.getOrDefault(row, Set.of()));
    allowed.add(row);
    boolean isFoundation = FOR_ALL.contains(row) || row.equals("mail") || row.startsWith("gossip");
    if (!isFoundation) allowed.addAll(FOR_ALL);
    if (row.equals("root")) allowed.addAll(table.keySet());
    return allowed;
  }

  private Set<String> reachable(String from) {
    Set<String> seen = new TreeSet<>();
    List<String> open = new ArrayList<>(table.get(from));
    while (!open.isEmpty()) {
      String next = open.removeLast();
      if (seen.add(next)) open.addAll(table.getOrDefault(next, Set.of()));
    }
    return seen;
  }

  /** The row of the longest package name that fits. */
  private String rowOf(JavaClass c) {
    String name = c.getPackageName();
    if (name.equals(ROOT)) return "root";
    return name.substring(ROOT.length() + 1);
  }

  private static Map<String, Set<String>> readTable() {
    Map<String, Set<String>> rows = new LinkedHashMap<>();
    boolean inTable = false;
    try {
      for (String line : Files.readAllLines(Path.of("ARCHITECTURE.md"))) {
        if (line.startsWith("## ")) inTable = line.equals("## Packages");
        if (!inTable || !line.startsWith("| `")) continue;
        String[] cells = line.split("\\|");
        String name = cells[1].strip().replace("`", "");
        Set<String> uses = new TreeSet<>();
        for (String used : cells[3].strip().split(", ")) {
          if (!used.equals("–") && !used.equals("everything")) uses.add(used);
        }
        rows.put(name, uses);
        if (cells[2].strip().startsWith("reserved")) RESERVED.add(name);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return rows;
  }
}
