package org.quorumail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.LoginFailures;
import org.quorumail.cluster.ClusterFault;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.config.Config;
import org.quorumail.policy.Aliases;
import org.quorumail.policy.checks.AccessLists;

/** Reads the files that a configuration names, as a node would, to say what is wrong with them. */
final class NamedFiles {
  private NamedFiles() {}

  private interface Reading {
    void read() throws IOException, StartFailure, ClusterFault;
  }

  /** One sentence for each kind of file that cannot be used. */
  static List<String> problems(Config c) {
    List<String> problems = new ArrayList<>();
    tell(problems, () -> LiveConfig.certificates(c));
    tell(
        problems,
        () -> Authentication.open(c.auth(), new LoginFailures(c.auth().limits())).close());
    tell(problems, () -> Aliases.of(c.policy().aliases(), c.relay().domains()));
    tell(problems, () -> new AccessLists(c.policy().lists()));
    if (c.relay().recipients().isPresent()) {
      tell(problems, () -> PolicyRules.file(c.relay().recipients().get()));
    }
    if (c.cluster().enabled() && c.cluster().tls().isPresent()) {
      tell(problems, () -> NodeCertificate.read(c.cluster().tls().get()));
    }
    return problems;
  }

  private static void tell(List<String> problems, Reading reading) {
    try {
      reading.read();
    } catch (IOException | StartFailure | ClusterFault e) {
      problems.add(String.valueOf(e.getMessage()));
    }
  }
}
