package org.quorumail.api;

import java.nio.file.Path;
import java.util.Optional;

public record ApiConfig(Optional<Path> tokenFile) {}
