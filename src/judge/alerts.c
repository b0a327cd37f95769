/*
 * The life of an alert: see alerts.h.
 *
 * Open alerts are the entries of one map; each keeps a short record for its next report.  These
 * stand apart, in cells of three sizes, since what every event touches is a hundredth of them (and
 * of a report on a capture, where records are brief, all that is touched is a tenth).  Another map
 * holds, for each client and server, how many alerts are
 * open and how many connections in a row were sealed.  A third remembers mails that were counted or
 * accepted, so that the record of their connection is not counted for the same rule once more.
 */
#include "judge/alerts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/text.h"
#include "judge/alerts_internal.h"
#include "record/read.h"

#define HOUR_NS 3600000000000ll
#define FOREVER INT64_MAX
#define SIZES	3u /* of cells for records */

static const uint16_t cell_sizes[SIZES] = {256, 1024, LIMIT_ALERT_RECORD};

struct pair {
	uint32_t open;	 /* alerts about readable mail */
	uint32_t sealed; /* connections in a row */
	int64_t last_ns; /* of the last one of any kind */
};

struct open_alert {
	struct alert alert;
	struct pair *pair; /* of a readable one; there for as long as it is */
	uint32_t cell;	   /* of its record; 0: none is kept */
	uint32_t size;	   /* which of the cell sizes */
};

struct counted_key {
	uint32_t rule; /* number */
	char id[36];   /* Community ID of the connection */
};

struct alerts {
	struct hash_key key;		      /* of fingerprints */
	uint16_t first[FIELDS], next[FIELDS]; /* fields of one name; FIELDS: no more */
	struct map open;		      /* struct fingerprint -> struct open_alert */
	struct pool records[SIZES];
	struct map pairs;   /* struct pair_key -> struct pair */
	struct map counted; /* struct counted_key -> const struct rule *: by which exception mails
			       were accepted, all of them; NULL: some were not */
	bool accepts;	    /* an exception accepted something, since the rules were read */
	uint32_t walk;	    /* alerts_due: where it goes on */
	bool walking;
	int64_t soonest_ns;			 /* of the windows that this walk saw */
	int64_t due_ns;				 /* when there may be something to report again */
	uint32_t search;			 /* give_up: where it goes on */
	uint32_t forget;			 /* the same, of `counted` */
	struct fingerprint closed[LIMIT_ALERTS]; /* since the state file was saved */
	uint32_t closed_count;
};

struct alerts *
alerts_new(void)
{
	struct alerts *a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	a->due_ns = FOREVER;
	hash_key_draw(&a->key);
	for (unsigned f = 0; f < FIELDS; f++) { /* those of one name stand together in the table */
		a->first[f] = (uint16_t)field_first((enum field)f);
		a->next[f] = f + 1 < FIELDS && field_first((enum field)(f + 1)) == a->first[f]
		    ? (uint16_t)(f + 1)
		    : FIELDS;
	}
	bool good = true;
	for (unsigned i = 0; i < SIZES && good; i++) {
		good = pool_init(&a->records[i], "records of alerts", cell_sizes[i], LIMIT_ALERTS);
		pool_zero_only(&a->records[i], sizeof(uint32_t)); /* how much counts is known */
	}
	if (good &&
	    map_init(&a->open, "open alerts", sizeof(struct fingerprint), sizeof(struct open_alert),
		LIMIT_ALERTS) &&
	    map_init(&a->pairs, "hosts with alerts", sizeof(struct pair_key), sizeof(struct pair),
		LIMIT_ALERTS) &&
	    map_init(&a->counted, "mails that alerts counted", sizeof(struct counted_key),
		sizeof(const struct rule *), LIMIT_ALERT_EVENTS))
		return a;
	alerts_free(a);
	return NULL;
}

void
alerts_free(struct alerts *a)
{
	if (a == NULL)
		return;
	for (unsigned i = 0; i < SIZES; i++)
		pool_free_all(&a->records[i]);
	map_free_all(&a->open);
	map_free_all(&a->pairs);
	map_free_all(&a->counted);
	free(a);
}

const struct hash_key *
alerts_key(const struct alerts *a)
{
	return &a->key;
}

void
alerts_set_key(struct alerts *a, const struct hash_key *key)
{
	a->key = *key;
}

/* ------------------------------------------------------------------------------- keys */

/* Text for a hash: each part with its length before it, so that no two rows of parts are one.  A
 * short one is written at once, which takes a third of the time, and is nearly nothing where the
 * length is a constant. */
static inline __attribute__((always_inline)) void
add_part(struct text *t, const void *octets, size_t len)
{
	if (len < 100 && !t->cut && t->cap - t->len > len + 4) {
		char *to = t->buf + t->len;
		if (len >= 10)
			*to++ = (char)('0' + len / 10);
		*to++ = (char)('0' + len % 10);
		*to++ = ':';
		memcpy(to, octets, len);
		t->len = (size_t)(to - t->buf) + len;
		return;
	}
	text_add_u64(t, len);
	text_putc(t, ':');
	text_add(t, octets, len);
}

/* A value of that type, as it stands in a record. */
static void
add_value(struct text *t, enum field_type type, const uint8_t *s, size_t len)
{
	uint8_t octets[16] = {0};
	if (type == TYPE_STR) {
		add_part(t, s, len);
	} else if (type == TYPE_IP) {
		if (len == 1 + sizeof octets)
			memcpy(octets, s + 1, s[0] == 4 ? 4 : sizeof octets);
		add_part(t, octets, sizeof octets);
	} else {
		memcpy(octets, s, len < 8 ? len : 8);
		add_part(t, octets, 8);
	}
}

/* Fields of one name have the same meaning: of all of them.  Most have one value, or none, which is
 * told without a look at the octets. */
static void
add_values(const struct alerts *a, struct text *t, const struct record *r, enum field field)
{
	const uint8_t *s;
	size_t len;
	for (unsigned f = a->first[field]; f != FIELDS; f = a->next[f]) {
		for (uint32_t at = 0; record_has(r, (enum field)f) && at <= r->last[f] &&
		     (s = record_octets(r, (enum field)f, &at, &len)) != NULL;)
			add_value(t, (enum field_type)field_table[f].type, s, len);
	}
	if (t->cap - t->len > 1 && !t->cut)
		t->buf[t->len++] = '|';
}

static struct fingerprint
fingerprint_of(const struct alerts *a, const struct rule *rule, const struct record *r)
{
	static const uint16_t usual[] = {FIELD_SOURCE_IP, FIELD_DESTINATION_IP, FIELD_REASON};
	const uint16_t *key = rule->keys > 0 ? rule->key : usual;
	unsigned keys = rule->keys > 0 ? rule->keys : 3;
	char buf[4096];
	struct fingerprint f = {{0}};
	struct text t = text_in(buf, sizeof buf);
	const char *id = rule->id[0] != '\0' ? rule->id : rule->title;
	add_part(&t, id, strlen(id));
	for (unsigned i = 0; i < keys && !rule->single; i++)
		add_values(a, &t, r, (enum field)key[i]);
	hash_octets(&a->key, t.buf, t.len, f.octets);
	return f;
}

static struct pair_key
pair_of(const struct record *r)
{
	struct pair_key k;
	memset(&k, 0, sizeof k);
	k.client = record_ip(r, FIELD_SOURCE_IP);
	k.server = record_ip(r, FIELD_DESTINATION_IP);
	k.port = (uint16_t)record_u64(r, FIELD_DESTINATION_PORT, 0);
	return k;
}

static bool
about_readable(const struct record *r)
{
	return r->kind == RECORD_MESSAGE || record_is(r, FIELD_OUTCOME, "cleartext");
}

/* ------------------------------------------------------------------- what is counted */

/* False: nothing joins the record with others of its connection. */
static bool
counted_key(struct counted_key *k, const struct rule *rule, const struct record *r)
{
	size_t len;
	const char *id = record_str(r, FIELD_NETWORK_COMMUNITY_ID, &len);
	memset(k, 0, sizeof *k);
	if (rule->kind == RULE_CORRELATION || id == NULL || len > sizeof k->id)
		return false;
	k->rule = rule->number;
	memcpy(k->id, id, len);
	return true;
}

/* The exception of the mails with that key (see struct alerts); where the map is full, one entry is
 * forgotten for it. */
static const struct rule **
counted_put(struct alerts *a, const struct counted_key *k, uint64_t hash, bool *fresh)
{
	const void *key;
	void *value;
	const struct rule **by = map_put_hashed(&a->counted, k, hash, fresh);
	if (by != NULL)
		return by;
	if (!map_next(&a->counted, &a->forget, &key, &value)) {
		a->forget = 0;
		map_next(&a->counted, &a->forget, &key, &value);
	}
	map_remove_value(&a->counted, value);
	return map_put_hashed(&a->counted, k, hash, fresh);
}

/* Was this event counted already, as a mail of the connection? */
static bool
counted(struct alerts *a, const struct rule *rule, const struct record *r, uint64_t hash)
{
	struct counted_key k;
	if (!counted_key(&k, rule, r))
		return false;
	if (r->kind == RECORD_SESSION) {
		void *was = map_find_hashed(&a->counted, &k, hash);
		if (was != NULL)
			map_remove_value(&a->counted, was);
		return was != NULL;
	}
	const struct rule **by = counted_put(a, &k, hash, NULL);
	if (by != NULL)
		*by = NULL;
	return false;
}

const struct rule *
alerts_accepted(struct alerts *a, const struct rule *rule, const struct record *r,
    const struct rule *by)
{
	struct counted_key k;
	bool fresh = false;
	if ((by == NULL && !a->accepts) || !counted_key(&k, rule, r))
		return by;
	a->accepts = true;
	if (r->kind == RECORD_SESSION) {
		const struct rule **mails = map_find(&a->counted, &k);
		if (by == NULL && mails != NULL)
			by = *mails;
		if (by != NULL && mails != NULL)
			map_remove_value(&a->counted, mails);
		return by;
	}
	const struct rule **mails =
	    by != NULL ? counted_put(a, &k, map_expect(&a->counted, &k), &fresh) : NULL;
	if (mails != NULL && fresh)
		*mails = by;
	return by;
}

void
alerts_forget_rules(struct alerts *a)
{
	const void *key;
	void *value;
	for (uint32_t at = 0; map_next(&a->counted, &at, &key, &value);)
		map_remove_value(&a->counted, value);
	a->accepts = false;
}

/* ------------------------------------------------------------------- records of alerts */

static struct open_alert *
open_of(struct alert *x)
{
	return (struct open_alert *)x; /* its first member */
}

static const uint8_t *
record_of(const struct alerts *a, const struct alert *x)
{
	const struct open_alert *o = (const struct open_alert *)x;
	return o->cell != 0 ? pool_at(&a->records[o->size], o->cell) : (const uint8_t *)"";
}

/* Keeps `len` octets (LIMIT_ALERT_RECORD at most) as its record; there are as many cells of each
 * size as alerts. */
static void
keep(struct alerts *a, struct open_alert *o, const uint8_t *octets, uint32_t len)
{
	uint32_t size = 0;
	assert(len <= LIMIT_ALERT_RECORD);
	while (size + 1 < SIZES && cell_sizes[size] < len)
		size++;
	if (o->cell == 0 || o->size != size) {
		pool_give(&a->records[o->size], o->cell);
		o->cell = pool_take(&a->records[size]);
		o->size = size;
	}
	o->alert.kept = o->cell != 0 ? len : 0;
	if (o->cell != 0)
		memcpy(pool_at(&a->records[size], o->cell), octets, len);
}

void
alerts_keep(struct alerts *a, struct alert *x, const struct record *r)
{
	uint8_t octets[LIMIT_ALERT_RECORD];
	x->kind = r->kind;
	keep(a, open_of(x), octets, record_put_open(r, octets, sizeof octets));
}

/* -------------------------------------------------------------------------- opening, closing */

static void
leave_pair(struct alerts *a, struct open_alert *o)
{
	if (o->pair != NULL && --o->pair->open == 0)
		map_remove_value(&a->pairs, o->pair);
}

/* One that is about readable mail joins others between its hosts; there are as many pairs as
 * alerts, so that there is room. */
static void
join_pair(struct alerts *a, struct open_alert *o, uint64_t hash, bool readable)
{
	o->pair = readable ? map_put_hashed(&a->pairs, &o->alert.pair, hash, NULL) : NULL;
	o->alert.readable = o->pair != NULL;
	if (o->pair != NULL)
		o->pair->open++;
}

static void
close_alert(struct alerts *a, const void *key, struct alert *x)
{
	struct open_alert *o = open_of(x);
	leave_pair(a, o);
	/* one that is left out here is pruned from the file by its age */
	if (a->closed_count < LIMIT_ALERTS)
		memcpy(&a->closed[a->closed_count++], key, sizeof *a->closed);
	pool_give(&a->records[o->size], o->cell);
	map_remove_value(&a->open, o);
}

/* Of a few alerts the one that was silent for the longest time goes, with what it had counted. */
static void
give_up(struct alerts *a)
{
	void *value;
	const void *key =
	    map_stalest(&a->open, &a->search, offsetof(struct alert, last_ns), &value);
	if (key != NULL)
		close_alert(a, key, value);
}

static struct open_alert *
open_alert(struct alerts *a, const struct alert_place *at, const struct record *r, bool *fresh)
{
	struct open_alert *o = map_put_hashed(&a->open, &at->f, at->hash, fresh);
	if (o == NULL) {
		give_up(a);
		o = map_put_hashed(&a->open, &at->f, at->hash, fresh);
	}
	if (o == NULL || !*fresh)
		return o;
	o->alert.pair = at->pair;
	join_pair(a, o, at->pair_hash, about_readable(r));
	return o;
}

static void
wake(struct alerts *a, int64_t ns)
{
	if (ns < a->due_ns)
		a->due_ns = ns;
	if (ns < a->soonest_ns)
		a->soonest_ns = ns;
}

/* When `r` was; live, the clock of the judge may be ahead of it. */
static int64_t
time_of(const struct record *r, int64_t now_ns)
{
	int64_t ns = record_time(r, FIELD_TIMESTAMP, now_ns);
	return ns >= 0 && ns < now_ns ? ns : now_ns;
}

struct alert_place
alerts_expect(struct alerts *a, const struct rule *rule, const struct record *r)
{
	struct counted_key k;
	struct alert_place at = {.f = fingerprint_of(a, rule, r), .pair = pair_of(r)};
	at.hash = map_expect(&a->open, &at.f);
	at.pair_hash = map_expect(&a->pairs, &at.pair);
	if (counted_key(&k, rule, r))
		at.counted_hash = map_expect(&a->counted, &k);
	return at;
}

struct alert_report
alerts_event(struct alerts *a, const struct alert_place *at, const struct rule *rule,
    enum level level, const struct record *r, int64_t now_ns)
{
	int64_t when_ns = time_of(r, now_ns);
	struct alert_report report = {.state = ALERT_SILENT, .count = 1, .first_ns = when_ns};
	bool fresh = false, again = counted(a, rule, r, at->counted_hash);
	struct open_alert *o = open_alert(a, at, r, &fresh);
	if (o == NULL) { /* cannot be: one was given up */
		report.state = ALERT_NEW;
		return report;
	}
	struct alert *x = report.alert = &o->alert;
	if (o->pair != NULL) {
		o->pair->sealed = 0;
		o->pair->last_ns = now_ns;
	}
	x->resolved = false;
	x->dirty = true;
	if (fresh) {
		x->first_ns = when_ns;
		x->window_ns =
		    rule->window_ns > 0 ? rule->window_ns : LIMIT_ALERT_WINDOW_S * 1000000000ll;
		report.state = ALERT_NEW;
	} else {
		x->pending += !again;
		if (level > (enum level)x->level)
			report.state = ALERT_RAISED;
		else if (!again && now_ns >= x->window_end_ns)
			report.state = ALERT_REPEATED;
		report.count = x->pending > 0 ? x->pending : 1;
	}
	if (when_ns > x->last_ns || fresh)
		x->last_ns = when_ns;
	report.first_ns = x->first_ns;
	if (report.state != ALERT_SILENT) {
		x->pending = 0;
		x->level = (uint8_t)level;
		x->window_end_ns = now_ns + x->window_ns;
		wake(a, now_ns + HOUR_NS);
	} else if (x->pending > 0) {
		wake(a, x->window_end_ns);
	}
	return report;
}

void
alerts_sealed(struct alerts *a, const struct record *r, int64_t now_ns)
{
	const void *key;
	void *value;
	if (map_count(&a->pairs) == 0)
		return;
	struct pair_key k = pair_of(r);
	struct pair *p = map_find(&a->pairs, &k);
	if (p == NULL)
		return;
	p->last_ns = now_ns;
	if (++p->sealed < LIMIT_ALERT_SEALED)
		return;
	for (uint32_t at = 0; map_next(&a->open, &at, &key, &value);) {
		struct alert *x = value;
		if (x->readable && memcmp(&x->pair, &k, sizeof k) == 0) {
			x->resolved = true;
			x->dirty = true;
			x->last_ns = time_of(r, now_ns);
		}
	}
	a->walking = false; /* begin anew: some may stand before the place of the walk */
	a->due_ns = now_ns;
}

/* ------------------------------------------------------------------------- reporting */

void
alerts_put(struct record *r, enum alert_state state, uint64_t count, int64_t first_ns)
{
	static const char *const words[] = {"", "new", "repeated", "raised", "resolved"};
	record_put_word(r, FIELD_ALERT_STATE, words[state]);
	record_put_time(r, FIELD_ALERT_FIRST, first_ns);
	record_put_u64(r, FIELD_COUNT, count);
}

static void
compose(const struct alerts *a, struct record *out, const struct alert *x, enum alert_state state,
    uint64_t count)
{
	static const uint16_t anew[] = {FIELD_TIMESTAMP, FIELD_ALERT_STATE, FIELD_ALERT_FIRST,
	    FIELD_COUNT};
	static struct record kept; /* large, and used here only */
	record_take(&kept, RECORD_ALERT, record_of(a, x), x->kept);
	record_copy_without(out, &kept, anew, sizeof anew / sizeof *anew);
	record_put_time(out, FIELD_TIMESTAMP, x->last_ns);
	alerts_put(out, state, count, x->first_ns);
	if (state == ALERT_RESOLVED)
		record_set_word(out, FIELD_EVENT_ACTION, "alert-resolved");
}

/* -------------------------------------------------------------------- the state file */

struct map *
alerts_map(struct alerts *a)
{
	return &a->open;
}

void
alerts_row(const struct alerts *a, const struct alert *x, struct alert_row *out)
{
	memset(out, 0, sizeof *out);
	out->alert = *x;
	memcpy(out->data, record_of(a, x), x->kept);
}

bool
alert_is_sound(const struct alert_row *row)
{
	static struct record r; /* large, and used here only */
	const struct alert *x = &row->alert;
	uint8_t flags[4];
	memcpy(flags, &x->level, sizeof flags);
	if (x->kept > sizeof row->data || x->level >= LEVELS || flags[1] > 1 || flags[2] > 1 ||
	    x->first_ns < 0 || x->window_ns <= 0 || x->window_ns > 400 * 24 * HOUR_NS ||
	    x->window_end_ns < 0 || x->window_end_ns > INT64_MAX / 2 || x->kind > RECORD_ALERT)
		return false;
	return record_take(&r, RECORD_ALERT, row->data, x->kept);
}

bool
alerts_take(struct alerts *a, const struct fingerprint *f, const struct alert_row *row)
{
	bool fresh;
	const struct alert *x = &row->alert;
	struct open_alert *to = map_put(&a->open, f, &fresh);
	if (to == NULL || !fresh)
		return to == NULL; /* no room: older ones stay out */
	to->alert = *x;
	keep(a, to, row->data, x->kept);
	join_pair(a, to, map_expect(&a->pairs, &to->alert.pair), x->readable);
	if (to->pair != NULL)
		to->pair->sealed = x->sealed; /* of all alerts between the two the same */
	if (x->pending > 0)
		wake(a, x->window_end_ns);
	if (x->resolved)
		wake(a, x->last_ns);
	return true;
}

void
alerts_note_sealed(struct alerts *a)
{
	const void *key;
	void *value;
	for (uint32_t at = 0; map_next(&a->open, &at, &key, &value);) {
		struct alert *x = value;
		const struct pair *p = open_of(x)->pair;
		uint32_t sealed = p == NULL ? 0 : p->sealed;
		if (sealed > LIMIT_ALERT_SEALED)
			sealed = LIMIT_ALERT_SEALED;
		if (x->sealed != sealed) {
			x->sealed = (uint16_t)sealed;
			x->dirty = true;
		}
	}
}

bool
alerts_closed(const struct alerts *a, uint32_t i, struct fingerprint *out)
{
	if (i >= a->closed_count)
		return false;
	*out = a->closed[i];
	return true;
}

void
alerts_closed_forget(struct alerts *a)
{
	a->closed_count = 0;
}

void
alert_describe(const struct alert_row *row, struct text *name, struct text *about)
{
	const struct alert *x = &row->alert;
	char ip[ADDR_TEXT];
	static struct record r;
	struct record_value v;
	record_take(&r, RECORD_ALERT, row->data, x->kept);
	if (record_find(&r, FIELD_RULE_NAME, &v))
		text_add(name, v.str, v.len);
	text_puts(about,
	    level_name((enum level)x->level) != NULL ? level_name((enum level)x->level) : "");
	if (x->pair.client.family != 0)
		text_printf(about, " %s", addr_print(&x->pair.client, ip));
	if (x->pair.server.family != 0)
		text_printf(about, " to %s", addr_print(&x->pair.server, ip));
}

/* ------------------------------------------------------------------------- reporting */

/* Is something of this alert to be reported?  It is written to `out` then; *over: it ends. */
static bool
report(struct alerts *a, struct alert *x, int64_t now_ns, bool all, struct record *out, bool *over)
{
	if (x->resolved && x->pending == 0) {
		compose(a, out, x, ALERT_RESOLVED, LIMIT_ALERT_SEALED);
		*over = true;
		return true;
	}
	if (x->pending > 0 && (all || x->resolved || now_ns >= x->window_end_ns)) {
		compose(a, out, x, ALERT_REPEATED, x->pending);
		x->pending = 0;
		x->dirty = true;
		x->window_end_ns = now_ns + x->window_ns;
		return true;
	}
	if (x->pending > 0 && x->window_end_ns < a->soonest_ns)
		a->soonest_ns = x->window_end_ns;
	*over = now_ns - x->last_ns > LIMIT_ALERT_DAYS * 24 * HOUR_NS;
	return false;
}

bool
alerts_due(struct alerts *a, int64_t now_ns, bool all, struct record *out)
{
	const void *key;
	void *value;
	if (!a->walking) {
		if (now_ns < a->due_ns && !all)
			return false;
		a->walking = true;
		a->walk = 0;
		a->soonest_ns = FOREVER;
	}
	for (uint32_t at = a->walk; map_next(&a->open, &a->walk, &key, &value); at = a->walk) {
		struct alert *x = value;
		bool over = false, said = report(a, x, now_ns, all, out, &over);
		if (said && x->resolved && !over)
			a->walk = at; /* that it is resolved comes next */
		if (over)
			close_alert(a, key, x);
		if (said)
			return true;
	}
	a->walking = false;
	a->due_ns = a->soonest_ns;
	if (map_count(&a->open) > 0 && a->due_ns - HOUR_NS > now_ns)
		a->due_ns = now_ns + HOUR_NS;
	return false;
}
