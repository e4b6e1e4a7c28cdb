package org.quorumail.metrics;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** The setup of the log by {@code [log]}: one line per event, to a file or standard error. */
public final class Logging {
  /** Libraries whose lines below a warning are of no use to an operator. */
  private static final List<String> WARN_LEVEL_LOGGERS =
      List.of("org.apache.ratis", "io.grpc", "io.netty", "io.helidon", "org.rocksdb", "org.xbill");

  /**
   * Loggers of Ratis that warn several times a second and group while a member is away. The
   * membership and the election report that once. Their errors are kept.
   */
  private static final List<String> ERROR_LEVEL_LOGGERS =
      List.of(
          "org.apache.ratis.grpc.server.GrpcLogAppender",
          "org.apache.ratis.grpc.server.GrpcServerProtocolService",
          "org.apache.ratis.grpc.client.GrpcClientProtocolService",
          "org.apache.ratis.grpc.GrpcUtil",
          "org.apache.ratis.server.impl.FollowerState",
          "org.apache.ratis.util.JvmPauseMonitor");

  /**
   * The logger of Netty's QUIC, which writes the secrets of TLS sessions: no level lets that pass.
   */
  private static final String SECRET_LEAKING_LOGGER = "io.netty.handler.codec.quic";

  private Logging() {}

  /** Replaces the former setup; called at the start. */
  public static void configure(LogConfig config) throws UnwritableException {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    OutputStreamAppender<ILoggingEvent> appender = appender(config);
    context.reset();
    appender.setContext(context);
    appender.setName("log");
    appender.setEncoder(encoder(config, context));
    appender.start();
    ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.addAppender(appender);
    bridgeJavaUtilLogging();
    setLevel(config.level());
  }

  /** Changes the level of the running log. */
  public static void setLevel(LogConfig.Level level) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.valueOf(level.name()));
    boolean detailed = level == LogConfig.Level.TRACE;
    for (String name : WARN_LEVEL_LOGGERS)
      context.getLogger(name).setLevel(detailed ? null : Level.WARN);
    for (String name : ERROR_LEVEL_LOGGERS)
      context.getLogger(name).setLevel(detailed ? null : Level.ERROR);
    context.getLogger(SECRET_LEAKING_LOGGER).setLevel(Level.WARN);
    context.resetTurboFilterList();
    if (!detailed) context.addTurboFilter(new DuplicateWarningFilter());
  }

  /** Bridges the log of Helidon and gRPC; lines below a warning are of no use to an operator. */
  private static void bridgeJavaUtilLogging() {
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    java.util.logging.Logger.getLogger("").setLevel(java.util.logging.Level.WARNING);
  }

  private static Encoder<ILoggingEvent> encoder(LogConfig config, LoggerContext context) {
    LogLineEncoder encoder = new LogLineEncoder(config.format());
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }

  private static OutputStreamAppender<ILoggingEvent> appender(LogConfig config)
      throws UnwritableException {
    if (config.file().isEmpty()) {
      ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
      console.setTarget("System.err");
      return console;
    }
    Path file = config.file().get().toAbsolutePath();
    try {
      if (file.getParent() != null) Files.createDirectories(file.getParent());
      Files.newOutputStream(
              file,
              java.nio.file.StandardOpenOption.CREATE,
              java.nio.file.StandardOpenOption.APPEND)
          .close();
    } catch (IOException e) {
      throw new UnwritableException("the log file " + file + " (log.file) cannot be written");
    }
    FileAppender<ILoggingEvent> appender = new FileAppender<>();
    appender.setFile(file.toString());
    return appender;
  }

  /** The failure to write the log; the message names the file. */
  public static final class UnwritableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnwritableException(String message) {
      super(message);
    }
  }
}
