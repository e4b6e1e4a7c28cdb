package org.quorumail.config;

/**
 * The paths of keys: {@code smtp.listeners[0].socket}. A name with other characters than letters,
 * digits, hyphens and underscores is quoted.
 */
public final class KeyPath {
  private KeyPath() {}

  static String child(String path, String name) {
    String written = name.matches("[A-Za-z0-9_-]+") ? name : '"' + name + '"';
    return path.isEmpty() ? written : path + "." + written;
  }

  static String element(String path, int index) {
    return path + "[" + index + "]";
  }

  /** Cuts the last name or index off; a quoted name may hold dots and brackets. */
  static String parent(String path) {
    boolean quoted = false;
    for (int i = path.length() - 1; i > 0; i--) {
      char c = path.charAt(i);
      if (c == '"') quoted = !quoted;
      else if (!quoted && (c == '.' || c == '[')) return path.substring(0, i);
    }
    return "";
  }

  /** Whether a key is another one, or in its table or list. */
  public static boolean isWithin(String key, String table) {
    return key.equals(table) || key.startsWith(table + ".") || key.startsWith(table + "[");
  }
}
