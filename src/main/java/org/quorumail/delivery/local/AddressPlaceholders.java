package org.quorumail.delivery.local;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quorumail.mail.MailAddress;

/** The names in braces in a path or a command, with their values. */
record AddressPlaceholders(Map<String, String> values) {
  private static final Pattern NAME = Pattern.compile("\\{([^{}]*)\\}");
  private static final int MAX_NAME_BYTES = 200; // file systems take 255, a lock needs five more

  /** The parts of a recipient's address. */
  static AddressPlaceholders of(MailAddress recipient) {
    return new AddressPlaceholders(
        Map.of(
            "user", recipient.localPart(),
            "domain", recipient.domain(),
            "recipient", recipient.toString()));
  }

  /**
   * Checks the names in braces of a text.
   *
   * @throws IllegalArgumentException with the problem as its message
   */
  static void check(String text, Set<String> known) {
    Matcher names = NAME.matcher(text);
    while (names.find()) {
      if (!known.contains(names.group(1)))
        throw new IllegalArgumentException(
            "{" + names.group(1) + "} is none of the names " + new TreeSet<>(known));
    }
    if (NAME.matcher(text).replaceAll("").matches(".*[{}].*"))
      throw new IllegalArgumentException("a brace is not closed: \"" + text + "\"");
  }

  String expand(String text) {
    return expand(text, value -> value);
  }

  /** Mailboxes are found without regard to case, as in the tables of recipients. */
  String expandToLowerCase(String text) {
    return expand(text, value -> value.toLowerCase(Locale.ROOT));
  }

  private String expand(String text, UnaryOperator<String> form) {
    return NAME.matcher(text)
        .replaceAll(name -> Matcher.quoteReplacement(form.apply(value(name.group(1)))));
  }

  private String value(String name) {
    return values.getOrDefault(name, "");
  }

  /** Returns whether each value that the text uses can be a part of the name of one file. */
  boolean areFileNames(String text) {
    return NAME.matcher(text).results().allMatch(name -> isFileName(value(name.group(1))));
  }

  private static boolean isFileName(String value) {
    return !value.isEmpty()
        && value.charAt(0) != '.'
        && value.getBytes(StandardCharsets.UTF_8).length <= MAX_NAME_BYTES
        && value.chars().noneMatch(c -> c == '/' || c == '\\' || Character.isISOControl(c));
  }

  /** Returns whether an argument would begin with a dash that the address has brought. */
  boolean makesOption(String argument) {
    return argument.startsWith("{") && expand(argument).startsWith("-");
  }
}
