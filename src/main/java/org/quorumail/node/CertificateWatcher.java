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
 * Sees that a certificate, key or authority file was replaced, and has all of them read again: a
 * renewed certificate counts without anybody's doing. Looks every five seconds, and takes what has
 * not changed for one round, so that a pair is not read while it is being written.
 */
public final class CertificateWatcher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CertificateWatcher.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  private final LiveConfig config;
  private final Thread thread;
  private List<Stamp> loaded;
  private List<Stamp> seen;

  /** What tells one content of a file from the next, without reading it. */
  private record Stamp(Path file, long modifiedNanos, long size, String key) {}

  private CertificateWatcher(LiveConfig config) {
    this.config = config;
    this.loaded = stamps(config.current());
    this.seen = loaded;
    this.thread = Thread.ofVirtual().name("certificate-watch").unstarted(this::run);
  }

  public static CertificateWatcher start(LiveConfig config) {
    CertificateWatcher watch = new CertificateWatcher(config);
    watch.thread.start();
    return watch;
  }

  /** For tests, which do not wait. */
  static CertificateWatcher idle(LiveConfig config) {
    return new CertificateWatcher(config);
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void run() {
    try {
      while (true) {
        Thread.sleep(PERIOD);
        check();
      }
    } catch (InterruptedException e) {
      LOG.debug("event=certificate_watch_ended");
    }
  }

  /** One round. What cannot be used is told once, and the old certificates stay. */
  void check() {
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
