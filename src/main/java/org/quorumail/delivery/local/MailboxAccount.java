package org.quorumail.delivery.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The account that owns mailboxes and runs programs. A node that runs as root acts for it; any
 * other node has only its own account.
 *
 * @param user empty for the account of the node
 * @param group empty for the user's own group
 */
public record MailboxAccount(String user, String group) {
  public static final MailboxAccount OF_NODE = new MailboxAccount("", "");

  private static final Pattern SYNTAX =
      Pattern.compile("([A-Za-z0-9_][A-Za-z0-9_.-]{0,31})(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,31}))?");
  private static final Path PASSWD = Path.of("/etc/passwd");
  private static final String ROOT = "root";

  /**
   * Reads {@code user} or {@code user:group}.
   *
   * @throws IllegalArgumentException with the problem as its message
   */
  public static MailboxAccount parse(String text) {
    var parts = SYNTAX.matcher(text.strip());
    if (!parts.matches())
      throw new IllegalArgumentException(
          "must be \"user\" or \"user:group\", not \"" + text + "\"");
    if (parts.group(1).equals(ROOT))
      throw new IllegalArgumentException("mailboxes and programs never belong to root");
    return new MailboxAccount(parts.group(1), Optional.ofNullable(parts.group(2)).orElse(""));
  }

  /** Returns why this process cannot act for the account; empty when it can. */
  Optional<String> obstacle() {
    if (user.isEmpty() || user.equals(processUser()) || isRoot()) return Optional.empty();
    return Optional.of(
        "only a node that runs as root can deliver as "
            + user
            + ", and this one is "
            + processUser());
  }

  /** Gives a new file to the account. */
  void give(Path file) throws IOException {
    if (!isOther()) return;
    FileSystem files = file.getFileSystem();
    UserPrincipalLookupService names = files.getUserPrincipalLookupService();
    PosixFileAttributeView view =
        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    view.setOwner(names.lookupPrincipalByName(user));
    view.setGroup(names.lookupPrincipalByGroupName(groupOrOwn()));
  }

  /**
   * Returns the words before a command that must run as the account; empty where none are needed.
   *
   * @throws IOException when the command must not be run
   */
  List<String> commandPrefix() throws IOException {
    if (isRoot() && user.isEmpty())
      throw new IOException("a program is never run as root: set route.user");
    if (!isOther()) return List.of();
    return List.of(
        "setpriv",
        "--reuid=" + user,
        "--regid=" + groupOrOwn(),
        "--clear-groups",
        "--no-new-privs",
        "--");
  }

  private boolean isOther() {
    return !user.isEmpty() && isRoot();
  }

  private static boolean isRoot() {
    return processUser().equals(ROOT);
  }

  private static String processUser() {
    return System.getProperty("user.name", "");
  }

  /** The group as a name or, for the user's own, as a number. */
  private String groupOrOwn() throws IOException {
    if (!group.isEmpty()) return group;
    try (Stream<String> lines = Files.lines(PASSWD, StandardCharsets.ISO_8859_1)) {
      return lines
          .map(line -> line.split(":"))
          .filter(fields -> fields.length > 3 && fields[0].equals(user))
          .findFirst()
          .orElseThrow(
              () -> new IOException("the group of " + user + " is not known: write user:group"))[3];
    }
  }

  @Override
  public String toString() {
    return group.isEmpty() ? user : user + ":" + group;
  }
}
