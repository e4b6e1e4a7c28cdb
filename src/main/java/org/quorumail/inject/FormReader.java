package org.quorumail.inject;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads a form, RFC 7578, into the document that JSON would be: fields by their names, files as
 * attachments. The field {@code message} may have a whole JSON document, to which the others are
 * added.
 */
final class FormReader {
  private static final int PARTS_MAX = 1200; // recipients and files
  private static final int PART_HEADER_MAX = 8 << 10;
  private static final Set<String> LISTS = Set.of("to", "cc", "bcc", "reply_to");
  private static final Set<String> TEXTS = Set.of("from", "subject", "text", "html");

  private static final Pattern BOUNDARY =
      Pattern.compile("(?i)\\bboundary=(?:\"([^\"]{1,70})\"|([^\\s;\"]{1,70}))");

  private static final Pattern NAME = Pattern.compile("(?i);\\s*name=\"([^\"]*)\"");
  private static final Pattern FILE_NAME = Pattern.compile("(?i);\\s*filename=\"([^\"]*)\"");
  private static final Pattern DISPOSITION =
      Pattern.compile("(?im)^content-disposition:\\s*form-data(.*)$");
  private static final Pattern CONTENT_TYPE = Pattern.compile("(?im)^content-type:\\s*([^;\\s]+)");

  private final JsonMapper mapper;
  private final byte[] body;
  private ObjectNode root;

  private FormReader(JsonMapper mapper, byte[] body) {
    this.mapper = mapper;
    this.body = body;
    this.root = mapper.createObjectNode();
  }

  static JsonNode read(byte[] body, String contentType, JsonMapper mapper) {
    Matcher matcher = BOUNDARY.matcher(contentType);
    if (!matcher.find()) throw bad("the Content-Type of the form has no boundary");
    String boundary = Optional.ofNullable(matcher.group(1)).orElseGet(() -> matcher.group(2));
    FormReader reader = new FormReader(mapper, body);
    reader.parts(("--" + boundary).getBytes(StandardCharsets.ISO_8859_1));
    return reader.root;
  }

  private void parts(byte[] delimiter) {
    int at = indexOf(delimiter, 0);
    if (at != 0 && !(at >= 2 && body[at - 1] == '\n')) throw bad("the form has no part");
    byte[] next = new byte[delimiter.length + 2];
    next[0] = '\r';
    next[1] = '\n';
    System.arraycopy(delimiter, 0, next, 2, delimiter.length);
    at += delimiter.length;
    for (int parts = 0; !isAt(at, "--"); parts++) {
      if (parts == PARTS_MAX) throw bad("the form has more than " + PARTS_MAX + " parts");
      if (!isAt(at, "\r\n")) throw bad("a boundary of the form does not end its line");
      int end = indexOf(next, at);
      if (end < 0) throw bad("the form is cut off");
      part(at + 2, end);
      at = end + next.length;
    }
  }

  private void part(int from, int end) {
    int blank = indexOf("\r\n\r\n".getBytes(StandardCharsets.US_ASCII), from);
    if (blank < 0 || blank > end || blank - from > PART_HEADER_MAX) {
      throw bad("a part of the form has no header, or a long one");
    }
    String header = new String(body, from, blank - from, StandardCharsets.UTF_8);
    Matcher disposition = DISPOSITION.matcher(header);
    Matcher name = NAME.matcher(disposition.find() ? disposition.group(1) : "");
    if (!name.find()) throw bad("a part of the form has no name");
    Matcher file = FILE_NAME.matcher(disposition.group(1));
    Matcher type = CONTENT_TYPE.matcher(header);
    byte[] content = Arrays.copyOfRange(body, blank + 4, end);
    String field = name.group(1);
    if (field.equals("content")) {
      root.put("content", content);
    } else if (file.find() && !field.equals("message")) {
      ObjectNode attachment = array("attachments").addObject();
      attachment.put("filename", unescaped(file.group(1)));
      if (type.find()) attachment.put("content_type", type.group(1));
      attachment.put("content", content);
    } else {
      value(field, text(content, field));
    }
  }

  private void value(String field, String value) {
    if (field.equals("message")) document(value);
    else if (TEXTS.contains(field)) root.put(field, value);
    else if (LISTS.contains(field)) array(field).add(value);
    else throw InjectionProblem.of(field, "is no field of a message");
  }

  /** The document has to come first: what follows is added to it. */
  private void document(String json) {
    if (!root.isEmpty()) throw InjectionProblem.of("message", "is not the first part");
    try {
      if (mapper.readTree(json) instanceof ObjectNode object) root = object;
      else throw InjectionProblem.of("message", "is no JSON object");
    } catch (JacksonException e) {
      throw InjectionProblem.of("message", "is no JSON");
    }
  }

  private ArrayNode array(String name) {
    if (!root.has(name)) return root.putArray(name);
    if (root.path(name) instanceof ArrayNode list) return list;
    ArrayNode list = mapper.createArrayNode().add(root.path(name));
    root.set(name, list);
    return list;
  }

  /** Browsers write these in the name of a file so (WHATWG, multipart/form-data). */
  private static String unescaped(String name) {
    return name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
  }

  private static String text(byte[] octets, String field) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
    } catch (CharacterCodingException e) {
      throw InjectionProblem.of(field, "is not UTF-8");
    }
  }

  private boolean isAt(int at, String octets) {
    if (at + octets.length() > body.length) return false;
    for (int i = 0; i < octets.length(); i++) {
      if (body[at + i] != octets.charAt(i)) return false;
    }
    return true;
  }

  private int indexOf(byte[] pattern, int from) {
    for (int at = from; at + pattern.length <= body.length; at++) {
      if (body[at] == pattern[0]
          && Arrays.equals(body, at, at + pattern.length, pattern, 0, pattern.length)) {
        return at;
      }
    }
    return -1;
  }

  private static InjectionProblem bad(String detail) {
    return InjectionProblem.of(400, "", detail);
  }
}
