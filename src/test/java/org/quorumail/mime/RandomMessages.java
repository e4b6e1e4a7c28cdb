package org.quorumail.mime;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Random messages with nested parts. Their bodies are read back without the code under test. */
final class RandomMessages {
  private static final String[] PIECES = {
    "a",
    "b c",
    " ",
    "\t",
    "=",
    "=3D",
    "-",
    "--",
    "--=_b",
    ".",
    "\r\n",
    "\r\n\r\n",
    "\r\n-",
    "\r\n ",
    "From ",
    "\u00e4",
    "\u00ff",
    "\u0080",
    "\u0000",
    "\r",
    "\n",
    "\u007f",
    "x".repeat(80),
    "y".repeat(1200),
    "\u00e4".repeat(30),
    "word ".repeat(20),
    "Content-Type: text/plain\r\n"
  };

  private final SplittableRandom random;
  private int boundaries;

  RandomMessages(long seed) {
    random = new SplittableRandom(seed);
  }

  sealed interface Entity {
    record Leaf(String header, byte[] body) implements Entity {}

    record Multi(String header, String boundary, List<Entity> parts) implements Entity {}

    record Message(String header, Entity inner) implements Entity {}
  }

  /** A message with a header of its own. */
  Entity message(int depth) {
    return entity("From: <a@a.test>\r\nMIME-Version: 1.0\r\n", depth);
  }

  private Entity entity(String begin, int depth) {
    String label =
        pick(
            "",
            "",
            "Content-Transfer-Encoding: 8bit\r\n",
            "content-transfer-encoding : (a comment) BINARY\r\n",
            "Content-Transfer-Encoding: 7bit\r\n");
    return switch (depth == 0 ? 0 : random.nextInt(3)) {
      case 1 -> multipart(begin + label, depth);
      case 2 ->
          new Entity.Message(
              begin + label + "Content-Type: Message/RFC822\r\n", message(depth - 1));
      default ->
          new Entity.Leaf(
              begin
                  + pick(
                      "Content-Type: text/plain; charset=utf-8\r\n",
                      "Content-Type: application/octet-stream; name=\"x;y\"\r\n",
                      "Content-Type: text/html;\r\n\tcharset=latin1\r\n")
                  + label,
              body());
    };
  }

  private Entity multipart(String begin, int depth) {
    String boundary = "=_b" + boundaries++ + "_";
    List<Entity> parts = new ArrayList<>();
    int count = random.nextInt(1, 4);
    for (int i = 0; i < count; i++) parts.add(entity(pick("", "Content-ID: <1>\r\n"), depth - 1));
    String type = "Content-Type: multipart/" + pick("mixed", "alternative");
    return new Entity.Multi(begin + type + "; boundary=\"" + boundary + "\"\r\n", boundary, parts);
  }

  private byte[] body() {
    StringBuilder text = new StringBuilder();
    int count = random.nextInt(30);
    for (int i = 0; i < count; i++) text.append(PIECES[random.nextInt(PIECES.length)]);
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private String pick(String... of) {
    return of[random.nextInt(of.length)];
  }

  static byte[] write(Entity entity) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    write(entity, out);
    return out.toByteArray();
  }

  private static void write(Entity entity, ByteArrayOutputStream out) {
    switch (entity) {
      case Entity.Leaf leaf -> {
        out.writeBytes(octets(leaf.header + "\r\n"));
        out.writeBytes(leaf.body);
      }
      case Entity.Message message -> {
        out.writeBytes(octets(message.header + "\r\n"));
        write(message.inner, out);
      }
      case Entity.Multi multi -> {
        out.writeBytes(octets(multi.header + "\r\nbefore\r\n"));
        for (Entity part : multi.parts) {
          out.writeBytes(octets("--" + multi.boundary + " \r\n"));
          write(part, out);
          out.writeBytes(octets("\r\n"));
        }
        out.writeBytes(octets("--" + multi.boundary + "--\r\nafter\r\n"));
      }
    }
  }

  /** The decoded bodies in a text that an entity was written to; the entity gives the places. */
  static List<byte[]> bodies(Entity entity, String written) {
    List<byte[]> found = new ArrayList<>();
    int blank = written.startsWith("\r\n") ? 0 : written.indexOf("\r\n\r\n") + 2;
    String header = written.substring(0, blank).toLowerCase(java.util.Locale.ROOT);
    String body = written.substring(blank + 2);
    switch (entity) {
      case Entity.Leaf leaf -> found.add(decoded(header, body));
      case Entity.Message message -> found.addAll(bodies(message.inner, body));
      case Entity.Multi multi -> {
        String[] parts = ("\r\n" + body).split("\r\n--" + multi.boundary + "(--| )\r\n", -1);
        for (int i = 0; i < multi.parts.size(); i++) {
          found.addAll(bodies(multi.parts.get(i), parts[i + 1]));
        }
      }
    }
    return found;
  }

  static List<byte[]> bodies(Entity entity) {
    return switch (entity) {
      case Entity.Leaf leaf -> List.of(leaf.body);
      case Entity.Message message -> bodies(message.inner);
      case Entity.Multi multi ->
          multi.parts.stream().flatMap(part -> bodies(part).stream()).toList();
    };
  }

  private static byte[] decoded(String header, String body) {
    if (header.contains("content-transfer-encoding: base64")) {
      assert body.lines().allMatch(line -> line.length() <= 76);
      return java.util.Base64.getMimeDecoder().decode(body);
    }
    if (!header.contains("content-transfer-encoding: quoted-printable")) return octets(body);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < body.length(); i++) {
      char c = body.charAt(i);
      if (c != '=') {
        text.append(c);
      } else if (body.startsWith("\r\n", i + 1)) {
        i += 2;
      } else {
        text.append((char) Integer.parseInt(body.substring(i + 1, i + 3), 16));
        i += 2;
      }
    }
    return octets(text.toString());
  }

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
