package org.quorumail.classification;

import com.google.re2j.Pattern;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.FailureClass;

/**
 * One rule. A failure fits when each kind of condition that the rule has fits.
 *
 * @param name unique in its file, for logs and as the author of a suspension
 * @param own whether the rule is about words of this node; others are about replies
 * @param codes of the reply, such as 550; empty for any
 * @param statuses of the reply; empty for any
 * @param text phrases in lower case, one of which the words contain; empty for any
 * @param pattern found in the words in time linear to their length; null for any
 * @param action instead of that of the class; empty for that of the class
 */
record ClassificationRule(
    String name,
    FailureClass failureClass,
    boolean own,
    List<Integer> codes,
    List<StatusPattern> statuses,
    List<String> text,
    @Nullable Pattern pattern,
    Optional<FailureAction> action) {
  ClassificationRule {
    codes = List.copyOf(codes);
    statuses = List.copyOf(statuses);
    text = List.copyOf(text);
  }

  boolean matches(FailureText failure) {
    return own == failure.isOwn()
        && (codes.isEmpty() || codes.contains(failure.code()))
        && (statuses.isEmpty() || statuses.stream().anyMatch(s -> s.matches(failure.status())))
        && (text.isEmpty() || text.stream().anyMatch(failure.text()::contains))
        && (pattern == null || pattern.matcher(failure.text()).find());
  }
}
