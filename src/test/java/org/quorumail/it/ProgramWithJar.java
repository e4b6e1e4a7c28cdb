package org.quorumail.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.quorumail.tools.NodeProcess;

/** The packaged program with one more jar in its lib, as an operator would put it there. */
final class ProgramWithJar {
  private ProgramWithJar() {}

  /**
   * Compiles the source, puts it into a jar that declares it as a service, and that beside links to
   * the jars of the program.
   *
   * @param service the interface, with its package
   * @param type the class, without one
   * @return the launcher
   */
  static Path of(Path directory, String service, String type, String source) throws IOException {
    Path home = Files.createDirectories(directory.resolve("with-" + type));
    Path lib = Files.createDirectories(home.resolve("lib"));
    Path program = NodeProcess.program();
    try (Stream<Path> jars = Files.list(program.resolveSibling("../lib").normalize())) {
      for (Path jar : jars.toList()) {
        Files.createSymbolicLink(lib.resolve(jar.getFileName()), jar);
      }
    }
    jar(lib.resolve(type + ".jar"), service, type, compiled(home, type, source));
    Path launcher = Files.createDirectories(home.resolve("bin")).resolve("quorumail");
    return Files.copy(program, launcher); // with its permissions
  }

  private static Path compiled(Path folder, String type, String source) throws IOException {
    Path file = Files.writeString(folder.resolve(type + ".java"), source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
      var task = compiler.getTask(null, files, null, options, null, files.getJavaFileObjects(file));
      if (!task.call()) throw new IOException(type + " does not compile");
    }
    return folder.resolve(type + ".class");
  }

  private static void jar(Path jar, String service, String type, Path compiled) throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("META-INF/services/" + service));
      out.write((type + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
      out.putNextEntry(new JarEntry(type + ".class"));
      Files.copy(compiled, out);
    }
  }
}
