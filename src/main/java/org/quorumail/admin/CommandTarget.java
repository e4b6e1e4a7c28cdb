package org.quorumail.admin;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.quorumail.mail.OperatorCommand;

/**
 * The operation by which another node runs a command about the messages of a page.
 *
 * @param parameters of the command, each after an ampersand
 */
record CommandTarget(String method, String path, String parameters) {
  static CommandTarget of(OperatorCommand command) {
    return switch (command) {
      case OperatorCommand.Retry retry ->
          new CommandTarget("POST", "/api/queue/retry", retry.releases() ? "&force=true" : "");
      case OperatorCommand.Hold hold -> new CommandTarget("POST", "/api/queue/hold", "");
      case OperatorCommand.Release release -> new CommandTarget("POST", "/api/queue/release", "");
      case OperatorCommand.Bounce bounce ->
          new CommandTarget(
              "POST",
              "/api/queue/bounce",
              "&silent="
                  + bounce.silent()
                  + "&reason="
                  + URLEncoder.encode(bounce.reason(), StandardCharsets.UTF_8));
      case OperatorCommand.Delete delete -> new CommandTarget("DELETE", "/api/queue", "");
    };
  }
}
