package org.quorumail.mime;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The plan to send content to a next hop that takes only 8-bit or 7-bit data: RFC 6152 §3, RFC 3030
 * §3. Only entities that need it are encoded. Decoding restores each of their octets, and
 * everything else stays unchanged.
 */
public sealed interface Conversion {
  /** The next hop takes the content unchanged, whatever its declared kind is. */
  record Unneeded() implements Conversion {}

  /**
   * The content can be converted.
   *
   * @param actions by the number of the entity
   * @param size octets of the converted content
   */
  record Possible(List<EncodingAction> actions, long size) implements Conversion {
    public Possible {
      actions = List.copyOf(actions);
    }

    /** The converted content, from the content that was planned for. */
    public InputStream convert(InputStream content) {
      return new ConvertedStream(content, actions);
    }
  }

  /** A part of the content can neither pass nor be encoded. The reason is a phrase. */
  record Impossible(String reason) implements Conversion {}

  /**
   * Plans the conversion. Reads the content once, and once more for its size when it is encoded.
   *
   * @param target the widest kind of data that the next hop takes
   * @throws IOException when the content cannot be read
   */
  static Conversion plan(Supplier<InputStream> content, DataKind target) throws IOException {
    EncodingPlanner planner = new EncodingPlanner(target);
    try (InputStream in = content.get()) {
      MimeParser parser = new MimeParser(in, planner);
      while (parser.step()) {}
      Optional<String> problem = parser.problem().or(planner::problem);
      if (problem.isPresent()) return new Impossible(problem.get());
    }
    if (!planner.anyEncoded()) return new Unneeded();
    List<EncodingAction> treatments = planner.actions();
    try (InputStream converted = new ConvertedStream(content.get(), treatments)) {
      return new Possible(
          treatments, converted.transferTo(java.io.OutputStream.nullOutputStream()));
    }
  }
}
