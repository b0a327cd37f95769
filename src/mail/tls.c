/*
 * TLS records and the readable handshake: see tls.h.  RFC 5246 (1.2), RFC 8446 (1.3), RFC 6101
 * (SSL 3.0).
 *
 * A handshake message that is whole within one push is read in place; else its octets wait in a
 * buffer of the pool.  Protected octets are counted by their record headers and looked at no
 * further.
 */
#include "mail/tls.h"

#include <string.h>

#include "base/limits.h"
#include "mail/tls_hello.h"

#define TYPE_CCS       20u
#define TYPE_ALERT     21u
#define TYPE_HANDSHAKE 22u
#define TYPE_APPDATA   23u
#define TYPE_HEARTBEAT 24u

#define HS_CLIENT_HELLO 1u
#define HS_SERVER_HELLO 2u
#define HS_CERTIFICATE	11u

#define RECORD_MAX     (16384u + 2048u) /* RFC 5246 section 6.2.3: with what encryption may add */
#define FINISHED_MIN   53u /* TLS 1.3: a Finished of SHA-256, its type and its tag, as a record */
#define HANDSHAKE_HEAD 4u

/* Octets of the handshake stream of one side: a message that is not whole yet, or the rest of one
 * that is passed over. */
struct handshake {
	uint32_t len;  /* octets at data */
	uint32_t skip; /* octets of a message still to be passed over */
	uint8_t data[LIMIT_TLS_HANDSHAKE];
};

_Static_assert(sizeof(struct tls) <= 64, "TLS state stays small");

bool
tls_pools_init(struct tls_pools *p, uint32_t handshakes)
{
	return pool_init(&p->handshakes, "TLS handshakes", sizeof(struct handshake), handshakes);
}

void
tls_pools_free(struct tls_pools *p)
{
	pool_free_all(&p->handshakes);
}

bool
tls_looks_like(const uint8_t *o, size_t len)
{
	return len >= 5 && o[0] >= TYPE_CCS && o[0] <= TYPE_APPDATA && o[1] == 3 && o[2] <= 4 &&
	       ((unsigned)o[3] << 8 | o[4]) <= RECORD_MAX && (o[3] | o[4]) != 0;
}

bool
tls_looks_like_hello(const uint8_t *o, size_t len)
{
	return len >= 6 && tls_looks_like(o, len) && o[0] == TYPE_HANDSHAKE &&
	       o[5] == HS_CLIENT_HELLO;
}

static bool
is_13(const struct tls *t)
{
	return t->version >= 0x0304;
}

static void
buffer_drop(struct tls_pools *p, struct tls_half *h)
{
	pool_give(&p->handshakes, h->buffer);
	h->buffer = 0;
}

/* ---- the handshake ---- */

/* Both sides showed what TLS takes to be up?  Says so once. */
static bool
check_established(struct tls *t, struct tls_event *ev)
{
	unsigned hellos = (t->half[0].flags & TLS_SAW_HELLO) + (t->half[1].flags & TLS_SAW_HELLO);
	if (t->flags & (TLS_IS_ESTABLISHED | TLS_IS_MIDSTREAM) ||
	    t->half[0].protected_records == 0 || t->half[1].protected_records == 0)
		return false;
	if (hellos == 0 && t->half[0].flags & t->half[1].flags & TLS_SAW_APPDATA) {
		t->flags |= TLS_IS_MIDSTREAM;
		ev->kind = TLS_EVENT_MIDSTREAM;
		return true;
	}
	if (hellos != 2 * TLS_SAW_HELLO)
		return false;
	t->flags |= TLS_IS_ESTABLISHED;
	if (tls_cipher_is_null(t->cipher) && !is_13(t))
		t->flags |= TLS_IS_NULL;
	ev->kind = TLS_EVENT_ESTABLISHED;
	return true;
}

/* A whole handshake message of `len` octets behind its head.  True with an event. */
static bool
message(struct tls *t, enum tls_side side, uint8_t type, const uint8_t *body, size_t len,
	struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	struct tls_hello hello;
	memset(ev, 0, offsetof(struct tls_event, ja4) + sizeof ev->ja4);
	ev->side = side;
	if (type == HS_CLIENT_HELLO && side == TLS_CLIENT) {
		h->flags |= TLS_SAW_HELLO;
		ev->kind = TLS_EVENT_CLIENT_HELLO;
		tls_client_hello(body, len, &hello, ev);
		t->session_id = hello.session_id_len > 0 ? hello.session_id_hash | 1 : 0;
		return true;
	}
	if (type == HS_SERVER_HELLO && side == TLS_SERVER) {
		ev->kind = TLS_EVENT_SERVER_HELLO;
		if (!tls_server_hello(body, len, &hello, ev) || hello.retry)
			return false; /* a HelloRetryRequest asks for another ClientHello */
		h->flags |= TLS_SAW_HELLO;
		t->version = ev->version;
		t->cipher = ev->cipher;
		ev->resumed = is_13(t) ? hello.pre_shared_key
				       : hello.session_id_len > 0 && t->session_id != 0 &&
					     t->session_id == (hello.session_id_hash | 1);
		return true;
	}
	if (type == HS_CERTIFICATE && side == TLS_SERVER && !is_13(t) && t->version != 0) {
		struct cursor c = cursor_of(body, len);
		struct cursor list = cursor_sub(&c, cursor_be24(&c));
		size_t cert_len = cursor_be24(&list);
		const uint8_t *cert = cursor_take(&list, cert_len);
		if (cert == NULL || cert_len == 0)
			return false;
		ev->kind = TLS_EVENT_CERTIFICATE;
		ev->data = cert;
		ev->len = cert_len;
		return true;
	}
	return false;
}

/*
 * Takes handshake octets off the record: sets *used.  Returns true with an event, whose data lives
 * until the next call (the buffer is kept until then).
 */
static bool
handshake(struct tls_pools *p, struct tls *t, enum tls_side side, const uint8_t *data, size_t len,
	  size_t *used, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	struct handshake *b = h->buffer != 0 ? pool_at(&p->handshakes, h->buffer) : NULL;
	*used = 0;
	if (b != NULL && b->skip == 0 && b->len >= HANDSHAKE_HEAD &&
	    b->len >= HANDSHAKE_HEAD + ((uint32_t)b->data[1] << 16 | load_be16(b->data + 2))) {
		buffer_drop(p, h); /* its event was taken */
		b = NULL;
	}
	while (*used < len) {
		const uint8_t *at = data + *used;
		size_t left = len - *used;
		if (b == NULL) {
			uint32_t body =
			    left >= HANDSHAKE_HEAD ? (uint32_t)at[1] << 16 | load_be16(at + 2) : 0;
			if (left >= HANDSHAKE_HEAD &&
			    left - HANDSHAKE_HEAD >= body) { /* whole, in place */
				*used += HANDSHAKE_HEAD + body;
				if (message(t, side, at[0], at + HANDSHAKE_HEAD, body, ev))
					return true;
				continue;
			}
			h->buffer = pool_take(&p->handshakes);
			if (h->buffer ==
			    0) { /* no memory: of this side the handshake cannot be read */
				if (left >= 1 &&
				    ((at[0] == HS_CLIENT_HELLO && side == TLS_CLIENT) ||
				     (at[0] == HS_SERVER_HELLO && side == TLS_SERVER)))
					h->flags |= TLS_SAW_HELLO;
				*used = len;
				return false;
			}
			b = pool_at(&p->handshakes, h->buffer);
		}
		if (b->skip > 0) {
			size_t n = left < b->skip ? left : b->skip;
			b->skip -= (uint32_t)n;
			*used += n;
			if (b->skip == 0) {
				buffer_drop(p, h);
				b = NULL;
			}
			continue;
		}
		uint32_t want = HANDSHAKE_HEAD;
		if (b->len >= HANDSHAKE_HEAD)
			want += (uint32_t)b->data[1] << 16 | load_be16(b->data + 2);
		if (want >
		    sizeof b->data) { /* too long to be held: passed over, by what its start says */
			b->skip = want - b->len;
			if ((b->data[0] == HS_CLIENT_HELLO && side == TLS_CLIENT) ||
			    (b->data[0] == HS_SERVER_HELLO && side == TLS_SERVER))
				h->flags |= TLS_SAW_HELLO;
			continue;
		}
		size_t n = left < want - b->len ? left : want - b->len;
		memcpy(b->data + b->len, at, n);
		b->len += (uint32_t)n;
		*used += n;
		if (b->len < HANDSHAKE_HEAD)
			continue;
		want = HANDSHAKE_HEAD + ((uint32_t)b->data[1] << 16 | load_be16(b->data + 2));
		if (b->len < want)
			continue;
		if (message(t, side, b->data[0], b->data + HANDSHAKE_HEAD, want - HANDSHAKE_HEAD,
			    ev))
			return true; /* the buffer is dropped by the next call */
		buffer_drop(p, h);
		b = NULL;
	}
	return false;
}

/* ---- records ---- */

/* Is what the side sends in records of this type protected by now? */
static bool
is_protected(const struct tls *t, enum tls_side side, uint8_t type, uint16_t len)
{
	const struct tls_half *h = &t->half[side];
	if (type == TYPE_APPDATA)
		return true;
	if (type == TYPE_ALERT && len > 2)
		return true;
	if (type == TYPE_HANDSHAKE || type == TYPE_ALERT)
		return h->flags & TLS_SAW_CCS && !is_13(t) && t->version != 0 &&
		       !(type == TYPE_ALERT && len == 2);
	return false;
}

/* A record of `len` octets begins.  True with an event. */
static bool
record_begin_of(struct tls *t, enum tls_side side, uint8_t type, uint16_t len, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	h->type = type;
	h->record_left = len;
	if (type == TYPE_CCS)
		h->flags |= TLS_SAW_CCS;
	if (type == TYPE_APPDATA)
		h->flags |= TLS_SAW_APPDATA;
	if (!is_protected(t, side, type, len))
		return false;
	if (type == TYPE_ALERT)
		return false; /* ends something, proves nothing */
	if (side == TLS_CLIENT && h->protected_records == 0 && (is_13(t) || t->version == 0) &&
	    type == TYPE_APPDATA && len < FINISHED_MIN) {
		t->flags |= TLS_IS_FAILED_INFERRED; /* too short for a Finished: an alert */
		return false;
	}
	if (h->protected_records < UINT8_MAX)
		h->protected_records++;
	if (check_established(t, ev)) {
		ev->side = side;
		return true;
	}
	return false;
}

static bool
garbage(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev)
{
	struct tls_half *h = &t->half[in->side];
	h->flags |= TLS_SAW_GARBAGE;
	h->header_len = 0;
	buffer_drop(p, h);
	*ev = (struct tls_event){.kind = TLS_EVENT_GARBAGE,
				 .side = in->side,
				 .data = in->data,
				 .len = in->len};
	in->len = 0;
	return true;
}

/* An SSL 2.0 ClientHello (RFC 5246 appendix E.2), as old clients send it: whole in this push, or
 * not understood. */
static bool
ssl2_hello(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev)
{
	size_t len = in->len >= 2 ? ((size_t)(in->data[0] & 0x7f) << 8 | in->data[1]) : 0;
	if (in->len < 5 || in->data[2] != HS_CLIENT_HELLO || in->data[3] != 3 || len + 2 > in->len)
		return garbage(p, t, in, ev);
	*ev = (struct tls_event){.kind = TLS_EVENT_CLIENT_HELLO,
				 .side = in->side,
				 .version = load_be16(in->data + 3)};
	t->half[in->side].flags |= TLS_SAW_HELLO;
	in->data += len + 2;
	in->len -= len + 2;
	return true;
}

/* Takes the five octets of a record's head.  True: it is whole. */
static bool
take_head(struct tls_half *h, struct tls_input *in)
{
	while (h->header_len < sizeof h->header && in->len > 0) {
		h->header[h->header_len++] = *in->data++;
		in->len--;
	}
	return h->header_len == sizeof h->header;
}

/* The body of a record, as far as it is there.  True with an event. */
static bool
body(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev)
{
	struct tls_half *h = &t->half[in->side];
	size_t n = in->len < h->record_left ? in->len : h->record_left, used = n;
	bool event = false;
	const uint8_t *at = in->data;
	bool hidden = h->type == TYPE_APPDATA || is_protected(t, in->side, h->type, h->record_left);
	if (h->type == TYPE_HANDSHAKE &&
	    !(h->flags & TLS_SAW_CCS && !is_13(t) && t->version != 0)) {
		event = handshake(p, t, in->side, at, n, &used, ev);
	} else if (h->type == TYPE_ALERT && !hidden && h->record_left == 2 && n == 2) {
		h->flags |= TLS_SAW_ALERT;
		*ev = (struct tls_event){.kind = TLS_EVENT_ALERT,
					 .side = in->side,
					 .alert_level = at[0],
					 .alert = at[1]};
		event = at[0] == 1 || at[0] == 2;
	} else if (h->type == TYPE_ALERT && !hidden && h->record_left == 2 && n == 1) {
		used = 1; /* an alert torn in two octets: its level is lost to us, what it says is
			     not worth a buffer */
	} else if (h->type == TYPE_APPDATA && t->flags & TLS_IS_NULL && n > 0) {
		*ev = (struct tls_event){.kind = TLS_EVENT_PLAIN,
					 .side = in->side,
					 .data = at,
					 .len = n};
		event = true;
	}
	in->data += used;
	in->len -= used;
	h->record_left = (uint16_t)(h->record_left - used);
	return event;
}

bool
tls_next(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev)
{
	struct tls_half *h = &t->half[in->side];
	while (in->len > 0) {
		if (h->flags & TLS_SAW_GARBAGE) {
			in->len = 0;
			return false;
		}
		if (h->record_left > 0) {
			if (body(p, t, in, ev))
				return true;
			continue;
		}
		if (h->flags & TLS_SAW_GAP && h->header_len == 0) {
			if (!tls_looks_like(in->data, in->len)) {
				in->len = 0; /* somewhere inside a record: wait for a push that
						starts with one */
				return false;
			}
			h->flags &= (uint8_t)~TLS_SAW_GAP;
		}
		if (h->header_len == 0 && in->data[0] == 0x80 && !(h->flags & TLS_SAW_HELLO) &&
		    in->side == TLS_CLIENT)
			return ssl2_hello(p, t, in, ev);
		if (h->header_len == 0 && (in->data[0] < TYPE_CCS || in->data[0] > TYPE_HEARTBEAT))
			return garbage(p, t, in, ev);
		if (!take_head(h, in))
			return false;
		uint16_t len = load_be16(h->header + 3);
		if (h->header[0] < TYPE_CCS || h->header[0] > TYPE_HEARTBEAT || h->header[1] != 3 ||
		    h->header[2] > 4 || len > RECORD_MAX)
			return garbage(p, t, in, ev);
		h->header_len = 0;
		if (record_begin_of(t, in->side, h->header[0], len, ev))
			return true;
		if (check_established(t, ev)) {
			ev->side = in->side;
			return true;
		}
	}
	return false;
}

void
tls_gap(struct tls_pools *p, struct tls *t, enum tls_side side, uint64_t len)
{
	struct tls_half *h = &t->half[side];
	bool message_hurt = h->type == TYPE_HANDSHAKE && h->record_left > 0;
	if (h->flags & TLS_SAW_GARBAGE)
		return;
	if (h->header_len == 0 && len < h->record_left) {
		h->record_left = (uint16_t)(h->record_left - len);
		if (message_hurt) { /* what is left of the record cannot be read as messages */
			buffer_drop(p, h);
			h->type = TYPE_HEARTBEAT;
		}
		return;
	}
	if (h->header_len == 0 && len == h->record_left) {
		h->record_left = 0;
		if (message_hurt)
			buffer_drop(p, h);
		return;
	}
	h->header_len = 0;
	h->record_left = 0;
	h->flags |= TLS_SAW_GAP;
	buffer_drop(p, h);
}

void
tls_end(struct tls_pools *p, struct tls *t)
{
	buffer_drop(p, &t->half[0]);
	buffer_drop(p, &t->half[1]);
}
