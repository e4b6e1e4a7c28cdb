package org.quorumail.delivery;

import java.util.List;
import org.quorumail.config.DomainPattern;

/** One of {@code [[route]]}; the first whose pattern fits the recipient's domain counts. */
public record RouteConfig(DomainPattern domain, List<NextHop> to) {}
