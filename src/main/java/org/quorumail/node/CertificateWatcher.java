package org.quorumail.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.tls.KeyPairFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The watcher of certificate, key and authority files: when one was replaced, all are read again,
 * so a renewed certificate needs no reload. It accepts a change that has lasted one round, so that
 * a pair is not read while it is being written. Called by one thread.
 */
public final class CertificateWatcher {
  private static final Logger LOG = LoggerFactory.getLogger(CertificateWatcher.class);

  /** The time between two rounds. */
  public static final Duration INTERVAL = Duration.ofSeconds(5);

  private final LiveConfig config;
  private List<Stamp> loaded;
  private List<Stamp> seen;

  /** The attributes of a file that change with its content. */
  private record Stamp(Path file, long modifiedNanos, long size, String key) {}

  public CertificateWatcher(LiveConfig config) {
    this.config = config;
    this.loaded = stamps(config.current());
    this.seen = loaded;
  }

  /** Runs one round. A file that cannot be used is logged once, and the old certificates stay. */
  public void check() {
    List<Stamp> now = stamps(config.current());
    boolean settled = now.equals(seen);
    seen = now;
    if (!settled || now.equals(loaded)) return;
    loaded = now;
    try {
      config.reloadCertificates();
      LOG.info("event=certificates_reloaded files={}", now.size());
    } catch (NodeStartException e) {
      LOG.warn("event=certificates_kept reason=\"{}\"", e.getMessage());
    }
  }

  private static List<Stamp> stamps(Config config) {
    List<Stamp> stamps = new ArrayList<>();
    config.tls().certificate().ifPresent(pair -> add(stamps, pair));
    config.tls().more().forEach(pair -> add(stamps, pair));
    config.listeners().forEach(l -> l.certificate().ifPresent(pair -> add(stamps, pair)));
    config.api().certificate().ifPresent(pair -> add(stamps, pair));
    config.tls().clientCa().ifPresent(file -> stamps.add(stamp(file)));
    return stamps;
  }

  private static void add(List<Stamp> stamps, KeyPairFiles pair) {
    stamps.add(stamp(pair.certificate()));
    stamps.add(stamp(pair.key()));
  }

  private static Stamp stamp(Path file) {
    try {
      BasicFileAttributes of = Files.readAttributes(file, BasicFileAttributes.class);
      long modified = of.lastModifiedTime().to(java.util.concurrent.TimeUnit.NANOSECONDS);
      return new Stamp(file, modified, of.size(), String.valueOf(of.fileKey()));
    } catch (IOException e) {
      return new Stamp(file, 0, -1, "missing");
    }
  }
}
