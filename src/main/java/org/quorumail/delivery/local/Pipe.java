package org.quorumail.delivery.local;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.Escape;

/**
 * A program that reads the message from its standard input and answers by its exit code, as
 * Postfix's pipe(8) has it. No shell is between: each argument is one argument, whatever is in it.
 *
 * @param timeout after which the program and its children are killed, and the mail waits
 */
public record Pipe(List<String> command, MailboxAccount account, Duration timeout)
    implements LocalTarget {
  /** Postfix's command_time_limit. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(1000);

  private static final Set<String> NAMES =
      Set.of("recipient", "user", "domain", "sender", "queue_id");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|([^\\s\"']+)");
  private static final Duration OUTPUT_LINGER = Duration.ofSeconds(1);

  public Pipe {
    command = List.copyOf(command);
  }

  /**
   * Reads a command: words with blanks between, quoted where they have blanks inside.
   *
   * @throws IllegalArgumentException with the problem as its message
   */
  public static Pipe parse(String text) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(text.strip());
    int end = 0;
    while (word.find()) {
      String between = text.strip().substring(end, word.start());
      boolean separate = between.isBlank() && (end == 0 || !between.isEmpty());
      if (!separate) break;
      words.add(
          Optional.ofNullable(word.group(1))
              .or(() -> Optional.ofNullable(word.group(2)))
              .orElseGet(() -> word.group(3)));
      end = word.end();
    }
    if (end != text.strip().length())
      throw new IllegalArgumentException("a word is not quoted as a whole: \"" + text + "\"");
    if (words.isEmpty() || !words.getFirst().startsWith("/") || words.getFirst().contains("{"))
      throw new IllegalArgumentException(
          "must begin with the path of a program, as in \"pipe:/usr/bin/program {recipient}\"");
    for (String argument : words) AddressPlaceholders.check(argument, NAMES);
    return new Pipe(words, MailboxAccount.OF_NODE, DEFAULT_TIMEOUT);
  }

  @Override
  public Pipe withAccount(MailboxAccount other) {
    return new Pipe(command, other, timeout);
  }

  public Pipe withTimeout(Duration other) {
    return new Pipe(command, account, other);
  }

  @Override
  public LocalResult deliver(LocalMessage message, BooleanSupplier mayDeliver) {
    String target = "pipe:" + command.getFirst();
    Optional<String> obstacle = account.obstacle();
    if (obstacle.isPresent()) return LocalResult.deferred(3, 5, obstacle.get(), target);
    AddressPlaceholders values = values(message);
    if (command.stream().anyMatch(values::makesOption)) {
      String reason = "an address that begins with \"-\" is no argument for a program";
      return LocalResult.failed(1, 3, reason, target);
    }
    try (LocalContent content = LocalContent.open(message)) {
      if (content.loops()) return Mbox.loop(message, target);
      List<String> words = new ArrayList<>(account.commandPrefix());
      command.forEach(argument -> words.add(values.expand(argument)));
      if (!mayDeliver.getAsBoolean()) return new LocalResult.Denied();
      return run(words, content, target);
    } catch (LocalContent.ContentException e) {
      return new LocalResult.Unreadable(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      String reason = "cannot run the program: " + LocalFiles.reason(e);
      return LocalResult.deferred(3, 5, reason, target);
    }
  }

  private static AddressPlaceholders values(LocalMessage message) {
    MailAddress recipient = message.recipient();
    boolean isReport = message.reversePath() instanceof ReversePath.Null;
    Map<String, String> values = new HashMap<>(AddressPlaceholders.of(recipient).values());
    values.put("sender", isReport ? "MAILER-DAEMON" : message.reversePath().toString());
    values.put("queue_id", message.id().toString());
    values.replaceAll((name, value) -> LocalContent.oneLine(value));
    return new AddressPlaceholders(values);
  }

  private LocalResult run(List<String> words, LocalContent content, String target)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().clear(); // secrets of the node may be in its environment
    builder.environment().put("PATH", "/usr/local/bin:/usr/bin:/bin");
    builder.directory(new java.io.File("/"));
    Process process = builder.start();
    ProgramOutput output = new ProgramOutput(process);
    ProgramInput input = new ProgramInput(process, content);
    try {
      Thread reader = Thread.ofPlatform().daemon().name("pipe-output").start(output);
      Thread writer = Thread.ofPlatform().daemon().name("pipe-input").start(input);
      boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) kill(process);
      reader.join(OUTPUT_LINGER); // a child of the program may keep the output open
      process.getInputStream().close();
      writer.join(OUTPUT_LINGER); // a child may keep the input open
      LocalContent.ContentException unreadable = input.unreadable;
      if (unreadable != null) throw unreadable;
      if (!ended) return timedOut(target);
      if (output.isTooLong) return LocalResult.deferred(3, 0, "the program wrote too much", target);
      return outcome(process.exitValue(), output.text(), target);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return LocalResult.deferred(3, 2, "the node stops", target);
    } finally {
      kill(process);
    }
  }

  private LocalResult timedOut(String target) {
    String reason = "the program did not end within " + timeout.toSeconds() + " s";
    return LocalResult.deferred(3, 0, reason, target);
  }

  private static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** The exit codes of sysexits.h; a status at the start of the output says it more precisely. */
  private static LocalResult outcome(int code, String output, String target) {
    String said = output.isEmpty() ? "" : ": " + output;
    if (code == 0) return LocalResult.delivered("delivered to the program" + said, target);
    boolean bySignal = code > 128 && code < 160;
    EnhancedStatus status =
        EnhancedStatus.leading(output)
            .filter(s -> s.statusClass() != 2 && !bySignal)
            .orElseGet(() -> status(code, bySignal));
    String how = bySignal ? "the program died by signal " + (code - 128) : "exit code " + code;
    return new LocalResult.Decided(
        status.statusClass() == 4
            ? new Outcome.Deferred(status, how + said, target)
            : new Outcome.Failed(status, how + said, target));
  }

  private static EnhancedStatus status(int code, boolean bySignal) {
    if (bySignal) return new EnhancedStatus(4, 3, 0);
    return switch (code) {
      case 65 -> new EnhancedStatus(5, 6, 0); // EX_DATAERR
      case 67 -> new EnhancedStatus(5, 1, 1); // EX_NOUSER
      case 68 -> new EnhancedStatus(5, 1, 2); // EX_NOHOST
      case 71, 74, 75 -> new EnhancedStatus(4, 3, 0); // EX_OSERR, EX_IOERR, EX_TEMPFAIL
      case 73 -> new EnhancedStatus(5, 2, 0); // EX_CANTCREAT
      case 76 -> new EnhancedStatus(5, 5, 0); // EX_PROTOCOL
      case 77 -> new EnhancedStatus(5, 7, 0); // EX_NOPERM
      case 78 -> new EnhancedStatus(5, 3, 5); // EX_CONFIG
      default -> new EnhancedStatus(5, 3, 0);
    };
  }

  /** The target as the configuration writes it, with its account. */
  @Override
  public String toString() {
    String as = account.user().isEmpty() ? "" : " as " + account;
    return "pipe:" + String.join(" ", command) + as;
  }

  /** The message on its way to the program, which need not read it. */
  private static final class ProgramInput implements Runnable {
    private final Process process;
    private final LocalContent content;
    private volatile LocalContent.@Nullable ContentException unreadable;

    ProgramInput(Process process, LocalContent content) {
      this.process = process;
      this.content = content;
    }

    @Override
    public void run() {
      try (OutputStream in = process.getOutputStream()) {
        try {
          content.writeTo(in, false);
        } catch (LocalContent.ContentException e) {
          unreadable = e;
          kill(process); // before it takes the end of its input for the end of the message
        }
      } catch (IOException e) {
        // the program has read enough, or is dead
      }
    }
  }

  /** The output of the program: its start is kept, its length is limited. */
  private static final class ProgramOutput implements Runnable {
    private static final int KEPT_MAX = 400; // for one line of a report
    private static final int READ_MAX = 1024 * 1024;

    private final Process process;
    private byte[] start = new byte[0];
    private volatile boolean isTooLong;

    ProgramOutput(Process process) {
      this.process = process;
    }

    @Override
    public void run() {
      try {
        InputStream out = process.getInputStream();
        byte[] first = out.readNBytes(KEPT_MAX);
        synchronized (this) {
          start = first;
        }
        byte[] rest = new byte[4096];
        long length = first.length;
        for (int count = out.read(rest); count >= 0; count = out.read(rest)) {
          length += count;
          if (length > READ_MAX) {
            isTooLong = true;
            kill(process);
            return;
          }
        }
      } catch (IOException e) {
        // closed: nobody waits for more
      }
    }

    synchronized String text() {
      String text = new String(start, StandardCharsets.UTF_8).strip();
      if (text.isEmpty()) return "";
      String quoted = Escape.quoted(text, KEPT_MAX);
      return quoted.substring(1, quoted.lastIndexOf('"'));
    }
  }
}
