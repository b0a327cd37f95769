/*
 * The record: see record.h.  An entry is two octets of field id, two of length, then the value, in
 * the machine's own byte order: a record never leaves the machine in this form.
 */
#include "record/record.h"

#include <assert.h>
#include <string.h>

#define HEAD	  RECORD_HEAD
#define SET_WORDS ((FIELDS + 63) / 64) /* of a set of fields */
#define CUT_ROOM  16u		       /* octets kept free to say that values were left out */

const struct field_info field_table[FIELDS] = {
#define FIELD(id, name, type, number, privacy, meaning) \
	[FIELD_##id] = {name, meaning, TYPE_##type, NUMBER_##number, PRIVACY_##privacy},
#include "record/fields.def"
#undef FIELD
};

void
record_begin(struct record *r, enum record_kind kind)
{
	r->kind = (uint16_t)kind;
	r->cut = 0;
	r->len = 0;
	memset(r->has, 0, sizeof r->has);
}

_Static_assert(LIMIT_RECORD <= UINT16_MAX, "a place in a record is 16 bits");

/* Is f a member of the objects that `item` begins? */
static bool
is_member(enum field item, enum field f)
{
	size_t n = strlen(field_table[item].name);
	return strncmp(field_table[f].name, field_table[item].name, n) == 0 &&
	    field_table[f].name[n] == '.';
}

#define ANY_SIZE 255u
#define IP_SIZE	 17u

/* Octets that a value takes, by its type. */
#define SIZE_STR  ANY_SIZE
#define SIZE_U64  8
#define SIZE_BOOL 1
#define SIZE_TIME 8
#define SIZE_IP	  IP_SIZE
#define SIZE_ITEM 0

/* The same by field. */
static const uint8_t field_size[FIELDS] = {
#define FIELD(id, name, type, number, privacy, meaning) [FIELD_##id] = SIZE_##type,
#include "record/fields.def"
#undef FIELD
};

/* How often a field may have a value. */
struct kin {
	uint16_t item; /* once in each element that this one begins; itself: once; FIELDS: often */
	uint16_t twin; /* not beside this one, which has the same name; itself where there is none
			*/
};

/* What is asked of each value that comes over the wire. */
enum gate {
	GATE_STR,
	GATE_NUMBER, /* or time */
	GATE_BOOL,
	GATE_IP,
	GATE_ODD /* where it stands, too: is_again */
};

static struct kin kins[FIELDS];
static uint8_t gates[FIELDS]; /* enum gate */

static void
kins_make(void)
{
	unsigned item = FIELDS;
	for (unsigned i = 0; i < FIELDS; i++) {
		if (field_table[i].type == TYPE_ITEM)
			item = i;
		bool member = item != FIELDS && is_member((enum field)item, (enum field)i);
		bool many = field_table[i].number == NUMBER_MANY;
		kins[i].item = (uint16_t)(many ? FIELDS : member ? item : i);
		kins[i].twin = (uint16_t)i;
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(field_table[k].name, field_table[i].name) == 0) {
				kins[i].twin = (uint16_t)k;
				kins[k].twin = (uint16_t)i;
			}
		}
	}
}

static void
gates_make(void)
{
	static const uint8_t gate[] = {[TYPE_STR] = GATE_STR,
	    [TYPE_U64] = GATE_NUMBER,
	    [TYPE_BOOL] = GATE_BOOL,
	    [TYPE_TIME] = GATE_NUMBER,
	    [TYPE_IP] = GATE_IP,
	    [TYPE_ITEM] = GATE_ODD};
	for (unsigned i = 0; i < FIELDS; i++) {
		bool single = kins[i].item == i && kins[i].twin == i;
		gates[i] = single || kins[i].item == FIELDS ? gate[field_table[i].type] : GATE_ODD;
	}
}

/* Makes both tables, once. */
static inline void
tables_make(void)
{
	static bool made;
	if (made)
		return;
	kins_make();
	gates_make();
	made = true;
}

bool
record_fits(struct record *r, enum field f, size_t len)
{
	size_t room = sizeof r->data - r->len;
	tables_make();
	size_t kept = f == FIELD_CUT ? 0 : kins[f].item != f ? RECORD_FIELD_ROOM : CUT_ROOM;
	if (len <= UINT16_MAX && room >= kept && HEAD + len <= room - kept)
		return true;
	r->cut++;
	return false;
}

void
record_say_cut(struct record *r)
{
	uint64_t cut = r->cut;
	if (cut > 0)
		record_put_u64(r, FIELD_CUT, cut);
}

/* Field and length of the entry at `at`; false where there is none that fits. */
static inline bool
head_at(const struct record *r, uint32_t at, struct record_head *head)
{
	if (r->len > sizeof r->data || at > r->len || r->len - at < HEAD)
		return false;
	memcpy(head, r->data + at, HEAD);
	return head->field < FIELDS && head->len <= r->len - at - HEAD;
}

/* Is the value of `len` octets at p one of field f?  (The record may come from a worker that an
 * attacker took over.) */
static inline bool
is_sound(unsigned f, const uint8_t *p, size_t len)
{
	unsigned size = field_size[f];
	return size == ANY_SIZE || (len == size && (size != IP_SIZE || p[0] == 4 || p[0] == 6));
}

/* An address as record_put_ip put it: an IPv4 address has zeros behind its octets, whoever sent
 * the record. */
static inline void
take_ip(struct addr *to, const uint8_t p[17])
{
	static const uint8_t zero[12];
	to->family = p[0];
	memcpy(to->b, p + 1, sizeof to->b);
	if (p[0] == 4)
		memcpy(to->b + 4, zero, sizeof zero);
}

/* The value of the entry at `at`, whose head was read; false where it is not sound. */
static inline bool
value_at(const struct record *r, uint32_t at, struct record_head head, struct record_value *v)
{
	const uint8_t *p = r->data + at + HEAD;
	unsigned type = field_table[head.field].type;
	*v = (struct record_value){.field = (enum field)head.field};
	if (type == TYPE_STR) {
		v->str = (const char *)p;
		v->len = head.len;
		return true;
	}
	if (!is_sound(head.field, p, head.len))
		return false;
	switch (type) {
	case TYPE_U64: memcpy(&v->u64, p, sizeof v->u64); break;
	case TYPE_BOOL: v->u64 = p[0] != 0; break;
	case TYPE_TIME: memcpy(&v->ns, p, sizeof v->ns); break;
	case TYPE_IP: take_ip(&v->ip, p); break;
	default: break;
	}
	return true;
}

bool
record_next(const struct record *r, uint32_t *at, struct record_value *v)
{
	struct record_head head;
	if (!head_at(r, *at, &head) || !value_at(r, *at, head, v))
		return false;
	*at += HEAD + head.len;
	return true;
}

/* Is it one too many of a field that has its place in what was taken so far?  Who reads the first
 * value and who reads all of them would say different things. */
static bool
is_again(const struct record *r, enum field f)
{
	const enum field item = (enum field)kins[f].item, twin = (enum field)kins[f].twin;
	if (item == FIELDS)
		return false;
	if (item != f && !record_has(r, item))
		return true; /* of no element */
	return (record_has(r, f) && r->last[f] >= r->last[item]) ||
	    (twin != f && record_has(r, twin));
}

/* Is there a value at `at`, behind `head`, and may it stand there? */
static inline bool
is_right(const struct record *r, uint32_t at, struct record_head head, uint32_t end)
{
	const uint8_t *p = r->data + at + HEAD;
	if (head.len > end - at - HEAD)
		return false;
	switch ((enum gate)gates[head.field]) {
	case GATE_STR: return true;
	case GATE_NUMBER: return head.len == SIZE_U64;
	case GATE_BOOL: return head.len == SIZE_BOOL;
	case GATE_IP: return head.len == IP_SIZE && (p[0] == 4 || p[0] == 6);
	case GATE_ODD: break;
	}
	return is_sound(head.field, p, head.len) && !is_again(r, (enum field)head.field);
}

/* Goes on in a list of strings, of which one ends at *next, to its last value: where that begins.
 */
static inline uint32_t
end_of_list(const struct record *r, unsigned f, uint32_t at, uint32_t *next, uint32_t end)
{
	struct record_head head;
	while (gates[f] == GATE_STR && end - *next >= HEAD) {
		memcpy(&head, r->data + *next, HEAD);
		if (head.field != f || head.len > end - *next - HEAD)
			break;
		at = *next;
		*next += HEAD + head.len;
	}
	return at;
}

/* Of every record each value: so no calls, nothing twice, and of most fields no more than whether
 * the length is right and whether there is one already (37 instructions; 10 for a string behind
 * another of its list; 50 with all questions for each). */
bool
record_take_more(struct record *r, const uint8_t *octets, size_t len)
{
	struct record_head head;
	uint32_t at = r->len, next;
	tables_make();
	if (len > sizeof r->data - at)
		return false;
	memcpy(r->data + at, octets, len);
	const uint32_t end = at + (uint32_t)len;
	for (; end - at >= HEAD; at = next) {
		memcpy(&head, r->data + at, HEAD);
		const unsigned f = head.field;
		if (f >= FIELDS || !is_right(r, at, head, end))
			break;
		next = at + HEAD + head.len;
		const uint64_t has = r->has[f / 64];
		if ((has >> f % 64 & 1) == 0) {
			r->has[f / 64] = has | 1ull << f % 64;
			r->first[f] = (uint16_t)at;
		} else if (kins[f].item == f) {
			break;
		} else {
			at = end_of_list(r, f, at, &next, end);
		}
		r->last[f] = (uint16_t)at;
	}
	r->len = at;
	return at == end;
}

bool
record_take(struct record *r, enum record_kind kind, const uint8_t *octets, size_t len)
{
	record_begin(r, kind);
	return record_take_more(r, octets, len);
}

/* The entry of field f at or behind `at`; false where there is none. */
static inline bool
find_from(const struct record *r, enum field f, uint32_t *at, struct record_head *head)
{
	while (*at <= r->last[f] && head_at(r, *at, head)) {
		if (head->field == f)
			return true;
		*at += HEAD + head->len;
	}
	return false;
}

bool
record_next_of(const struct record *r, enum field f, uint32_t *at, struct record_value *v)
{
	struct record_head head;
	if (*at == 0)
		*at = r->first[f];
	if (!find_from(r, f, at, &head) || !value_at(r, *at, head, v))
		return false;
	*at += HEAD + head.len;
	return true;
}

bool
record_is_later(const struct record *r, enum field f, const char *s, size_t len)
{
	const uint8_t *value;
	size_t n;
	for (uint32_t at = 0; (value = record_octets(r, f, &at, &n)) != NULL;) {
		if (n == len && memcmp(value, s, len) == 0)
			return true;
	}
	return false;
}

/* Values were moved: where is each now? */
static void
index_anew(struct record *r)
{
	struct record_head head;
	memset(r->has, 0, sizeof r->has);
	for (uint32_t at = 0; head_at(r, at, &head); at += HEAD + head.len)
		record_note(r, head.field, at);
}

/* The only value of field f goes: those behind it move up. */
static void
remove_one(struct record *r, enum field f, uint32_t size)
{
	uint16_t at = r->first[f];
	memmove(r->data + at, r->data + at + size, r->len - at - size);
	r->len -= size;
	r->has[f / 64] &= ~(1ull << f % 64);
	for (unsigned word = 0; word < (FIELDS + 63) / 64; word++) {
		for (uint64_t left = r->has[word]; left != 0; left &= left - 1) {
			unsigned i = word * 64 + (unsigned)__builtin_ctzll(left);
			r->first[i] = (uint16_t)(r->first[i] - (r->first[i] > at ? size : 0));
			r->last[i] = (uint16_t)(r->last[i] - (r->last[i] > at ? size : 0));
		}
	}
}

void
record_remove(struct record *r, enum field f)
{
	struct record_head head;
	if (!record_has(r, f))
		return;
	if (r->first[f] == r->last[f] && head_at(r, r->first[f], &head)) {
		remove_one(r, f, HEAD + head.len);
		return;
	}
	for (uint32_t at = 0; head_at(r, at, &head);) {
		uint32_t next = at + HEAD + head.len;
		if (head.field != f) {
			at = next;
			continue;
		}
		memmove(r->data + at, r->data + next, r->len - next);
		r->len -= next - at;
	}
	index_anew(r);
}

void
record_set_word(struct record *r, enum field f, const char *word)
{
	record_remove(r, f);
	record_put_word(r, f, word);
}

void
record_put_bools(struct record *r, enum field item, enum field f, const bool *values, unsigned n)
{
	enum { SIZE = HEAD + 1 };
	struct record_head head;
	assert(field_table[item].type == TYPE_ITEM && field_table[f].type == TYPE_BOOL);
	for (uint32_t at = 0; n > 0 && head_at(r, at, &head);) {
		at += HEAD + head.len;
		if (head.field != item)
			continue;
		if (sizeof r->data - r->len < CUT_ROOM + SIZE) {
			r->cut = (uint16_t)(r->cut + n);
			break;
		}
		struct record_head put_head = {(uint16_t)f, 1};
		memmove(r->data + at + SIZE, r->data + at, r->len - at);
		memcpy(r->data + at, &put_head, HEAD);
		r->data[at + HEAD] = *values++;
		r->len += SIZE;
		at += SIZE;
		n--;
	}
	index_anew(r);
}

/* Fields that name no person nor are out of a mail's header, but no arrays of objects nor what
 * stands in these: a bit for each. */
static const uint64_t *
open_fields(void)
{
	static uint64_t set[SET_WORDS];
	static bool known;
	enum field item = FIELDS; /* members stand behind the field that begins an element */
	for (unsigned f = 0; !known && f < FIELDS; f++) {
		if (field_table[f].type == TYPE_ITEM)
			item = (enum field)f;
		bool inside = item != FIELDS && (item == f || is_member(item, (enum field)f));
		if (!inside && field_table[f].privacy <= PRIVACY_TEXT && f != FIELD_EMAIL_X_MAILER)
			set[f / 64] |= 1ull << f % 64;
	}
	known = true;
	return set;
}

/* Octets of a record that are left out where it is copied: a value. */
struct cut {
	uint32_t at, size;
};

#define CUTS 24u /* so many are left out without a look at each value */

/* The values of these fields, in their order; how many, CUTS + 1 where they are more than CUTS. */
static unsigned
cuts_of(const struct record *r, const uint64_t set[SET_WORDS], struct cut cut[CUTS])
{
	struct record_head head;
	unsigned n = 0;
	for (unsigned w = 0; w < SET_WORDS; w++) {
		for (uint64_t left = r->has[w] & set[w]; left != 0; left &= left - 1) {
			unsigned f = w * 64 + (unsigned)__builtin_ctzll(left), i;
			for (uint32_t at = r->first[f]; find_from(r, (enum field)f, &at, &head);
			     at += HEAD + head.len) {
				if (n == CUTS)
					return CUTS + 1;
				for (i = n++; i > 0 && cut[i - 1].at > at; i--)
					cut[i] = cut[i - 1];
				cut[i] = (struct cut){at, HEAD + head.len};
			}
		}
	}
	return n;
}

/* Copies what is between the cuts; how many octets. */
static uint32_t
copy_between(uint8_t *out, const struct record *r, const struct cut *cut, unsigned n)
{
	uint32_t len = 0, from = 0;
	for (unsigned i = 0; i < n; i++) {
		memcpy(out + len, r->data + from, cut[i].at - from);
		len += cut[i].at - from;
		from = cut[i].at + cut[i].size;
	}
	memcpy(out + len, r->data + from, r->len - from);
	return len + r->len - from;
}

/* Value by value, as many as find room. */
static uint32_t
put_open_slowly(const struct record *r, uint8_t *out, uint32_t max)
{
	const uint64_t *open = open_fields();
	struct record_head head;
	uint32_t len = 0;
	for (uint32_t at = 0; head_at(r, at, &head); at += HEAD + head.len) {
		const uint32_t size = HEAD + head.len;
		if (!(open[head.field / 64] >> head.field % 64 & 1) || size > max - len)
			continue;
		memcpy(out + len, r->data + at, size);
		len += size;
	}
	return len;
}

uint32_t
record_put_open(const struct record *r, uint8_t *out, uint32_t max)
{
	const uint64_t *open = open_fields();
	uint64_t closed[SET_WORDS];
	struct cut cut[CUTS];
	for (unsigned w = 0; w < SET_WORDS; w++)
		closed[w] = ~open[w];
	const unsigned n = cuts_of(r, closed, cut);
	uint32_t len = r->len;
	for (unsigned i = 0; i < n && n <= CUTS; i++)
		len -= cut[i].size;
	if (n > CUTS || len > max)
		return put_open_slowly(r, out, max);
	return copy_between(out, r, cut, n);
}

void
record_copy_open(struct record *out, const struct record *r, uint32_t max)
{
	record_begin(out, (enum record_kind)r->kind);
	out->len = record_put_open(r, out->data, max);
	index_anew(out);
}

void
record_copy_first(struct record *out, const struct record *r, enum field f)
{
	struct record_head head;
	uint32_t at = r->first[f];
	if (record_has(r, f) && head_at(r, at, &head) && is_sound(f, r->data + at + HEAD, head.len))
		record_put(out, f, (enum field_type)field_table[f].type, r->data + at + HEAD,
		    head.len);
}

/* Where a value stands in a copy; *piece is the last one that was asked for, since most values
 * stand in a few. */
struct piece {
	uint32_t begin, end, shift;
};

static inline uint16_t
moved(uint32_t at, struct piece *piece, const struct cut *cut, unsigned n)
{
	if (at < piece->begin || at >= piece->end) {
		*piece = (struct piece){0, UINT32_MAX, 0};
		for (unsigned i = 0; i < n && cut[i].at < at; i++) {
			piece->begin = cut[i].at;
			piece->shift += cut[i].size;
		}
		for (unsigned i = n; i > 0 && cut[i - 1].at > at; i--)
			piece->end = cut[i - 1].at;
	}
	return (uint16_t)(at - piece->shift);
}

void
record_copy_without(struct record *out, const struct record *r, const uint16_t *without, unsigned n)
{
	uint64_t left_out[SET_WORDS] = {0};
	struct cut cut[CUTS];
	struct piece piece = {0};
	for (unsigned i = 0; i < n; i++)
		left_out[without[i] / 64] |= 1ull << without[i] % 64;
	record_begin(out, (enum record_kind)r->kind);
	out->cut = r->cut;
	const unsigned cuts = cuts_of(r, left_out, cut);
	if (cuts > CUTS) {
		out->len = copy_between(out->data, r, NULL, 0);
		index_anew(out);
		for (unsigned i = 0; i < n; i++)
			record_remove(out, (enum field)without[i]);
		return;
	}
	out->len = copy_between(out->data, r, cut, cuts);
	for (unsigned w = 0; w < SET_WORDS; w++) {
		out->has[w] = r->has[w] & ~left_out[w];
		for (uint64_t left = out->has[w]; left != 0; left &= left - 1) {
			unsigned f = w * 64 + (unsigned)__builtin_ctzll(left);
			out->first[f] = moved(r->first[f], &piece, cut, cuts);
			out->last[f] = moved(r->last[f], &piece, cut, cuts);
		}
	}
}

enum field
field_by_name(const char *name)
{
	for (unsigned f = 0; f < FIELDS; f++) {
		if (strcmp(field_table[f].name, name) == 0)
			return (enum field)f;
	}
	return FIELDS;
}

enum field
field_first(enum field f)
{
	static uint16_t first[FIELDS];
	static bool known;
	for (unsigned i = 0; !known && i < FIELDS; i++)
		first[i] = (uint16_t)field_by_name(field_table[i].name);
	known = true;
	return (enum field)first[f];
}
