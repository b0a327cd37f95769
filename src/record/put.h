/*
 * Putting values into a record: see record.h, which includes this.
 *
 * Inline, because field, type and length are constants nearly everywhere: what is left of a value
 * is a few stores (14 instructions; a common function took 80, and a worker puts 90 values for each
 * session).
 */
#ifndef POSTCARD_RECORD_PUT_H
#define POSTCARD_RECORD_PUT_H

#include <assert.h>
#include <string.h>

#define RECORD_HEAD 4u /* octets before a value: its field and its length */
#define RECORD_FIELD_ROOM \
	6144u /* octets that lists leave to single values: verdict, level and advice come last */
#define RECORD_AMPLE (LIMIT_RECORD - RECORD_FIELD_ROOM - RECORD_HEAD) /* there every value fits */

/* A value of field f stands at `at`. */
static inline void
record_note(struct record *r, unsigned f, uint32_t at)
{
	r->last[f] = (uint16_t)at;
	if (record_has(r, (enum field)f))
		return;
	r->has[f / 64] |= 1ull << f % 64;
	r->first[f] = (uint16_t)at;
}

/* Room for a value of `len` octets near the record's end; false (and counted) where it is none. */
bool record_fits(struct record *r, enum field f, size_t len);

static inline void
record_put(struct record *r, enum field f, enum field_type type, const void *octets, size_t len)
{
	const uint32_t at = r->len;
	assert(f < FIELDS && field_type(f) == type);
	(void)type;
	if ((len > RECORD_AMPLE || at > RECORD_AMPLE - len) && !record_fits(r, f, len))
		return;
	const uint16_t head[2] = {(uint16_t)f, (uint16_t)len};
	memcpy(r->data + at, head, RECORD_HEAD);
	if (len > 0)
		memcpy(r->data + at + RECORD_HEAD, octets, len);
	record_note(r, f, at);
	r->len = at + RECORD_HEAD + (uint32_t)len;
}

static inline void
record_put_str(struct record *r, enum field f, const void *octets, size_t len)
{
	record_put(r, f, TYPE_STR, octets, len);
}

static inline void
record_put_word(struct record *r, enum field f, const char *word)
{
	if (word != NULL)
		record_put(r, f, TYPE_STR, word, strlen(word));
}

/* A word of a table that is short: a load and a store put it, where a string takes two calls. */
struct short_word {
	char s[15]; /* zeros behind it */
	uint8_t len;
};
#define SHORT(word)                    \
	{                              \
		word, sizeof(word) - 1 \
	}

static inline void
record_put_short(struct record *r, enum field f, const struct short_word *w)
{
	const uint32_t at = r->len;
	if (at > RECORD_AMPLE - sizeof *w) {
		record_put_str(r, f, w->s, w->len);
		return;
	}
	const uint16_t head[2] = {(uint16_t)f, w->len};
	assert(f < FIELDS && field_type(f) == TYPE_STR);
	memcpy(r->data + at, head, RECORD_HEAD);
	memcpy(r->data + at + RECORD_HEAD, w, sizeof *w); /* what is behind the word is no value */
	record_note(r, f, at);
	r->len = at + RECORD_HEAD + w->len;
}

static inline void
record_put_u64(struct record *r, enum field f, uint64_t value)
{
	record_put(r, f, TYPE_U64, &value, sizeof value);
}

static inline void
record_put_bool(struct record *r, enum field f, bool value)
{
	const uint8_t b = value;
	record_put(r, f, TYPE_BOOL, &b, 1);
}

static inline void
record_put_time(struct record *r, enum field f, int64_t ns)
{
	record_put(r, f, TYPE_TIME, &ns, sizeof ns);
}

static inline void
record_put_ip(struct record *r, enum field f, const struct addr *a)
{
	uint8_t b[17] = {a->family};
	memcpy(b + 1, a->b, 16);
	record_put(r, f, TYPE_IP, b, sizeof b);
}

static inline void
record_put_item(struct record *r, enum field f)
{
	record_put(r, f, TYPE_ITEM, NULL, 0);
}

#endif
