/*
 * Records as JSON objects: see object.h.
 *
 * Driven by record/fields.def alone: a new fact needs no line here.  At the start each field's name
 * becomes the text that leads to its value ("email":{"from":{"address":).  What stands between two
 * values (the end of the first, closing braces, a comma, the names that lead to the second) depends
 * on their two fields alone: such a joint is made once, then copied.  And so are values, with the
 * joints between them, that the record before had, too (kept.h).
 *
 * Octets from the wire become valid UTF-8 by the policy of text_add_wire, then JSON strings.
 * Nothing bad in a record (it comes from a worker, see record_next) leads to a broken object: where
 * a field that has one value comes twice, the first counts; members outside an element are dropped.
 *
 * No JSON library is used: a library wants a tree of allocated nodes for each record, and a name
 * looked up or copied for each member, where the table gives all names beforehand and the order
 * too.  Measured: 2,100,000 typical session records a second on one core (0.47 us each; 1.5 us
 * where each text is made anew); `sink_json_test speed` repeats it.
 */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/text.h"
#include "record/mask.h"
#include "record/read.h"
#include "sink/kept.h"
#include "sink/object.h"

#define DEPTH	  6u			  /* components of the deepest field name */
#define PATH	  64u			  /* octets of the text that leads to a value */
#define JOINT	  61u			  /* octets of a joint: it fills a line of the cache */
#define JOINTS	  8u			  /* joints to each field that are kept */
#define ENTRIES	  (LIMIT_RECORD / 4u + 1) /* values of a record: an entry takes four octets */
#define MASKED	  2048u			  /* octets of a masked value */
#define WORDS	  KEPT_WORDS
#define STAMP	  20u /* octets of a time up to its fraction */
#define DAY_S	  86400
#define SECOND_NS 1000000000
#define SLOTS	  3u /* records kept: a session, a message, another one */

struct path {
	char text[PATH];	/* "email":{"from":{"address": */
	uint8_t start[DEPTH];	/* where each component's part begins in it */
	uint8_t len;		/* octets of it */
	uint8_t depth;		/* components */
	uint16_t prefix[DEPTH]; /* the first field that shares so many (one more than the index)
				   components; equal where two fields stand in the same object */
	uint16_t array;		/* the ITEM field whose elements this is a member of; or FIELDS */
	uint16_t twin;		/* an earlier field of the same name; or FIELDS */
};

/* What stands between the values of two fields: ","}},"email":{"from":{"address":[" */
struct joint {
	uint16_t previous; /* the first of them; FIELDS: the object begins; UINT16_MAX: none yet */
	uint8_t len;	   /* octets of the text */
	char text[JOINT];
};

/* How the value of a field is written. */
#define SHAPE_TYPE   0x0f /* its type (enum field_type) */
#define SHAPE_MANY   0x10 /* an array of values */
#define SHAPE_MASKED 0x20 /* it is private */

struct entry {
	uint16_t at;	  /* where it begins in the record */
	uint16_t next;	  /* the next of the same field; 0 for none */
	uint16_t element; /* the element it belongs to, counted from 1 */
};

/* How much of a record an object shows. */
struct measure {
	size_t octets;	  /* of each string */
	unsigned values;  /* of each array */
	bool only_basics; /* the fields of `basics` alone */
};

struct object {
	bool reveal;
	bool over;		/* the object at hand does not fit */
	char *at, *end;		/* what is written goes here; behind the caller's buffer */
	struct measure measure; /* of the object at hand */
	uint64_t outer[WORDS];	/* fields that are no members of an array's elements */
	uint64_t items[WORDS];	/* those that begin elements */
	uint64_t twins[WORDS];	/* those that have an earlier one of the same name */
	uint64_t basic[WORDS];	/* `basics` */
	int64_t day, second;	/* of `stamp`, since the epoch */
	char stamp[STAMP];	/* 2026-11-23T13:00:05. */
	struct joint joint[FIELDS][JOINTS]; /* that led to each field, by the field before */
	uint8_t shape[FIELDS];		    /* SHAPE_x of each field */
	const struct path *path;	    /* of each field */
	uint16_t first[FIELDS];	       /* the first entry of each member of an array; 0: none */
	uint16_t last[FIELDS];	       /* the last one */
	struct entry entries[ENTRIES]; /* of this record; 0 is not used */
	char masked[MASKED];	       /* a value while it is masked */
	struct kept kept[SLOTS];
	struct kept *event; /* of them: the one that alerts are about */
	struct kept alert;  /* of the last one: what its event does not say */
};

/* What is left of a record that hostile values made too long: each of these, cut, fits. */
static const uint16_t basics[] = {FIELD_TIMESTAMP, FIELD_MESSAGE, FIELD_EVENT_KIND,
    FIELD_EVENT_DATASET, FIELD_EVENT_ACTION, FIELD_EVENT_SEVERITY, FIELD_NETWORK_PROTOCOL,
    FIELD_NETWORK_COMMUNITY_ID, FIELD_SOURCE_IP, FIELD_SOURCE_PORT, FIELD_DESTINATION_IP,
    FIELD_DESTINATION_PORT, FIELD_OUTCOME, FIELD_REASON, FIELD_LEVEL, FIELD_ALERT_STATE,
    FIELD_COUNT, FIELD_SENSOR_CAUSE, FIELD_RULE_ID, FIELD_RULE_NAME};

static const struct measure measures[] = {{SIZE_MAX, UINT_MAX, false}, {512, 32, false},
    {128, 8, false}, {48, 2, true}};

/* Where in the object the writer stands. */
struct place {
	uint16_t previous; /* the field written last; FIELDS at the beginning */
	uint8_t base;	   /* components that the object itself stands for */
};

static inline bool
has(const uint64_t set[WORDS], unsigned f)
{
	return (set[f / 64] >> f % 64 & 1) != 0;
}

static void
put_in(uint64_t set[WORDS], unsigned f)
{
	set[f / 64] |= 1ull << f % 64;
}

static inline void
put(struct object *o, const char *s, size_t len)
{
	if (len > (size_t)(o->end - o->at)) {
		o->over = true;
		return;
	}
	memcpy(o->at, s, len);
	o->at += len;
}

static inline void
put_char(struct object *o, char c)
{
	if (o->at == o->end)
		o->over = true;
	else
		*o->at++ = c;
}

/* ---------------------------------------------------------------------------- values */

/* The character at s, which JSON does not take as it is: its octets. */
static size_t
put_odd(struct object *o, const char *s, size_t len)
{
	char buf[16];
	size_t n = utf8_char((const uint8_t *)s, len);
	struct text one = text_in(buf, sizeof buf);
	n = n > 0 ? n : 1;
	text_add_wire(&one, s, n);
	for (size_t i = 0; i < one.len; i++) { /* printable: these two are left to escape */
		if (buf[i] == '"' || buf[i] == '\\')
			put_char(o, '\\');
		put_char(o, buf[i]);
	}
	return n;
}

/* Writes octets up to the first that JSON does not take as it is; how many.  Up to `readable` may
 * be read. */
static inline size_t
put_plain(struct object *o, const char *s, size_t len, const char *readable)
{
	size_t n = 0;
	if ((size_t)(readable - s) >= len + SCAN_SLACK &&
	    (size_t)(o->end - o->at) >= len + SCAN_SLACK) {
		n = scan_copy_unquoted(o->at, s, len);
		o->at += n;
		return n;
	}
	while (n < len && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	put(o, s, n);
	return n;
}

/* A string within its quotes. */
static void
put_string(struct object *o, const char *s, size_t whole, const char *readable)
{
	size_t len = whole;
	if (whole > o->measure.octets) {
		len = o->measure.octets;
		while (len > 0 && ((uint8_t)s[len] & 0xc0) == 0x80) /* not inside a character */
			len--;
	}
	for (size_t i = 0; i < len;) {
		i += put_plain(o, s + i, len - i, readable);
		if (i < len)
			i += put_odd(o, s + i, len - i);
	}
	if (len < whole)
		put(o, "...", 3);
}

static void
put_u64(struct object *o, uint64_t n)
{
	char digits[DIGITS_U64];
	size_t len = digits_put(digits, n);
	put(o, digits, len);
}

/* The time up to its seconds; the C library is asked for the calendar once for each day. */
static void
make_stamp(struct object *o, int64_t ns, int64_t second)
{
	int64_t day = second / DAY_S, rest = second % DAY_S;
	if (rest < 0) {
		rest += DAY_S;
		day--;
	}
	if (day != o->day || o->stamp[0] == '\0') {
		char buf[40];
		struct text t = text_in(buf, sizeof buf);
		text_add_time(&t, ns);
		memcpy(o->stamp, buf, STAMP);
		o->day = day;
	}
	const uint64_t s = (uint64_t)rest;
	digits_put_wide(o->stamp + 11, 2, s / 3600);
	digits_put_wide(o->stamp + 14, 2, s / 60 % 60);
	digits_put_wide(o->stamp + 17, 2, s % 60);
	o->second = second;
}

/* As text_add_time.  Most times of a record, and of the one behind it, are of the same second. */
static void
put_time(struct object *o, int64_t ns)
{
	char out[] = "2026-11-23T00:00:00.000000000Z";
	int64_t second = ns / SECOND_NS, rest = ns % SECOND_NS;
	if (rest < 0) {
		rest += SECOND_NS;
		second--;
	}
	if (second != o->second || o->stamp[0] == '\0')
		make_stamp(o, ns, second);
	memcpy(out, o->stamp, STAMP);
	digits_put_wide(out + STAMP, 9, (uint64_t)rest);
	put(o, out, sizeof out - 1);
}

/* Has it quotes? */
static bool
is_quoted(enum field f)
{
	unsigned type = field_table[f].type;
	return type == TYPE_STR || type == TYPE_TIME || type == TYPE_IP;
}

/* Are these octets of the record a value of that shape?  (A worker may have made it up.) */
static inline bool
is_value(unsigned shape, const uint8_t *p, size_t len)
{
	static const uint8_t size[] =
	    {[TYPE_U64] = 8, [TYPE_BOOL] = 1, [TYPE_TIME] = 8, [TYPE_IP] = 17, [TYPE_ITEM] = 0};
	unsigned type = shape & SHAPE_TYPE;
	if (type == TYPE_STR)
		return true;
	return len == size[type] && (type != TYPE_IP || p[0] == 4 || p[0] == 6);
}

static void
put_ip(struct object *o, const uint8_t p[17])
{
	char out[ADDR_TEXT];
	struct addr a = {.family = p[0]};
	memcpy(a.b, p + 1, sizeof a.b);
	addr_print(&a, out);
	put(o, out, strlen(out));
}

static void
put_masked(struct object *o, uint16_t f, const char *s, size_t len)
{
	struct text t = text_in(o->masked, sizeof o->masked);
	mask_add(&t, field_table[f].privacy, s, len);
	put_string(o, t.buf, t.len, o->masked + sizeof o->masked);
}

/* A value of field f without its quotes: octets of the record. */
static inline void
put_value(struct object *o, const struct record *r, uint16_t f, unsigned shape, const uint8_t *p,
    size_t len)
{
	uint64_t n;
	switch (shape & SHAPE_TYPE) {
	case TYPE_STR:
		if ((shape & SHAPE_MASKED) == 0)
			put_string(o, (const char *)p, len, (const char *)r->data + sizeof r->data);
		else
			put_masked(o, f, (const char *)p, len);
		break;
	case TYPE_U64:
		memcpy(&n, p, sizeof n);
		put_u64(o, n);
		break;
	case TYPE_BOOL: p[0] != 0 ? put(o, "true", 4) : put(o, "false", 5); break;
	case TYPE_TIME:
		memcpy(&n, p, sizeof n);
		put_time(o, (int64_t)n);
		break;
	case TYPE_IP: put_ip(o, p); break;
	default: break;
	}
}

/* ---------------------------------------------------------------------------- members */

/* Ends the value of field `from`, and what is open inside an object of `base` components but the
 * `shared` ones. */
static void
add_end(const struct object *o, struct text *t, uint16_t from, unsigned shared)
{
	text_puts(t, is_quoted(from) ? "\"" : "");
	text_puts(t, field_table[from].number == NUMBER_MANY ? "]" : "");
	for (unsigned n = o->path[from].depth; n > shared + 1; n--)
		text_putc(t, '}');
}

static void
make_joint(struct object *o, struct joint *j, const struct place *p, uint16_t f)
{
	const struct path *to = &o->path[f];
	unsigned shared = p->base;
	struct text t = text_in(j->text, sizeof j->text);
	if (p->previous != FIELDS) {
		const struct path *from = &o->path[p->previous];
		while (shared + 1 < from->depth && shared + 1 < to->depth &&
		    from->prefix[shared] == to->prefix[shared])
			shared++;
		add_end(o, &t, p->previous, shared);
		text_putc(&t, ',');
	}
	text_add(&t, to->text + to->start[shared], (size_t)to->len - to->start[shared]);
	text_puts(&t, field_table[f].number == NUMBER_MANY ? "[" : "");
	text_puts(&t, is_quoted(f) ? "\"" : "");
	assert(!t.cut);
	j->len = (uint8_t)t.len;
	j->previous = p->previous;
}

/* Leads from the member before to the value of field f. */
static inline void
put_joint(struct object *o, struct place *p, uint16_t f)
{
	struct joint *j = &o->joint[f][p->previous % JOINTS];
	if (j->previous != p->previous)
		make_joint(o, j, p, f);
	if ((size_t)(o->end - o->at) < sizeof j->text) {
		put(o, j->text, j->len);
	} else { /* of a size that the compiler knows: a few moves, no call */
		memcpy(o->at, j->text, 32);
		if (j->len > 32)
			memcpy(o->at + 32, j->text + 32, sizeof j->text - 32);
		o->at += j->len;
	}
	p->previous = f;
}

/* Ends the value that was written last, and the object that p stands in. */
static void
put_end(struct object *o, const struct place *p)
{
	static const char braces[] = "}}}}}}}";
	uint16_t f = p->previous;
	unsigned n = 1;
	if (f != FIELDS) {
		put(o, "\"", is_quoted(f));
		put(o, "]", field_table[f].number == NUMBER_MANY);
		n += o->path[f].depth - 1u - p->base;
	}
	put(o, braces, n);
}

/* Writes the value of field f, or its values.  Octets of the record that they take, up to the last;
 * 0 where that is not all of them. */
static uint32_t
put_member(struct object *o, const struct record *r, struct place *p, uint16_t f)
{
	size_t len;
	unsigned shape = o->shape[f];
	const uint8_t *v = record_first(r, f, &len);
	if (v == NULL || !is_value(shape, v, len))
		return 0;
	put_joint(o, p, f);
	put_value(o, r, f, shape, v, len);
	uint32_t at = (uint32_t)((size_t)(v - r->data) + len);
	for (unsigned left = (shape & SHAPE_MANY) != 0 ? o->measure.values - 1 : 0;
	     left > 0 && (v = record_octets(r, f, &at, &len)) != NULL; left--) {
		put(o, "\",\"", 3); /* arrays of values are of strings */
		put_value(o, r, f, shape, v, len);
	}
	return at > r->last[f] ? at - r->first[f] : 0;
}

/* ---------------------------------------------------------------------------- arrays of objects */

/* Sorts the members of arrays into a list for each field, so that they may come in any order. */
static void
sort_entries(struct object *o, const struct record *r)
{
	uint16_t elements[FIELDS] = {0}; /* of each ITEM field, so far */
	struct record_value v;
	uint16_t e = 0;
	memset(o->first, 0, sizeof o->first);
	for (uint32_t at = 0, begin = 0; e + 1u < ENTRIES && record_next(r, &at, &v); begin = at) {
		uint16_t array = field_table[v.field].type == TYPE_ITEM ? (uint16_t)v.field
									: o->path[v.field].array;
		if (array == FIELDS)
			continue;
		if (array == v.field)
			elements[array]++;
		if (elements[array] == 0)
			continue;
		e++;
		o->entries[e] = (struct entry){(uint16_t)begin, 0, elements[array]};
		if (o->first[v.field] == 0)
			o->first[v.field] = e;
		else
			o->entries[o->last[v.field]].next = e;
		o->last[v.field] = e;
	}
}

/*
 * Writes the value of field f, of entries from `e` on, that belongs to `element`.  Returns the
 * first entry that does not.
 */
static uint16_t
put_inner(struct object *o, const struct record *r, struct place *p, uint16_t f, uint16_t e,
    uint16_t element)
{
	bool begun = false;
	unsigned shape = o->shape[f];
	for (; e != 0 && o->entries[e].element == element; e = o->entries[e].next) {
		size_t len;
		uint32_t at = o->entries[e].at;
		const uint8_t *v = begun ? NULL : record_octets(r, f, &at, &len);
		if (v == NULL || !is_value(shape, v, len))
			continue;
		put_joint(o, p, f);
		put_value(o, r, f, shape, v, len);
		begun = true;
	}
	return e;
}

/* Writes an array of objects: field `array` begins its elements, its members are the rows behind
 * it. */
static void
put_array(struct object *o, const struct record *r, struct place *p, uint16_t array)
{
	uint16_t end = array + 1;
	put_joint(o, p, array);
	while (end < FIELDS && o->path[end].array == array)
		end++;
	uint16_t element = 1;
	for (uint16_t e = o->first[array]; e != 0 && element <= o->measure.values;
	     e = o->entries[e].next, element++) {
		struct place inside = {FIELDS, o->path[array].depth};
		if (element > 1)
			put_char(o, ',');
		put_char(o, '{');
		for (uint16_t f = array + 1; f < end; f++)
			o->first[f] = put_inner(o, r, &inside, f, o->first[f], element);
		put_end(o, &inside);
	}
}

/* ---------------------------------------------------------------------------- set-up */

/* The components of a field name as text that leads to its value. */
static void
path_of_name(struct path *path, const char *name)
{
	struct text t = text_in(path->text, sizeof path->text);
	for (const char *at = name; *at != '\0';) {
		size_t n = strcspn(at, ".");
		assert(path->depth < DEPTH);
		path->start[path->depth++] = (uint8_t)t.len;
		text_putc(&t, '"');
		text_add(&t, at, n);
		text_puts(&t, at[n] == '.' ? "\":{" : "\":");
		at += n + (at[n] == '.');
	}
	assert(!t.cut);
	path->len = (uint8_t)t.len;
}

/* Do the names begin with the same `n` components (or are they the same)? */
static bool
same_prefix(const char *a, const char *b, unsigned n)
{
	for (; *a == *b; a++, b++) {
		if (*a == '\0' || (*a == '.' && --n == 0))
			return true;
	}
	return n == 1 && ((*a == '\0' && *b == '.') || (*a == '.' && *b == '\0'));
}

/* Those of all fields, made once. */
static const struct path *
paths(void)
{
	static struct path path[FIELDS];
	static bool known;
	uint16_t array = FIELDS;
	for (uint16_t f = 0; !known && f < FIELDS; f++) {
		struct path *p = &path[f];
		const char *name = field_table[f].name;
		path_of_name(p, name);
		for (unsigned d = 0; d < p->depth; d++) {
			while (!same_prefix(name, field_table[p->prefix[d]].name, d + 1))
				p->prefix[d]++;
		}
		if (array != FIELDS) {
			size_t n = strlen(field_table[array].name);
			if (strncmp(name, field_table[array].name, n) != 0 || name[n] != '.')
				array = FIELDS;
		}
		p->array = array;
		if (field_table[f].type == TYPE_ITEM) {
			assert(array == FIELDS); /* no arrays of objects inside one another */
			array = f;
		}
		p->twin = (uint16_t)field_by_name(name);
		if (p->twin == f)
			p->twin = FIELDS;
	}
	known = true;
	return path;
}

/* ---------------------------------------------------------------------------- objects */

/* Which fields of the record are to be written: members of arrays come with their arrays. */
static void
choose(const struct object *o, const struct record *r, uint64_t set[WORDS])
{
	for (unsigned w = 0; w < WORDS; w++) {
		set[w] = r->has[w] & o->outer[w];
		if (o->measure.only_basics)
			set[w] &= o->basic[w];
	}
}

/* Writes field f of those chosen; *sorted: sort_entries saw the record.  Octets of the record, from
 * the first value on, that decided on all of the text; 0 where others did, too. */
static inline uint32_t
put_field(struct object *o, const struct record *r, struct place *p, uint16_t f, bool *sorted)
{
	if (has(o->items, f)) {
		if (!*sorted)
			sort_entries(o, r);
		*sorted = true;
		put_array(o, r, p, f);
		return 0;
	}
	if (!has(o->twins, f))
		return put_member(o, r, p, f);
	if (!record_has(r, o->path[f].twin))
		(void)put_member(o, r, p, f);
	return 0;
}

static inline uint16_t
reach_of(const struct record *r, uint16_t f)
{
	return (uint16_t)(r->last[f] - r->first[f]);
}

/*
 * Writes these fields of the record.  What k has in the same octets, and with the same field before
 * it, is copied in runs.  k's fields become those of this record.
 */
static void
put_fields(struct object *o, const struct record *r, uint64_t set[WORDS], struct kept *k)
{
	const char *begin = o->at, *run = begin;
	struct place top = {FIELDS, 0};
	uint32_t length = 0; /* of the run, which was not copied yet */
	bool sorted = false;
	put_char(o, '{');
	for (unsigned w = 0; w < WORDS; w++) {
		const uint64_t had = k->set[w];
		for (uint64_t bits = set[w]; bits != 0; bits &= bits - 1) {
			uint16_t f = (uint16_t)(w * 64 + (unsigned)__builtin_ctzll(bits));
			uint16_t before = top.previous;
			struct kept_field *x = &k->field[f];
			if (x->before == before && (had & bits & -bits) != 0 &&
			    kept_is_same(k, r, f)) {
				run = length == 0 ? k->text + x->begin : run;
				length +=
				    kept_move(x, r->first[f], (uint32_t)(o->at - begin) + length);
				top.previous = f;
				continue;
			}
			if (length > 0)
				put(o, run, length);
			length = 0;
			uint32_t from = (uint32_t)(o->at - begin);
			uint32_t span = put_field(o, r, &top, f, &sorted);
			if (top.previous != f) /* a twin, or no value */
				set[w] &= ~(1ull << f % 64);
			else
				*x = (struct kept_field){r->first[f], reach_of(r, f),
				    (uint16_t)span, before, from, (uint32_t)(o->at - begin)};
		}
	}
	put(o, run, length);
	put_end(o, &top);
}

/* The first field in the set from `f` on; FIELDS where there is none. */
static inline unsigned
next_in(const uint64_t set[WORDS], unsigned f)
{
	unsigned w = f / 64;
	if (f >= FIELDS)
		return FIELDS;
	for (uint64_t bits = set[w] & UINT64_MAX << f % 64;; bits = set[w]) {
		if (bits != 0)
			return w * 64 + (unsigned)__builtin_ctzll(bits);
		if (++w == WORDS)
			return FIELDS;
	}
}

/* The last field in the set before `f`, of which there is one. */
static inline unsigned
last_in(const uint64_t set[WORDS], unsigned f)
{
	unsigned w = (f - 1) / 64;
	uint64_t bits = set[w] & UINT64_MAX >> (63 - (f - 1) % 64);
	while (bits == 0)
		bits = set[--w];
	return w * 64 + 63 - (unsigned)__builtin_clzll(bits);
}

/* Writes field f of an alert that its event has not, or not so: as the alert before had it, where
 * it did (what a rule says of itself), and notes it. */
static void
put_own(struct object *o, const struct record *r, struct place *p, uint16_t f, const char *begin,
    bool *sorted)
{
	struct kept_field *x = &o->alert.field[f];
	const uint32_t from = (uint32_t)(o->at - begin);
	const uint16_t before = p->previous;
	uint32_t span;
	if (x->before == before && kept_has(&o->alert, f) && kept_is_same(&o->alert, r, f)) {
		put(o, o->alert.text + x->begin, x->end - x->begin);
		p->previous = f;
		span = x->span;
	} else {
		span = put_field(o, r, p, f, sorted);
	}
	if (p->previous == f)
		*x = (struct kept_field){r->first[f], reach_of(r, f), (uint16_t)span, before, from,
		    (uint32_t)(o->at - begin)};
}

/* Writes these fields of an alert: runs of what its event, of which it is a copy, says in the same
 * octets, and between them, one by one, what is the alert's own. */
static void
put_alert(struct object *o, const struct record *r, const uint64_t set[WORDS], const struct kept *k)
{
	uint64_t same[WORDS], ends[WORDS], own[WORDS] = {0};
	const char *begin = o->at;
	struct place top = {FIELDS, 0};
	bool sorted = false;
	kept_find(k, r, set, same);
	for (unsigned w = 0; w < WORDS;
	     w++) /* of runs: fields that only one of them has, or else */
		ends[w] = (set[w] ^ k->set[w]) | (set[w] & ~same[w]);
	put_char(o, '{');
	for (unsigned f = 0; (f = next_in(set, f)) < FIELDS; f++) {
		if (has(same, f) && k->field[f].before == top.previous) {
			uint32_t from = k->field[f].begin;
			f = last_in(set, next_in(ends, f));
			put(o, k->text + from, k->field[f].end - from);
			top.previous = (uint16_t)f;
			continue;
		}
		put_own(o, r, &top, (uint16_t)f, begin, &sorted);
		if (top.previous == f) /* else it is a twin, or has no value */
			put_in(own, f);
	}
	put_end(o, &top);
	bool whole = !o->over && o->measure.octets == measures[0].octets;
	kept_take(&o->alert, r, own, begin, whole ? (size_t)(o->at - begin) : 0);
}

/* Octets written; 0 where it does not fit. */
static size_t
write_measured(struct object *o, const struct record *r, const struct measure *m, char *buf,
    size_t cap)
{
	uint64_t set[WORDS];
	bool alert = r->kind == RECORD_ALERT;
	struct kept *k = alert ? o->event : &o->kept[r->kind < SLOTS ? r->kind : SLOTS - 1];
	if (m != &measures[0]) { /* it may show less of a value */
		memset(k->set, 0, sizeof k->set);
		memset(o->alert.set, 0, sizeof o->alert.set);
	}
	o->measure = *m;
	o->over = false;
	o->at = buf;
	o->end = buf + cap;
	choose(o, r, set);
	if (alert) {
		put_alert(o, r, set, k);
		return o->over ? 0 : (size_t)(o->at - buf);
	}
	put_fields(o, r, set, k);
	size_t len = o->over ? 0 : (size_t)(o->at - buf);
	kept_take(k, r, set, buf, m == &measures[0] ? len : 0);
	o->event = k;
	return len;
}

size_t
object_write(struct object *o, const struct record *r, char *buf, size_t cap)
{
	return write_measured(o, r, &measures[0], buf, cap);
}

size_t
object_write_within(struct object *o, const struct record *r, char *buf, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; n == 0 && i < sizeof measures / sizeof *measures; i++)
		n = write_measured(o, r, &measures[i], buf, cap);
	return n;
}

static void
sets_init(struct object *o)
{
	for (size_t i = 0; i < sizeof basics / sizeof *basics; i++)
		put_in(o->basic, basics[i]);
	for (uint16_t f = 0; f < FIELDS; f++) {
		const struct field_info *info = &field_table[f];
		bool many = info->number == NUMBER_MANY, item = info->type == TYPE_ITEM;
		bool masked = info->privacy != PRIVACY_OPEN && !o->reveal;
		if (o->path[f].array == FIELDS)
			put_in(o->outer, f);
		if (o->path[f].twin != FIELDS)
			put_in(o->twins, f);
		if (item)
			put_in(o->items, f);
		/* put_member, put_inner */
		assert(item || !many || (info->type == TYPE_STR && has(o->outer, f)));
		for (unsigned i = 0; i < JOINTS; i++)
			o->joint[f][i].previous = UINT16_MAX;
		o->shape[f] =
		    (uint8_t)(info->type | (many ? SHAPE_MANY : 0) | (masked ? SHAPE_MASKED : 0));
	}
}

struct object *
object_new(bool reveal)
{
	struct object *o = calloc(1, sizeof *o);
	if (o == NULL)
		return NULL;
	o->reveal = reveal;
	o->event = o->kept;
	o->path = paths();
	sets_init(o);
	return o;
}

void
object_free(struct object *o)
{
	free(o);
}
