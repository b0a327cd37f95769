/*
 * The conductor of judgement: see judge.h.
 *
 * The level of a record is that of the gravest rule that matches; its words are those of that rule,
 * or of the table where the rule has none.  An exception takes a match out, but not one about
 * credentials, which stays at a low level.
 */
#include "judge/judge.h"

#include <stdlib.h>
#include <string.h>

#include "judge/alerts.h"
#include "judge/state.h"
#include "record/read.h"

#define SENTENCE   1024u /* octets of a sentence or advice */
#define FRAMEWORK  "MITRE ATT&CK v17"
#define WEAKNESSES "CWE 4.17"
#define DOMAINS	   32u /* of one mail's recipients that are named */
#define SECOND_NS  1000000000ll
#define MARGIN_S   2 /* seconds around the connection in a display filter */

struct hit {
	const struct rule *rule;
	enum level level;
	struct alert_place alert; /* it belongs to */
};

/* What was said about the record at hand; empty where there was nothing to say. */
struct said {
	const struct rule *rule; /* whose words these are; NULL: of the table */
	size_t sentence, advice; /* octets of the text in */
	char buf[2][SENTENCE];
};

struct judge {
	struct table table;
	struct rules *rules;
	struct policies *policies;
	struct memory *memory;
	struct alerts *alerts;
	struct state *state;	     /* NULL: none is kept */
	const struct record *record; /* the one at hand, whose hits are to be reported */
	struct hit hit[RULE_HITS];
	size_t hits, reported; /* of the record at hand; of these: looked at */
	struct said said;      /* a session's or message's; not kept for the sensor's own */
	int64_t now_ns;	       /* the newest time of any record */
	bool finished;
	bool brief;	 /* alerts name only what a report lists */
	bool unworded;	 /* nobody reads the words of records */
	bool asks_who;	 /* some rule or text asks who the sides are */
	bool asks_words; /* some rule asks for what was said */
	bool asks_text;	 /* some level of the table asks for a text */
	struct judge_stats stats;
	uint64_t given_up; /* by rules that were replaced */
};

struct judge *
judge_new(void)
{
	struct judge *j = calloc(1, sizeof *j);
	if (j == NULL)
		return NULL;
	j->memory = memory_new();
	j->alerts = alerts_new();
	if (j->memory != NULL && j->alerts != NULL)
		return j;
	judge_free(j);
	return NULL;
}

void
judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	state_close(j->state);
	table_free(&j->table);
	rules_free(j->rules);
	policies_free(j->policies);
	memory_free(j->memory);
	alerts_free(j->alerts);
	free(j);
}

static bool
ask_who(const struct rules *rules)
{
	static const enum field fields[] = {FIELD_CLIENT_SOFTWARE, FIELD_CLIENT_CLASS,
	    FIELD_CLIENT_BECAUSE, FIELD_CLIENT_VENDOR, FIELD_SERVER_SOFTWARE, FIELD_SERVER_BECAUSE,
	    FIELD_SERVER_VENDOR};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (rules_ask(rules, fields[i]))
			return true;
	}
	return false;
}

bool
judge_load(struct judge *j, const struct judge_config *c, char error[JUDGE_ERROR])
{
	struct table table = {0};
	struct rules *rules = rules_new(c->placeholders, c->placeholder_count);
	if (rules == NULL) {
		struct text t = text_in(error, JUDGE_ERROR);
		text_puts(&t, "no memory for the rules");
		return false;
	}
	rules_tell_apart(rules, table_level_fields, TABLE_LEVEL_FIELDS);
	if (!rule_files_read(rules, &table, &c->from, error)) {
		rules_free(rules);
		table_free(&table);
		return false;
	}
	rules_set_key(rules, alerts_key(j->alerts));
	if (j->rules != NULL) {
		j->given_up += rules_given_up(j->rules);
		rules_windows_move(rules, j->rules);
	}
	alerts_forget_rules(j->alerts);
	table_free(&j->table);
	rules_free(j->rules);
	policies_free(j->policies);
	j->table = table;
	j->rules = rules;
	j->policies = c->policies;
	j->hits = 0;
	j->asks_who = ask_who(rules) || table_asks_who(&j->table);
	j->asks_words = rules_ask(rules, FIELD_MESSAGE) || rules_ask(rules, FIELD_ADVICE);
	j->asks_text = table_level_asks_text(&j->table);
	return true;
}

const struct rules *
judge_rules(const struct judge *j)
{
	return j->rules;
}

void
judge_be_brief(struct judge *j)
{
	j->brief = true;
}

void
judge_want_words(struct judge *j, bool wanted)
{
	j->unworded = !wanted;
}

bool
judge_reads_who(const struct judge *j)
{
	return !j->brief || j->asks_who;
}

size_t
judge_policies(const struct judge *j)
{
	return j->policies != NULL ? policies_count(j->policies) : 0;
}

bool
judge_remember(struct judge *j, const char *path, char error[JUDGE_ERROR])
{
	j->state = state_open(path, j->memory, j->alerts, j->rules, error);
	return j->state != NULL;
}

bool
judge_save(struct judge *j, char error[JUDGE_ERROR])
{
	return j->state == NULL || state_save(j->state, j->memory, j->alerts, j->rules, error);
}

void
judge_stats_get(const struct judge *j, struct judge_stats *out)
{
	*out = j->stats;
	out->given_up = j->given_up + (j->rules != NULL ? rules_given_up(j->rules) : 0);
}

/* ---------------------------------------------------------------------------- judging */

static bool
is_readable(const struct record *r)
{
	return r->kind == RECORD_MESSAGE || record_is(r, FIELD_OUTCOME, "cleartext");
}

/* Packet time of the record; where it is out of all reason (later than the year 2116), 0. */
static int64_t
time_of(const struct record *r)
{
	int64_t ns = record_time(r, FIELD_EVENT_END, record_time(r, FIELD_TIMESTAMP, 0));
	return ns >= 0 && ns <= INT64_MAX / 2 ? ns : 0;
}

/* The sentence or the advice that `rule` (NULL: none) has for the facts; empty where there is
 * none. */
static void
words_of(const struct judge *j, struct text *out, const struct rule *rule, enum list list,
    struct facts *f)
{
	const char *own = rule == NULL ? NULL : list == LIST_WHY ? rule->message : rule->advice;
	if (own != NULL)
		table_fill_in(out, &j->table, own, f);
	else if (is_readable(f->record))
		table_add(out, &j->table, list, f);
	else if (rule != NULL && list == LIST_WHY)
		text_puts(out, rule->title);
}

static void
put_accepted(struct record *r, const struct rule *e)
{
	record_put_word(r, FIELD_ACCEPTED_TITLE, e->title);
	record_put_word(r, FIELD_ACCEPTED_OWNER, e->owner);
	record_put_word(r, FIELD_ACCEPTED_REASON, e->reason);
	record_put_time(r, FIELD_ACCEPTED_EXPIRES, e->expires_ns);
}

/* What the `n` detection rules that match say of the record: the gravest one, the exception, and
 * the hits that remain. */
static const struct rule *
weigh(struct judge *j, const struct record *r, const struct rule_hit *found, size_t n,
    enum level by_path, enum level *level, const struct rule **accepted)
{
	const struct rule *gravest = NULL;
	bool credentials = n > 0 && record_is(r, FIELD_EXPOSED, "credentials");
	if (by_path == LEVEL_NONE)
		n = 0; /* the table has nothing to say of such a path */
	j->hits = 0;
	*level = LEVEL_NONE;
	for (size_t i = 0; i < n; i++) {
		const struct rule *rule = found[i].rule;
		enum level l = rule->by_path ? by_path : rule->level;
		const struct rule *by = alerts_accepted(j->alerts, rule, r, found[i].accepted);
		if (by != NULL) {
			*accepted = by;
			j->stats.accepted++;
			if (!credentials)
				continue;
			l = l < LEVEL_LOW ? l : LEVEL_LOW;
		}
		j->hit[j->hits++] = (struct hit){.rule = rule, .level = l};
		if (l > *level) {
			*level = l;
			gravest = rule;
		}
	}
	if (*level == LEVEL_NONE && *accepted != NULL)
		*level = LEVEL_INFORMATIONAL;
	return gravest;
}

/* The correlations that it completes are hits too. */
static void
correlate(struct judge *j, enum level by_path)
{
	struct rule_hit found[RULE_HITS];
	size_t n = rules_correlate(j->rules, j->now_ns, found, 0);
	for (size_t i = 0; i < n && by_path != LEVEL_NONE && j->hits < RULE_HITS; i++) {
		const struct rule *rule = found[i].rule;
		enum level l = rule->by_path ? by_path : rule->level;
		j->hit[j->hits++] = (struct hit){.rule = rule, .level = l};
	}
}

/* All is put: the hits are to be reported. */
static void
expect_alerts(struct judge *j, const struct record *r)
{
	for (size_t i = 0; i < j->hits; i++)
		j->hit[i].alert = alerts_expect(j->alerts, j->hit[i].rule, r);
	j->record = r;
	j->reported = 0;
}

/* The recipients' domains, each once: rules and people count by them. */
static void
put_domains(struct record *r)
{
	char domain[DOMAINS][256];
	unsigned n = 0;
	struct record_value v;
	for (uint32_t at = 0; n < DOMAINS && record_each(r, FIELD_EMAIL_TO, &at, &v);) {
		const char *sign = memrchr(v.str, '@', v.len);
		size_t len = sign != NULL ? (size_t)(v.str + v.len - sign) - 1 : 0;
		if (len == 0 || len >= sizeof domain[0])
			continue;
		for (size_t i = 0; i < len; i++)
			domain[n][i] = ascii_lower(sign[1 + i]);
		domain[n][len] = '\0';
		unsigned same = 0;
		while (strcmp(domain[same], domain[n]) != 0)
			same++;
		n += same == n;
	}
	for (unsigned i = 0; i < n; i++)
		record_put_word(r, FIELD_TO_DOMAIN, domain[i]);
}

void
judge_clock(struct judge *j, int64_t now_ns)
{
	if (now_ns > j->now_ns)
		j->now_ns = now_ns;
}

/* What happened to the sensor itself; it has its own sentence. */
static void
push_sensor(struct judge *j, struct record *r)
{
	struct rule_hit found[RULE_HITS];
	const struct rule *accepted = NULL;
	enum level level;
	size_t n = rules_match(j->rules, r, j->now_ns, found);
	(void)weigh(j, r, found, n, LEVEL_INFORMATIONAL, &level, &accepted);
	correlate(j, LEVEL_INFORMATIONAL);
	record_put_word(r, FIELD_LEVEL, level_name(level));
	if (accepted != NULL)
		put_accepted(r, accepted);
	expect_alerts(j, r);
}

/* The level that the table has for the record that rules matched.  Records that rules cannot tell
 * apart have the same, so that it is mostly known, and the facts need not be read where nobody else
 * wants them (`known`: they were), which is a sixteenth of what a record costs. */
static enum level
level_by_path(struct judge *j, const struct record *r, struct facts *f, bool known)
{
	const struct addr client = record_ip(r, FIELD_SOURCE_IP),
			  server = record_ip(r, FIELD_DESTINATION_IP);
	uint8_t *note = rules_note(j->rules);
	if (j->asks_text || (addr_is_loopback(&client) && addr_is_loopback(&server)))
		note = NULL;
	if (note != NULL && *note > 0)
		return (enum level)(*note - 1);
	if (!known)
		facts_of(f, r);
	enum level level = table_level(&j->table, f);
	if (note != NULL)
		*note = (uint8_t)(level + 1);
	return level;
}

void
judge_expect(struct judge *j, const struct record *r)
{
	memory_expect(j->memory, r);
}

void
judge_push(struct judge *j, struct record *r)
{
	struct facts f;
	struct rule_hit found[RULE_HITS];
	const struct rule *accepted = NULL;
	enum level level;
	if (r->kind > RECORD_SENSOR)
		return;
	judge_clock(j, time_of(r));
	if (r->kind == RECORD_SENSOR) {
		push_sensor(j, r);
		return;
	}
	if (r->kind == RECORD_MESSAGE)
		put_domains(r);
	memory_apply(j->memory, r);
	if (j->policies != NULL)
		policies_apply(j->policies, r);

	size_t n = rules_match(j->rules, r, j->now_ns, found);
	bool worded = !j->brief || !j->unworded || j->asks_words;
	if (worded)
		facts_of(&f, r);
	enum level by_path = level_by_path(j, r, &f, worded);
	rules_expect(j->rules);
	const struct rule *gravest = weigh(j, r, found, n, by_path, &level, &accepted);
	struct text t = text_in(j->said.buf[0], SENTENCE), a = text_in(j->said.buf[1], SENTENCE);
	if (worded) {
		words_of(j, &t, gravest, LIST_WHY, &f);
		words_of(j, &a, gravest, LIST_ADVICE, &f);
	}
	j->said.rule = gravest;
	j->said.sentence = t.len;
	j->said.advice = a.len;
	correlate(j, by_path);

	/* f points into r, which changes from here on */
	record_put_word(r, FIELD_LEVEL, level_name(level));
	if (t.len > 0)
		record_put_str(r, FIELD_MESSAGE, t.buf, t.len);
	if (a.len > 0)
		record_put_str(r, FIELD_ADVICE, a.buf, a.len);
	if (accepted != NULL)
		put_accepted(r, accepted);
	size_t len;
	const char *outcome = record_str(r, FIELD_OUTCOME, &len);
	if (r->kind == RECORD_SESSION && word_is(outcome, len, "encrypted"))
		alerts_sealed(j->alerts, r, j->now_ns);
	expect_alerts(j, r);
}

/* ---------------------------------------------------------------------------- alerts */

/* The sentence of an alert: what happened to the sensor has its own. */
static void
sentence_of(const struct judge *j, struct text *out, const struct rule *rule, struct facts *f)
{
	struct record_value said;
	if (j->record->kind == RECORD_SENSOR && rule->message == NULL &&
	    record_find(j->record, FIELD_MESSAGE, &said))
		text_add_wire(out, said.str, said.len);
	else
		words_of(j, out, rule, LIST_WHY, f);
}

/* Would `rule` say of the record at hand what was said of it already?  So it is nearly always: the
 * rule is the gravest one, or neither has words of its own. */
static bool
says_the_same(const struct judge *j, const struct rule *rule)
{
	const struct rule *said = j->said.rule;
	if (j->record->kind == RECORD_SENSOR)
		return false;
	return rule == said ||
	    (is_readable(j->record) && rule->message == NULL && rule->advice == NULL &&
		(said == NULL || (said->message == NULL && said->advice == NULL)));
}

static void
add_seconds(struct text *t, int64_t s)
{
	text_puts(t, s < 0 ? "-" : "");
	text_add_u64(t, s < 0 ? -(uint64_t)s : (uint64_t)s);
}

/* A display filter that shows the connection: its ends, and its time, since ports are used again.
 */
static void
put_wireshark(struct record *out)
{
	struct record_value client, server, port, peer, v;
	char buf[400], ip[ADDR_TEXT];
	if (!record_find(out, FIELD_SOURCE_IP, &client) ||
	    !record_find(out, FIELD_DESTINATION_IP, &server) ||
	    !record_find(out, FIELD_SOURCE_PORT, &port) ||
	    !record_find(out, FIELD_DESTINATION_PORT, &peer))
		return;
	struct text t = text_in(buf, sizeof buf);
	const char *is = client.ip.family == 6 ? "ipv6.addr == " : "ip.addr == ";
	text_puts(&t, is);
	text_puts(&t, addr_print(&client.ip, ip));
	text_puts(&t, " && ");
	text_puts(&t, is);
	text_puts(&t, addr_print(&server.ip, ip));
	text_puts(&t, " && tcp.port == ");
	text_add_u64(&t, port.u64);
	text_puts(&t, " && tcp.port == ");
	text_add_u64(&t, peer.u64);
	if (record_find(out, FIELD_EVENT_START, &v)) {
		text_puts(&t, " && frame.time_epoch >= ");
		add_seconds(&t, v.ns / SECOND_NS - MARGIN_S);
		text_puts(&t, " && frame.time_epoch <= ");
		add_seconds(&t, time_of(out) / SECOND_NS + MARGIN_S);
	}
	record_put_str(out, FIELD_WIRESHARK, t.buf, t.len);
}

static void
put_list(struct record *r, enum field field, const char *const *words)
{
	for (; *words != NULL; words++)
		record_put_word(r, field, *words);
}

/* The alert of a hit as a report lists it. */
static void
compose_brief(const struct judge *j, struct record *out, const struct hit *hit)
{
	static const uint16_t kept[] = {FIELD_TIMESTAMP, FIELD_SOURCE_IP, FIELD_DESTINATION_IP,
	    FIELD_SENSOR_INTERFACE, FIELD_SENSOR_OUTPUT, FIELD_SENSOR_WORKER, FIELD_OUTCOME};
	char sentence[SENTENCE];
	struct text t = text_in(sentence, sizeof sentence);
	record_begin(out, RECORD_ALERT);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		record_copy_first(out, j->record, (enum field)kept[i]);
	if (!is_readable(j->record)) {
		struct facts f;
		facts_of(&f, j->record);
		sentence_of(j, &t, hit->rule, &f);
		record_put_str(out, FIELD_MESSAGE, t.buf, t.len);
	}
	record_put_word(out, FIELD_LEVEL, level_name(hit->level));
	record_put_word(out, FIELD_RULE_NAME, hit->rule->title);
}

/* What the record says, as far as an alert repeats it; false where private values had to be left
 * out for want of room. */
static bool
copy_record(struct record *out, const struct record *r)
{
	static const uint16_t anew[] = {FIELD_EVENT_KIND, FIELD_EVENT_DATASET, FIELD_LEVEL,
	    FIELD_MESSAGE, FIELD_ADVICE};
	if (r->len <= LIMIT_RECORD - 8192) {
		record_copy_without(out, r, anew, sizeof anew / sizeof *anew);
		return true;
	}
	record_copy_open(out, r, LIMIT_RECORD - 8192);
	out->cut++;
	for (size_t i = 0; i < sizeof anew / sizeof *anew; i++)
		record_remove(out, (enum field)anew[i]);
	return false;
}

/* The alert of a hit: all that the record says, and what the rule does. */
static void
compose(const struct judge *j, struct record *out, const struct hit *hit)
{
	const struct rule *rule = hit->rule;
	char buf[2][SENTENCE];
	struct text t = text_in(buf[0], SENTENCE), a = text_in(buf[1], SENTENCE);
	if (copy_record(out, j->record) && says_the_same(j, rule)) {
		text_add(&t, j->said.buf[0], j->said.sentence);
		text_add(&a, j->said.buf[1], j->said.advice);
	} else {
		struct facts f;
		facts_of(&f, out);
		sentence_of(j, &t, rule, &f);
		words_of(j, &a, rule, LIST_ADVICE, &f);
	}

	put_wireshark(out);
	out->kind = RECORD_ALERT;
	record_put_word(out, FIELD_EVENT_KIND, "alert");
	record_put_word(out, FIELD_EVENT_DATASET, "postcard.alert");
	record_put_u64(out, FIELD_EVENT_SEVERITY, level_severity(hit->level));
	record_put_word(out, FIELD_LEVEL, level_name(hit->level));
	record_put_str(out, FIELD_MESSAGE, t.buf, t.len);
	if (a.len > 0)
		record_put_str(out, FIELD_ADVICE, a.buf, a.len);
	record_put_word(out, FIELD_RULE_ID, rule->id[0] != '\0' ? rule->id : NULL);
	record_put_word(out, FIELD_RULE_NAME, rule->title);
	record_put_word(out, FIELD_RULE_RULESET, "postcard");
	put_list(out, FIELD_RULE_REFERENCE, rule->reference);
	put_list(out, FIELD_CWE, rule->weakness);
	if (rule->weakness[0] != NULL)
		record_put_word(out, FIELD_CWE_VERSION, WEAKNESSES);
	if (rule->technique[0] != NULL)
		record_put_word(out, FIELD_THREAT_FRAMEWORK, FRAMEWORK);
	put_list(out, FIELD_THREAT_TECHNIQUE, rule->technique);
}

bool
judge_next(struct judge *j, struct record *out)
{
	if (alerts_due(j->alerts, j->now_ns, j->finished, out))
		return true;
	while (j->record != NULL && j->reported < j->hits) {
		const struct hit *hit = &j->hit[j->reported++];
		struct alert_report report = alerts_event(j->alerts, &hit->alert, hit->rule,
		    hit->level, j->record, j->now_ns);
		if (report.state == ALERT_SILENT)
			continue;
		if (j->brief)
			compose_brief(j, out, hit);
		else
			compose(j, out, hit);
		alerts_keep(j->alerts, report.alert, out);
		alerts_put(out, report.state, report.count, report.first_ns);
		return true;
	}
	j->record = NULL;
	j->hits = 0;
	return false;
}

void
judge_finish(struct judge *j)
{
	j->finished = true;
}
