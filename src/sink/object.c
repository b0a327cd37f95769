/*
 * Records as JSON objects: see object.h.
 *
 * Driven by record/fields.def alone: a new fact needs no line here.  At the start each field's name
 * becomes the text that leads to its value ("email":{"from":{"address":); writing a member closes
 * the objects that it does not share with the member before it and copies the rest of that text.
 * The values of a record are first sorted into a list for each field, so entries may come in any
 * order and the work is linear in them.
 *
 * Octets from the wire become valid UTF-8 by the policy of text_add_wire, then JSON strings.
 * Nothing bad in a record (it comes from a worker, see record_next) leads to a broken object: where
 * a field that has one value comes twice, the first counts; members outside an element are dropped.
 *
 * No JSON library is used: a library wants a tree of allocated nodes for each record, and a name
 * looked up or copied for each member, where the table gives all names beforehand and the order
 * too.  Measured: 600,000 typical session records a second on one core (1.7 us each);
 * `sink_json_test speed` repeats it.
 */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "record/mask.h"
#include "sink/object.h"

#define DEPTH	6u			/* components of the deepest field name */
#define PATH	128u			/* octets of the text that leads to a value */
#define ENTRIES (LIMIT_RECORD / 4u + 1) /* values of a record: an entry takes four octets */
#define MASKED	2048u			/* octets of a masked value */

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

struct entry {
	uint16_t at;	  /* where it begins in the record */
	uint16_t next;	  /* the next of the same field; 0 for none */
	uint16_t element; /* the element it belongs to, counted from 1; 0 outside any */
};

/* How much of a record an object shows. */
struct measure {
	size_t octets;	  /* of each string */
	unsigned values;  /* of each array */
	bool only_basics; /* the fields of `basics` alone */
};

struct object {
	bool reveal;
	bool over;		       /* the object at hand does not fit */
	char *buf;		       /* where it is written, the caller's */
	size_t cap;		       /* octets there are */
	size_t used;		       /* octets written */
	struct measure measure;	       /* of the object at hand */
	bool basic[FIELDS];	       /* is it one of `basics`? */
	int64_t day;		       /* the day that `date` names, since the epoch */
	char date[16];		       /* 2026-11-23T */
	struct path path[FIELDS];      /* of each field */
	uint16_t first[FIELDS];	       /* the first entry of each field in this record; 0: none */
	uint16_t last[FIELDS];	       /* the last one */
	struct entry entries[ENTRIES]; /* of this record; 0 is not used */
	char masked[MASKED];	       /* a value while it is masked */
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

static void
put(struct object *o, const char *s, size_t len)
{
	if (len > o->cap - o->used) {
		o->over = true;
		return;
	}
	memcpy(o->buf + o->used, s, len);
	o->used += len;
}

static void
put_char(struct object *o, char c)
{
	if (o->used == o->cap)
		o->over = true;
	else
		o->buf[o->used++] = c;
}

static void
put_closing(struct object *o, unsigned n)
{
	while (n-- > 0)
		put_char(o, '}');
}

/* Printable ASCII that JSON takes as it is. */
static inline bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What text_add_wire made: printable, so only quotes and backslashes are left to escape. */
static void
put_escaped(struct object *o, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			put_char(o, '\\');
		put_char(o, s[i]);
	}
}

static void
put_string(struct object *o, const char *value, size_t whole)
{
	const uint8_t *s = (const uint8_t *)value;
	size_t len = whole;
	if (whole > o->measure.octets) {
		len = o->measure.octets;
		while (len > 0 && (s[len] & 0xc0) == 0x80) /* not inside a character */
			len--;
	}
	put_char(o, '"');
	for (size_t i = 0; i < len;) {
		size_t run = i;
		while (run < len && is_plain(s[run]))
			run++;
		put(o, value + i, run - i);
		i = run;
		if (i == len)
			break;
		char buf[16];
		size_t n = utf8_char(s + i, len - i);
		struct text one = text_in(buf, sizeof buf);
		text_add_wire(&one, s + i, n > 0 ? n : 1);
		put_escaped(o, buf, one.len);
		i += n > 0 ? n : 1;
	}
	if (len < whole)
		put(o, "...", 3);
	put_char(o, '"');
}

static void
put_u64(struct object *o, uint64_t n)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put(o, digits + at, sizeof digits - at);
}

/* `width` digits of n, zeros before it. */
static void
digits_of(char *out, uint64_t n, unsigned width)
{
	while (width-- > 0) {
		out[width] = (char)('0' + n % 10);
		n /= 10;
	}
}

/* As text_add_time, which asks the C library for the calendar: here once for each day. */
static void
put_time(struct object *o, int64_t ns)
{
	const int64_t day_ns = 86400ll * 1000000000;
	int64_t day = ns / day_ns;
	if (ns % day_ns < 0)
		day--;
	if (day != o->day || o->date[0] == '\0') {
		char buf[40];
		struct text t = text_in(buf, sizeof buf);
		text_add_time(&t, ns);
		memcpy(o->date, buf, 11);
		o->day = day;
	}
	uint64_t rest = (uint64_t)ns - (uint64_t)day * (uint64_t)day_ns, s = rest / 1000000000;
	char out[] = "\"2026-11-23T00:00:00.000000000Z\"";
	memcpy(out + 1, o->date, 11);
	digits_of(out + 12, s / 3600, 2);
	digits_of(out + 15, s / 60 % 60, 2);
	digits_of(out + 18, s % 60, 2);
	digits_of(out + 21, rest % 1000000000, 9);
	put(o, out, sizeof out - 1);
}

static void
put_ip(struct object *o, const struct addr *a)
{
	char out[ADDR_TEXT];
	addr_print(a, out);
	put_char(o, '"');
	put(o, out, strlen(out));
	put_char(o, '"');
}

static void
put_value(struct object *o, const struct record_value *v)
{
	const struct field_info *f = &field_table[v->field];
	switch (f->type) {
	case TYPE_STR:
		if (f->privacy == PRIVACY_OPEN || o->reveal) {
			put_string(o, v->str, v->len);
		} else {
			struct text t = text_in(o->masked, sizeof o->masked);
			mask_add(&t, f->privacy, v->str, v->len);
			put_string(o, t.buf, t.len);
		}
		break;
	case TYPE_U64: put_u64(o, v->u64); break;
	case TYPE_BOOL: v->u64 != 0 ? put(o, "true", 4) : put(o, "false", 5); break;
	case TYPE_TIME: put_time(o, v->ns); break;
	case TYPE_IP: put_ip(o, &v->ip); break;
	default: put(o, "null", 4); break;
	}
}

/* Leads from the member before to field f: closes and opens what lies between. */
static void
put_name(struct object *o, struct place *p, uint16_t f)
{
	const struct path *to = &o->path[f];
	unsigned shared = p->base;
	if (p->previous != FIELDS) {
		const struct path *from = &o->path[p->previous];
		while (shared + 1 < from->depth && shared + 1 < to->depth &&
		    from->prefix[shared] == to->prefix[shared])
			shared++;
		put_closing(o, from->depth - 1 - shared);
		put_char(o, ',');
	}
	put(o, to->text + to->start[shared], (size_t)to->len - to->start[shared]);
	p->previous = f;
}

/* Closes the object that p stands in, and what is open inside it. */
static void
put_end(struct object *o, const struct place *p)
{
	if (p->previous != FIELDS)
		put_closing(o, (unsigned)o->path[p->previous].depth - 1 - p->base);
	put_char(o, '}');
}

/*
 * Writes the values of field f, from entry `e` on, that belong to `element` (0: outside any array
 * of objects).  Returns the first entry that does not.
 */
static uint16_t
put_member(struct object *o, const struct record *r, struct place *p, uint16_t f, uint16_t e,
    uint16_t element)
{
	bool many = field_table[f].number == NUMBER_MANY, begun = false;
	unsigned left = o->measure.values;
	for (; e != 0 && o->entries[e].element == element; e = o->entries[e].next) {
		struct record_value v;
		uint32_t at = o->entries[e].at;
		if ((begun && !many) || left == 0 || !record_next(r, &at, &v))
			continue;
		if (!begun)
			put_name(o, p, f);
		if (many)
			put_char(o, begun ? ',' : '[');
		put_value(o, &v);
		begun = true;
		left--;
	}
	if (begun && many)
		put_char(o, ']');
	return e;
}

/* Writes an array of objects: field `array` begins its elements, its members are the rows behind
 * it. */
static void
put_array(struct object *o, const struct record *r, struct place *p, uint16_t array)
{
	uint16_t end = array + 1;
	put_name(o, p, array);
	put_char(o, '[');
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
			o->first[f] = put_member(o, r, &inside, f, o->first[f], element);
		put_end(o, &inside);
	}
	put_char(o, ']');
}

/* Sorts the entries of a record into a list for each field. */
static void
sort_entries(struct object *o, const struct record *r)
{
	uint16_t elements[FIELDS] = {0}; /* of each ITEM field, so far */
	struct record_value v;
	uint16_t e = 0;
	memset(o->first, 0, sizeof o->first);
	for (uint32_t at = 0, begin = 0; e + 1u < ENTRIES && record_next(r, &at, &v); begin = at) {
		uint16_t array = o->path[v.field].array, element = 0;
		if (field_table[v.field].type == TYPE_ITEM) {
			elements[v.field]++;
		} else if (array != FIELDS) {
			element = elements[array];
			if (element == 0)
				continue;
		}
		e++;
		o->entries[e] = (struct entry){(uint16_t)begin, 0, element};
		if (o->first[v.field] == 0)
			o->first[v.field] = e;
		else
			o->entries[o->last[v.field]].next = e;
		o->last[v.field] = e;
	}
}

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

static void
paths_init(struct object *o)
{
	uint16_t array = FIELDS;
	for (uint16_t f = 0; f < FIELDS; f++) {
		struct path *p = &o->path[f];
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
}

/* False where it does not fit. */
static bool
write_measured(struct object *o, const struct record *r, const struct measure *m)
{
	struct place top = {FIELDS, 0};
	o->measure = *m;
	o->over = false;
	o->used = 0;
	sort_entries(o, r);
	put_char(o, '{');
	for (uint16_t f = 0; f < FIELDS; f++) {
		if (o->first[f] == 0 || o->path[f].array != FIELDS)
			continue;
		if (o->path[f].twin != FIELDS && o->first[o->path[f].twin] != 0)
			continue;
		if (m->only_basics && !o->basic[f])
			continue;
		if (field_table[f].type == TYPE_ITEM)
			put_array(o, r, &top, f);
		else
			(void)put_member(o, r, &top, f, o->first[f], 0);
	}
	put_end(o, &top);
	return !o->over;
}

size_t
object_write(struct object *o, const struct record *r, char *buf, size_t cap)
{
	o->buf = buf;
	o->cap = cap;
	return write_measured(o, r, &measures[0]) ? o->used : 0;
}

size_t
object_write_within(struct object *o, const struct record *r, char *buf, size_t cap)
{
	o->buf = buf;
	o->cap = cap;
	for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
		if (write_measured(o, r, &measures[i]))
			return o->used;
	}
	return 0;
}

struct object *
object_new(bool reveal)
{
	struct object *o = calloc(1, sizeof *o);
	if (o == NULL)
		return NULL;
	o->reveal = reveal;
	for (size_t i = 0; i < sizeof basics / sizeof *basics; i++)
		o->basic[basics[i]] = true;
	paths_init(o);
	return o;
}

void
object_free(struct object *o)
{
	free(o);
}
