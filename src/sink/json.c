/*
 * The JSON sink: one object a line (NDJSON, RFC 8259), members nested as the dots of the field
 * names say, in the order of the field table.
 *
 * Driven by record/fields.def alone: a new fact needs no line here.  At open each field's name
 * becomes the text that leads to its value ("email":{"from":{"address":); writing a member closes
 * the objects that it does not share with the member before it and copies the rest of that text.
 * The values of a record are first sorted into a list for each field, so entries may come in any
 * order and the work is linear in them.
 *
 * Octets from the wire become valid UTF-8 by the policy of text_add_wire, then JSON strings.
 * Nothing bad in a record (it comes from a worker, see record_next) leads to a broken line: where a
 * field that has one value comes twice, the first counts; members outside an element are dropped.
 *
 * No JSON library is used: a library wants a tree of allocated nodes for each record, and a name
 * looked up or copied for each member, where the table gives all names beforehand and the order
 * too.  Measured: 600,000 typical session records a second on one core (1.7 us each);
 * `sink_json_test speed` repeats it.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "record/mask.h"
#include "sink/kinds.h"

#define BUFFER	(256u << 10)		/* octets gathered for one write */
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

struct json {
	FILE *out;
	bool reveal;
	int error;		       /* errno of the write that failed; 0 while all is well */
	size_t used;		       /* octets in buf */
	int64_t day;		       /* the day that `date` names, since the epoch */
	char date[16];		       /* 2026-11-23T */
	struct path path[FIELDS];      /* of each field */
	uint16_t first[FIELDS];	       /* the first entry of each field in this record; 0: none */
	uint16_t last[FIELDS];	       /* the last one */
	struct entry entries[ENTRIES]; /* of this record; 0 is not used */
	char masked[MASKED];	       /* a value while it is masked */
	char buf[BUFFER];
};

/* Where in the object the writer stands. */
struct place {
	uint16_t previous; /* the field written last; FIELDS at the beginning */
	uint8_t base;	   /* components that the object itself stands for */
};

static void
write_out(struct json *j)
{
	if (j->error == 0 && j->used > 0) {
		errno = 0;
		if (fwrite(j->buf, 1, j->used, j->out) != j->used)
			j->error = errno != 0 ? errno : EIO;
	}
	j->used = 0;
}

/* Puts errno to what went wrong, if anything did. */
static bool
all_well(const struct json *j)
{
	if (j->error != 0)
		errno = j->error;
	return j->error == 0;
}

/* Adds `len` <= BUFFER octets as they are. */
static void
put(struct json *j, const char *s, size_t len)
{
	if (len > BUFFER - j->used)
		write_out(j);
	memcpy(j->buf + j->used, s, len);
	j->used += len;
}

static void
put_char(struct json *j, char c)
{
	if (j->used == BUFFER)
		write_out(j);
	j->buf[j->used++] = c;
}

static void
put_closing(struct json *j, unsigned n)
{
	while (n-- > 0)
		put_char(j, '}');
}

/* Printable ASCII that JSON takes as it is. */
static inline bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What text_add_wire made: printable, so only quotes and backslashes are left to escape. */
static void
put_escaped(struct json *j, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			put_char(j, '\\');
		put_char(j, s[i]);
	}
}

static void
put_string(struct json *j, const char *value, size_t len)
{
	const uint8_t *s = (const uint8_t *)value;
	put_char(j, '"');
	for (size_t i = 0; i < len;) {
		size_t run = i;
		while (run < len && is_plain(s[run]))
			run++;
		put(j, value + i, run - i);
		i = run;
		if (i == len)
			break;
		char buf[16];
		size_t n = utf8_char(s + i, len - i);
		struct text one = text_in(buf, sizeof buf);
		text_add_wire(&one, s + i, n > 0 ? n : 1);
		put_escaped(j, buf, one.len);
		i += n > 0 ? n : 1;
	}
	put_char(j, '"');
}

static void
put_u64(struct json *j, uint64_t n)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put(j, digits + at, sizeof digits - at);
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
put_time(struct json *j, int64_t ns)
{
	const int64_t day_ns = 86400ll * 1000000000;
	int64_t day = ns / day_ns;
	if (ns % day_ns < 0)
		day--;
	if (day != j->day || j->date[0] == '\0') {
		char buf[40];
		struct text t = text_in(buf, sizeof buf);
		text_add_time(&t, ns);
		memcpy(j->date, buf, 11);
		j->day = day;
	}
	uint64_t rest = (uint64_t)ns - (uint64_t)day * (uint64_t)day_ns, s = rest / 1000000000;
	char out[] = "\"2026-11-23T00:00:00.000000000Z\"";
	memcpy(out + 1, j->date, 11);
	digits_of(out + 12, s / 3600, 2);
	digits_of(out + 15, s / 60 % 60, 2);
	digits_of(out + 18, s % 60, 2);
	digits_of(out + 21, rest % 1000000000, 9);
	put(j, out, sizeof out - 1);
}

static void
put_ip(struct json *j, const struct addr *a)
{
	char out[ADDR_TEXT];
	addr_print(a, out);
	put_char(j, '"');
	put(j, out, strlen(out));
	put_char(j, '"');
}

static void
put_value(struct json *j, const struct record_value *v)
{
	const struct field_info *f = &field_table[v->field];
	switch (f->type) {
	case TYPE_STR:
		if (f->privacy == PRIVACY_OPEN || j->reveal) {
			put_string(j, v->str, v->len);
		} else {
			struct text t = text_in(j->masked, sizeof j->masked);
			mask_add(&t, f->privacy, v->str, v->len);
			put_string(j, t.buf, t.len);
		}
		break;
	case TYPE_U64: put_u64(j, v->u64); break;
	case TYPE_BOOL: v->u64 != 0 ? put(j, "true", 4) : put(j, "false", 5); break;
	case TYPE_TIME: put_time(j, v->ns); break;
	case TYPE_IP: put_ip(j, &v->ip); break;
	default: put(j, "null", 4); break;
	}
}

/* Leads from the member before to field f: closes and opens what lies between. */
static void
put_name(struct json *j, struct place *p, uint16_t f)
{
	const struct path *to = &j->path[f];
	unsigned shared = p->base;
	if (p->previous != FIELDS) {
		const struct path *from = &j->path[p->previous];
		while (shared + 1 < from->depth && shared + 1 < to->depth &&
		    from->prefix[shared] == to->prefix[shared])
			shared++;
		put_closing(j, from->depth - 1 - shared);
		put_char(j, ',');
	}
	put(j, to->text + to->start[shared], (size_t)to->len - to->start[shared]);
	p->previous = f;
}

/* Closes the object that p stands in, and what is open inside it. */
static void
put_end(struct json *j, const struct place *p)
{
	if (p->previous != FIELDS)
		put_closing(j, (unsigned)j->path[p->previous].depth - 1 - p->base);
	put_char(j, '}');
}

/*
 * Writes the values of field f, from entry `e` on, that belong to `element` (0: outside any array
 * of objects).  Returns the first entry that does not.
 */
static uint16_t
put_member(struct json *j, const struct record *r, struct place *p, uint16_t f, uint16_t e,
    uint16_t element)
{
	bool many = field_table[f].number == NUMBER_MANY, begun = false;
	for (; e != 0 && j->entries[e].element == element; e = j->entries[e].next) {
		struct record_value v;
		uint32_t at = j->entries[e].at;
		if ((begun && !many) || !record_next(r, &at, &v))
			continue;
		if (!begun)
			put_name(j, p, f);
		if (many)
			put_char(j, begun ? ',' : '[');
		put_value(j, &v);
		begun = true;
	}
	if (begun && many)
		put_char(j, ']');
	return e;
}

/* Writes an array of objects: field `array` begins its elements, its members are the rows behind
 * it. */
static void
put_array(struct json *j, const struct record *r, struct place *p, uint16_t array)
{
	uint16_t end = array + 1;
	put_name(j, p, array);
	put_char(j, '[');
	while (end < FIELDS && j->path[end].array == array)
		end++;
	uint16_t element = 1;
	for (uint16_t e = j->first[array]; e != 0; e = j->entries[e].next, element++) {
		struct place inside = {FIELDS, j->path[array].depth};
		if (element > 1)
			put_char(j, ',');
		put_char(j, '{');
		for (uint16_t f = array + 1; f < end; f++)
			j->first[f] = put_member(j, r, &inside, f, j->first[f], element);
		put_end(j, &inside);
	}
	put_char(j, ']');
}

/* Sorts the entries of a record into a list for each field. */
static void
sort_entries(struct json *j, const struct record *r)
{
	uint16_t elements[FIELDS] = {0}; /* of each ITEM field, so far */
	struct record_value v;
	uint16_t e = 0;
	memset(j->first, 0, sizeof j->first);
	for (uint32_t at = 0, begin = 0; e + 1u < ENTRIES && record_next(r, &at, &v); begin = at) {
		uint16_t array = j->path[v.field].array, element = 0;
		if (field_table[v.field].type == TYPE_ITEM) {
			elements[v.field]++;
		} else if (array != FIELDS) {
			element = elements[array];
			if (element == 0)
				continue;
		}
		e++;
		j->entries[e] = (struct entry){(uint16_t)begin, 0, element};
		if (j->first[v.field] == 0)
			j->first[v.field] = e;
		else
			j->entries[j->last[v.field]].next = e;
		j->last[v.field] = e;
	}
}

bool
json_push(void *state, const struct record *r)
{
	struct json *j = state;
	struct place top = {FIELDS, 0};
	sort_entries(j, r);
	put_char(j, '{');
	for (uint16_t f = 0; f < FIELDS; f++) {
		if (j->first[f] == 0 || j->path[f].array != FIELDS)
			continue;
		if (j->path[f].twin != FIELDS && j->first[j->path[f].twin] != 0)
			continue;
		if (field_table[f].type == TYPE_ITEM)
			put_array(j, r, &top, f);
		else
			(void)put_member(j, r, &top, f, j->first[f], 0);
	}
	put_end(j, &top);
	put_char(j, '\n');
	return all_well(j);
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
paths_init(struct json *j)
{
	uint16_t array = FIELDS;
	for (uint16_t f = 0; f < FIELDS; f++) {
		struct path *p = &j->path[f];
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

void *
json_open(const struct sink_config *config, char error[SINK_ERROR])
{
	struct json *j = calloc(1, sizeof *j);
	if (j == NULL) {
		snprintf(error, SINK_ERROR, "no memory for the JSON output");
		return NULL;
	}
	j->out = config->out;
	j->reveal = config->reveal;
	paths_init(j);
	return j;
}

bool
json_flush(void *state)
{
	struct json *j = state;
	write_out(j);
	if (j->error == 0 && fflush(j->out) != 0)
		j->error = errno != 0 ? errno : EIO;
	return all_well(j);
}

bool
json_close(void *state)
{
	struct json *j = state;
	bool ok = json_flush(j);
	int error = j->error;
	free(j);
	if (!ok)
		errno = error;
	return ok;
}
