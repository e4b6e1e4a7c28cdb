package org.quorumail.node;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.LoginFailures;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.cluster.ClusterStartException;
import org.quorumail.cluster.ClusterTlsFiles;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.config.ConfigValues;
import org.quorumail.policy.AliasTable;
import org.quorumail.policy.checks.AccessLists;

/** A check of the files that a configuration names: they are read as a node would read them. */
public final class ConfigFileCheck {
  private ConfigFileCheck() {}

  private interface FileCheck {
    void run() throws IOException, NodeStartException, ClusterStartException;
  }

  /** Returns one sentence for each kind of file that cannot be used, with key and line. */
  public static List<String> problems(ConfigResult.Valid valid) {
    return problems(valid.config()).stream()
        .map(problem -> located(problem, valid.values()))
        .toList();
  }

  /** Precedes the key at the beginning of a sentence with the line that sets it. */
  private static String located(String problem, ConfigValues values) {
    String key = problem.split("[,:]", 2)[0];
    return values.origin(key).map(origin -> origin + ": " + problem).orElse(problem);
  }

  /** Returns the same without lines. */
  static List<String> problems(Config c) {
    List<String> problems = new ArrayList<>();
    collect(problems, () -> LiveConfig.smtpCertificates(c));
    collect(problems, () -> LiveConfig.apiTls(c));
    collect(
        problems,
        () -> Authentication.open(c.auth(), new LoginFailures(c.auth().limits())).close());
    collect(problems, () -> AliasTable.read(c.policy().aliases(), c.relay().domains()));
    collect(problems, () -> AccessLists.read(c.policy().lists()));
    collect(problems, () -> FailureClassifier.open(c.delivery().classificationFile()));
    if (c.relay().recipients().isPresent()) {
      collect(problems, () -> PolicyFactory.file(c.relay().recipients().get()));
    }
    if (c.cluster().enabled() && c.cluster().tls().isPresent()) {
      ClusterTlsFiles files = c.cluster().tls().get();
      collect(
          problems,
          () -> {
            if (c.node().id().isEmpty()) NodeCertificate.read(files);
            else NodeCertificate.read(files, c.node().id().get());
          });
    }
    return problems;
  }

  private static void collect(List<String> problems, FileCheck reading) {
    try {
      reading.run();
    } catch (IOException | NodeStartException | ClusterStartException e) {
      problems.add(String.valueOf(e.getMessage()));
    }
  }
}
