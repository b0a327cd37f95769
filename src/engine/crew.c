/* The workers as the parent sees them: see crew.h. */
#include "engine/crew.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "record/common.h"

void
crew_init(struct crew *c, unsigned workers, bool ordered)
{
	memset(c, 0, sizeof *c);
	c->count = workers;
	c->ordered = ordered;
}

void
crew_free(struct crew *c)
{
	for (unsigned i = 0; i < c->count; i++)
		crew_leave(c, i);
}

void
crew_join(struct crew *c, unsigned i, struct wire_ring *ring, int bell, int64_t now_ms)
{
	struct crew_member *m = &c->member[i];
	m->wire = (struct wire_in){.ring = ring, .bell = bell};
	m->joined = true;
	m->heard_ms = now_ms;
	m->told = 0;
	m->ended = false;
}

static void
add_capture(struct capture_stats *sum, const struct capture_stats *s)
{
	sum->frames += s->frames;
	sum->captured += s->captured;
	sum->wire += s->wire;
	sum->cut += s->cut;
	sum->filtered += s->filtered;
	sum->unfilterable += s->unfilterable;
	sum->steps_back += s->steps_back;
	sum->dropped += s->dropped;
	sum->interface_dropped += s->interface_dropped;
	if (s->frames > 0 && (sum->first_ns == 0 || s->first_ns < sum->first_ns))
		sum->first_ns = s->first_ns;
	if (s->frames > 0 && s->last_ns > sum->last_ns)
		sum->last_ns = s->last_ns;
}

static void
add_engine(struct engine_stats *sum, const struct engine_stats *s)
{
	sum->frames += s->frames;
	sum->tcp += s->tcp;
	sum->not_tcp += s->not_tcp;
	sum->undecoded += s->undecoded;
	if (sum->unknown_link == 0)
		sum->unknown_link_type = s->unknown_link_type;
	sum->unknown_link += s->unknown_link;
	sum->unknown_link_more +=
	    s->unknown_link_type == sum->unknown_link_type ? s->unknown_link_more : s->unknown_link;
	sum->fragments += s->fragments;
	sum->flows += s->flows;
	sum->evicted += s->evicted;
	sum->gap_bytes += s->gap_bytes;
	sum->overlaps += s->overlaps;
	sum->ndpi_calls += s->ndpi_calls;
	sum->unjoined += s->unjoined;
}

/* Adds what one worker counts; `capture`: what it saw of the input too. */
static void
add_report(struct feed_report *sum, const struct feed_report *r, bool capture)
{
	add_engine(&sum->engine, &r->engine);
	sum->waits += r->waits;
	sum->memory += r->memory;
	if (capture) {
		add_capture(&sum->capture, &r->capture);
		sum->packets += r->packets;
		if (r->last_ns > sum->last_ns)
			sum->last_ns = r->last_ns;
	}
	/* how many there are is said by what may be anybody */
	for (uint32_t i = 0; i < r->tables && i < FEED_TABLES && engine_table_name(i); i++) {
		struct engine_table *t = &sum->table[i];
		t->octets += r->table[i].octets;
		t->max += r->table[i].max;
		t->used += r->table[i].used;
		t->peak += r->table[i].peak;
		t->refused += r->table[i].refused;
		t->name = engine_table_name(i);
		if (sum->tables <= i)
			sum->tables = i + 1;
	}
}

void
crew_leave(struct crew *c, unsigned i)
{
	struct crew_member *m = &c->member[i];
	if (!m->joined)
		return;
	close(m->wire.bell);
	m->joined = false;
	/* its counts stay, and what its tables held at most, until the next one speaks */
	struct feed_report tables = {.memory = m->report.memory, .tables = m->report.tables};
	memcpy(tables.table, m->report.table, sizeof tables.table);
	m->report.memory = m->report.tables = 0;
	add_report(&m->before, &m->report, true);
	if (m->before.tables < tables.tables)
		m->before.tables = tables.tables;
	for (unsigned k = 0; k < FEED_TABLES; k++) {
		m->before.table[k].refused += tables.table[k].refused;
		tables.table[k].used = 0;
		tables.table[k].refused = 0;
	}
	if (c->ordered) { /* of a file, what it saw last */
		m->before.octets_read = m->report.octets_read;
		m->before.octets_total = m->report.octets_total;
		m->before.capture = m->report.capture;
	}
	m->report = tables;
	m->speaks = false;
}

int
crew_fd(const struct crew *c, unsigned i)
{
	const struct crew_member *m = &c->member[i];
	return m->joined && !m->wire.closed && !m->wire.broken ? m->wire.bell : -1;
}

bool
crew_unread(struct crew *c, unsigned i)
{
	struct wire_message message;
	return c->member[i].joined && wire_peek(&c->member[i].wire, &message);
}

void
crew_hear(struct crew *c, int64_t now_ms)
{
	for (unsigned i = 0; i < c->count; i++) {
		struct crew_member *m = &c->member[i];
		if (m->joined && wire_fill(&m->wire))
			m->heard_ms = now_ms;
	}
}

/* May worker `i` have its say, with a message about frame `order`: can no other have an earlier
 * one? `told` is how far each is, besides what waits. */
static bool
is_next(struct crew *c, unsigned i, uint64_t order)
{
	for (unsigned k = 0; k < c->count; k++) {
		struct crew_member *m = &c->member[k];
		struct wire_message message;
		if (k == i || !m->joined)
			continue;
		if (wire_peek(&m->wire, &message)) {
			uint64_t other = message.head.order;
			if (other < order || (other == order && k < i))
				return false;
		} else if (!m->ended && !m->wire.closed && !m->wire.broken &&
		    (m->told < order || (m->told == order && k < i))) {
			return false;
		}
	}
	return true;
}

/* A message is taken off; CREW_NOTHING where it was about the worker itself. */
static enum crew_said
take(struct crew_member *m, const struct wire_message *message, struct record *record,
    struct crew_word *word)
{
	const struct wire_head *h = &message->head;
	struct text t = text_in(word->text, sizeof word->text);
	char copy[sizeof word->text]; /* an octet is one at least when it is escaped */
	const size_t len = h->len < sizeof copy ? h->len : sizeof copy;
	switch ((enum wire_kind)h->kind) {
	case WIRE_RECORD:
		if (h->detail > RECORD_MESSAGE ||
		    !record_take_common(record, (enum record_kind)h->detail, message->body, h->len))
			return CREW_BROKEN;
		return CREW_RECORD;
	case WIRE_EVENT:
		if (h->detail >= FEED_EVENTS)
			return CREW_BROKEN;
		word->event = (enum feed_event)h->detail;
		memcpy(copy, message->body, len);
		text_add_wire(&t, copy, len);
		return CREW_EVENT;
	case WIRE_MARK: return CREW_NOTHING;
	case WIRE_STATUS:
		if (h->len != sizeof m->report)
			return CREW_BROKEN;
		memcpy(&m->report, message->body, sizeof m->report);
		m->speaks = true;
		return CREW_NOTHING;
	case WIRE_END:
		if (h->detail >= FEED_ENDS)
			return CREW_BROKEN;
		m->end = (enum feed_end)h->detail;
		m->ended = true;
		return CREW_NOTHING;
	case WIRE_SKIP:
	case WIRE_KINDS: break;
	}
	return CREW_BROKEN;
}

/* One look at each; *moved: messages were taken that hand nothing out, but may let others speak. */
static enum crew_said
ask_each(struct crew *c, struct record *record, struct crew_word *word, bool *moved)
{
	const unsigned first = c->ordered ? 0 : c->turn;
	for (unsigned n = 0; n < c->count; n++) {
		unsigned i = (first + n) % c->count;
		struct crew_member *m = &c->member[i];
		struct wire_message message;
		if (!m->joined)
			continue;
		word->worker = i;
		while (wire_peek(&m->wire, &message)) {
			/* how far it is may be said out of turn, a record may not */
			if (c->ordered && message.head.kind == WIRE_RECORD &&
			    !is_next(c, i, message.head.order))
				break;
			if (message.head.order > m->told)
				m->told = message.head.order;
			enum crew_said said = take(m, &message, record, word);
			wire_take(&m->wire);
			if (said == CREW_BROKEN)
				m->wire.broken = true;
			/* one word each: who says much keeps nobody from being heard */
			c->turn = i + 1;
			if (said != CREW_NOTHING)
				return said;
			*moved = true;
		}
		if (wire_peek(&m->wire, &message))
			continue;
		if (m->wire.broken)
			return CREW_BROKEN;
		if (m->wire.closed) {
			word->end = m->end;
			return m->ended ? CREW_ENDED : CREW_LOST;
		}
	}
	return CREW_NOTHING;
}

enum crew_said
crew_next(struct crew *c, struct record *record, struct crew_word *word)
{
	enum crew_said said;
	bool moved;
	do {
		moved = false;
		said = ask_each(c, record, word, &moved);
	} while (said == CREW_NOTHING && moved && c->ordered);
	return said;
}

void
crew_report(const struct crew *c, struct feed_report *out)
{
	const struct feed_report *most = &c->member[0].report;
	uint64_t lost = 0;
	memset(out, 0, sizeof *out);
	for (unsigned i = 0; i < c->count; i++) {
		const struct crew_member *m = &c->member[i];
		const struct feed_report *whole = m->joined ? &m->report : &m->before;
		uint64_t sum =
		    m->before.capture.interface_dropped + m->report.capture.interface_dropped;
		add_report(out, &m->before, !c->ordered);
		add_report(out, &m->report, !c->ordered);
		most = i == 0 || whole->packets > most->packets ? whole : most;
		lost = sum > lost ? sum : lost;
	}
	if (!c->ordered) {
		out->capture.interface_dropped = lost; /* each of them sees all of it */
		return;
	}
	/* each of them reads the whole of the files, unless it dies */
	out->packets = most->packets;
	out->last_ns = most->last_ns;
	out->octets_read = most->octets_read;
	out->octets_total = most->octets_total;
	out->capture = most->capture;
}
