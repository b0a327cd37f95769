/* The summary of a report: see summary.h. */
#include "sink/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "record/read.h"
#include "sink/draw.h"

#define BAR	  26u /* columns of the longest bar */
#define SECOND_NS 1000000000ll
#define DAY_NS	  (86400 * SECOND_NS)
#define ALIGNED	  18u /* columns of an address behind which names stand in line */
#define FAULTS	  5u  /* damaged inputs named */

/* An address that spoke in clear. */
struct peer {
	uint64_t connections, mails, logins;
	char name[64]; /* what it calls itself */
	char country[CARD_COUNTRY];
};

bool
summary_init(struct summary *s)
{
	memset(s, 0, sizeof *s);
	s->last = malloc(sizeof *s->last);
	s->alerts = calloc(1, sizeof *s->alerts);
	if (s->last == NULL || s->alerts == NULL) {
		summary_free_all(s);
		return false;
	}
	record_begin(s->last, RECORD_SESSION);
	if (map_init(&s->clients.map, "clients", sizeof(struct addr), sizeof(struct peer),
		LIMIT_PEERS) &&
	    map_init(&s->servers.map, "servers", sizeof(struct addr), sizeof(struct peer),
		LIMIT_PEERS))
		return true;
	summary_free_all(s);
	return false;
}

void
summary_free_all(struct summary *s)
{
	map_free_all(&s->clients.map);
	map_free_all(&s->servers.map);
	free(s->last);
	free(s->alerts);
	s->last = NULL;
	s->alerts = NULL;
}

static void
count_peer(struct peers *peers, const struct addr *a, const struct clear *c, bool client)
{
	struct peer *p = map_put(&peers->map, a, NULL);
	if (p == NULL) {
		peers->more++;
		return;
	}
	p->connections++;
	p->mails += c->mails;
	p->logins += c->logins;
	if (p->name[0] == '\0') {
		char name[CARD_NAME];
		struct text t = text_in(p->name, sizeof p->name);
		clear_name(c, client, name);
		text_puts(&t, name);
	}
	if (p->country[0] == '\0')
		clear_country(c, client, p->country);
}

static void
count_text(struct tally *tally, const char *s, size_t len)
{
	char shown[sizeof tally->text[0]];
	struct text t = text_in(shown, sizeof shown);
	for (unsigned i = 0; i < TALLY && tally->n[i] > 0; i++) {
		if (len < sizeof shown && memcmp(tally->text[i], s, len) == 0 &&
		    tally->text[i][len] == '\0') {
			tally->n[i]++; /* it was made safe to show, and so that is as it is */
			return;
		}
	}
	text_add_wire(&t, s, len);
	for (unsigned i = 0; i < TALLY; i++) {
		if (tally->n[i] == 0)
			memcpy(tally->text[i], shown, sizeof shown);
		if (strcmp(tally->text[i], shown) == 0) {
			tally->n[i]++;
			return;
		}
	}
}

static void
count_failure(struct summary *s, const struct record *r)
{
	struct record_value v;
	if (record_find(r, FIELD_TLS_ALERT, &v))
		count_text(&s->failures, v.str, v.len);
	else
		count_text(&s->failures, "no alert seen", 13);
}

static void
count_unknown(struct summary *s, const struct record *r)
{
	struct record_value v;
	const char *why = "showed too little";
	if (record_find(r, FIELD_VISIBILITY, &v) && !ascii_is(v.str, v.len, "both"))
		why = "captured in one direction only";
	else if (record_find(r, FIELD_MIDSTREAM, &v) && v.u64 != 0)
		why = "begun before the capture";
	else if (record_find(r, FIELD_GAP_BYTES, &v) && v.u64 > 0)
		why = "octets missing";
	count_text(&s->unknowns, why, strlen(why));
}

void
summary_take_alert(struct summary *s, const struct record *r)
{
	alert_list_take(s->alerts, r);
}

void
summary_take_session(struct summary *s, const struct record *r, const struct clear *clear)
{
	size_t len;
	const char *word = record_str(r, FIELD_OUTCOME, &len);
	int outcome = word != NULL ? words_outcome(word, len) : OUTCOME_UNKNOWN;
	static const uint16_t times[] = {FIELD_EVENT_START, FIELD_EVENT_END, FIELD_TIMESTAMP};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		if (!record_has(r, (enum field)times[i]))
			continue;
		int64_t ns = record_time(r, (enum field)times[i], 0);
		if (s->first_ns == 0 || ns < s->first_ns)
			s->first_ns = ns;
		if (ns > s->last_ns)
			s->last_ns = ns;
	}
	if (outcome == OUTCOMES)
		outcome = OUTCOME_UNKNOWN;
	s->outcomes[outcome]++;
	if (outcome == OUTCOME_UNKNOWN)
		count_unknown(s, r);
	if (outcome == OUTCOME_TLS_FAILED)
		count_failure(s, r);
	if (clear == NULL)
		return;
	s->mails += clear->mails;
	s->logins += clear->logins;
	count_text(&s->reasons, clear->reason, strlen(clear->reason));
	count_peer(&s->clients, &clear->client, clear, true);
	count_peer(&s->servers, &clear->server, clear, false);
}

void
summary_take_summary(struct summary *s, const struct record *r)
{
	memcpy(s->last, r, sizeof *r);
}

uint64_t
summary_number(const struct summary *s, enum field f, uint64_t otherwise)
{
	struct record_value v;
	return record_find(s->last, f, &v) ? v.u64 : otherwise;
}

static void
draw_headline(struct page *p, const struct summary *s, const uint64_t outcomes[OUTCOMES],
    uint64_t all)
{
	char line[400];
	struct text t = text_in(line, sizeof line);
	uint64_t clear = outcomes[OUTCOME_CLEARTEXT];
	uint64_t flows = summary_number(s, FIELD_SUM_FLOWS, UINT64_MAX);
	if (all == 0) {
		text_puts(&t, "No mail connection in this capture.");
		if (flows == 0)
			text_puts(&t, " It has no TCP connection at all.");
		if (flows > 0 && flows != UINT64_MAX) {
			text_puts(&t, " It has ");
			words_count(&t, flows, "TCP connection");
			text_printf(&t, "; %s SMTP, IMAP or POP3.",
			    flows == 1 ? "it did not speak" : "none of them spoke");
		}
	} else if (clear == 0) {
		text_puts(&t, "No readable mail or password in ");
		words_count(&t, all, "mail connection");
		text_puts(&t, ".");
	} else {
		uint64_t mails = summary_number(s, FIELD_SUM_MESSAGES, s->mails);
		uint64_t logins = summary_number(s, FIELD_SUM_CREDENTIALS, s->logins);
		text_add_count(&t, clear);
		text_puts(&t, " of ");
		words_count(&t, all, "mail connection");
		text_puts(&t, " could be read on the way: ");
		uint64_t bare = summary_number(s, FIELD_SUM_ENVELOPES, 0);
		if (mails > 0 || bare == 0)
			words_count(&t, mails, "mail");
		if (bare > 0) {
			text_puts(&t, mails == 0 ? "" : logins > 0 ? ", " : " and ");
			words_count(&t, bare, "envelope");
		}
		if (logins > 0) {
			text_puts(&t, " and ");
			words_count(&t, logins, "login");
		}
		text_puts(&t, ".");
	}
	page_tab(p, DRAW_LABEL);
	page_wrap(p, STYLE_BOLD, DRAW_LABEL, line);
	page_line(p);
	page_line(p);
}

static void
draw_outcomes(struct page *p, const uint64_t outcomes[OUTCOMES], uint64_t all)
{
	if (all == 0)
		return;
	for (int o = 0; o < OUTCOMES; o++) {
		char line[64];
		struct text t = text_in(line, sizeof line);
		if (outcomes[o] == 0)
			continue;
		page_tab(p, DRAW_LABEL);
		page_put(p, words_outcome_style(o), words_outcome_name(o));
		page_tab(p, DRAW_VALUE);
		text_add_count(&t, outcomes[o]);
		page_tab(p, DRAW_VALUE + (t.len < 11 ? 11 - (unsigned)t.len : 0));
		page_put(p, STYLE_PLAIN, line);
		t = text_in(line, sizeof line);
		words_percent(&t, outcomes[o], all);
		page_tab(p, DRAW_VALUE + 17 - (unsigned)t.len);
		page_put(p, STYLE_DIM, line);
		page_tab(p, DRAW_VALUE + 19);
		page_bar(p, words_outcome_style(o), (double)outcomes[o] / (double)all, BAR);
		page_line(p);
	}
	page_line(p);
}

/* Which text of a tally comes next, the most frequent first; TALLY after the last.  `drawn` are
 * those that came. */
static unsigned
tally_next(const struct tally *tally, bool drawn[TALLY])
{
	unsigned most = TALLY;
	for (unsigned i = 0; i < TALLY; i++) {
		if (!drawn[i] && tally->n[i] > 0 && (most == TALLY || tally->n[i] > tally->n[most]))
			most = i;
	}
	if (most < TALLY)
		drawn[most] = true;
	return most;
}

static void
draw_reasons(struct page *p, const struct summary *s)
{
	bool drawn[TALLY] = {false};
	unsigned i, rows = 0;
	for (; (i = tally_next(&s->reasons, drawn)) < TALLY; rows++) {
		char count[32];
		struct text t = text_in(count, sizeof count);
		draw_label(p, rows == 0 ? "Why" : "");
		text_add_count(&t, s->reasons.n[i]);
		page_tab(p, DRAW_VALUE + (t.len < 5 ? 5 - (unsigned)t.len : 0));
		page_put(p, STYLE_PLAIN, count);
		page_tab(p, p->column + 2);
		page_wrap(p, STYLE_PLAIN, DRAW_VALUE + 7,
		    s->reasons.text[i][0] != '\0' ? words_reason(s->reasons.text[i])
						  : "no reason given");
		page_line(p);
	}
	if (rows > 0)
		page_line(p);
}

/* "3 connections: begun before the capture (2), octets missing (1)", and a sentence behind it. */
static void
draw_tally(struct page *p, const char *label, uint64_t all, const struct tally *tally,
    const char *sentence)
{
	bool drawn[TALLY] = {false};
	unsigned i, n = 0;
	char line[TALLY * 90];
	struct text t = text_in(line, sizeof line);
	if (all == 0)
		return;
	words_count(&t, all, "connection");
	for (; (i = tally_next(tally, drawn)) < TALLY; n++) {
		text_printf(&t, "%s%s (", n == 0 ? ": " : ", ", tally->text[i]);
		text_add_count(&t, tally->n[i]);
		text_putc(&t, ')');
	}
	text_printf(&t, ". %s", sentence);
	draw_row(p, label, line);
}

struct top {
	const struct addr *addr;
	const struct peer *peer;
};

static bool
is_before(const struct peer *a, const struct peer *b)
{
	if (a->connections != b->connections)
		return a->connections > b->connections;
	return a->mails + a->logins > b->mails + b->logins;
}

/* The LIMIT_TOP of the map with the most connections; of equals, who came first. */
static unsigned
top_of(const struct map *m, struct top top[LIMIT_TOP])
{
	const void *key;
	void *value;
	unsigned n = 0;
	for (uint32_t at = 0; map_next(m, &at, &key, &value);) {
		unsigned place = n;
		while (place > 0 && is_before(value, top[place - 1].peer))
			place--;
		if (place == LIMIT_TOP)
			continue;
		if (n < LIMIT_TOP)
			n++;
		memmove(&top[place + 1], &top[place], (n - 1 - place) * sizeof *top);
		top[place] = (struct top){key, value};
	}
	return n;
}

static void
draw_peers(struct page *p, const char *label, const struct peers *peers)
{
	struct top top[LIMIT_TOP];
	unsigned n = top_of(&peers->map, top), widest = 0;
	/* connections, mails and logins end here; the name and country fill what is between */
	unsigned end = p->columns, mails = end - 8, conns = mails - 8, country = conns - 10;
	if (map_count(&peers->map) < 2 || p->columns < 60)
		return; /* one alone stands on its card */
	page_tab(p, DRAW_LABEL);
	page_put(p, STYLE_DIM, label);
	draw_heading(p, conns, "conns");
	draw_heading(p, mails, "mails");
	draw_heading(p, end, "logins");
	page_line(p);
	for (unsigned i = 0; i < n; i++) {
		char a[ADDR_TEXT];
		unsigned width = (unsigned)strlen(addr_print(top[i].addr, a));
		widest = width > widest && width <= ALIGNED ? width : widest;
	}
	for (unsigned i = 0; i < n; i++) {
		char a[ADDR_TEXT];
		unsigned width = (unsigned)strlen(addr_print(top[i].addr, a));
		unsigned name = DRAW_LABEL + 2 + (width > widest ? width : widest) + 2;
		page_tab(p, DRAW_LABEL + 2);
		page_put_middle(p, STYLE_PLAIN, addr_print(top[i].addr, a),
		    country - DRAW_LABEL - 3);
		if (name + 8 < country) {
			page_tab(p, name);
			page_put_middle(p, STYLE_PLAIN, top[i].peer->name, country - name - 1);
		}
		page_tab(p, country);
		page_put(p, STYLE_PLAIN, top[i].peer->country);
		draw_count(p, conns, top[i].peer->connections);
		draw_count(p, mails, top[i].peer->mails);
		draw_count(p, end, top[i].peer->logins);
		page_line(p);
	}
	if (map_count(&peers->map) > n) {
		char line[64];
		struct text t = text_in(line, sizeof line);
		text_puts(&t, peers->more > 0 ? "and more than " : "and ");
		text_add_count(&t, map_count(&peers->map) - n);
		text_puts(&t, " more");
		page_tab(p, DRAW_LABEL + 2);
		page_put(p, STYLE_DIM, line);
		page_line(p);
	}
	page_line(p);
}

static void
draw_capture(struct page *p, const struct summary *s)
{
	struct record_value a, b;
	char line[300];
	struct text t = text_in(line, sizeof line);
	uint64_t frames = summary_number(s, FIELD_SUM_FRAMES, 0),
		 files = summary_number(s, FIELD_SUM_FILES, 0);
	int64_t from = s->first_ns, to = s->last_ns;
	if (record_find(s->last, FIELD_EVENT_START, &a) &&
	    record_find(s->last, FIELD_EVENT_END, &b)) {
		from = a.ns;
		to = b.ns;
	}
	if (s->last->kind == RECORD_SUMMARY) {
		if (files > 0) {
			words_count(&t, files, "file");
			text_puts(&t, ", ");
		}
		words_count(&t, frames, "packet");
		text_puts(&t, ", ");
		words_size(&t, summary_number(s, FIELD_SUM_BYTES, 0));
		uint64_t flows = summary_number(s, FIELD_SUM_FLOWS, 0);
		if (flows > 0) {
			text_puts(&t, ", ");
			words_count(&t, flows, "TCP connection");
		}
		draw_row(p, "Capture", line);
		t = text_in(line, sizeof line);
	}
	if (from == 0 || to < from)
		return;
	words_time(&t, from);
	if (from / DAY_NS != to / DAY_NS) {
		text_puts(&t, " to ");
		words_time(&t, to);
	} else if (from / SECOND_NS != to / SECOND_NS) {
		text_puts(&t, " to ");
		words_clock(&t, to);
	}
	text_puts(&t, " UTC (");
	words_duration(&t, (uint64_t)to - (uint64_t)from);
	text_puts(&t, ")");
	draw_row(p, s->last->kind == RECORD_SUMMARY ? "" : "Time", line);
}

/* ------------------------------------------------------------------------------- quality */

static struct text
flaw_begin(struct flaws *f)
{
	return text_in(f->line[f->n], sizeof f->line[0]);
}

static void
flaw_end(struct flaws *f)
{
	f->n += f->n + 1 < SUMMARY_FLAWS; /* the last place is for the word about more */
}

struct counter {
	enum field field;
	const char *one, *words;
};

static void
flaws_of_counters(struct flaws *f, const struct summary *s, const struct counter *c, size_t n)
{
	uint64_t frames = summary_number(s, FIELD_SUM_FRAMES, 0);
	for (size_t i = 0; i < n; i++) {
		uint64_t times = summary_number(s, c[i].field, 0);
		struct text t = flaw_begin(f);
		if (times == 0)
			continue;
		words_count(&t, times, c[i].one);
		text_printf(&t, " %s", c[i].words);
		if (c[i].field == FIELD_SUM_GAP_SESSIONS) {
			text_puts(&t, " (");
			words_size(&t, summary_number(s, FIELD_SUM_GAP_BYTES, 0));
			text_puts(&t, ")");
		} else if (c[i].field == FIELD_SUM_DROPS && frames > 0 && times < UINT64_MAX / 2) {
			text_puts(&t, " (");
			words_percent(&t, times, times + frames);
			text_puts(&t, ")");
		}
		flaw_end(f);
	}
}

struct output {
	struct record_value name;
	uint64_t down, waiting, dropped;
};

static void
flaw_of_output(struct flaws *f, const struct output *o)
{
	struct text t = flaw_begin(f);
	if (o->down == 0 && o->waiting == 0 && o->dropped == 0)
		return;
	text_add_wire(&t, o->name.str, o->name.len < 100 ? o->name.len : 100);
	if (o->down != 0)
		text_puts(&t, " takes nothing now");
	if (o->waiting > 0) {
		text_puts(&t, o->down != 0 ? "; " : ": ");
		words_count(&t, o->waiting, "record");
		text_puts(&t, o->waiting == 1 ? " waits" : " wait");
	}
	if (o->dropped > 0) {
		text_puts(&t, o->down != 0 || o->waiting > 0 ? ", " : ": ");
		words_count(&t, o->dropped, "record");
		text_puts(&t, " dropped");
	}
	flaw_end(f);
}

static void
flaws_of_outputs(struct flaws *f, const struct summary *s)
{
	struct record_value v;
	struct output o = {.down = 0};
	for (uint32_t at = 0; record_next(s->last, &at, &v);) {
		switch (v.field) {
		case FIELD_SUM_OUTPUT:
			flaw_of_output(f, &o);
			o = (struct output){.down = 0};
			break;
		case FIELD_SUM_OUTPUT_NAME: o.name = v; break;
		case FIELD_SUM_OUTPUT_UP: o.down = v.u64 == 0; break;
		case FIELD_SUM_OUTPUT_WAITING: o.waiting = v.u64; break;
		case FIELD_SUM_OUTPUT_DROPPED: o.dropped = v.u64; break;
		default: break;
		}
	}
	flaw_of_output(f, &o);
}

void
summary_flaws(const struct summary *s, struct flaws *f)
{
	static const struct counter grave[] = {
	    {FIELD_SUM_DROPS, "packet", "lost before the capture was written"},
	    {FIELD_SUM_INTERFACE_DROPS, "packet", "lost by the network interface"},
	    {FIELD_SUM_RESTARTS, "restart", "of workers that died or hung"},
	};
	static const struct counter live = {FIELD_SUM_DROPS, "packet", "lost by the kernel"};
	static const struct counter others[] = {
	    {FIELD_SUM_UNDECODED, "packet", "not understood: damaged, or of an unknown link type"},
	    {FIELD_SUM_UNJOINED, "packet", "of which not all fragments were there"},
	    {FIELD_SUM_CUT, "packet", "cut short by the snap length"},
	    {FIELD_SUM_GAP_SESSIONS, "mail connection", "with octets missing"},
	    {FIELD_SUM_ONE_SIDED, "mail connection", "captured in one direction only"},
	    {FIELD_SUM_MIDSTREAM, "mail connection", "begun before the capture"},
	    {FIELD_SUM_EVICTED, "connection", "given up early, memory was full"},
	    {FIELD_SUM_CLOCK_STEPS, "time", "the capture's clock went back"},
	};
	struct record_value v;
	uint64_t faults = 0;
	f->n = 0;
	if (s->last->kind != RECORD_SUMMARY)
		return;
	bool files = summary_number(s, FIELD_SUM_FILES, 0) > 0;
	flaws_of_counters(f, s, files ? grave : &live, 1);
	flaws_of_counters(f, s, grave + 1, sizeof grave / sizeof *grave - 1);
	flaws_of_outputs(f, s);
	flaws_of_counters(f, s, others, sizeof others / sizeof *others);
	for (uint32_t at = 0; record_next(s->last, &at, &v);) {
		if (v.field != FIELD_SUM_FAULTS || ++faults > FAULTS)
			continue;
		struct text t = flaw_begin(f);
		text_add_wire(&t, v.str, v.len);
		flaw_end(f);
	}
	if (faults > FAULTS) {
		struct text t = flaw_begin(f);
		text_puts(&t, "and ");
		text_add_count(&t, faults - FAULTS);
		text_puts(&t, " more damaged places");
		f->n++;
	}
}

static void
draw_quality(struct page *p, const struct summary *s)
{
	struct flaws f;
	summary_flaws(s, &f);
	for (unsigned i = 0; i < f.n; i++) {
		draw_label(p, i > 0 ? "" : "Quality");
		page_put(p, STYLE_YELLOW, "!");
		page_tab(p, DRAW_VALUE + 2);
		page_wrap(p, STYLE_PLAIN, DRAW_VALUE + 2, f.line[i]);
		page_line(p);
	}
	if (f.n == 0 && s->last->kind == RECORD_SUMMARY)
		draw_row(p, "Quality", "nothing lost, cut or damaged");
}

void
summary_outcomes(const struct summary *s, uint64_t outcomes[OUTCOMES])
{
	static const enum field fields[OUTCOMES] = {
	    [OUTCOME_CLEARTEXT] = FIELD_SUM_CLEARTEXT,
	    [OUTCOME_ENCRYPTED] = FIELD_SUM_ENCRYPTED,
	    [OUTCOME_TLS_FAILED] = FIELD_SUM_TLS_FAILED,
	    [OUTCOME_NO_MAIL] = FIELD_SUM_NO_MAIL,
	    [OUTCOME_UNKNOWN] = FIELD_SUM_UNKNOWN,
	};
	for (int o = 0; o < OUTCOMES; o++)
		outcomes[o] = summary_number(s, fields[o], s->outcomes[o]);
}

void
summary_draw(const struct summary *s, struct page *p)
{
	uint64_t outcomes[OUTCOMES], all = 0;
	summary_outcomes(s, outcomes);
	for (int o = 0; o < OUTCOMES; o++)
		all += outcomes[o];
	page_tab(p, 1);
	page_rule(p, STYLE_DIM, p->columns - 12);
	page_put(p, STYLE_BOLD, " Summary ");
	page_rule(p, STYLE_DIM, 2);
	page_line(p);
	page_line(p);
	draw_headline(p, s, outcomes, all);
	draw_outcomes(p, outcomes, all);
	draw_reasons(p, s);
	alert_list_draw(s->alerts, p);
	draw_peers(p, "Clients in clear", &s->clients);
	draw_peers(p, "Servers in clear", &s->servers);
	draw_tally(p, "TLS failed", outcomes[OUTCOME_TLS_FAILED], &s->failures,
	    "Nothing crossed readable.");
	draw_tally(p, "Not judged", outcomes[OUTCOME_UNKNOWN], &s->unknowns,
	    "Unknown is not safe.");
	draw_capture(p, s);
	draw_quality(p, s);
}
