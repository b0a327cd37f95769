/* Private to src/mail: reading the hellos of TLS (RFC 8446 section 4.1, RFC 5246 section 7.4.1),
 * and the parameters of a key exchange (RFC 5246 section 7.4.3). */
#ifndef POSTCARD_MAIL_TLS_HELLO_H
#define POSTCARD_MAIL_TLS_HELLO_H

#include "base/cursor.h"
#include "mail/tls.h"

/* What the state machine needs of a hello beyond the event. */
struct tls_hello {
	uint32_t session_id; /* hash of the session identifier; 0 for none */
	bool retry;	     /* it is a HelloRetryRequest */
	bool pre_shared_key; /* the server took the client's ticket (TLS 1.3) */
};

/*
 * Reads the body of a ClientHello, or the first part of one that is not `whole`, into a zeroed
 * event: highest version, SNI, ALPN, JA3, JA4.  What is cut or broken leaves the rest as read so
 * far, without fingerprints.  `known` are those that were made before.  False where it begins with
 * no version of TLS.
 */
bool tls_client_hello(struct tls_print known[TLS_PRINTS], const uint8_t *body, size_t len,
    bool whole, struct tls_hello *h, struct tls_event *ev);

/* The same for a ServerHello: version, cipher, group, ALPN, JA3S.  False where it does not get as
 * far as the cipher. */
bool tls_server_hello(struct tls_print known[TLS_PRINTS], const uint8_t *body, size_t len,
    bool whole, struct tls_hello *h, struct tls_event *ev);

/*
 * Reads the body of a ServerKeyExchange of TLS 1.2 or older, or its first part, into a zeroed
 * event: the named curve, or the bits of the prime.  False where neither is there: other ways to
 * exchange keys, explicit curves (which RFC 8422 section 5.4 forbids), what is cut or broken.
 */
bool tls_key_exchange(uint16_t cipher, const uint8_t *body, size_t len, struct tls_event *ev);

#endif
