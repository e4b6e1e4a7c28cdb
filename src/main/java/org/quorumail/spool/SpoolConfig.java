package org.quorumail.spool;

import java.nio.file.Path;

public record SpoolConfig(Path path, long minFree) {}
