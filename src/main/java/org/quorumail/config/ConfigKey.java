package org.quorumail.config;

/**
 * A key of the configuration, as {@code docs/configuration.md} lists it.
 *
 * @param path with {@code []} for the elements of a list and {@code *} for a free name
 * @param type in words: duration, size, integer …
 * @param fallback the default as it would be written in the file, or in words
 * @param available false for a key that is documented but built in a later version
 */
public record ConfigKey(
    String path, String type, String fallback, String meaning, boolean available) {}
