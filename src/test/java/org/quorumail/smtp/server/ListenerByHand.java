package org.quorumail.smtp.server;

/** A listener before a spool in memory, for swaks and smtp-source: {@code PORT [key=value …]}. */
final class ListenerByHand {
  private ListenerByHand() {}

  public static void main(String[] arguments) throws Exception {
    String[] options = java.util.Arrays.copyOfRange(arguments, 1, arguments.length);
    TestListener server = new TestListener(null, Integer.parseInt(arguments[0]), options);
    server.intake.forgetContent();
    Thread.currentThread().join();
  }
}
