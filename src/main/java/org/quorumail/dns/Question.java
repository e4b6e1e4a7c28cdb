package org.quorumail.dns;

import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

/** A name and a record type. Names are compared without case (RFC 4343). */
record Question(Name name, int type) {
  @Override
  public String toString() {
    return name.toString(true) + "/" + Type.string(type);
  }
}
