package org.quorumail.harness;

/** How a result is printed. */
public enum OutputFormat {
  TEXT,
  JSON
}
