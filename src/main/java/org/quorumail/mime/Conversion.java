package org.quorumail.mime;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How content gets to a next hop that takes no more than 8-bit or 7-bit data: RFC 6152 §3, RFC 3030
 * §3. Only what must be is encoded, each octet of it is got back by decoding, and everything else
 * stays as it is.
 */
public sealed interface Conversion {
  /** The content has no more than the next hop takes, whatever was said of it. */
  record Unneeded() implements Conversion {}

  /**
   * @param size octets of the content as it will be
   */
  record Possible(List<EncodingAction> actions, long size) implements Conversion {
    public Possible {
      actions = List.copyOf(actions);
    }

    /** The content as it will be, from the one that was looked at. */
    public InputStream convert(InputStream content) {
      return new ConvertedStream(content, actions);
    }
  }

  /** Something in it can neither pass nor be encoded. The reason is a phrase. */
  record Impossible(String reason) implements Conversion {}

  /**
   * Reads the content once to find out, and once more for its size when it must be encoded.
   *
   * @param target the widest data that the next hop takes
   * @throws IOException when the content cannot be read
   */
  static Conversion plan(Supplier<InputStream> content, DataKind target) throws IOException {
    EncodingPlanner survey = new EncodingPlanner(target);
    try (InputStream in = content.get()) {
      MimeParser structure = new MimeParser(in, survey);
      while (structure.step()) {}
      Optional<String> problem = structure.problem().or(survey::problem);
      if (problem.isPresent()) return new Impossible(problem.get());
    }
    if (!survey.anyEncoded()) return new Unneeded();
    List<EncodingAction> treatments = survey.actions();
    try (InputStream converted = new ConvertedStream(content.get(), treatments)) {
      return new Possible(
          treatments, converted.transferTo(java.io.OutputStream.nullOutputStream()));
    }
  }
}
