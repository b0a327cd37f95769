/*
 * TLS records and the readable handshake: see tls.h.  RFC 8446 (1.3), RFC 5246 (1.2), RFC 6101
 * (SSL 3.0).
 *
 * Records are framed by their headers (section 5.1), messages by theirs (section 4); both may be
 * split and coalesced in any way.  A message that is whole within one push is read in place; else
 * its octets wait in a buffer of the pool.  Protected octets are counted by their record headers
 * and looked at no further.
 *
 * What a record's octets are is settled when the record begins, in `type` of its half: those of a
 * handshake message or an alert in clear, application data, or 0 for all that cannot be read.
 *
 * Protected are, up to TLS 1.2, the records of a side that sent ChangeCipherSpec, and in TLS 1.3,
 * whose CCS (RFC 8446 appendix D.4) means nothing, those of type 23.  A record too short for a MAC
 * protects nothing.  Two kinds of protected records do not count towards "established", because
 * they end a handshake that failed: an alert, and in TLS 1.3, where an alert cannot be told from
 * other records, the client's first ones when they are too short to hold a Finished.  Early data of
 * a resumed TLS 1.3 session (RFC 8446 section 4.2.10) counts: nothing tells it from a Finished.
 */
#include "mail/tls.h"

#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "mail/tls_hello.h"

#define TYPE_HIDDEN    0u /* not on the wire: what the octets are cannot be told */
#define TYPE_CCS       20u
#define TYPE_ALERT     21u
#define TYPE_HANDSHAKE 22u
#define TYPE_APPDATA   23u
#define TYPE_HEARTBEAT 24u
#define TYPE_PEEK      255u /* not on the wire: type 23, of which the cipher is not known */
#define PEEK	       4u   /* octets of it that tell text */

#define HS_CLIENT_HELLO 1u
#define HS_SERVER_HELLO 2u
#define HS_CERTIFICATE	11u
#define HS_KEY_EXCHANGE 12u
#define HS_SERVER_DONE	14u

#define RECORD_MAX     (16384u + 2048u) /* RFC 5246 section 6.2.3: with what encryption may add */
#define HANDSHAKE_HEAD 4u		/* type and length of a message */

/*
 * Octets that a record of TLS 1.3 without a Finished may have: an alert has 11 to 19, an empty
 * Certificate 25, EndOfEarlyData 21.  A Finished has 45 at least (SHA-256, tag of 8), mostly 53.
 */
#define SHORT_MAX 40u

/* A tag of 8 and the type that stands before it (TLS 1.3, CCM_8); a MAC or a tag with its nonce
 * (before): no shorter record is protected by anything. */
#define PROTECTED_MIN_13 9u
#define PROTECTED_MIN	 16u
#define SHORT_RUN                                                                       \
	3u /* where no hello was captured: so many short records are no alert and close \
	    */

/* Private bits of tls_half.flags, beside TLS_SAW_*. */
#define HALF_DEAF   0x40u  /* octets of messages were lost: where the next one starts is unknown */
#define HALF_SEALED 0x100u /* a record of type 23 that does not begin like text */
#define HALF_LOST   0x80u  /* framing was lost once: what is no record is not sure to be garbage */
#define HALF_FULL   0x200u /* messages that the flight of a resumed session has not */

/* Private bits of tls.flags, beside TLS_IS_*. */
#define IS_RETRIED 0x10u /* a HelloRetryRequest: the version will be 1.3 */
#define IS_KEYED   0x20u /* client: a handshake record behind a CCS, before the version was known */
#define IS_SPENT   0x40u /* the server's buffer was given as an event: it goes at the next call */
#define IS_RESUMED 0x80u /* a resumed session, and said so */

/* A message of which only a part is there. */
struct handshake {
	uint32_t len;			   /* octets at data */
	uint8_t data[LIMIT_TLS_HANDSHAKE]; /* the message from its head on */
};

_Static_assert(sizeof(struct tls) <= 64, "TLS state stays small");

const uint32_t tls_handshake_size = sizeof(struct handshake);

bool
tls_pools_init(struct tls_pools *p, uint32_t handshakes)
{
	digest_load();
	memset(p->prints, 0, sizeof p->prints);
	bool ok = pool_init(&p->handshakes, "TLS handshakes", sizeof(struct handshake), handshakes);
	pool_zero_only(&p->handshakes, offsetof(struct handshake, data));
	return ok;
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
	    load_be16(o + 3) != 0 && load_be16(o + 3) <= RECORD_MAX;
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
	return t->version >= 0x0304 || (t->version == 0 && t->flags & IS_RETRIED);
}

/* May records of the side be protected?  Its CCS may be what was lost. */
static bool
has_keys(const struct tls *t, const struct tls_half *h)
{
	return t->version == 0 || is_13(t) || h->flags & (TLS_SAW_CCS | HALF_LOST);
}

static void
drop_buffer(struct tls_pools *p, struct tls_half *h)
{
	pool_give(&p->handshakes, h->buffer);
	h->buffer = 0;
}

static void
drop_spent(struct tls_pools *p, struct tls *t)
{
	if (t->flags & IS_SPENT) {
		drop_buffer(p, &t->half[TLS_SERVER]);
		t->flags &= (uint8_t)~IS_SPENT;
	}
}

static void
begin_event(struct tls_event *ev, enum tls_event_kind kind, enum tls_side side)
{
	memset(ev, 0, sizeof *ev);
	ev->kind = kind;
	ev->side = side;
}

/* ---- messages ---- */

static bool
take_client_hello(struct tls_pools *p, struct tls *t, const uint8_t *body, size_t len, bool whole,
    struct tls_event *ev)
{
	struct tls_half *h = &t->half[TLS_CLIENT];
	struct tls_hello hello;
	begin_event(ev, TLS_EVENT_CLIENT_HELLO, TLS_CLIENT);
	if (!tls_client_hello(p->prints, body, len, whole, &hello, ev))
		return false;
	t->session_id = hello.session_id;
	bool first = !(h->flags & TLS_SAW_HELLO); /* the second one answers a HelloRetryRequest */
	h->flags |= TLS_SAW_HELLO;
	return first;
}

static bool
take_server_hello(struct tls_pools *p, struct tls *t, const uint8_t *body, size_t len, bool whole,
    struct tls_event *ev)
{
	struct tls_half *h = &t->half[TLS_SERVER], *client = &t->half[TLS_CLIENT];
	struct tls_hello hello;
	begin_event(ev, TLS_EVENT_SERVER_HELLO, TLS_SERVER);
	if (h->flags & TLS_SAW_HELLO || !tls_server_hello(p->prints, body, len, whole, &hello, ev))
		return false;
	if (hello.retry) {
		t->flags |= IS_RETRIED;
		return false;
	}
	h->flags |= TLS_SAW_HELLO;
	t->version = ev->version;
	t->cipher = ev->cipher;
	ev->resumed = is_13(t) ? hello.pre_shared_key
			       : hello.session_id != 0 && hello.session_id == t->session_id;
	t->flags |= ev->resumed ? IS_RESUMED : 0;
	/* the client's records may have come to us before this */
	if (is_13(t)) {
		if (client->protected_records == 0 && t->short_records > 0)
			t->flags |= TLS_IS_FAILED_INFERRED;
		return true;
	}
	if (!has_keys(t, client))
		client->protected_records = 0;
	if (t->flags & IS_KEYED && client->protected_records < UINT8_MAX)
		client->protected_records++;
	return true;
}

static bool
take_certificate(struct tls *t, const uint8_t *body, size_t len, struct tls_event *ev)
{
	struct cursor c = cursor_of(body, len);
	if (is_13(t) || !(t->half[TLS_SERVER].flags & TLS_SAW_HELLO))
		return false;
	cursor_skip(&c, 3); /* length of the chain */
	size_t n = cursor_be24(&c);
	const uint8_t *der = cursor_take(&c, n);
	if (der == NULL || n == 0)
		return false;
	begin_event(ev, TLS_EVENT_CERTIFICATE, TLS_SERVER);
	ev->data = der;
	ev->len = n;
	return true;
}

static bool
take_key_exchange(const struct tls *t, const uint8_t *body, size_t len, struct tls_event *ev)
{
	if (is_13(t) || !(t->half[TLS_SERVER].flags & TLS_SAW_HELLO))
		return false;
	begin_event(ev, TLS_EVENT_KEY_EXCHANGE, TLS_SERVER);
	return tls_key_exchange(t->cipher, body, len, ev);
}

/* A message of `len` octets, its head among them, or the first part of one.  True with an event. */
static bool
take_message(struct tls_pools *p, struct tls *t, enum tls_side side, const uint8_t *data,
    size_t len, bool whole, struct tls_event *ev)
{
	const uint8_t *body = data + HANDSHAKE_HEAD;
	len -= HANDSHAKE_HEAD;
	if (data[0] == HS_CLIENT_HELLO && side == TLS_CLIENT)
		return take_client_hello(p, t, body, len, whole, ev);
	if (data[0] == HS_SERVER_HELLO && side == TLS_SERVER)
		return take_server_hello(p, t, body, len, whole, ev);
	if (side != TLS_SERVER)
		return false;
	if (data[0] == HS_CERTIFICATE || data[0] == HS_KEY_EXCHANGE || data[0] == HS_SERVER_DONE)
		t->half[TLS_SERVER].flags |= HALF_FULL;
	if (data[0] == HS_CERTIFICATE)
		return take_certificate(t, body, len, ev);
	if (data[0] == HS_KEY_EXCHANGE)
		return take_key_exchange(t, body, len, ev);
	return false;
}

/* Octets of the message, by its head. */
static uint32_t
message_len(const uint8_t *head)
{
	return HANDSHAKE_HEAD + ((uint32_t)head[1] << 16 | load_be16(head + 2));
}

/*
 * There is no buffer for the message that starts here and is not whole: reads what of it is here,
 * and passes the rest over.
 */
static bool
take_part(struct tls_pools *p, struct tls *t, enum tls_side side, const uint8_t *at, size_t left,
    size_t *used, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	*used = left;
	if (left < HANDSHAKE_HEAD) { /* not even its length is known */
		h->flags |= HALF_DEAF;
		h->type = TYPE_HIDDEN;
		return false;
	}
	uint32_t want = message_len(at);
	*used = left < want ? left : want;
	h->skip = want - (uint32_t)*used;
	return take_message(p, t, side, at, *used, *used == want, ev);
}

/*
 * Gathers octets of a message that is not whole in this push.  Sets how many it used; true with an
 * event, whose data may lie in the buffer.  One longer than the buffer is read as far as it fits.
 */
static bool
gather(struct tls_pools *p, struct tls *t, enum tls_side side, const uint8_t *at, size_t left,
    size_t *used, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	if (h->buffer == 0)
		h->buffer = pool_take(&p->handshakes);
	if (h->buffer == 0)
		return take_part(p, t, side, at, left, used, ev);
	struct handshake *b = pool_at(&p->handshakes, h->buffer);
	*used = 0;
	for (;;) {
		uint32_t want = b->len >= HANDSHAKE_HEAD ? message_len(b->data) : HANDSHAKE_HEAD;
		want = want < sizeof b->data ? want : (uint32_t)sizeof b->data;
		if (b->len >= HANDSHAKE_HEAD && b->len == want)
			break;
		size_t n = left - *used < want - b->len ? left - *used : want - b->len;
		if (n == 0)
			return false;
		memcpy(b->data + b->len, at + *used, n);
		b->len += (uint32_t)n;
		*used += n;
	}
	h->skip = message_len(b->data) - b->len;
	bool event = take_message(p, t, side, b->data, b->len, h->skip == 0, ev);
	if (event && ev->kind == TLS_EVENT_CERTIFICATE)
		t->flags |= IS_SPENT;
	else
		drop_buffer(p, h);
	return event;
}

/* Handshake octets of a record, in clear.  Sets how many were used; true with an event. */
static bool
take_handshake(struct tls_pools *p, struct tls *t, enum tls_side side, const uint8_t *data,
    size_t len, size_t *used, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	*used = 0;
	while (*used < len) {
		const uint8_t *at = data + *used;
		size_t left = len - *used, n = 0;
		uint32_t want = left >= HANDSHAKE_HEAD ? message_len(at) : UINT32_MAX;
		bool event = false;
		if (h->skip > 0) {
			n = left < h->skip ? left : h->skip;
			h->skip -= (uint32_t)n;
		} else if (h->buffer == 0 && want <= left && want <= LIMIT_TLS_HANDSHAKE) {
			n = want;
			event = take_message(p, t, side, at, n, true, ev);
		} else {
			event = gather(p, t, side, at, left, &n, ev);
		}
		*used += n;
		if (event)
			return true;
	}
	return false;
}

/* ---- records ---- */

/* Both sides showed what TLS takes to be up?  Says so once. */
static bool
check_established(struct tls *t, enum tls_side side, struct tls_event *ev)
{
	unsigned both = t->half[0].flags & t->half[1].flags;
	if (t->flags & (TLS_IS_ESTABLISHED | TLS_IS_MIDSTREAM) ||
	    t->half[0].protected_records == 0 || t->half[1].protected_records == 0)
		return false;
	if (both & TLS_SAW_HELLO) {
		t->flags |= TLS_IS_ESTABLISHED;
		if (tls_cipher_is_null(t->cipher) && t->version != 0)
			t->flags |= TLS_IS_NULL;
		begin_event(ev, TLS_EVENT_ESTABLISHED, side);
		return true;
	}
	/* octets of a side are in order, so a hello that is not here by now was not captured */
	if (both & HALF_SEALED) {
		t->flags |= TLS_IS_MIDSTREAM;
		begin_event(ev, TLS_EVENT_MIDSTREAM, side);
		return true;
	}
	return false;
}

/* A protected record of `len` octets begins.  True with an event. */
static bool
begin_protected(struct tls *t, enum tls_side side, uint8_t type, uint16_t len, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	if (len < (t->version == 0 || is_13(t) ? PROTECTED_MIN_13 : PROTECTED_MIN) ||
	    !has_keys(t, h))
		return false;
	if (h->protected_records == 0) {
		if (type == TYPE_ALERT)
			return false;
		if (type == TYPE_APPDATA && side == TLS_CLIENT && len <= SHORT_MAX &&
		    (t->version == 0 || is_13(t))) {
			if (t->short_records < SHORT_RUN)
				t->short_records++;
			if (t->version != 0)
				t->flags |= TLS_IS_FAILED_INFERRED;
			if (h->flags & TLS_SAW_HELLO || t->short_records < SHORT_RUN)
				return false;
		}
	}
	if (side == TLS_CLIENT)
		t->flags &= (uint8_t)~TLS_IS_FAILED_INFERRED;
	if (h->protected_records < UINT8_MAX)
		h->protected_records++;
	return check_established(t, side, ev);
}

/*
 * ChangeCipherSpec.  Where the server says it with nothing between its hello and this, it took the
 * client's ticket, whatever identifier it gave: a full handshake has a ServerHelloDone.  True with
 * an event.
 */
static bool
take_ccs(struct tls *t, enum tls_side side, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	bool first = !(h->flags & TLS_SAW_CCS);
	h->flags |= TLS_SAW_CCS;
	if (!first || side != TLS_SERVER || t->version == 0 || is_13(t) || t->flags & IS_RESUMED ||
	    h->flags & (HALF_FULL | HALF_DEAF | HALF_LOST) || h->buffer != 0 || h->skip > 0)
		return false;
	t->flags |= IS_RESUMED;
	begin_event(ev, TLS_EVENT_RESUMED, side);
	return true;
}

/* A record of `len` octets begins.  True with an event. */
static bool
begin_record(struct tls *t, enum tls_side side, uint8_t type, uint16_t len, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	bool keyed = h->flags & TLS_SAW_CCS && !is_13(t);
	h->record_left = len;
	h->type = TYPE_HIDDEN;
	switch (type) {
	case TYPE_CCS: return len == 1 && take_ccs(t, side, ev);
	case TYPE_ALERT:
		if (len > 2)
			return keyed && t->version != 0 && begin_protected(t, side, type, len, ev);
		if (len == 2 && (!keyed || t->version == 0))
			h->type = TYPE_ALERT;
		return false;
	case TYPE_HANDSHAKE:
		if (!keyed) {
			if (!(h->flags & HALF_DEAF) && !(t->flags & TLS_IS_ESTABLISHED))
				h->type = TYPE_HANDSHAKE;
			return false;
		}
		if (t->version == 0) { /* a Finished, or the answer to an unseen
					  HelloRetryRequest */
			if (side == TLS_CLIENT)
				t->flags |= IS_KEYED;
			return false;
		}
		return begin_protected(t, side, type, len, ev);
	case TYPE_APPDATA:
		h->flags |= TLS_SAW_APPDATA;
		if (t->flags & TLS_IS_NULL)
			h->type = TYPE_APPDATA;
		else if (!(t->half[0].flags & t->half[1].flags & TLS_SAW_HELLO) &&
		    !(h->flags & HALF_SEALED))
			h->type = TYPE_PEEK;
		return begin_protected(t, side, type, len, ev);
	default: return false;
	}
}

/* An octet of an alert: its level waits where record headers do. */
static bool
take_alert(struct tls *t, enum tls_side side, uint8_t octet, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	if (h->record_left == 2) {
		h->header[0] = octet;
		return false;
	}
	uint8_t level = h->header[0];
	if ((level != 1 && level != 2) || (is_13(t) && tls_alert_name(octet) == NULL))
		return false;
	h->flags |= TLS_SAW_ALERT;
	begin_event(ev, TLS_EVENT_ALERT, side);
	ev->alert_level = level;
	ev->alert = octet;
	return true;
}

/*
 * The first octets of a record whose hellos were not captured: a cipher that does not encrypt
 * leaves text there, where a server's replies and a client's commands begin.  They are counted
 * where headers are gathered.  True with an event.
 */
static bool
peek(struct tls *t, enum tls_side side, const uint8_t *data, size_t len, struct tls_event *ev)
{
	struct tls_half *h = &t->half[side];
	for (size_t i = 0; i < len && h->type == TYPE_PEEK; i++) {
		bool text = (data[i] >= 0x20 && data[i] < 0x7f) || data[i] == '\r' ||
		    data[i] == '\n' || data[i] == '\t';
		if (!text)
			h->flags |= HALF_SEALED;
		if (!text || ++h->header_len == PEEK)
			h->type = TYPE_HIDDEN;
	}
	if (h->type == TYPE_HIDDEN || len == h->record_left)
		h->header_len = 0;
	return h->flags & HALF_SEALED && check_established(t, side, ev);
}

/* The body of a record, as far as it is there.  True with an event. */
static bool
take_body(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev)
{
	struct tls_half *h = &t->half[in->side];
	size_t used = in->len < h->record_left ? in->len : h->record_left;
	bool event = false;
	if (h->type == TYPE_HANDSHAKE) {
		event = take_handshake(p, t, in->side, in->data, used, &used, ev);
	} else if (h->type == TYPE_ALERT) {
		used = 1;
		event = take_alert(t, in->side, in->data[0], ev);
	} else if (h->type == TYPE_PEEK) {
		event = peek(t, in->side, in->data, used, ev);
	} else if (h->type == TYPE_APPDATA) {
		/* the MAC; in TLS 1.3 (RFC 9150) the true type stands before it */
		unsigned tail = tls_cipher_mac(t->cipher) + (is_13(t) ? 1 : 0);
		if (h->record_left > tail) {
			used = used < h->record_left - tail ? used : h->record_left - tail;
			begin_event(ev, TLS_EVENT_PLAIN, in->side);
			ev->data = in->data;
			ev->len = used;
			event = true;
		}
	}
	in->data += used;
	in->len -= used;
	h->record_left = (uint16_t)(h->record_left - used);
	return event;
}

/* Could the octets of the header, as far as they are there, be one? */
static bool
header_is_sane(const struct tls *t, enum tls_side side)
{
	const struct tls_half *h = &t->half[side];
	const uint8_t *o = h->header;
	size_t n = h->header_len;
	if (o[0] & 0x80) /* SSL 2.0, with which older clients begin: RFC 5246 appendix E.2 */
		return side == TLS_CLIENT && h->flags == 0 && (n < 3 || o[2] == HS_CLIENT_HELLO) &&
		    (n < 4 || o[3] == 3) && (n < 5 || (o[4] <= 4 && (load_be16(o) & 0x7fffu) >= 9));
	return o[0] >= TYPE_CCS && o[0] <= TYPE_HEARTBEAT && (n < 2 || o[1] == 3) &&
	    (n < 3 || o[2] <= 4) && (n < 5 || load_be16(o + 3) <= RECORD_MAX);
}

/* An SSL 2.0 ClientHello says its highest version; its ciphers are not read. */
static bool
begin_ssl2_hello(struct tls *t, struct tls_event *ev)
{
	struct tls_half *h = &t->half[TLS_CLIENT];
	h->record_left = (uint16_t)((load_be16(h->header) & 0x7fffu) - 3);
	h->type = TYPE_HIDDEN;
	h->flags |= TLS_SAW_HELLO;
	begin_event(ev, TLS_EVENT_CLIENT_HELLO, TLS_CLIENT);
	ev->version = load_be16(h->header + 3);
	return true;
}

/*
 * What is here is no record: `before` octets of earlier pushes and all of this input.  True with an
 * event.
 */
static bool
lose_framing(struct tls_pools *p, struct tls *t, struct tls_input *in, uint8_t before,
    struct tls_event *ev)
{
	struct tls_half *h = &t->half[in->side];
	bool sure = !(h->flags & HALF_LOST);
	drop_buffer(p, h);
	h->skip = 0;
	h->header_len = sure ? before : 0;
	h->flags |= sure ? TLS_SAW_GARBAGE : TLS_SAW_GAP | HALF_DEAF;
	begin_event(ev, TLS_EVENT_GARBAGE, in->side);
	ev->data = in->data;
	ev->len = in->len;
	in->data += in->len;
	in->len = 0;
	return sure;
}

/* Octets of a record's header; the record begins with the last of them.  True with an event. */
static bool
take_header(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev)
{
	struct tls_half *h = &t->half[in->side];
	uint8_t before = h->header_len, taken = 0;
	if (before == 0 && tls_looks_like(in->data, in->len)) { /* as nearly always */
		const uint8_t *o = in->data;
		in->data += sizeof h->header;
		in->len -= sizeof h->header;
		return begin_record(t, in->side, o[0], load_be16(o + 3), ev);
	}
	while (h->header_len < sizeof h->header && taken < in->len) {
		h->header[h->header_len++] = in->data[taken++];
		if (header_is_sane(t, in->side))
			continue;
		return lose_framing(p, t, in, before, ev);
	}
	in->data += taken;
	in->len -= taken;
	if (h->header_len < sizeof h->header)
		return false;
	h->header_len = 0;
	if (h->header[0] & 0x80)
		return begin_ssl2_hello(t, ev);
	return begin_record(t, in->side, h->header[0], load_be16(h->header + 3), ev);
}

/*
 * Do these octets, behind a gap, begin with a record?  The header must be one that fits what is
 * known of the connection, and so must each header that follows in this push.
 */
static bool
is_resync(const struct tls *t, const uint8_t *data, size_t len)
{
	uint16_t version = t->version > 0x0303 ? 0x0303 : t->version;
	size_t at = 0;
	if (len < 5)
		return false;
	while (len - at >= 5) {
		const uint8_t *o = data + at;
		uint16_t n = load_be16(o + 3);
		if (!tls_looks_like(o, 5) || (version != 0 && load_be16(o + 1) != version) ||
		    (o[0] == TYPE_CCS && n != 1))
			return false;
		at += 5;
		if (len - at <= n)
			return true;
		at += n;
	}
	return data[at] >= TYPE_CCS && data[at] <= TYPE_APPDATA;
}

bool
tls_next(struct tls_pools *p, struct tls *t, struct tls_input *in, struct tls_event *ev)
{
	struct tls_half *h = &t->half[in->side];
	drop_spent(p, t);
	while (in->len > 0) {
		if (h->flags & TLS_SAW_GARBAGE ||
		    (h->flags & TLS_SAW_GAP && !is_resync(t, in->data, in->len))) {
			in->data += in->len;
			in->len = 0;
			return false;
		}
		h->flags &= (uint16_t)~TLS_SAW_GAP;
		if (h->record_left > 0 ? take_body(p, t, in, ev) : take_header(p, t, in, ev))
			return true;
	}
	return false;
}

/* Octets that end a record, and begin others of application data, whose headers are there whole. */
static bool
pass_records(struct tls *t, enum tls_side side, const uint8_t *data, size_t len)
{
	struct tls_half *h = &t->half[side];
	struct tls_event none; /* nothing is told any more */
	const size_t first = h->record_left;
	size_t at;
	for (at = first; at < len; at += sizeof h->header + load_be16(data + at + 3)) {
		if (!tls_looks_like(data + at, len - at) || data[at] != TYPE_APPDATA)
			return false;
	}
	for (at = first; at < len; at += sizeof h->header + h->record_left)
		(void)begin_record(t, side, TYPE_APPDATA, load_be16(data + at + 3), &none);
	h->record_left = (uint16_t)(at - len);
	return true;
}

bool
tls_pass(struct tls *t, enum tls_side side, const uint8_t *data, size_t len)
{
	struct tls_half *h = &t->half[side];
	if (h->flags & (TLS_SAW_GARBAGE | TLS_SAW_GAP) || t->flags & IS_SPENT)
		return false;
	if (h->record_left > len && h->type == TYPE_HIDDEN) {
		h->record_left = (uint16_t)(h->record_left - len);
		return true;
	}
	return tls_is_sealed(t) && h->header_len == 0 &&
	    (h->record_left == 0 || h->type == TYPE_HIDDEN) && pass_records(t, side, data, len);
}

/* Handshake octets were lost from the current record: what of the next ones can still be told. */
static void
lose_handshake(struct tls_pools *p, struct tls_half *h, uint32_t lost)
{
	h->flags |= HALF_FULL; /* such a message may be what was lost */
	if (h->buffer != 0) {
		const struct handshake *b = pool_at(&p->handshakes, h->buffer);
		if (b->len >= HANDSHAKE_HEAD)
			h->skip = message_len(b->data) - b->len;
		drop_buffer(p, h);
	}
	if (lost <= h->skip) { /* of a message that is not read anyway */
		h->skip -= lost;
		return;
	}
	h->skip = 0;
	h->flags |= HALF_DEAF;
	h->type = TYPE_HIDDEN;
}

void
tls_gap(struct tls_pools *p, struct tls *t, enum tls_side side, uint64_t len)
{
	struct tls_half *h = &t->half[side];
	drop_spent(p, t);
	if (h->flags & (TLS_SAW_GARBAGE | TLS_SAW_GAP) || len == 0)
		return;
	uint32_t lost = len < h->record_left ? (uint32_t)len : h->record_left;
	if (h->type == TYPE_HANDSHAKE && lost > 0)
		lose_handshake(p, h, lost);
	else if (h->type == TYPE_ALERT)
		h->type = TYPE_HIDDEN;
	else if (h->type == TYPE_PEEK) {
		h->type = TYPE_HIDDEN;
		h->header_len = 0;
	}
	h->record_left = (uint16_t)(h->record_left - lost);
	if (lost == len)
		return;
	if (h->buffer != 0 || h->skip > 0)
		h->flags |= HALF_DEAF; /* of the message an unknown part is lost */
	h->skip = 0;
	h->header_len = 0;
	h->flags |= TLS_SAW_GAP | HALF_LOST;
	drop_buffer(p, h);
}

void
tls_end(struct tls_pools *p, struct tls *t)
{
	drop_buffer(p, &t->half[0]);
	drop_buffer(p, &t->half[1]);
}
