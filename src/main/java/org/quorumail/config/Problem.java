package org.quorumail.config;

/**
 * A fault of a configuration, as an operator reads it.
 *
 * @param key the key's path, such as {@code smtp.listeners[0].socket}; empty for the whole file
 * @param origin of the value: {@code quorumail.toml:14}, an environment variable
 * @param message the fault and its remedy, without key and origin
 */
public record Problem(String key, String origin, String message) {
  public Problem {
    message = UrlRedaction.redact(message); // problems are logged and shown
  }

  @Override
  public String toString() {
    StringBuilder line = new StringBuilder();
    if (!origin.isEmpty()) line.append(origin).append(": ");
    if (!key.isEmpty()) line.append(key).append(": ");
    return line.append(message).toString();
  }
}
