package org.quorumail.policy.milter;

/** The numbers of the milter protocol, with libmilter's names where they are short. */
final class MilterProtocol {
  static final int VERSION = 6;

  /** The oldest version that is accepted; steps that it lacks are not negotiated. */
  static final int OLDEST_VERSION = 2;

  /** The most data of a packet, without length and command: MILTER_CHUNK_SIZE. */
  static final int MAX_DATA = 65_535;

  // Commands to the milter (SMFIC_*)
  static final byte OPTNEG = 'O';
  static final byte MACRO = 'D';
  static final byte CONNECT = 'C';
  static final byte HELO = 'H';
  static final byte MAIL = 'M';
  static final byte RCPT = 'R';
  static final byte DATA = 'T';
  static final byte HEADER = 'L';
  static final byte END_OF_HEADER = 'N';
  static final byte BODY = 'B';
  static final byte END_OF_BODY = 'E';
  static final byte ABORT = 'A';
  static final byte QUIT = 'Q';

  // Actions that the milter may take (SMFIF_*)
  static final int ADD_HEADERS = 0x01;
  static final int CHANGE_BODY = 0x02;
  static final int ADD_RECIPIENT = 0x04;
  static final int DELETE_RECIPIENT = 0x08;
  static final int CHANGE_HEADERS = 0x10;
  static final int QUARANTINE = 0x20;
  static final int CHANGE_SENDER = 0x40;
  static final int ADD_RECIPIENT_WITH_ARGUMENTS = 0x80;
  static final int ACTIONS = 0xFF;

  // Steps that the milter skips or does not answer (SMFIP_*)
  static final int NO_CONNECT = 0x1;
  static final int NO_HELO = 0x2;
  static final int NO_MAIL = 0x4;
  static final int NO_RCPT = 0x8;
  static final int NO_BODY = 0x10;
  static final int NO_HEADERS = 0x20;
  static final int NO_END_OF_HEADER = 0x40;
  static final int NO_REPLY_HEADER = 0x80;
  static final int NO_UNKNOWN = 0x100;
  static final int NO_DATA = 0x200;
  static final int SKIP = 0x400;
  static final int NO_REPLY_CONNECT = 0x1000;
  static final int NO_REPLY_HELO = 0x2000;
  static final int NO_REPLY_MAIL = 0x4000;
  static final int NO_REPLY_RCPT = 0x8000;
  static final int NO_REPLY_DATA = 0x10000;
  static final int NO_REPLY_UNKNOWN = 0x20000;
  static final int NO_REPLY_END_OF_HEADER = 0x40000;
  static final int NO_REPLY_BODY = 0x80000;
  static final int LEADING_SPACE = 0x100000;
  static final int STEPS = 0x1FF7FF; // all of the above; not SMFIP_RCPT_REJ

  private MilterProtocol() {}
}
