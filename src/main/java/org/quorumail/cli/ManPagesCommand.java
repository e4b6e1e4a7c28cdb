package org.quorumail.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;

/**
 * {@code man-pages}: writes the manual pages, in roff with the macros of man(7), from the same
 * description of the commands that {@code --help} prints. {@code quorumail(1)} is about the whole;
 * each command has a page of its own that holds its subcommands.
 */
@Command(
    name = "man-pages",
    mixinStandardHelpOptions = true,
    description = "Write the manual pages quorumail*.1 of all commands into a directory.",
    footer = {"", "Examples:", "  quorumail man-pages /usr/local/share/man/man1"})
final class ManPagesCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", description = "Directory; it is made when it is missing.")
  private Path directory = Path.of(".");

  @Override
  public Integer call() throws IOException {
    CommandLine whole = CommandLineInterface.description();
    Files.createDirectories(directory);
    write("quorumail", whole, true);
    for (var command : whole.getSubcommands().entrySet()) {
      write("quorumail-" + command.getKey(), command.getValue(), false);
    }
    return ExitCode.DONE;
  }

  private void write(String name, CommandLine command, boolean isWhole) throws IOException {
    Files.writeString(directory.resolve(name + ".1"), page(name, command, isWhole));
  }

  /** One page: the command, then its subcommands, or the names of their pages. */
  static String page(String name, CommandLine command, boolean isWhole) {
    CommandSpec spec = command.getCommandSpec();
    StringBuilder page = new StringBuilder(4096);
    page.append(".TH \"").append(name.toUpperCase(Locale.ROOT)).append("\" \"1\"");
    page.append(" \"\" \"Quorumail\" \"User Commands\"\n.nh\n.ad l\n");
    page.append(".SH NAME\n").append(text(name)).append(" \\- ");
    page.append(text(firstSentence(spec))).append('\n');
    page.append(".SH SYNOPSIS\n");
    synopsis(page, command);
    page.append(".SH DESCRIPTION\n");
    lines(page, spec.usageMessage().description());
    arguments(page, spec, ".SH OPTIONS\n");
    if (!command.getSubcommands().isEmpty()) {
      page.append(".SH COMMANDS\n");
      for (var sub : command.getSubcommands().entrySet()) {
        if (isWhole) reference(page, sub.getKey(), sub.getValue());
        else subcommand(page, sub.getValue());
      }
    }
    footer(page, spec, ".SH NOTES\n");
    if (!isWhole) page.append(".SH SEE ALSO\n.BR quorumail (1)\n");
    return page.toString();
  }

  private static void reference(StringBuilder page, String name, CommandLine sub) {
    page.append(".TP\n.BR quorumail\\-").append(text(name)).append(" (1)\n");
    page.append(text(firstSentence(sub.getCommandSpec()))).append('\n');
  }

  private static void subcommand(StringBuilder page, CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    page.append(".SS ").append(text(spec.qualifiedName())).append('\n');
    synopsis(page, command);
    page.append(".PP\n");
    lines(page, spec.usageMessage().description());
    arguments(page, spec, "");
    footer(page, spec, "");
    for (CommandLine below : command.getSubcommands().values()) subcommand(page, below);
  }

  private static void synopsis(StringBuilder page, CommandLine command) {
    String synopsis = command.getHelp().synopsis(0).strip().replaceAll("\\s+", " ");
    page.append(".B ").append(text(synopsis)).append('\n');
  }

  private static void arguments(StringBuilder page, CommandSpec spec, String heading) {
    List<OptionSpec> options = spec.options().stream().filter(o -> !o.hidden()).toList();
    if (options.isEmpty() && spec.positionalParameters().isEmpty()) return;
    page.append(heading);
    for (PositionalParamSpec parameter : spec.positionalParameters()) {
      argument(page, parameter.paramLabel(), parameter);
    }
    for (OptionSpec option : options) {
      String value = option.arity().max() == 0 ? "" : " " + option.paramLabel();
      argument(page, String.join(", ", option.names()) + value, option);
    }
  }

  private static void argument(StringBuilder page, String label, ArgSpec argument) {
    page.append(".TP\n.B ").append(text(label)).append('\n');
    lines(page, argument.description());
  }

  private static void footer(StringBuilder page, CommandSpec spec, String heading) {
    String[] footer = spec.usageMessage().footer();
    if (footer.length == 0) return;
    page.append(heading).append(".PP\n.nf\n");
    boolean hasBegun = false;
    for (String line : footer) {
      if (line.isBlank() && !hasBegun) continue;
      hasBegun = true;
      page.append(line.isBlank() ? ".sp" : text(plain(line))).append('\n');
    }
    page.append(".fi\n");
  }

  private static void lines(StringBuilder page, String... lines) {
    for (String line : lines) if (!line.isBlank()) page.append(text(plain(line))).append('\n');
  }

  private static String firstSentence(CommandSpec spec) {
    String all = plain(String.join(" ", spec.usageMessage().description()));
    int end = all.indexOf(". ");
    String sentence = end < 0 ? all : all.substring(0, end);
    return sentence.replaceAll("\\.$", "");
  }

  /** Text as a person reads it: without picocli's markup and its escapes of percent signs. */
  private static String plain(String line) {
    return Ansi.OFF.string(line.replace("%%", "%").replace("%n", " ")).replace("$$", "$");
  }

  /** Text that roff does not take for a request, an escape or a hyphen. */
  static String text(String words) {
    String escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq");
    return escaped.startsWith(".") ? "\\&" + escaped : escaped;
  }
}
