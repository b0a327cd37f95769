/*
 * TLS to a syslog server (RFC 5425), octets in and out by the caller's hand: it never touches a
 * socket, so it never blocks, raises no SIGPIPE, and each octet under it can be counted.
 */
#ifndef POSTCARD_SINK_SYSLOG_TLS_H
#define POSTCARD_SINK_SYSLOG_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "sink/syslog_url.h"

struct syslog_tls_setup; /* what all connections share: certificates, keys, what is checked */
struct syslog_tls;	 /* a connection */

/* Reads the files that the URL names.  NULL and what is wrong in `error`. */
struct syslog_tls_setup *syslog_tls_setup(const struct syslog_url *u, char error[SINK_ERROR]);
void syslog_tls_setup_free(struct syslog_tls_setup *s); /* NULL is allowed */

/* A new connection; NULL where there is no memory. */
struct syslog_tls *syslog_tls_new(struct syslog_tls_setup *s);
void syslog_tls_free(struct syslog_tls *t); /* NULL is allowed */

enum syslog_tls_state {
	SYSLOG_TLS_WAITS,  /* for the peer */
	SYSLOG_TLS_UP,	   /* the handshake is done, the certificate is the right one */
	SYSLOG_TLS_CLOSED, /* by the peer, in due form */
	SYSLOG_TLS_FAILED  /* syslog_tls_cause says why */
};

/* Octets that came from the peer. */
void syslog_tls_put(struct syslog_tls *t, const char *octets, size_t len);

/* Goes on with the handshake; later, with what the peer said, which is thrown away. */
enum syslog_tls_state syslog_tls_go_on(struct syslog_tls *t);

/* Seals `len` octets (16 KiB at most); false where that fails. */
bool syslog_tls_seal(struct syslog_tls *t, const char *octets, size_t len);

/* Octets for the peer that wait, and the next of them, at most `cap`. */
size_t syslog_tls_pending(struct syslog_tls *t);
size_t syslog_tls_take(struct syslog_tls *t, char *out, size_t cap);

/* Says goodbye (close_notify). */
void syslog_tls_bye(struct syslog_tls *t);

/* What failed, for people; lives as long as the connection. */
const char *syslog_tls_cause(const struct syslog_tls *t);

#endif
