/*
 * Which protocol is this?  The own probe: the first octets of either side.
 *
 * Mail is found on any port, so the port is a hint for what is not sure and never a verdict.  The
 * first line decides which machine listens; the machine confirms or denies by the dialogue (220 may
 * be FTP).
 */
#ifndef POSTCARD_IDENT_PROBE_H
#define POSTCARD_IDENT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum probe_verdict {
	PROBE_MORE, /* too few octets to tell */
	PROBE_SMTP,
	PROBE_IMAP,
	PROBE_POP3,
	PROBE_TLS,   /* a TLS record */
	PROBE_TEXT,  /* lines of text that the probe does not know: nDPI may */
	PROBE_OTHER, /* certainly no mail */
};

struct probe_result {
	enum probe_verdict verdict;
	bool sure;	  /* certain without further dialogue */
	bool from_server; /* only a server says this (where it matters: the sides may have been
			     taken for each other) */
	bool from_client; /* only a client says this */
};

/* Looks at `len` octets from the start of one side (or from anywhere, midstream); `port` is the
 * server's. */
struct probe_result probe(const uint8_t *data, size_t len, uint16_t port);

#endif
