/* The pcapng format: see pcapng.h. */
#include "capture/pcapng.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/limits.h"

#define BLOCK_SECTION	 0x0a0d0d0au
#define BLOCK_INTERFACE	 1u
#define BLOCK_PACKET	 2u /* obsolete */
#define BLOCK_SIMPLE	 3u
#define BLOCK_STATISTICS 5u
#define BLOCK_ENHANCED	 6u

#define BETWEEN 0u /* no block: this type is reserved */

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define OPTION_END     0u
#define OPTION_IFDROP  5u /* isb_ifdrop: lost by the interface */
#define OPTION_OSDROP  7u /* isb_osdrop: lost by the operating system */
#define OPTION_TSRESOL 9u
#define OPTION_TSOFFS  14u

#define FRAME 12u /* octets of a block around its body: type, length, length again */

static inline uint16_t
load16(const struct pcapng *p, const uint8_t *b)
{
	return p->big ? load_be16(b) : load_le16(b);
}

static inline uint32_t
load32(const struct pcapng *p, const uint8_t *b)
{
	return p->big ? load_be32(b) : load_le32(b);
}

/* An integer of 8 octets in the byte order of the section. */
static uint64_t
load64(const struct pcapng *p, const uint8_t *b)
{
	uint64_t first = load32(p, b), second = load32(p, b + 4);
	return p->big ? first << 32 | second : second << 32 | first;
}

bool
pcapng_magic(const uint8_t b[4])
{
	return load_be32(b) == BLOCK_SECTION;
}

/* --- faults --- */

/* The block that begins at `at` is damaged; the message goes on with what it is. */
static void
say_damage(const struct pcapng *p, const struct source *s, struct text *why)
{
	text_puts(why, "damaged at ");
	source_say_offset(s, source_offset(s), why);
	if (source_offset(s) > 0)
		text_printf(why, ", after packet %llu", (unsigned long long)p->packets);
	text_puts(why, ": ");
}

static bool
damaged(const struct pcapng *p, const struct source *s, struct text *why, const char *what)
{
	say_damage(p, s, why);
	text_puts(why, what);
	text_puts(why,
	    source_offset(s) > 0 ? "; the rest of the file is not read"
				 : "; not a capture (any more)");
	return false;
}

static inline bool
is_packet(uint32_t type)
{
	return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET;
}

/* The data ended inside a block of `type`; BETWEEN: before its type could be read. */
static bool
cut(const struct pcapng *p, const struct source *s, struct text *why, uint32_t type)
{
	unsigned long long packets = (unsigned long long)p->packets;
	source_say_end(s, why);
	if (source_offset(s) == 0 && type == BLOCK_SECTION)
		text_puts(why, ", inside the pcapng section header: not a capture (any more)");
	else if (is_packet(type))
		text_printf(why, ", in the middle of packet %llu", packets + 1);
	else if (type == BETWEEN && source_left(s) == 0)
		text_printf(why, ", after packet %llu", packets);
	else
		text_printf(why, ", in the middle of a block after packet %llu", packets);
	return false;
}

/* --- options --- */

struct option {
	const uint8_t *value; /* in the source's buffer */
	uint16_t code;
	uint16_t len; /* octets of value */
};

/* Takes the next option; false at the end of the options, where c->bad tells that one is longer
 * than the block. */
static bool
next_option(const struct pcapng *p, struct cursor *c, struct option *o)
{
	if (cursor_left(c) < 4) /* fewer octets can only be padding */
		return false;
	const uint8_t *b = cursor_take(c, 4);
	o->code = load16(p, b);
	o->len = load16(p, b + 2);
	if (o->code == OPTION_END)
		return false;
	o->value = cursor_take(c, o->len);
	size_t padding = (4u - o->len % 4u) % 4u;
	cursor_skip(c, padding < cursor_left(c) ? padding : cursor_left(c));
	return !c->bad;
}

/* --- sections and interfaces --- */

/*
 * Reads the Section Header Block at `at`, whose type is known.  Its byte order comes before its
 * length can be read.
 */
static bool
read_section(struct pcapng *p, struct source *s, struct text *why)
{
	p->count = 0;
	if (!source_need(s, FRAME))
		return cut(p, s, why, BLOCK_SECTION);
	const uint8_t *order = s->at + 8;
	p->big = load_be32(order) == BYTE_ORDER_MAGIC;
	if (!p->big && load_le32(order) != BYTE_ORDER_MAGIC)
		return damaged(p, s, why, "a section without its byte-order magic");
	uint32_t len = load32(p, s->at + 4);
	if (len < FRAME + 16 || len % 4 != 0 || len > LIMIT_BLOCK)
		return damaged(p, s, why, "a section header of an impossible length");
	if (!source_need(s, len))
		return cut(p, s, why, BLOCK_SECTION);
	const uint8_t *b = s->at;
	if (load32(p, b + len - 4) != len)
		return damaged(p, s, why, "a section header whose two lengths differ");
	uint16_t major = load16(p, b + 12), minor = load16(p, b + 14);
	if (major != 1 || (minor != 0 && minor != 2)) {
		say_damage(p, s, why);
		text_printf(why, "pcapng version %u.%u; version 1.0 can be read", major, minor);
		return false;
	}
	struct cursor c = cursor_of(b + 24, len - 28);
	struct option o;
	while (next_option(p, &c, &o))
		;
	if (c.bad)
		return damaged(p, s, why, "an option longer than the section header");
	s->at += len;
	return true;
}

static bool
grow(struct pcapng *p)
{
	uint32_t room = p->room == 0 ? 8 : p->room * 2;
	struct pcapng_interface *to = reallocarray(p->interfaces, room, sizeof *to);
	if (to == NULL)
		return false;
	p->interfaces = to;
	p->room = room;
	return true;
}

/* if_tsresol: a negative power of ten, or of two where the high bit is set. */
static void
set_resolution(struct pcapng_interface *i, uint8_t tsresol)
{
	uint8_t power = tsresol & 0x7f;
	i->mul = i->div = 1;
	i->shift = 0;
	if ((tsresol & 0x80) != 0) {
		i->mul = 1000000000;
		i->shift = power;
		return;
	}
	for (; power < 9; power++)
		i->mul *= 10;
	for (; power > 9 && i->div != 0; power--)
		i->div = i->div <= UINT64_MAX / 10 ? i->div * 10 : 0;
}

static bool
read_interface(struct pcapng *p, struct source *s, uint32_t len, struct text *why)
{
	if (len < FRAME + 8)
		return damaged(p, s, why, "an interface description that is too short");
	if (p->count >= LIMIT_INTERFACES)
		return damaged(p, s, why, "more interfaces than can be");
	if (p->count == p->room && !grow(p))
		return damaged(p, s, why, "no memory for one more interface");
	struct pcapng_interface i = {
	    .link_type = load16(p, s->at + 8),
	    .snaplen = load32(p, s->at + 12),
	};
	set_resolution(&i, 6);
	struct cursor c = cursor_of(s->at + 16, len - FRAME - 8);
	struct option o;
	while (next_option(p, &c, &o)) {
		if (o.code == OPTION_TSRESOL && o.len == 1)
			set_resolution(&i, o.value[0]);
		else if (o.code == OPTION_TSOFFS && o.len == 8)
			i.offset_s = (int64_t)load64(p, o.value);
		else if (o.code == OPTION_TSRESOL || o.code == OPTION_TSOFFS)
			return damaged(p, s, why, "an option of a wrong length in an interface");
	}
	if (c.bad)
		return damaged(p, s, why, "an option longer than its interface description");
	p->interfaces[p->count++] = i;
	return true;
}

/* Interface Statistics: later blocks of an interface replace earlier ones.  One that makes no
 * sense is passed over, since no packet hangs on it. */
static void
read_statistics(struct pcapng *p, const uint8_t *b, uint32_t len)
{
	if (len < FRAME + 12 || load32(p, b + 8) >= p->count)
		return;
	struct pcapng_interface *i = &p->interfaces[load32(p, b + 8)];
	struct cursor c = cursor_of(b + 20, len - FRAME - 12);
	struct option o;
	uint64_t dropped = 0;
	while (next_option(p, &c, &o))
		if ((o.code == OPTION_IFDROP || o.code == OPTION_OSDROP) && o.len == 8)
			dropped += load64(p, o.value);
	p->dropped += dropped - i->dropped; /* a wrapped difference wraps back in the sum */
	i->dropped = dropped;
}

/* --- packets --- */

static int64_t
clamp_ns(__int128_t ns)
{
	if (ns > INT64_MAX)
		return INT64_MAX;
	return ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

static int64_t
time_ns(const struct pcapng_interface *i, uint32_t high, uint32_t low)
{
	uint64_t units = (uint64_t)high << 32 | low;
	int64_t ns;
	if (i->div == 1 && i->shift == 0 && i->offset_s == 0 && units <= INT64_MAX &&
	    !__builtin_mul_overflow((int64_t)units, (int64_t)i->mul, &ns))
		return ns;
	if (i->div == 0)
		return clamp_ns((__int128_t)i->offset_s * 1000000000);
	/* at most 2^64 * 10^9 + 2^63 * 10^9 < 2^95 */
	return clamp_ns((__int128_t)((__uint128_t)units * i->mul / i->div >> i->shift) +
	    (__int128_t)i->offset_s * 1000000000);
}

/* Hands out the `caplen` octets that lie `head` octets into the block of `len` octets. */
static bool
give_packet(struct pcapng *p, struct source *s, uint32_t len, uint32_t head, struct frame *f,
    struct text *why)
{
	if (f->caplen > len - head - 4)
		return damaged(p, s, why, "a packet longer than its block");
	if (f->caplen > LIMIT_FRAME)
		return damaged(p, s, why, "a packet longer than any can be");
	if (f->wirelen < f->caplen)
		f->wirelen = f->caplen;
	f->data = s->at + head;
	p->last_ns = f->ts_ns;
	p->packets++;
	return true;
}

/* An Enhanced Packet, or the obsolete Packet, in which 16 bits name the interface and 16 count the
 * packets lost before it (all ones: not known). */
static bool
read_packet(struct pcapng *p, struct source *s, uint32_t type, uint32_t len, struct frame *f,
    struct text *why)
{
	const uint8_t *b = s->at;
	if (len < FRAME + 20)
		return damaged(p, s, why, "a packet block that is too short");
	uint32_t interface = load32(p, b + 8);
	if (type == BLOCK_PACKET) {
		uint16_t lost = load16(p, b + 10);
		p->dropped += lost != 0xffff ? lost : 0;
		interface = load16(p, b + 8);
	}
	if (interface >= p->count)
		return damaged(p, s, why, "a packet of an interface that was not described");
	const struct pcapng_interface *i = &p->interfaces[interface];
	f->ts_ns = time_ns(i, load32(p, b + 12), load32(p, b + 16));
	f->caplen = load32(p, b + 20);
	f->wirelen = load32(p, b + 24);
	f->link_type = i->link_type;
	return give_packet(p, s, len, 28, f, why);
}

/* A Simple Packet is of the first interface, and has no time and no captured length of its own. */
static bool
read_simple(struct pcapng *p, struct source *s, uint32_t len, struct frame *f, struct text *why)
{
	if (len < FRAME + 4)
		return damaged(p, s, why, "a packet block that is too short");
	if (p->count == 0)
		return damaged(p, s, why, "a packet of an interface that was not described");
	const struct pcapng_interface *i = &p->interfaces[0];
	f->ts_ns = p->last_ns;
	f->wirelen = load32(p, s->at + 8);
	f->caplen = f->wirelen;
	if (i->snaplen != 0 && f->caplen > i->snaplen)
		f->caplen = i->snaplen;
	f->link_type = i->link_type;
	return give_packet(p, s, len, 12, f, why);
}

/* --- blocks --- */

bool
pcapng_open(struct pcapng *p, struct source *s, struct text *why)
{
	*p = (struct pcapng){0};
	return read_section(p, s, why);
}

/* Is the whole block at `at` there, and its second length like its first? */
static bool
whole_block(const struct pcapng *p, struct source *s, uint32_t type, uint32_t len, struct text *why)
{
	if (!source_need(s, len))
		return cut(p, s, why, type);
	if (load32(p, s->at + len - 4) != len)
		return damaged(p, s, why, "a block whose two lengths differ");
	return true;
}

/* Steps over a block of no interest without holding it. */
static bool
skip_block(const struct pcapng *p, struct source *s, uint32_t type, uint32_t len, struct text *why)
{
	if (!source_skip(s, len - 4) || !source_need(s, 4))
		return cut(p, s, why, type);
	if (load32(p, s->at) != len)
		return damaged(p, s, why, "the end of a block whose two lengths differ");
	s->at += 4;
	return true;
}

/* Reads the block at `at` where it is no packet, and steps over it. */
static bool
read_other(struct pcapng *p, struct source *s, uint32_t type, uint32_t len, struct text *why)
{
	if (type != BLOCK_INTERFACE && type != BLOCK_STATISTICS)
		return skip_block(p, s, type, len, why);
	if (!whole_block(p, s, type, len, why))
		return false;
	if (type == BLOCK_STATISTICS)
		read_statistics(p, s->at, len);
	else if (!read_interface(p, s, len, why))
		return false;
	s->at += len;
	return true;
}

/* Is the next block a sane packet, in memory, and earlier than until_ns? */
static bool
is_at_hand(const struct pcapng *p, const struct source *s, int64_t until_ns)
{
	const uint8_t *b = s->at;
	size_t left = source_left(s);
	if (left < FRAME + 20 || load32(p, b) != BLOCK_ENHANCED)
		return false;
	uint32_t len = load32(p, b + 4), interface = load32(p, b + 8), caplen = load32(p, b + 20);
	return len >= FRAME + 20 && len % 4 == 0 && len <= left && len <= LIMIT_BLOCK &&
	    load32(p, b + len - 4) == len && interface < p->count && caplen <= len - FRAME - 20 &&
	    caplen <= LIMIT_FRAME &&
	    time_ns(&p->interfaces[interface], load32(p, b + 12), load32(p, b + 16)) < until_ns;
}

size_t
pcapng_more(struct pcapng *p, struct source *s, int64_t until_ns, struct frame *f, size_t max)
{
	char said[8];
	struct text none = text_in(said, sizeof said); /* there is nothing to say of what is sane */
	size_t n = 0;
	while (n < max && is_at_hand(p, s, until_ns) &&
	    pcapng_next(p, s, &f[n], &none) == FORMAT_FRAME)
		n++;
	return n;
}

enum format_status
pcapng_next(struct pcapng *p, struct source *s, struct frame *f, struct text *why)
{
	while (source_need(s, 8)) {
		uint32_t type = load32(p, s->at), len = load32(p, s->at + 4);
		if (type == BLOCK_SECTION) {
			if (!read_section(p, s, why))
				return FORMAT_FAULT;
		} else if (len < FRAME || len % 4 != 0 || len > LIMIT_BLOCK) {
			say_damage(p, s, why);
			text_printf(why,
			    "a block claims %u octets; the rest of the file is not read", len);
			return FORMAT_FAULT;
		} else if (is_packet(type)) {
			if (!whole_block(p, s, type, len, why) ||
			    !(type == BLOCK_SIMPLE ? read_simple(p, s, len, f, why)
						   : read_packet(p, s, type, len, f, why)))
				return FORMAT_FAULT;
			s->at += len;
			return FORMAT_FRAME;
		} else if (!read_other(p, s, type, len, why)) {
			return FORMAT_FAULT;
		}
	}
	if (source_left(s) == 0 && s->read.end == RAWFILE_DONE)
		return FORMAT_END;
	cut(p, s, why, BETWEEN);
	return FORMAT_FAULT;
}

void
pcapng_close(struct pcapng *p)
{
	free(p->interfaces);
	p->interfaces = NULL;
	p->count = p->room = 0;
}
