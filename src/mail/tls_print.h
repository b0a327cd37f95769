/*
 * Private to src/mail: fingerprints of hellos.
 *
 * One program's hellos list the same each time, so that its fingerprints, which are three digests
 * of some hundred digits, are made once as a rule: they were a sixteenth of a worker's instructions
 * where half of the sessions use TLS.
 */
#ifndef POSTCARD_MAIL_TLS_PRINT_H
#define POSTCARD_MAIL_TLS_PRINT_H

#include "mail/tls.h"

#define TLS_LIST_MAX 512u

/* A list of a hello, without GREASE. */
struct tls_list {
	unsigned n;
	bool cut; /* there were more */
	uint16_t v[TLS_LIST_MAX];
};

struct tls_lists {
	struct tls_list ciphers, extensions, groups, formats, signatures;
	uint16_t highest; /* of supported_versions */
	bool sni;
	char alpn_ends[2]; /* of the first protocol, as JA4 shows them */
};

/* Sets JA3 and JA4 of a client's hello that says version `legacy`.  The event has its version; the
 * lists are sorted on the way. */
void tls_print_client(struct tls_print known[TLS_PRINTS], uint16_t legacy, struct tls_lists *l,
    struct tls_event *ev);

/* Sets JA3S of a server's, which is an event with its cipher. */
void tls_print_server(struct tls_print known[TLS_PRINTS], uint16_t legacy,
    const struct tls_list *extensions, struct tls_event *ev);

#endif
