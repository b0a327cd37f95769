/* The classic pcap format: see pcapfile.h. */
#include "capture/pcapfile.h"

#include "base/cursor.h"
#include "base/limits.h"

#define FILE_HEADER 24u

#define MAGIC_MICRO    0xa1b2c3d4u
#define MAGIC_NANO     0xa1b23c4du
#define MAGIC_MODIFIED 0xa1b2cd34u

#define LINK_TYPE_MASK 0x03ffffffu /* above it: the length of the frame check sequence */

static bool
is_magic(uint32_t magic)
{
	return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_MODIFIED;
}

bool
pcapfile_magic(const uint8_t b[4])
{
	return is_magic(load_le32(b)) || is_magic(load_be32(b));
}

static inline uint32_t
load32(const struct pcapfile *p, const uint8_t *b)
{
	return p->big ? load_be32(b) : load_le32(b);
}

bool
pcapfile_open(struct pcapfile *p, struct source *s, struct text *why)
{
	if (!source_need(s, FILE_HEADER)) {
		source_say_end(s, why);
		text_puts(why, ", inside the pcap file header: not a capture (any more)");
		return false;
	}
	const uint8_t *b = s->at;
	*p = (struct pcapfile){.big = is_magic(load_be32(b)), .head = 16, .unit_ns = 1000};
	uint32_t magic = load32(p, b);
	if (magic == MAGIC_NANO)
		p->unit_ns = 1;
	else if (magic == MAGIC_MODIFIED)
		p->head = 24;
	uint16_t major = p->big ? load_be16(b + 4) : load_le16(b + 4);
	uint16_t minor = p->big ? load_be16(b + 6) : load_le16(b + 6);
	if (major != 2 || minor > 4) {
		text_printf(why, "is a pcap file of version %u.%u; versions 2.0 to 2.4 can be read",
		    major, minor);
		return false;
	}
	p->minor = (uint8_t)minor;
	p->link_type = load32(p, b + 20) & LINK_TYPE_MASK;
	s->at += FILE_HEADER;
	return true;
}

/* The data ended before the next record did. */
static enum format_status
no_more(const struct pcapfile *p, const struct source *s, struct text *why)
{
	unsigned long long packet = (unsigned long long)p->packets + 1;
	if (source_left(s) == 0) {
		if (s->read.end == RAWFILE_DONE)
			return FORMAT_END;
		source_say_end(s, why);
		text_printf(why, ", after packet %llu", packet - 1);
		return FORMAT_FAULT;
	}
	source_say_end(s, why);
	text_printf(why, ", in the %s packet %llu",
	    source_left(s) < p->head ? "header of" : "middle of", packet);
	return FORMAT_FAULT;
}

static enum format_status
too_long(const struct pcapfile *p, const struct source *s, uint32_t caplen, struct text *why)
{
	text_puts(why, "damaged at ");
	source_say_offset(s, source_offset(s), why);
	text_printf(why, ": packet %llu claims %u octets; the rest of the file is not read",
	    (unsigned long long)p->packets + 1, caplen);
	return FORMAT_FAULT;
}

/* What the record header at b says; all of f but data and number. */
static inline void
read_head(const struct pcapfile *p, const uint8_t *b, struct frame *f)
{
	uint32_t seconds = load32(p, b);
	uint32_t fraction = load32(p, b + 4);
	uint32_t caplen = load32(p, b + 8);
	uint32_t wirelen = load32(p, b + 12);
	if (p->minor < 4 && (p->minor < 3 || caplen > wirelen)) {
		uint32_t other = caplen;
		caplen = wirelen;
		wirelen = other;
	}
	f->caplen = caplen;
	f->wirelen = wirelen > caplen ? wirelen : caplen;
	/* 2^32 s and a fraction of 2^32 us, which is above its range, still fit in 63 bits */
	f->ts_ns = (int64_t)seconds * 1000000000 + (int64_t)fraction * p->unit_ns;
	f->link_type = p->link_type;
}

enum format_status
pcapfile_next(struct pcapfile *p, struct source *s, struct frame *f, struct text *why)
{
	if (!source_need(s, p->head))
		return no_more(p, s, why);
	read_head(p, s->at, f);
	if (f->caplen > LIMIT_FRAME)
		return too_long(p, s, f->caplen, why);
	if (!source_need(s, p->head + f->caplen))
		return no_more(p, s, why);
	f->data = s->at + p->head;
	s->at += p->head + f->caplen;
	p->packets++;
	return FORMAT_FRAME;
}

size_t
pcapfile_more(struct pcapfile *p, struct source *s, int64_t until_ns, struct frame *f, size_t max)
{
	const struct pcapfile file = *p; /* so that what is written to frames cannot change it */
	const uint8_t *at = s->at;
	size_t n = 0, left = source_left(s);
	for (; n < max && left >= file.head; n++) {
		read_head(&file, at, &f[n]);
		size_t size = (size_t)file.head + f[n].caplen;
		if (f[n].caplen > LIMIT_FRAME || size > left || f[n].ts_ns >= until_ns)
			break;
		f[n].data = at + file.head;
		at += size;
		left -= size;
	}
	s->at = at;
	p->packets += n;
	return n;
}
