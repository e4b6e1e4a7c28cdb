package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.it.ForeignProgram.ProgramResult;
import org.quorumail.tools.NodeProcess;

/** {@code bench/connections} with a twentieth of its connections: its bounds hold. */
class ConnectionsIT {
  @TempDir private Path directory;

  @Test
  void manySlowAndHostileConnectionsStayWithinTheirBounds() throws Exception {
    Path bin = NodeProcess.program().toAbsolutePath().getParent();
    String home = String.valueOf(bin == null ? null : bin.getParent());
    ProgramResult ended =
        ForeignProgram.run(
            directory, "", "python3", "bench/connections", "--short", "--home", home);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
  }
}
