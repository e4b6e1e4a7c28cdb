package org.quorumail.cluster;

import java.nio.file.Path;

public record ClusterTlsFiles(Path certificate, Path key, Path ca) {}
