/*
 * Streams: see stream.h.  A stream that holds something has a window of LIMIT_OOO_SLOTS pages from
 * the page of the next octet on.  Of a page nearly always one run of octets is there, and two
 * numbers say which; of one that has more runs a bit for each octet does, so that no list is walked
 * and the first copy wins octet by octet.  (With bits only, a fourteenth of the time of a capture
 * with losses went into them.)
 */
#include "stream/stream.h"

#include <stddef.h>
#include <string.h>

#include "base/limits.h"

#define PAGE	  LIMIT_OOO_PAGE
#define SLOTS	  LIMIT_OOO_SLOTS
#define WINDOW	  ((uint64_t)PAGE * SLOTS)
#define MARKS	  32u
#define TURN	  (1ull << 63) /* they had seen more of a peer that is not captured */
#define LATE_ROOM 65536u       /* octets before the first segment seen that may still come */
#define ACK_REACH (16u << 20)  /* octets beyond the next one that an acknowledgement may name */

struct page {
	uint32_t from, to;	  /* the octets that are there, where they are one run */
	bool scattered;		  /* they are not: `have` says which */
	uint64_t have[PAGE / 64]; /* a bit for each octet that is there */
	uint8_t data[PAGE];
};

struct reorder {
	uint32_t pages;	      /* how many there are in `slot` */
	uint32_t marks;	      /* entries of mark */
	int64_t held_ns;      /* when the first mark was set */
	int64_t snap_ns;      /* when snap_off was taken; 0: no hole is acknowledged */
	uint64_t snap_off;    /* what was acknowledged then */
	uint64_t ripe;	      /* holes before this offset were acknowledged at least a grace ago */
	uint32_t slot[SLOTS]; /* pages, by page number modulo SLOTS; 0 for none, as all are in one
				 that is given back */
	struct mark {
		uint64_t off;  /* octets from here on wait */
		uint64_t need; /* until the peer's stream has come to here; and TURN */
	} mark[MARKS];
};

_Static_assert(LIMIT_OOO_STREAMS <= UINT16_MAX, "a stream names its bookkeeping by 16 bits");

const uint32_t stream_reorder_size = sizeof(struct reorder), stream_page_size = sizeof(struct page);

bool
streams_init(struct streams *ss, uint32_t reorders, uint32_t pages)
{
	memset(ss, 0, sizeof *ss);
	bool ok =
	    pool_init(&ss->reorders, "streams out of order", sizeof(struct reorder), reorders) &&
	    pool_init(&ss->pages, "pages out of order", sizeof(struct page), pages);
	pool_zero_only(&ss->reorders, offsetof(struct reorder, slot));
	pool_zero_only(&ss->pages, offsetof(struct page, have));
	return ok;
}

void
streams_free(struct streams *ss)
{
	pool_free_all(&ss->reorders);
	pool_free_all(&ss->pages);
}

/* The offset before which the peer has all octets, if that is ahead of the next. */
static uint64_t
acked(const struct stream *s)
{
	return s->next + s->ahead;
}

static uint32_t
less(uint32_t distance, uint64_t by)
{
	return distance > by ? distance - (uint32_t)by : 0;
}

/* No octet was delivered yet, and one before the next has come. */
static void
begin_earlier(struct stream *s, int64_t off)
{
	if (!(s->flags & STREAM_GUESSED) || off < 0 || off >= (int64_t)s->next)
		return;
	s->ahead += (uint32_t)(s->next - (uint64_t)off); /* LATE_ROOM at most, in all */
	s->to_end += (uint32_t)(s->next - (uint64_t)off);
	s->next = (uint64_t)off;
}

void
stream_start(struct stream *s, uint32_t seq)
{
	if (s->flags & STREAM_STARTED) {
		begin_earlier(s, stream_offset(s, seq));
		return;
	}
	s->next = 0;
	s->ahead = 0;
	s->base = seq;
	s->flags |= STREAM_STARTED;
}

void
stream_start_late(struct stream *s, uint32_t seq)
{
	stream_start(s, seq - LATE_ROOM);
	s->next = LATE_ROOM;
	s->flags |= STREAM_GUESSED;
}

static struct reorder *
reorder_of(const struct streams *ss, const struct stream *s)
{
	return s->reorder != 0 ? pool_at(&ss->reorders, s->reorder) : NULL;
}

static struct reorder *
reorder_make(struct streams *ss, struct stream *s)
{
	if (s->reorder == 0)
		s->reorder = (uint16_t)pool_take(&ss->reorders);
	return reorder_of(ss, s);
}

/* The bookkeeping is given back as soon as it says nothing. */
static void
reorder_settle(struct streams *ss, struct stream *s)
{
	struct reorder *r = reorder_of(ss, s);
	if (r != NULL && r->pages == 0 && r->marks == 0 && r->snap_ns == 0) {
		pool_give(&ss->reorders, s->reorder);
		s->reorder = 0;
	}
}

/* Takes note of what is acknowledged: what was so a grace ago is ripe to be given up. */
static void
ripen(struct reorder *r, const struct stream *s, int64_t now_ns)
{
	if (s->ahead == 0) {
		r->snap_ns = 0;
		r->ripe = 0;
	} else if (r->snap_ns == 0) {
		r->snap_ns = now_ns;
		r->snap_off = acked(s);
	} else if (now_ns - r->snap_ns >= LIMIT_GRACE_NS) {
		r->ripe = r->snap_off;
		r->snap_ns = now_ns;
		r->snap_off = acked(s);
	}
}

void
stream_ack(struct streams *ss, struct stream *s, uint32_t ack, int64_t now_ns)
{
	int64_t off = stream_offset(s, ack);
	if (off <= (int64_t)acked(s) || off > (int64_t)s->next + ACK_REACH)
		return;
	uint32_t ahead = (uint32_t)((uint64_t)off - s->next);
	if (s->flags & STREAM_ENDS && ahead > s->to_end)
		ahead = s->to_end; /* the FIN takes a number too */
	if (ahead <= s->ahead)
		return;
	s->ahead = ahead;
	struct reorder *r = reorder_make(ss, s);
	if (r == NULL) {
		s->flags |= STREAM_FORCE | STREAM_NO_WAIT;
		ss->pressure++;
	} else {
		ripen(r, s, now_ns);
	}
}

void
stream_fin(struct stream *s, uint32_t seq)
{
	int64_t off = stream_offset(s, seq);
	if (off >= 0)
		stream_end_at(s, (uint64_t)off);
}

void
stream_end_at(struct stream *s, uint64_t end)
{
	if (s->flags & STREAM_ENDS || end < s->next || end - s->next > UINT32_MAX)
		return;
	s->to_end = (uint32_t)(end - s->next);
	s->flags |= STREAM_ENDS;
}

/* `to` is the next octet; what is ahead of it comes nearer. */
static void
move(struct stream *s, uint64_t to)
{
	uint64_t by = to - s->next;
	s->next = to;
	if ((s->ahead | s->to_end) == 0)
		return;
	s->ahead = less(s->ahead, by);
	s->to_end = less(s->to_end, by);
}

void
stream_skip(struct stream *s)
{
	if (s->flags & STREAM_ENDS)
		move(s, s->next + s->to_end);
}

/* ---- pages ---- */

static bool
has(const struct page *pg, uint32_t at)
{
	if (!pg->scattered)
		return at >= pg->from && at < pg->to;
	return (pg->have[at / 64] >> (at % 64) & 1) != 0;
}

/* Octets that are there from `at` on, without a hole, up to the page's end. */
static uint32_t
run_length(const struct page *pg, uint32_t at)
{
	uint32_t start = at;
	if (!pg->scattered)
		return has(pg, at) ? pg->to - at : 0;
	while (at < PAGE) {
		uint64_t missing = ~(pg->have[at / 64] >> (at % 64));
		uint32_t n = missing == 0 ? 64 : (uint32_t)__builtin_ctzll(missing);
		uint32_t room = 64 - at % 64;
		if (n < room)
			return at + n - start;
		at += room;
	}
	return PAGE - start;
}

/* The first octet that is there from `at` on; PAGE where there is none. */
static uint32_t
first_set(const struct page *pg, uint32_t at)
{
	if (!pg->scattered)
		return at >= pg->to ? PAGE : at > pg->from ? at : pg->from;
	while (at < PAGE) {
		uint64_t word = pg->have[at / 64] >> (at % 64);
		if (word != 0)
			return at + (uint32_t)__builtin_ctzll(word);
		at += 64 - at % 64;
	}
	return PAGE;
}

/* Of the octets `from` to `end` of a page those whose bits stand in the word of the first. */
static inline uint64_t
mask_of(uint32_t from, uint32_t end)
{
	uint32_t n = end - from;
	return (n >= 64 ? ~0ull : (1ull << n) - 1) << from % 64;
}

/* The octets `from` to `end` are there. */
static void
mark_there(struct page *pg, uint32_t from, uint32_t end)
{
	for (; from < end; from += 64 - from % 64)
		pg->have[from / 64] |= mask_of(from, end);
}

/* One run is no more enough. */
static void
scatter(struct page *pg)
{
	memset(pg->have, 0, sizeof pg->have);
	mark_there(pg, pg->from, pg->to);
	pg->scattered = true;
}

/* The same as page_write, octet by octet where some are there. */
static bool
write_scattered(struct page *pg, uint32_t at, const uint8_t *data, uint32_t len)
{
	bool differs = false, is_free = first_set(pg, at) >= at + len;
	if (is_free)
		memcpy(pg->data + at, data, len);
	for (uint32_t i = 0; i < len && !is_free; i++) {
		if (!has(pg, at + i))
			pg->data[at + i] = data[i];
		else if (pg->data[at + i] != data[i])
			differs = true;
	}
	mark_there(pg, at, at + len);
	return differs;
}

/* Copies octets into a page where none are yet; tells whether one that was there differs. */
static bool
page_write(struct page *pg, uint32_t at, const uint8_t *data, uint32_t len)
{
	uint32_t end = at + len;
	if (!pg->scattered && pg->from == pg->to)
		pg->from = pg->to = at;
	if (!pg->scattered && (at > pg->to || end < pg->from))
		scatter(pg);
	if (pg->scattered)
		return write_scattered(pg, at, data, len);
	/* before the run, in it, behind it */
	uint32_t from = at > pg->from ? at : pg->from, to = end < pg->to ? end : pg->to;
	bool differs = from < to && memcmp(pg->data + from, data + (from - at), to - from) != 0;
	if (at < pg->from) {
		memcpy(pg->data + at, data, pg->from - at);
		pg->from = at;
	}
	if (end > pg->to) {
		memcpy(pg->data + pg->to, data + (pg->to - at), end - pg->to);
		pg->to = end;
	}
	return differs;
}

static void
page_drop(struct streams *ss, struct reorder *r, uint32_t slot)
{
	ss->spent = r->slot[slot];
	r->slot[slot] = 0;
	r->pages--;
}

static void
spent_free(struct streams *ss)
{
	if (ss->spent != 0)
		pool_give(&ss->pages, ss->spent);
	ss->spent = 0;
}

/* Copies a segment that cannot be delivered yet; what finds no page stays in the input, and holes
 * are forced. */
static void
store(struct streams *ss, struct stream *s, struct stream_input *in)
{
	struct reorder *r = reorder_make(ss, s);
	uint64_t limit = (s->next / PAGE + SLOTS) * PAGE;
	while (in->len > 0) {
		uint32_t at = (uint32_t)(in->off % PAGE),
			 n = PAGE - at < in->len ? PAGE - at : in->len;
		uint32_t *slot = r != NULL ? &r->slot[in->off / PAGE % SLOTS] : NULL;
		if (slot != NULL && in->off < limit && *slot == 0 &&
		    (*slot = pool_take(&ss->pages)) != 0)
			r->pages++;
		if (slot == NULL || in->off >= limit || *slot == 0) {
			s->flags |= STREAM_FORCE | STREAM_NO_WAIT;
			ss->pressure++;
			return;
		}
		/* one octet may be a keep-alive, which carries anything (RFC 9293 section 3.8.4) */
		if (page_write(pool_at(&ss->pages, *slot), at, in->data, n) && in->len > 1) {
			s->flags |= STREAM_CONFLICT;
			ss->conflicts++;
		}
		in->data += n;
		in->off += n;
		in->len -= n;
	}
	in->cut = 0; /* a hole like any other */
}

/* ---- push ---- */

/*
 * Octets from `off` on wait until the peer's stream has come to `need`.  Marks are in order of
 * their offsets; of two for the same octets the first stays, but that a TURN alone, which comes
 * before the need of the same segment, takes it.  Where there is no room the octets wait for those
 * before them only.
 */
static void
mark_add(struct streams *ss, struct stream *s, uint64_t off, uint64_t need, int64_t now_ns)
{
	struct reorder *r = reorder_make(ss, s);
	if (r == NULL || r->marks == MARKS)
		return;
	uint32_t at = r->marks;
	while (at > 0 && r->mark[at - 1].off >= off)
		at--;
	if (at < r->marks && r->mark[at].off == off) {
		if (r->mark[at].need == TURN)
			r->mark[at].need |= need;
		return;
	}
	if (r->marks == 0)
		r->held_ns = now_ns;
	memmove(r->mark + at + 1, r->mark + at, (r->marks - at) * sizeof r->mark[0]);
	r->mark[at] = (struct mark){off, need};
	r->marks++;
}

/* The first octet from `from` on that is not held. */
static uint64_t
first_missing(const struct streams *ss, const struct stream *s, const struct reorder *r,
    uint64_t from)
{
	uint64_t limit = (s->next / PAGE + SLOTS) * PAGE;
	while (r != NULL && from < limit) {
		uint32_t id = r->slot[from / PAGE % SLOTS], at = (uint32_t)(from % PAGE);
		uint32_t n = id != 0 ? run_length(pool_at(&ss->pages, id), at) : 0;
		from += n;
		if (n < PAGE - at)
			break;
	}
	return from;
}

uint64_t
stream_seen(const struct stream *s, uint32_t ack)
{
	int64_t off = stream_offset(s, ack);
	return off <= 0 ? 0 : (uint64_t)off < acked(s) ? (uint64_t)off : acked(s);
}

bool
stream_turn(struct streams *ss, struct stream *s, uint32_t seq, int64_t now_ns)
{
	int64_t off = stream_offset(s, seq);
	if (off > (int64_t)s->next)
		mark_add(ss, s, (uint64_t)off, TURN, now_ns);
	return off <= (int64_t)s->next;
}

void
stream_push(struct streams *ss, struct stream *s, const struct stream *peer, uint64_t need,
    uint32_t seq, const uint8_t *data, uint32_t len, uint32_t wire_len, int64_t now_ns,
    struct stream_input *in)
{
	int64_t off = stream_offset(s, seq);
	*in = (struct stream_input){data, len, wire_len - len, (uint64_t)off};
	begin_earlier(s, off);
	if (off + (int64_t)wire_len <= (int64_t)s->next) { /* all of it was delivered before */
		in->len = in->cut = 0;
		return;
	}
	if (off < (int64_t)s->next) {
		uint64_t old = s->next - (uint64_t)off;
		in->off = s->next;
		if (old < in->len) {
			in->data += old;
			in->len -= (uint32_t)old;
		} else {
			in->cut -= (uint32_t)(old - in->len);
			in->len = 0;
		}
	}
	bool early = need > peer->next && !(s->flags & STREAM_NO_WAIT);
	struct reorder *r = reorder_of(ss, s);
	bool waits = r != NULL && r->marks > 0 && r->mark[0].off <= s->next;
	if (early) { /* what is held was sent before, with less seen */
		uint64_t from = first_missing(ss, s, r, in->off);
		if (from < in->off + in->len + in->cut)
			mark_add(ss, s, from, need, now_ns);
	}
	if (early || waits || in->off > s->next || (r != NULL && r->pages > 0))
		store(ss, s, in); /* also where octets are held: those came first */
}

/* ---- next ---- */

/* The first octet that is held from the next one on; UINT64_MAX where there is none. */
static uint64_t
first_held(const struct streams *ss, const struct stream *s, const struct reorder *r)
{
	for (uint32_t i = 0; r != NULL && r->pages > 0 && i < SLOTS; i++) {
		uint64_t number = s->next / PAGE + i;
		uint32_t id = r->slot[number % SLOTS];
		uint32_t from = i == 0 ? (uint32_t)(s->next % PAGE) : 0;
		uint32_t at = id != 0 ? first_set(pool_at(&ss->pages, id), from) : PAGE;
		if (at < PAGE)
			return number * PAGE + at;
	}
	return UINT64_MAX;
}

/* Where the hole at the next octet ends, as far as it may be given up now; s->next where it may
 * not. */
static uint64_t
gap_end(const struct streams *ss, const struct stream *s, const struct stream *peer,
    struct reorder *r, const struct stream_input *in, int64_t now_ns)
{
	bool force = (s->flags & STREAM_FORCE) != 0;
	uint64_t ripe = 0;
	if (r != NULL) {
		ripen(r, s, now_ns);
		ripe = r->ripe;
	}
	if (peer->flags & STREAM_NO_WAIT && acked(s) > ripe)
		ripe = acked(s); /* the peer cannot wait any longer for what it acknowledged */
	if (!force && ripe <= s->next)
		return s->next;
	uint64_t end = first_held(ss, s, r);
	if (in != NULL && in->len > 0 && in->off < end)
		end = in->off;
	if (!force && ripe < end)
		end = ripe;
	if (force && end == UINT64_MAX && s->ahead > 0)
		end = acked(s);
	return end == UINT64_MAX ? s->next : end;
}

/* Until where the peer has to come for the first mark. */
static uint64_t
need_of(const struct reorder *r)
{
	return r->mark[0].need & ~TURN;
}

/* Are octets held at offset `at`? */
static bool
is_held(const struct streams *ss, const struct reorder *r, uint64_t at)
{
	uint32_t id = r->slot[at / PAGE % SLOTS];
	return id != 0 && has(pool_at(&ss->pages, id), (uint32_t)(at % PAGE));
}

/*
 * How much of this stream the peer's first held octets had seen; UINT64_MAX where none are held.
 * Octets of this stream that are lost behind that may answer them: the peer is
 * to go first (*ready).
 */
static uint64_t
peer_had_seen(const struct streams *ss, const struct stream *s, const struct stream *peer,
    bool *ready)
{
	const struct reorder *own = reorder_of(ss, s), *r = reorder_of(ss, peer);
	*ready = false;
	if (r == NULL || r->marks == 0 || r->mark[0].off < peer->next ||
	    r->mark[0].off >= peer->next + WINDOW || !is_held(ss, r, r->mark[0].off))
		return UINT64_MAX;
	/* there is no hurry either where what follows the loss waits for the peer all the same */
	*ready = r->mark[0].off == peer->next ||
	    (own != NULL && own->marks > 0 && need_of(own) > peer->next);
	return need_of(r);
}

/* The stream has moved on: what said something about the octets before is out of date. */
static void
advance(struct streams *ss, struct stream *s, uint64_t to, int64_t now_ns)
{
	struct reorder *r = reorder_of(ss, s);
	uint64_t from = s->next;
	move(s, to);
	s->flags &= (uint8_t)~STREAM_GUESSED;
	if (r == NULL)
		return;
	for (uint64_t number = from / PAGE; number < to / PAGE && number < from / PAGE + SLOTS;
	     number++) {
		uint32_t slot = (uint32_t)(number % SLOTS);
		if (r->slot[slot] != 0) {
			spent_free(ss);
			page_drop(ss, r, slot);
		}
	}
	ripen(r, s, now_ns);
}

bool
stream_next(struct streams *ss, struct stream *s, const struct stream *peer, int64_t now_ns,
    struct stream_input *in, struct stream_chunk *out)
{
	bool turn = false;
	spent_free(ss);
	for (;;) {
		struct reorder *r = reorder_of(ss, s);
		while (r != NULL && r->marks > 0 && r->mark[0].off <= s->next &&
		    (peer->next >= need_of(r) || s->flags & STREAM_NO_WAIT ||
			now_ns - r->held_ns >= LIMIT_HOLD_NS)) {
			r->marks--;
			turn |= r->mark[0].need & TURN && r->mark[0].off == s->next;
			memmove(r->mark, r->mark + 1, r->marks * sizeof r->mark[0]);
		}
		if (r != NULL && r->marks > 0 && r->mark[0].off <= s->next) {
			if (in != NULL && in->len > 0)
				store(ss, s, in);
			if (!(s->flags & STREAM_NO_WAIT))
				return false; /* what the peer had seen comes first */
			continue;
		}
		uint64_t stop = r != NULL && r->marks > 0 ? r->mark[0].off : UINT64_MAX;
		if (r != NULL && r->pages > 0) {
			uint32_t at = (uint32_t)(s->next % PAGE),
				 id = r->slot[s->next / PAGE % SLOTS];
			const struct page *pg = id != 0 ? pool_at(&ss->pages, id) : NULL;
			uint32_t n = pg != NULL && has(pg, at) ? run_length(pg, at) : 0;
			if (n > 0) {
				if (n > stop - s->next)
					n = (uint32_t)(stop - s->next);
				*out = (struct stream_chunk){pg->data + at, n, s->next, turn};
				if (first_set(pg, at + n) == PAGE)
					page_drop(ss, r, (uint32_t)(s->next / PAGE % SLOTS));
				advance(ss, s, s->next + n, now_ns);
				return true;
			}
		}
		if (in != NULL && in->len > 0 && in->off <= s->next) {
			uint64_t old = s->next - in->off;
			if (old >= in->len) { /* held copies of it were delivered meanwhile */
				uint64_t cut_end = in->off + in->len + in->cut;
				in->cut = cut_end > s->next ? (uint32_t)(cut_end - s->next) : 0;
				in->off = s->next;
				in->len = 0;
				continue;
			}
			/* up to what is held, since that came first */
			uint64_t n = in->len - old, room = first_held(ss, s, r) - s->next;
			n = n < room ? n : room;
			*out = (struct stream_chunk){in->data + old, n, s->next, turn};
			in->data += old + n;
			in->off += old + n;
			in->len -= (uint32_t)(old + n);
			advance(ss, s, in->off, now_ns);
			return true;
		}
		if (in != NULL && in->len == 0 && in->cut > 0 && in->off == s->next) {
			*out = (struct stream_chunk){NULL, in->cut, s->next, false};
			in->cut = 0;
			advance(ss, s, s->next + out->len, now_ns);
			return true;
		}
		uint64_t end = gap_end(ss, s, peer, r, in, now_ns);
		bool ready = false;
		uint64_t seen = end > s->next ? peer_had_seen(ss, s, peer, &ready) : UINT64_MAX;
		if (seen <= s->next && ready)
			return false;
		if (end > stop)
			end = stop;
		if (end > seen && seen > s->next)
			end = seen;
		if (end == s->next) {
			if (s->flags & STREAM_FORCE && (in == NULL || in->len == 0) &&
			    (r == NULL || r->pages == 0))
				s->flags &= (uint8_t) ~(STREAM_FORCE | STREAM_NO_WAIT);
			reorder_settle(ss, s);
			return false;
		}
		*out = (struct stream_chunk){NULL, end - s->next, s->next, false};
		advance(ss, s, end, now_ns);
		return true;
	}
}

int64_t
stream_deadline(const struct streams *ss, const struct stream *s)
{
	const struct reorder *r = reorder_of(ss, s);
	if (r == NULL)
		return 0;
	int64_t hole = r->snap_ns != 0 && s->ahead > 0 ? r->snap_ns + LIMIT_GRACE_NS : 0;
	int64_t held = r->marks > 0 ? r->held_ns + LIMIT_HOLD_NS : 0;
	return hole == 0 || (held != 0 && held < hole) ? held : hole;
}

void
stream_finish(struct stream *s)
{
	if (s->flags & STREAM_ENDS && s->to_end > s->ahead)
		s->ahead = s->to_end;
	s->flags |= STREAM_FORCE;
}

bool
stream_unblock(const struct streams *ss, struct stream *s)
{
	struct reorder *r = reorder_of(ss, s);
	bool waited = r != NULL && r->marks > 0;
	if (waited)
		r->marks = 0;
	return waited;
}

void
stream_release(struct streams *ss, struct stream *s)
{
	struct reorder *r = reorder_of(ss, s);
	spent_free(ss);
	if (r == NULL)
		return;
	for (uint32_t i = 0; i < SLOTS && r->pages > 0; i++) {
		if (r->slot[i] != 0) {
			page_drop(ss, r, i);
			spent_free(ss);
		}
	}
	pool_give(&ss->reorders, s->reorder);
	s->reorder = 0;
}
