/*
 * Who the two sides are: see who.h.
 *
 * The rows of one kind of text are chained by the octet that must begin (or end) what they look
 * for, so that a text costs a look at each of its words and a compare for the few rows that begin
 * alike.
 */
#include "enrich/who.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "record/read.h"

/* In the order in which, of equal weight, they count. */
enum where {
	GREETING,
	KEYWORD,
	RECEIVED,
	HELO,
	MAILER,
	AGENT,
	COMMAND,
	MESSAGE_ID,
	VENDOR,
	WHERES
};
enum how { WORD, PART, FIRST, LAST, SHAPE };
enum who_class { NONE, PRINTER, APPLICATION, CLIENT, MTA, MONITOR };

#define CLIENT_WHERES RECEIVED /* the first that tells of the client */

struct software {
	const char *text;
	const char *name; /* NULL: it tells the class alone */
	uint8_t where, how, class, weight;
};

static const struct software rows[] = {
#define SOFTWARE(where, how, text, name, class, weight) {text, name, where, how, class, weight},
#include "enrich/software.def"
#undef SOFTWARE
};
#define ROWS (sizeof rows / sizeof *rows)

/* A mail with a Received field: who sends it passes it on. */
static const struct software relays = {"it passes mail on", NULL, RECEIVED, WORD, MTA, 2};

#define TOLD_WAYS 8u /* connections whose ids may fall into one row */

/* What the mails of a connection told, for its session's record, which comes last. */
struct told {
	uint8_t id[40];			    /* network.community_id, padded with zeros */
	const struct software *row[WHERES]; /* NULL: nothing */
};

#define BECAUSE 64u /* octets of a reason that is kept */

#define KNOWN 4096u /* texts whose match is remembered, a power of two */

/* The match of a text that was looked at: greetings and programs are the same in thousands of
 * records, and to know one costs a twentieth of looking at it. */
struct known {
	uint8_t hash[16];	    /* keyed, of the text */
	const struct software *row; /* NULL: nothing */
	uint8_t len, seen_len;	    /* of struct match */
	uint8_t seen_at;	    /* where in the text what fits a shape begins */
	uint8_t where;		    /* enum where */
	bool taken;
};

/* Chains of rows: number of the first one and 1, 0 for none. */
struct who {
	struct known *known;	    /* by their hash; of two that fall together the later stays */
	uint16_t head[WHERES][256]; /* FIRST and SHAPE, by the first octet in lower case; 0 has
				       those that begin with any */
	uint16_t tail[WHERES][256]; /* LAST, by the last one */
	uint16_t word[WHERES][256]; /* WORD and PART, by the first one */
	uint16_t next[ROWS];
	uint8_t len[ROWS]; /* octets of the row's text */
	struct {
		uint8_t len; /* 0: not made yet */
		char text[BECAUSE];
	} because[ROWS];    /* why, in words, where these are the same for all that fits a row */
	bool words[WHERES]; /* WORD and PART have rows there */
	struct hash_key key;
	struct told told[LIMIT_WHO_OPEN / TOLD_WAYS][TOLD_WAYS]; /* by a keyed hash of the id */
	unsigned turn;						 /* which of a full row goes next */
	unsigned told_count;
};

/* What was found in one text; row NULL for nothing. */
struct match {
	const struct software *row;
	size_t len;	  /* of the row's text */
	const char *seen; /* SHAPE: what fits it */
	size_t seen_len;
};

static uint8_t
lower(char c)
{
	return (uint8_t)ascii_lower(c);
}

struct who *
who_new(void)
{
	struct who *w = calloc(1, sizeof *w);
	if (w == NULL || (w->known = calloc(KNOWN, sizeof *w->known)) == NULL) {
		free(w);
		return NULL;
	}
	hash_key_draw(&w->key);
	for (size_t i = ROWS;
	     i-- > 0;) { /* from the end, so that chains are in the table's order */
		const struct software *s = &rows[i];
		size_t len = strlen(s->text);
		uint8_t first = s->text[0] == '[' ? 0 : lower(s->text[0]);
		uint16_t *chain = s->how == LAST ? &w->tail[s->where][lower(s->text[len - 1])]
		    : s->how == FIRST || s->how == SHAPE ? &w->head[s->where][first]
							 : &w->word[s->where][first];
		w->len[i] = (uint8_t)len;
		w->words[s->where] |= s->how == WORD || s->how == PART;
		w->next[i] = *chain;
		*chain = (uint16_t)(i + 1);
	}
	return w;
}

void
who_free(struct who *w)
{
	if (w != NULL)
		free(w->known);
	free(w);
}

/* ---- one text ---- */

static bool
is_alnum(char c)
{
	return (uint8_t)(ascii_lower(c) - 'a') < 26 || (uint8_t)(c - '0') < 10;
}

static bool
is_of_class(char class, char c)
{
	char l = ascii_lower(c);
	bool digit = c >= '0' && c <= '9';
	switch (class) {
	case 'd': return digit;
	case 'x': return digit || (l >= 'a' && l <= 'f');
	case 't':
		if (c == '_' || c == '-' || c == '+' || c == '/' || c == '=')
			return true;
		/* fallthrough */
	default: return is_alnum(c);
	}
}

/* Does `s` have the shape?  *seen: octets of it that the shape is about. */
static bool
has_shape(const char *shape, enum where where, const char *s, size_t len, size_t *seen)
{
	size_t at = 0;
	while (*shape != '\0' && *shape != '*') {
		if (*shape != '[') {
			if (at == len || ascii_lower(s[at++]) != ascii_lower(*shape++))
				return false;
			continue;
		}
		char class = shape[1];
		size_t least = 0, most = 0, n = 0;
		bool range = false;
		for (shape += 2; *shape != ']'; shape++) {
			if (*shape == '-')
				range = true;
			else if (!range)
				least = 10 * least + (size_t)(*shape - '0');
			else
				most = 10 * most + (size_t)(*shape - '0');
		}
		shape++;
		most = range ? most : least > 0 ? least : LIMIT_TEXT;
		least = least > 0 ? least : 1;
		while (n < most && at < len && is_of_class(class, s[at])) {
			at++;
			n++;
		}
		if (n < least)
			return false;
	}
	*seen = at;
	return *shape == '*' || at == len || (where == HELO && s[at] == '.');
}

static void
keep_best(struct match *best, const struct software *row, size_t len, const char *seen,
    size_t seen_len)
{
	if (best->row != NULL &&
	    (best->row->weight > row->weight ||
		(best->row->weight == row->weight && best->len >= len)))
		return;
	*best = (struct match){row, len, seen, seen_len};
}

static void
look_at_head(const struct who *w, enum where where, const char *s, size_t len, struct match *best)
{
	for (unsigned any = 0; any < 2; any++) {
		for (uint16_t i = w->head[where][any ? 0 : lower(s[0])]; i != 0;
		     i = w->next[i - 1]) {
			const struct software *row = &rows[i - 1];
			size_t n = w->len[i - 1], seen = 0;
			if (row->how == FIRST ? ascii_begins(s, len, row->text)
					      : has_shape(row->text, where, s, len, &seen))
				keep_best(best, row, n, s, seen);
		}
	}
}

static void
look_at_tail(const struct who *w, enum where where, const char *s, size_t len, struct match *best)
{
	for (uint16_t i = w->tail[where][lower(s[len - 1])]; i != 0; i = w->next[i - 1]) {
		size_t n = w->len[i - 1];
		if (n <= len && ascii_is(s + len - n, n, rows[i - 1].text))
			keep_best(best, &rows[i - 1], n, s, 0);
	}
}

/* Words that begin at `at`. */
static void
look_at_word(const struct who *w, enum where where, const char *s, size_t len, size_t at,
    struct match *best)
{
	for (uint16_t i = w->word[where][lower(s[at])]; i != 0; i = w->next[i - 1]) {
		const struct software *row = &rows[i - 1];
		size_t n = w->len[i - 1];
		if (n > len - at || !ascii_begins(s + at, len - at, row->text))
			continue;
		bool goes_on =
		    at + n < len && is_alnum(s[at + n]) && !(s[at + n] >= '0' && s[at + n] <= '9');
		if (row->how == PART || !goes_on)
			keep_best(best, row, n, s, 0);
	}
}

static size_t
word_len(const char *s, size_t len)
{
	const char *end = len > 0 ? memchr(s, ' ', len) : NULL;
	return end != NULL ? (size_t)(end - s) : len;
}

/* Is it a host name, of two labels or more?  "8.17.1" and "v2.0" are none. */
static bool
is_host(const char *s, size_t len)
{
	bool dot = false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && s[i] != '.' && s[i] != '-' && s[i] != '_')
			return false;
		dot = dot ||
		    (s[i] == '.' && i > 0 && i + 1 < len && is_alnum(s[i + 1]) &&
			!(s[i + 1] >= '0' && s[i + 1] <= '9'));
	}
	return dot;
}

/* A word of a greeting, `n` octets at `at`: of a host its name counts. */
static void
look_at_part(const struct who *w, const char *s, size_t len, size_t at, size_t n,
    struct match *best)
{
	if (n > 0 && is_host(s + at, n)) {
		look_at_tail(w, GREETING, s + at, n, best);
		return;
	}
	for (size_t i = at; i < at + n; i++) {
		if (i == at || !is_alnum(s[i - 1]))
			look_at_word(w, GREETING, s, len, i, best);
	}
}

static struct match
look_at_greeting(const struct who *w, const char *s, size_t len)
{
	struct match best = {0};
	for (size_t at = 0, n; at < len; at += n + 1) {
		n = word_len(s + at, len - at);
		look_at_part(w, s, len, at, n, &best);
	}
	return best;
}

static struct match
look_anew(const struct who *w, enum where where, const char *s, size_t len)
{
	struct match best = {0};
	if (where == GREETING)
		return look_at_greeting(w, s, len);
	look_at_head(w, where, s, len, &best);
	look_at_tail(w, where, s, len, &best);
	for (size_t i = 0; w->words[where] && i < len && !(where == HELO && s[i] == '.'); i++) {
		if (i == 0 || !is_alnum(s[i - 1]))
			look_at_word(w, where, s, len, i, &best);
	}
	return best;
}

/* Could any row fit, by how the text begins and ends?  Of what a server offers, hardly ever. */
static bool
may_fit(const struct who *w, enum where where, const char *s, size_t len)
{
	return w->words[where] || where == GREETING || w->head[where][lower(s[0])] != 0 ||
	    w->head[where][0] != 0 || w->tail[where][lower(s[len - 1])] != 0;
}

static struct match
look_at(const struct who *w, enum where where, const char *s, size_t len)
{
	uint8_t hash[16];
	uint64_t place;
	len = len < LIMIT_TEXT ? len : LIMIT_TEXT;
	if (len == 0 || !may_fit(w, where, s, len))
		return (struct match){0};
	if (where == MESSAGE_ID) /* no two are alike */
		return look_anew(w, where, s, len);
	hash_octets(&w->key, s, len, hash);
	memcpy(&place, hash, sizeof place);
	struct known *k = &w->known[(place + where) % KNOWN];
	if (k->where != where || !k->taken || memcmp(k->hash, hash, sizeof hash) != 0) {
		struct match m = look_anew(w, where, s, len);
		size_t at = m.seen != NULL ? (size_t)(m.seen - s) : 0;
		*k = (struct known){.row = m.row,
		    .len = (uint8_t)m.len,
		    .seen_len = (uint8_t)m.seen_len,
		    .seen_at = (uint8_t)at,
		    .where = (uint8_t)where,
		    .taken = true};
		memcpy(k->hash, hash, sizeof hash);
	}
	return (struct match){k->row, k->len, s + k->seen_at, k->seen_len};
}

/* ---- a record ---- */

/* Octets of the record; len 0: none. */
struct words {
	const char *s;
	size_t len;
};

/* What a record says of its two sides. */
struct clues {
	struct match match[WHERES];
	uint8_t id[40]; /* network.community_id, padded with zeros */
	struct words mailer, message_id;
	struct words mac[2]; /* of client and server */
	bool near[2];	     /* no router is before it */
	unsigned hops;	     /* mail servers that had it before, the client among them */
	bool mail;	     /* it sent mail */
	bool no_mail;	     /* it did not */
	bool fetched;	     /* its mails are others', and so are their fields */
	bool forwarded;	     /* others stand behind the client */
};

static bool
read_mac(const char *s, size_t len, uint8_t mac[6])
{
	if (len != 17)
		return false;
	for (unsigned i = 0; i < 6; i++) {
		unsigned octet = 0;
		for (unsigned k = 0; k < 2; k++) {
			char c = ascii_lower(s[3 * i + k]);
			if (!is_of_class('x', c))
				return false;
			octet = octet << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		mac[i] = (uint8_t)octet;
	}
	return true;
}

static void
take_text(const struct who *w, struct clues *c, enum where where, const char *s, size_t len)
{
	if (c->match[where].row == NULL)
		c->match[where] = look_at(w, where, s, len);
}

/* Each value of an array, until one tells. */
static void
take_texts(const struct who *w, struct clues *c, enum where where, const struct record *r,
    enum field field)
{
	size_t len;
	const uint8_t *s;
	for (uint32_t at = 0; (s = record_octets(r, field, &at, &len)) != NULL;) {
		c->match[where] = look_at(w, where, (const char *)s, len);
		if (c->match[where].row != NULL)
			return;
	}
}

/* The first word of a greeting is a name, even where it is a single label (RFC 5321 section 4.2),
 * unless nothing follows that tells.  The rest is the same for thousands of servers. */
static void
take_greeting(const struct who *w, struct clues *c, const char *s, size_t len)
{
	struct match *m = &c->match[GREETING];
	len = len < LIMIT_TEXT ? len : LIMIT_TEXT;
	size_t n = word_len(s, len);
	if (n < len)
		*m = look_at(w, GREETING, s + n + 1, len - n - 1);
	if (m->row == NULL)
		look_at_part(w, s, len, 0, n, m);
}

/* Which servers had it before; the newest was written by the client. */
static void
take_hop(const struct who *w, struct clues *c, const struct record_value *v)
{
	switch ((int)v->field) {
	case FIELD_HOP: c->hops++; break;
	case FIELD_HOP_WITH:
		if (ascii_begins(v->str, v->len, "HTTP")) /* written in a browser */
			c->hops -= c->hops > 0;
		break;
	case FIELD_HOP_SOFTWARE:
		if (c->hops == 1)
			take_text(w, c, RECEIVED, v->str, v->len);
		break;
	default: break;
	}
}

static struct words
words_of(const struct record *r, enum field field)
{
	struct words t;
	t.s = record_str(r, field, &t.len);
	return t;
}

static bool
is_word(const struct record *r, enum field field, const char *word)
{
	struct words t = words_of(r, field);
	return t.s != NULL && ascii_is(t.s, t.len, word);
}

/* The Message-ID without its brackets. */
static void
take_message_id(const struct who *w, struct clues *c)
{
	struct words t = c->message_id;
	while (t.len > 0 && (*t.s == ' ' || *t.s == '<')) {
		t.s++;
		t.len--;
	}
	while (t.len > 0 && (t.s[t.len - 1] == ' ' || t.s[t.len - 1] == '>'))
		t.len--;
	take_text(w, c, MESSAGE_ID, t.s, t.len);
	struct match *m = &c->match[MESSAGE_ID];
	/* a server that got the mail from a program of its own machine gives it one */
	if (m->row != NULL && c->hops > 0 && !(c->hops == 1 && m->row->class == MTA))
		m->row = NULL;
}

static void
take_id(uint8_t id[40], const struct record *r)
{
	struct words t = words_of(r, FIELD_NETWORK_COMMUNITY_ID);
	if (t.len > 0)
		memcpy(id, t.s, t.len < 40 ? t.len : 40);
}

static void
take_all(const struct who *w, struct clues *c, const struct record *r)
{
	struct record_value v;
	memset(c, 0, sizeof *c);
	struct words helo = words_of(r, FIELD_HELO), greeting = words_of(r, FIELD_GREETING);
	take_id(c->id, r);
	c->mac[0] = words_of(r, FIELD_SOURCE_MAC);
	c->mac[1] = words_of(r, FIELD_DESTINATION_MAC);
	c->near[0] = record_u64(r, FIELD_CLIENT_DISTANCE, 1) == 0;
	c->near[1] = record_u64(r, FIELD_SERVER_DISTANCE, 1) == 0;
	c->forwarded = record_has(r, FIELD_NETWORK_FORWARDED_IP);
	c->mailer = words_of(r, FIELD_EMAIL_X_MAILER);
	c->message_id = words_of(r, FIELD_EMAIL_MESSAGE_ID);
	c->mail = record_u64(r, FIELD_ENVELOPES, 0) > 0;
	c->no_mail = is_word(r, FIELD_OUTCOME, "no-mail");
	c->fetched = is_word(r, FIELD_NETWORK_PROTOCOL, "imap") ||
	    is_word(r, FIELD_NETWORK_PROTOCOL, "pop3");
	take_text(w, c, HELO, helo.s, helo.len);
	take_greeting(w, c, greeting.s, greeting.len);
	take_texts(w, c, KEYWORD, r, FIELD_CAPABILITIES);
	take_texts(w, c, AGENT, r, FIELD_CLIENT_AGENT);
	take_texts(w, c, COMMAND, r, FIELD_USED);
	for (uint32_t at = 0; record_has(r, FIELD_HOP) && record_next(r, &at, &v);)
		take_hop(w, c, &v);
	c->mail = c->mail || r->kind == RECORD_MESSAGE;
	if (c->fetched) {
		c->match[RECEIVED].row = NULL;
		return;
	}
	if (c->hops == 0)
		take_text(w, c, MAILER, c->mailer.s, c->mailer.len);
	else if (c->match[RECEIVED].row == NULL)
		c->match[RECEIVED].row = &relays;
	take_message_id(w, c);
}

/* What is noted of the connection; of a mail a fresh entry, in whose favour another may go: then
 * that one's session says less.  NULL where there is none. */
static struct told *
told_of(struct who *w, const uint8_t id[40], bool mail)
{
	struct told *row = w->told[hash_40(&w->key, id) % (LIMIT_WHO_OPEN / TOLD_WAYS)];
	struct told *t = NULL;
	for (unsigned i = 0; i < TOLD_WAYS; i++) {
		if (memcmp(row[i].id, id, sizeof row[i].id) == 0)
			return &row[i];
		t = row[i].id[0] == 0 ? &row[i] : t;
	}
	if (!mail)
		return NULL;
	t = t != NULL ? t : &row[w->turn++ % TOLD_WAYS];
	w->told_count += t->id[0] == 0;
	memset(t, 0, sizeof *t);
	memcpy(t->id, id, sizeof t->id);
	return t;
}

static void
forget(struct who *w, struct told *t)
{
	memset(t, 0, sizeof *t);
	w->told_count--;
}

/* Of a mail, notes what it told of the client; of its session, adds that, once. */
static void
share(struct who *w, struct clues *c, const struct record *r)
{
	static const enum where shared[] = {RECEIVED, MAILER, MESSAGE_ID};
	bool mail = r->kind == RECORD_MESSAGE, any = !mail;
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
		any = any || c->match[shared[i]].row != NULL;
	struct told *t = any && c->id[0] != 0 && !c->fetched ? told_of(w, c->id, mail) : NULL;
	for (size_t i = 0; t != NULL && i < sizeof shared / sizeof *shared; i++) {
		enum where where = shared[i];
		if (!mail)
			c->match[where].row = t->row[where];
		else if (t->row[where] == NULL)
			t->row[where] = c->match[where].row;
	}
	if (t != NULL && !mail)
		forget(w, t);
}

/* A monitor looks and sends nothing; of who sends, its name tells that it is a program. */
static enum who_class
class_of(const struct clues *c, const struct software *row)
{
	if (row->class != MONITOR)
		return (enum who_class)row->class;
	return c->mail ? APPLICATION : c->no_mail ? MONITOR : NONE;
}

/* "helo: BRN0080...", "message-id: JavaMail's shape" */
static void
add_because(struct text *t, enum where where, const struct match *m)
{
	static const char *const words[WHERES] = {[GREETING] = "greeting",
	    [KEYWORD] = "ehlo keyword",
	    [RECEIVED] = "received",
	    [HELO] = "helo",
	    [MAILER] = "mailer",
	    [AGENT] = "agent",
	    [COMMAND] = "command",
	    [MESSAGE_ID] = "message-id",
	    [VENDOR] = "network card"};
	const struct software *row = m->row;
	text_puts(t, words[where]);
	text_puts(t, ": ");
	if (where == MESSAGE_ID || where == VENDOR) {
		text_puts(t, row->name);
		text_puts(t, where == MESSAGE_ID ? "'s shape" : "");
	} else if (row->how == SHAPE) { /* letters and digits: has_shape saw to it */
		text_add(t, m->seen, m->seen_len < 7 ? m->seen_len : 7);
		text_puts(t, m->seen_len > 7 ? "..." : "");
	} else {
		text_puts(t, row->how == LAST ? "*" : "");
		text_puts(t, row->text);
	}
}

static void
put_because(struct who *w, struct record *r, enum field field, enum where where,
    const struct match *m)
{
	char buf[LIMIT_TEXT];
	struct text t = text_in(buf, sizeof buf);
	const struct software *row = m->row;
	bool same = row != &relays && (row->how != SHAPE || where == MESSAGE_ID);
	size_t i = same ? (size_t)(row - rows) : 0;
	if (same && w->because[i].len > 0) {
		record_put_str(r, field, w->because[i].text, w->because[i].len);
		return;
	}
	add_because(&t, where, m);
	record_put_str(r, field, t.buf, t.len);
	if (same && t.len < BECAUSE) {
		memcpy(w->because[i].text, t.buf, t.len);
		w->because[i].len = (uint8_t)t.len;
	}
}

static void
put_client(struct who *w, const struct clues *c, struct record *r)
{
	static const char *const names[] = {[NONE] = NULL,
	    [PRINTER] = "printer",
	    [APPLICATION] = "application",
	    [CLIENT] = "mail-client",
	    [MTA] = "mta",
	    [MONITOR] = "monitor"};
	const struct software *by_class = NULL, *by_name = NULL;
	for (unsigned i = CLIENT_WHERES; i < WHERES; i++) {
		const struct software *row = c->match[i].row;
		if (row != NULL && class_of(c, row) != NONE &&
		    (by_class == NULL || row->weight > by_class->weight))
			by_class = row;
	}
	enum who_class class = by_class != NULL ? class_of(c, by_class) : NONE;
	for (unsigned i = CLIENT_WHERES; i < WHERES; i++) {
		const struct software *row = c->match[i].row;
		if (row != NULL && row->name != NULL &&
		    (class_of(c, row) == class || class_of(c, row) == NONE) &&
		    (by_name == NULL || row->weight > by_name->weight))
			by_name = row;
	}
	record_put_word(r, FIELD_CLIENT_SOFTWARE, by_name != NULL ? by_name->name : NULL);
	record_put_word(r, FIELD_CLIENT_CLASS, names[class]);
	for (unsigned i = CLIENT_WHERES; i < WHERES; i++) {
		const struct software *row = c->match[i].row;
		if (row == NULL || (class_of(c, row) != class && class_of(c, row) != NONE) ||
		    (row->name != NULL && strcmp(row->name, by_name->name) != 0))
			continue;
		put_because(w, r, FIELD_CLIENT_BECAUSE, (enum where)i, &c->match[i]);
	}
}

static void
put_server(struct who *w, const struct clues *c, struct record *r)
{
	const struct match *greeting = &c->match[GREETING], *keyword = &c->match[KEYWORD];
	const struct software *row = greeting->row != NULL ? greeting->row : keyword->row;
	if (row == NULL)
		return;
	record_put_word(r, FIELD_SERVER_SOFTWARE, row->name);
	for (unsigned i = GREETING; i < CLIENT_WHERES; i++) {
		const struct software *also = c->match[i].row;
		if (also != NULL && strcmp(also->name, row->name) == 0)
			put_because(w, r, FIELD_SERVER_BECAUSE, (enum where)i, &c->match[i]);
	}
}

void
who_forget(struct who *w, const struct record *session)
{
	uint8_t id[40] = {0};
	if (w->told_count == 0)
		return;
	take_id(id, session);
	struct told *t = id[0] != 0 ? told_of(w, id, false) : NULL;
	if (t != NULL)
		forget(w, t);
}

void
who_apply(struct who *w, struct vendors *v, struct record *r)
{
	static const enum field mine[] = {FIELD_CLIENT_SOFTWARE, FIELD_CLIENT_CLASS,
	    FIELD_CLIENT_BECAUSE, FIELD_CLIENT_VENDOR, FIELD_SERVER_SOFTWARE, FIELD_SERVER_VENDOR};
	struct clues c;
	for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) {
		if (record_has(r, mine[i]))
			return;
	}
	take_all(w, &c, r);
	share(w, &c, r);
	for (unsigned side = 0; side < 2; side++) {
		uint8_t mac[6];
		if (!c.near[side] || (side == 0 && c.forwarded) ||
		    !read_mac(c.mac[side].s, c.mac[side].len, mac))
			continue;
		const char *maker = vendors_look_up(v, mac);
		if (maker == NULL)
			continue;
		record_put_word(r, side == 0 ? FIELD_CLIENT_VENDOR : FIELD_SERVER_VENDOR, maker);
		if (side == 0)
			c.match[VENDOR] = look_at(w, VENDOR, maker, strlen(maker));
	}
	put_client(w, &c, r);
	put_server(w, &c, r);
}
