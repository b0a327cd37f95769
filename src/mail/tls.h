/*
 * TLS as a passive observer sees it: records, the readable handshake, alerts, in both directions.
 *
 * push / next: a `struct tls_input` gives in-order octets of one direction, tls_next takes events
 * until it has none.  It never copies application data, and holds octets only of a handshake
 * message that is not whole within one push (at most LIMIT_TLS_HANDSHAKE a direction, from a pool).
 * Established means: both hellos, and protected records in both directions that are no mere alert
 * (RFC 5246 section 7.1, RFC 8446 sections 4.4.4 and 5).  The negotiated version is that of
 * supported_versions where the ServerHello has it.
 *
 * It decrypts nothing and checks nothing that it reads: a ServerHello is what looks like one.
 */
#ifndef POSTCARD_MAIL_TLS_H
#define POSTCARD_MAIL_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

enum tls_side { TLS_CLIENT = 0, TLS_SERVER = 1 };

/* Fingerprints of a hello, and all that they are made of: see tls_print.c. */
#define TLS_PRINTS    64u
#define TLS_PRINT_KEY 160u
struct tls_print {
	uint16_t n; /* numbers in `key`; 0: there is none here */
	uint16_t key[TLS_PRINT_KEY];
	char ja3[33], ja4[37]; /* as in struct tls_event */
};

/* What a worker shares among all its TLS connections. */
struct tls_pools {
	struct pool handshakes; /* buffers of LIMIT_TLS_HANDSHAKE octets and their length */
	struct tls_print prints[TLS_PRINTS]; /* of hellos that came lately */
};

extern const uint32_t tls_handshake_size; /* octets of one */

/*
 * Makes room for `handshakes` messages under way at once; false where the address space is refused.
 * Wakes libcrypto too, so that nothing is loaded from the file system later: call it before a
 * sandbox closes.
 */
bool tls_pools_init(struct tls_pools *p, uint32_t handshakes);
void tls_pools_free(struct tls_pools *p);

/*
 * The state of one connection; zeroed is the start.  Small: it sits in each connection's state.
 * Of its fields others read version, cipher, flags, half[].flags and half[].protected_records, and
 * behind TLS_EVENT_GARBAGE half[].header.
 */
struct tls {
	struct tls_half {
		uint32_t buffer;      /* handshake octets held; 0 where there are none */
		uint32_t skip;	      /* octets of a message that are still to be passed over */
		uint16_t record_left; /* octets of the current record still to come */
		uint16_t flags;	      /* TLS_SAW_* */
		uint8_t header[5];    /* a record header that is not complete */
		uint8_t header_len;   /* octets of it; with TLS_SAW_GARBAGE: those of earlier
					 pushes, with which the garbage began */
		uint8_t type;	      /* of the current record; 0: nothing in it is readable */
		uint8_t protected_records; /* protected records begun, capped at 255 */
	} half[2];
	uint32_t session_id;   /* hash of the session identifier the client offered; 0 for none */
	uint16_t version;      /* negotiated, 0x0303 = 1.2; 0 where no ServerHello was seen */
	uint16_t cipher;       /* IANA number; 0 (NULL_WITH_NULL_NULL) before a ServerHello */
	uint8_t flags;	       /* TLS_IS_* of the connection */
	uint8_t short_records; /* the client's protected records so far, all too short to count */
};

#define TLS_SAW_HELLO	0x01u /* ClientHello or ServerHello, by side */
#define TLS_SAW_CCS	0x02u /* ChangeCipherSpec */
#define TLS_SAW_APPDATA 0x04u /* a record of type 23 */
#define TLS_SAW_ALERT	0x08u /* a readable alert */
#define TLS_SAW_GARBAGE 0x10u /* octets that are no TLS record: this side is parsed no more */
#define TLS_SAW_GAP	0x20u /* octets were lost; records are not yet found again */

#define TLS_IS_ESTABLISHED 0x01u /* both hellos, protected records both ways */
#define TLS_IS_NULL	   0x02u /* and the negotiated cipher does not encrypt */
#define TLS_IS_FAILED_INFERRED                                                                 \
	0x04u		       /* TLS 1.3: the client's protected records so far are too short \
				  for a Finished: an alert.  Taken back by a longer one */
#define TLS_IS_MIDSTREAM 0x08u /* type 23 both ways, but not both hellos were captured */

enum tls_event_kind {
	TLS_EVENT_CLIENT_HELLO, /* the first one: version, sni, alpn, ja3, ja4 */
	TLS_EVENT_SERVER_HELLO, /* no HelloRetryRequest: version, cipher, group, alpn, ja3 (JA3S),
				   resumed */
	TLS_EVENT_RESUMED,	/* TLS 1.2 and older: the server's hello did not say so, but its
				   flight did: a ticket (RFC 5077 section 3.4) */
	TLS_EVENT_CERTIFICATE,	/* the server's own certificate, DER (TLS 1.2 and older) */
	TLS_EVENT_KEY_EXCHANGE, /* the server's parameters, TLS 1.2 and older: group or dh_bits */
	TLS_EVENT_ALERT,	/* a readable alert: level, description */
	TLS_EVENT_ESTABLISHED,
	TLS_EVENT_MIDSTREAM, /* type 23 both ways that does not begin like text, and a hello or
				both were not captured */
	TLS_EVENT_GARBAGE,   /* octets that are no TLS record: data points at them */
	TLS_EVENT_PLAIN,     /* application data under a NULL cipher, without its MAC: data */
};

/* What an event does not speak of is zero or "". */
struct tls_event {
	enum tls_event_kind kind;
	enum tls_side side;
	const uint8_t *data; /* CERTIFICATE, GARBAGE, PLAIN: octets, valid until the next call */
	size_t len;	     /* of data */
	uint16_t version;    /* SERVER_HELLO: as negotiated; CLIENT_HELLO: the highest offered */
	uint16_t cipher;     /* SERVER_HELLO */
	uint16_t group;	     /* SERVER_HELLO: key-share group of TLS 1.3, 0 where not seen;
				KEY_EXCHANGE: named curve, 0 for DH over a prime */
	uint32_t dh_bits;    /* KEY_EXCHANGE: bits of that prime, 0 for a curve */
	bool resumed;	     /* SERVER_HELLO: session resumed, as far as it shows */
	uint8_t alert_level; /* ALERT: 1 warning, 2 fatal */
	uint8_t alert;	     /* ALERT: description, RFC 8446 section 6 */
	char sni[256];	     /* CLIENT_HELLO: server_name in lower case, escaped; "" for none */
	char alpn[64]; /* CLIENT_HELLO: the first protocol offered; SERVER_HELLO: the chosen */
	char ja3[33];  /* CLIENT_HELLO: JA3, SERVER_HELLO: JA3S; "" where a hello is not whole */
	char ja4[37]; /* CLIENT_HELLO: JA4 (the client part of the family, which is BSD-licensed) */
};

/* In-order octets of one side, which stay the caller's; tls_next advances it. */
struct tls_input {
	const uint8_t *data; /* must stay valid until tls_next has returned false */
	size_t len;	     /* octets left */
	enum tls_side side;
};

/*
 * Takes the next event out of the input, advancing it.  False: the input is used up.
 * Constant time an octet, whatever the octets are.
 *
 * TLS_EVENT_GARBAGE comes once a side; its data is all of this input from the first octet of the
 * header that is none, and what earlier inputs gave of that header stands in half[].header.
 * From then on the side's octets are used up without events.
 */
bool tls_next(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev);

/*
 * The short way for octets of TLS that say nothing: they go on in a record of which nothing is
 * readable, or begin others where it is up.  True: they are passed over.  Else nothing was done,
 * and tls_next is to be asked.
 */
bool tls_pass(struct tls *t, enum tls_side side, const uint8_t *data, size_t len);

/*
 * `len` octets of one side were lost.  Where they lie inside a record whose header was seen,
 * framing goes on; else the side is marked TLS_SAW_GAP, and framing is taken up again only at an
 * input that certainly begins with a record header.
 */
void tls_gap(struct tls_pools *p, struct tls *t, enum tls_side side, uint64_t len);

/* Gives held buffers back.  The state stays readable. */
void tls_end(struct tls_pools *p, struct tls *t);

/* Is TLS up, so that nothing that crosses is readable any more? */
static inline bool
tls_is_sealed(const struct tls *t)
{
	return (t->flags & (TLS_IS_ESTABLISHED | TLS_IS_MIDSTREAM)) != 0 &&
	    (t->flags & TLS_IS_NULL) == 0;
}

/* Are these octets surely the start of a TLS record (type 20 to 23, version 3.0 to 3.4, sane
 * length)?  Needs 5, says no to fewer. */
bool tls_looks_like(const uint8_t *octets, size_t len);

/* Are they surely a ClientHello's start (record header and handshake type 1)?  Needs 6. */
bool tls_looks_like_hello(const uint8_t *octets, size_t len);

/* Names, all of them literals: NULL where the number is unknown. */
const char *tls_version_name(uint16_t version);	 /* as ECS has it: "1.2", "1.3"; "SSLv3" */
const char *tls_cipher_name(uint16_t cipher);	 /* IANA: "TLS_AES_256_GCM_SHA384" */
const char *tls_group_name(uint16_t group);	 /* IANA: "x25519", "X25519MLKEM768" */
const char *tls_alert_name(uint8_t description); /* RFC 8446: "handshake_failure" */

/* Curves of less than 224 bits, which no server may use (RFC 9325 section 4.5). */
bool tls_group_is_weak(uint16_t group);

/* What a ServerKeyExchange of the suite begins with (TLS 1.2 and older). */
enum tls_exchange {
	TLS_EXCHANGE_OTHER, /* there is none, or it is not read: RSA, SRP, ... */
	TLS_EXCHANGE_DHE,   /* prime, generator, key: RFC 5246 section 7.4.3 */
	TLS_EXCHANGE_ECDHE, /* curve, key: RFC 8422 section 5.4 */
};

/* *psk: a hint for the preshared key stands before (RFC 4279 section 3, RFC 5489 section 2). */
enum tls_exchange tls_cipher_exchange(uint16_t cipher, bool *psk);

/* Classes of cipher suites; an unknown one is in none. */
bool tls_cipher_is_null(uint16_t cipher);      /* authenticates only */
bool tls_cipher_is_anonymous(uint16_t cipher); /* no server authentication: DH_anon, ECDH_anon */
bool tls_cipher_is_weak(uint16_t cipher);      /* RC2, RC4, DES, 3DES, IDEA, export, NULL (RFC 5469,
						  RFC 7465, RFC 9325) */

/* Octets of the MAC that ends each record of a NULL suite (16 MD5 to 48 SHA-384); 0 for others. */
unsigned tls_cipher_mac(uint16_t cipher);

#endif
