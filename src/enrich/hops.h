/*
 * Private to src/enrich: which of a mail's hops are to be believed.
 *
 * A Received field is written by the host that received the mail, above all others, and may be
 * changed by each host that had it later.  The newest one was written by the side that gave the
 * mail out in the connection that was watched: the client, or the server of IMAP and POP3.  It is
 * trusted where that is a host of ours, and each next one where the one above it is trusted and
 * says that it came from a host of ours, or from the same machine.
 */
#ifndef POSTCARD_ENRICH_HOPS_H
#define POSTCARD_ENRICH_HOPS_H

#include "base/addr.h"
#include "record/record.h"

/* Puts postcard.hops.trusted into each hop of the record; where it is there, nothing.  `home`: the
 * `homes` networks that are ours, loopback among them. */
void hops_trust(const struct network *home, size_t homes, struct record *r);

#endif
