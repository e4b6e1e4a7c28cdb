package org.quorumail.replication;

/** Answers the calls of other nodes: see {@link RaftNode#call}. Each call has a virtual thread. */
@FunctionalInterface
public interface CallHandler {
  /** Returns the reply to a request. The caller learns nothing of an exception but that it was. */
  byte[] answer(byte[] request) throws Exception;
}
