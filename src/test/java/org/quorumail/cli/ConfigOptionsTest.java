package org.quorumail.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigOptionsTest {
  private static final Path SOCKET = Path.of("no-such-data/control.sock");

  @TempDir private Path folder;

  @Test
  void theSocketIsFoundBesideTheConfigurationFileOrInTheFolderOfTheService() throws IOException {
    Path etc = Files.createDirectory(folder.resolve("etc"));
    Path service = Files.createDirectory(folder.resolve("lib"));
    List<Path> folders = List.of(etc, service);
    assertThat(ConfigOptions.firstSocket(SOCKET, folders)).isEqualTo(SOCKET);
    Path inService = create(service.resolve(SOCKET));
    assertThat(ConfigOptions.firstSocket(SOCKET, folders)).isEqualTo(inService);
    Path beside = create(etc.resolve(SOCKET));
    assertThat(ConfigOptions.firstSocket(SOCKET, folders)).isEqualTo(beside);
    Path absolute = folder.resolve("absolute.sock");
    assertThat(ConfigOptions.firstSocket(absolute, folders)).isEqualTo(absolute);
  }

  @Test
  void theFirstDefaultFileThatExistsIsRead() throws IOException {
    Path own = folder.resolve("own.toml");
    Path system = folder.resolve("system.toml");
    assertThat(ConfigOptions.firstExisting(List.of(own, system))).isEmpty();
    Files.createFile(system);
    assertThat(ConfigOptions.firstExisting(List.of(own, system))).contains(system);
    Files.createFile(own);
    assertThat(ConfigOptions.firstExisting(List.of(own, system))).contains(own);
  }

  private static Path create(Path socket) throws IOException {
    Files.createDirectories(socket.getParent());
    return Files.createFile(socket);
  }
}
