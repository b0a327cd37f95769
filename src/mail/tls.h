/*
 * TLS as a passive observer sees it: records, the readable handshake, alerts, in both directions.
 *
 * push / next: tls_push gives the in-order octets of one direction, tls_next takes events until it
 * has none. It never copies application data, and holds octets only of a handshake message that is
 * not yet complete (at most LIMIT_TLS_HANDSHAKE a direction, from a pool).  Established means: both
 * hellos and protected records in both directions (RFC 5246 section 7.1, RFC 8446 section 5; field
 * notes 4.2).  The negotiated version is that of supported_versions where the ServerHello has it.
 */
#ifndef POSTCARD_MAIL_TLS_H
#define POSTCARD_MAIL_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

enum tls_side { TLS_CLIENT = 0, TLS_SERVER = 1 };

/* What a worker shares among all its TLS connections. */
struct tls_pools {
	struct pool handshakes; /* buffers of LIMIT_TLS_HANDSHAKE + header octets */
};

bool tls_pools_init(struct tls_pools *p, uint32_t handshakes);
void tls_pools_free(struct tls_pools *p);

/* The state of one connection; zeroed is the start.  Small: it sits in each connection's state. */
struct tls {
	struct tls_half {
		uint32_t buffer;	   /* handshake octets held; 0 where there are none */
		uint16_t record_left;	   /* octets of the current record still to come */
		uint8_t header[5];	   /* a record header that is not complete */
		uint8_t header_len;	   /* octets of it */
		uint8_t type;		   /* content type of the current record */
		uint8_t flags;		   /* TLS_SAW_* */
		uint8_t protected_records; /* protected records begun, capped at 255 */
	} half[2];
	uint32_t session_id; /* hash of the session identifier the client offered; 0 for none */
	uint16_t version;    /* negotiated, 0x0303 = 1.2; 0 where no ServerHello was seen */
	uint16_t cipher;     /* IANA number; 0 (NULL_WITH_NULL_NULL) before a ServerHello */
	uint8_t flags;	     /* TLS_IS_* of the connection */
};

#define TLS_SAW_HELLO	0x01u /* ClientHello or ServerHello, by side */
#define TLS_SAW_CCS	0x02u /* ChangeCipherSpec */
#define TLS_SAW_APPDATA 0x04u /* a record of type 23 */
#define TLS_SAW_ALERT	0x08u /* a readable alert */
#define TLS_SAW_GARBAGE \
	0x10u /* octets that are no TLS record: nothing of this side is parsed any more */
#define TLS_SAW_GAP 0x20u /* octets were lost: records are found again only where certain */

#define TLS_IS_ESTABLISHED 0x01u /* both hellos, protected records both ways */
#define TLS_IS_NULL	   0x02u /* the negotiated cipher does not encrypt */
#define TLS_IS_FAILED_INFERRED                                                                \
	0x04u /* TLS 1.3: the client's first protected record is too short for a Finished: an \
		 alert */
#define TLS_IS_MIDSTREAM 0x08u /* protected records both ways, but no hello was captured */

enum tls_event_kind {
	TLS_EVENT_CLIENT_HELLO, /* complete and parsed: sni, alpn, ja3, ja4 */
	TLS_EVENT_SERVER_HELLO, /* complete and parsed: version, cipher, group, ja3s, resumed */
	TLS_EVENT_CERTIFICATE,	/* the server's first certificate, DER (TLS 1.2 and older) */
	TLS_EVENT_ALERT,	/* a readable alert: level, description */
	TLS_EVENT_ESTABLISHED,
	TLS_EVENT_MIDSTREAM, /* protected records both ways, and no hello was captured */
	TLS_EVENT_GARBAGE,   /* octets that are no TLS record: data points at them */
	TLS_EVENT_PLAIN,     /* application data under a NULL cipher: data points at it, readable */
};

struct tls_event {
	enum tls_event_kind kind;
	enum tls_side side;
	const uint8_t
	    *data;  /* CERTIFICATE: DER; GARBAGE, PLAIN: the octets.  Valid until the next call */
	size_t len; /* octets of data */
	uint16_t version;    /* SERVER_HELLO: as negotiated; CLIENT_HELLO: the highest offered */
	uint16_t cipher;     /* SERVER_HELLO */
	uint16_t group;	     /* SERVER_HELLO: key-share group of TLS 1.3, 0 where not seen */
	bool resumed;	     /* SERVER_HELLO: session resumed, as far as it shows */
	uint8_t alert_level; /* ALERT: 1 warning, 2 fatal */
	uint8_t alert;	     /* ALERT: description, RFC 8446 section 6 */
	char sni[256]; /* CLIENT_HELLO: server_name, lower case as sent, escaped; "" where none */
	char alpn[64]; /* CLIENT_HELLO: the first protocol offered; SERVER_HELLO: the one chosen */
	char ja3[33];  /* CLIENT_HELLO: JA3, SERVER_HELLO: JA3S; 32 hex digits */
	char ja4[37]; /* CLIENT_HELLO: JA4 (the client part of the family, which is BSD-licensed) */
};

/*
 * Gives `len` in-order octets of one side.  `data` must stay valid until tls_next has returned
 * false; only one push may be pending in a `struct tls_input`, which the caller keeps on its stack
 * or in the worker.
 */
struct tls_input {
	const uint8_t *data;
	size_t len;
	enum tls_side side;
};

/*
 * Takes the next event out of the input, advancing it.  False: the input is used up.
 * Constant time an octet, whatever the octets are.
 */
bool tls_next(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev);

/*
 * `len` octets of one side were lost.  Where they lie inside a record whose header was seen,
 * framing goes on; else the side is marked TLS_SAW_GAP, and framing is taken up again only at
 * octets that are certainly a record header.
 */
void tls_gap(struct tls_pools *p, struct tls *t, enum tls_side side, uint64_t len);

/* Gives held buffers back.  The state stays readable. */
void tls_end(struct tls_pools *p, struct tls *t);

/* Are these octets surely the start of a TLS record (type 20 to 23, version 3.0 to 3.4, sane
 * length)? Needs 5, says no to fewer. */
bool tls_looks_like(const uint8_t *octets, size_t len);

/* Are they surely a ClientHello's start (record header and handshake type 1)? Needs 6. */
bool tls_looks_like_hello(const uint8_t *octets, size_t len);

const char *tls_version_name(uint16_t version); /* "1.2", "1.3", "SSLv3"; NULL where unknown */
const char *tls_cipher_name(
    uint16_t cipher); /* IANA name as ECS has it (TLS_AES_256_GCM_SHA384); NULL where unknown */
const char *tls_group_name(uint16_t group);	 /* X25519, X25519MLKEM768...; NULL where unknown */
const char *tls_alert_name(uint8_t description); /* handshake_failure...; NULL where unknown */
bool tls_cipher_is_null(uint16_t cipher);	 /* authenticates only */
bool tls_cipher_is_anonymous(uint16_t cipher);	 /* no server authentication: DH_anon, ECDH_anon */
bool
tls_cipher_is_weak(uint16_t cipher); /* RC2/RC4, DES, 3DES, export, NULL (RFC 7465, RFC 9325) */

#endif
