/*
 * The metrics sink: a file in the text format of Prometheus (exposition format 0.0.4), for the
 * textfile collector of its node exporter.
 *
 * What happened is counted from records; packets, pools and outputs are those of the state that
 * came last.  The file is written every METRICS_NS and at the end, beside itself as PATH.tmp, then
 * renamed: who reads it never sees a part.  A file that cannot be written is told once, and tried
 * again.  Names are ours, but rules and outputs have names from outside: they are escaped, and
 * LIMIT_METRIC_RULES rules and LIMIT_METRIC_ITEMS pools and outputs are told apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/now.h"
#include "base/text.h"
#include "sink/kinds.h"
#include "sink/words.h"

#define SECOND_NS  1000000000ll
#define METRICS_NS (5 * SECOND_NS)
#define NAME	   120u /* octets of a label's value */

/* Alerts of a rule at a level. */
struct counted {
	char rule[NAME]; /* its id, or else its name */
	char name[NAME];
	int level; /* LEVEL_x */
	uint64_t alerts, events;
};

/* What comes of one summary as a table: a pool, or an output. */
struct item {
	char name[NAME];
	uint64_t value[5];
};

struct items {
	struct item item[LIMIT_METRIC_ITEMS];
	unsigned n;
};

struct metrics {
	char *path, *beside;  /* the file, and what is written to be renamed to it */
	struct record *state; /* the summary that came last; another kind for none */
	int64_t begun_ns;     /* wall clock */
	int64_t due_ns;	      /* of the next writing; monotonic clock */
	uint64_t outcomes[OUTCOMES];
	uint64_t reasons[REASONS + 1]; /* of sessions in clear; the last of other words */
	uint64_t messages, credentials, resolved;
	struct counted counted[LIMIT_METRIC_RULES + 1]; /* the last of those that found no room */
	unsigned rules;					/* in use */
	struct items pools, outputs;			/* of the state, while writing */
	int error; /* errno of the last writing; 0 while all is well */
	bool told; /* that it could not be written */
};

static void
add(uint64_t *to, uint64_t n)
{
	*to = *to > UINT64_MAX - n ? UINT64_MAX : *to + n;
}

/* ----------------------------------------------------------------------------- counting */

static void
take_session(struct metrics *m, const struct record *r)
{
	struct record_value v;
	int outcome = OUTCOMES;
	if (record_find(r, FIELD_OUTCOME, &v))
		outcome = words_outcome(v.str, v.len);
	if (outcome == OUTCOMES)
		outcome = OUTCOME_UNKNOWN;
	m->outcomes[outcome]++;
	if (outcome == OUTCOME_CLEARTEXT)
		m->reasons[record_find(r, FIELD_REASON, &v) ? words_reason_of(v.str, v.len)
							    : REASONS]++;
	if (record_find(r, FIELD_MESSAGES, &v))
		add(&m->messages, v.u64);
	m->credentials += record_is(r, FIELD_EXPOSED, "credentials");
}

static void
copy(char to[NAME], const struct record *r, enum field field)
{
	struct record_value v;
	struct text t = text_in(to, NAME);
	if (record_find(r, field, &v))
		text_add_wire(&t, v.str, v.len);
}

static struct counted *
counted_of(struct metrics *m, const struct record *r)
{
	struct record_value v;
	char rule[NAME], name[NAME];
	int level = record_find(r, FIELD_LEVEL, &v) ? words_level(v.str, v.len) : LEVEL_NONE;
	copy(rule, r, FIELD_RULE_ID);
	copy(name, r, FIELD_RULE_NAME);
	const char *key = rule[0] != '\0' ? rule : name;
	for (unsigned i = 0; i < m->rules; i++) {
		if (m->counted[i].level == level && strcmp(m->counted[i].rule, key) == 0)
			return &m->counted[i];
	}
	if (m->rules == LIMIT_METRIC_RULES)
		return &m->counted[LIMIT_METRIC_RULES];
	struct counted *c = &m->counted[m->rules++];
	memcpy(c->rule, key, NAME);
	memcpy(c->name, name, NAME);
	c->level = level;
	return c;
}

static void
take_alert(struct metrics *m, const struct record *r)
{
	struct record_value v;
	if (record_is(r, FIELD_ALERT_STATE, "resolved")) {
		m->resolved++;
		return;
	}
	struct counted *c = counted_of(m, r);
	c->alerts += !record_is(r, FIELD_ALERT_STATE, "repeated");
	add(&c->events, record_find(r, FIELD_COUNT, &v) ? v.u64 : 1);
}

/* ------------------------------------------------------------------------------ writing */

static void
head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP postcard_%s %s\n# TYPE postcard_%s %s\n", name, help, name, type);
}

/* A label's value (text_add_wire went over it: there are no controls left). */
static void
label(FILE *f, const char *name, const char *value)
{
	fprintf(f, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			(void)fputc('\\', f);
		(void)fputc(*value, f);
	}
	(void)fputc('"', f);
}

static void
labelled(FILE *f, const char *name, const char *key, const char *value, uint64_t n)
{
	fprintf(f, "postcard_%s{", name);
	label(f, key, value);
	fprintf(f, "} %" PRIu64 "\n", n);
}

static void
seconds(FILE *f, const char *name, int64_t ns, const char *help)
{
	head(f, name, "gauge", help);
	/* whole and parts apart: a double holds no nanoseconds of these days */
	uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	fprintf(f, "postcard_%s %s%" PRIu64 ".%09" PRIu64 "\n", name, ns < 0 ? "-" : "",
	    n / 1000000000u, n % 1000000000u);
}

static void
write_numbers(FILE *f, const struct metrics *m)
{
	static const struct {
		enum field field;
		const char *name, *type, *help;
	} numbers[] = {
	    {FIELD_SUM_FRAMES, "packets_total", "counter", "Packets read."},
	    {FIELD_SUM_BYTES, "octets_total", "counter", "Octets of them, as captured."},
	    {FIELD_SUM_DROPS, "kernel_drops_total", "counter",
		"Packets that the kernel had no room for."},
	    {FIELD_SUM_INTERFACE_DROPS, "interface_drops_total", "counter",
		"Packets that the network interface lost."},
	    {FIELD_SUM_UNDECODED, "undecoded_packets_total", "counter",
		"Packets that could not be understood."},
	    {FIELD_SUM_FLOWS, "tcp_connections_total", "counter",
		"TCP connections seen, mail or not."},
	    {FIELD_SUM_GAP_SESSIONS, "sessions_with_gaps_total", "counter",
		"Mail connections in which the capture lost octets."},
	    {FIELD_SUM_GAP_BYTES, "gap_octets_total", "counter", "Octets lost in them."},
	    {FIELD_SUM_ONE_SIDED, "sessions_one_sided_total", "counter",
		"Mail connections of which one direction was captured."},
	    {FIELD_SUM_EVICTED, "evicted_connections_total", "counter",
		"Connections given up early because memory was full."},
	    {FIELD_SUM_WORKERS, "workers", "gauge", "Processes that read packets."},
	    {FIELD_SUM_RESTARTS, "worker_restarts_total", "counter",
		"Times a worker died or hung and was started anew."},
	    {FIELD_SUM_WAITS, "worker_waits_total", "counter",
		"Times a worker waited because its records were not taken."},
	};
	struct record_value v;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		if (m->state->kind != RECORD_SUMMARY ||
		    !record_find(m->state, numbers[i].field, &v))
			continue;
		head(f, numbers[i].name, numbers[i].type, numbers[i].help);
		fprintf(f, "postcard_%s %" PRIu64 "\n", numbers[i].name, v.u64);
	}
}

static void
write_sessions(FILE *f, const struct metrics *m)
{
	head(f, "sessions_total", "counter", "Mail connections by outcome.");
	for (int o = 0; o < OUTCOMES; o++)
		labelled(f, "sessions_total", "outcome", words_outcome_name(o), m->outcomes[o]);
	head(f, "readable_sessions_total", "counter",
	    "Mail connections in clear, by the reason why.");
	for (int i = 0; i <= REASONS; i++)
		labelled(f, "readable_sessions_total", "reason",
		    i < REASONS ? words_reason_name(i) : "other", m->reasons[i]);
	head(f, "messages_readable_total", "counter", "Messages that crossed readable.");
	fprintf(f, "postcard_messages_readable_total %" PRIu64 "\n", m->messages);
	head(f, "credentials_readable_total", "counter",
	    "Mail connections with credentials that crossed readable.");
	fprintf(f, "postcard_credentials_readable_total %" PRIu64 "\n", m->credentials);
}

static void
write_rule(FILE *f, const char *name, const struct counted *c, bool other, uint64_t n)
{
	fprintf(f, "postcard_%s{", name);
	label(f, "rule", other ? "other" : c->rule);
	(void)fputc(',', f);
	label(f, "name", other ? "other" : c->name);
	(void)fputc(',', f);
	label(f, "level", other ? "" : words_level_word(c->level));
	fprintf(f, "} %" PRIu64 "\n", n);
}

static void
write_alerts(FILE *f, const struct metrics *m)
{
	/* those without room are a row once there are some */
	const struct counted *other = &m->counted[LIMIT_METRIC_RULES];
	unsigned n = m->rules;
	head(f, "alerts_total", "counter",
	    "Alerts by rule and level: new ones, and those whose level rose.");
	for (unsigned i = 0; i < n; i++)
		write_rule(f, "alerts_total", &m->counted[i], false, m->counted[i].alerts);
	if (other->events > 0)
		write_rule(f, "alerts_total", other, true, other->alerts);
	head(f, "alert_events_total", "counter",
	    "Events that alerts stand for, by rule and level.");
	for (unsigned i = 0; i < n; i++)
		write_rule(f, "alert_events_total", &m->counted[i], false, m->counted[i].events);
	if (other->events > 0)
		write_rule(f, "alert_events_total", other, true, other->events);
	head(f, "alerts_resolved_total", "counter", "Alerts that were resolved.");
	fprintf(f, "postcard_alerts_resolved_total %" PRIu64 "\n", m->resolved);
}

/* The item of that name: of two with one name the values are added up, since a metric stands there
 * once. */
static struct item *
item_of(struct items *items, const struct record_value *v)
{
	char name[NAME];
	struct text t = text_in(name, sizeof name);
	text_add_wire(&t, v->str, v->len);
	for (unsigned i = 0; i < items->n; i++) {
		if (strcmp(items->item[i].name, name) == 0)
			return &items->item[i];
	}
	if (items->n == LIMIT_METRIC_ITEMS)
		return NULL;
	struct item *x = &items->item[items->n++];
	memset(x, 0, sizeof *x);
	memcpy(x->name, name, sizeof name);
	return x;
}

static const struct column {
	enum field field;
	const char *name, *type, *help;
} pool_columns[] =
    {
	{FIELD_SUM_POOL_USED, "pool_used", "gauge", "What a pool of the workers holds."},
	{FIELD_SUM_POOL_PEAK, "pool_peak", "gauge", "The most that it held at once."},
	{FIELD_SUM_POOL_MAX, "pool_max", "gauge", "The most that it can hold."},
	{FIELD_SUM_POOL_FULL, "pool_full_total", "counter", "Times that it was full."},
},
  output_columns[] = {
      {FIELD_SUM_OUTPUT_UP, "output_up", "gauge", "1: the output takes what it is given."},
      {FIELD_SUM_OUTPUT_SENT, "output_sent_total", "counter", "Records that it took."},
      {FIELD_SUM_OUTPUT_WAITING, "output_waiting", "gauge", "Records that wait for it."},
      {FIELD_SUM_OUTPUT_SPOOLED, "output_spooled_total", "counter",
	  "Records that went through its spool."},
      {FIELD_SUM_OUTPUT_DROPPED, "output_dropped_total", "counter",
	  "Records dropped because its spool was full."},
};

static void
collect(struct items *items, const struct record *r, enum field begin, enum field name,
    const struct column *columns, unsigned n)
{
	struct record_value v;
	struct item *x = NULL;
	items->n = 0;
	for (uint32_t at = 0; record_next(r, &at, &v);) {
		if (v.field == begin)
			x = NULL;
		if (v.field == name)
			x = item_of(items, &v);
		for (unsigned i = 0; i < n && x != NULL; i++) {
			if (v.field == columns[i].field)
				add(&x->value[i], v.u64);
		}
	}
}

static void
write_items(FILE *f, const struct items *items, const char *key, const struct column *columns,
    unsigned n)
{
	for (unsigned c = 0; c < n && items->n > 0; c++) {
		bool is_bool = field_table[columns[c].field].type == TYPE_BOOL;
		head(f, columns[c].name, columns[c].type, columns[c].help);
		for (unsigned i = 0; i < items->n; i++) {
			uint64_t value = items->item[i].value[c];
			labelled(f, columns[c].name, key, items->item[i].name,
			    is_bool ? value > 0 : value);
		}
	}
}

static void
write_state(FILE *f, struct metrics *m)
{
	struct record_value v;
	const unsigned pools = sizeof pool_columns / sizeof *pool_columns,
		       outputs = sizeof output_columns / sizeof *output_columns;
	if (m->state->kind != RECORD_SUMMARY)
		return;
	if (record_find(m->state, FIELD_SUM_LAG, &v))
		seconds(f, "lag_seconds", v.u64 < INT64_MAX ? (int64_t)v.u64 : INT64_MAX,
		    "By how much what was read last, a packet or silence, lay behind the clock.");
	/* not the record's own time, which is the clock's while a sensor runs */
	if (record_find(m->state, FIELD_EVENT_END, &v))
		seconds(f, "last_packet_time_seconds", v.ns,
		    "Capture time of the packet read last, since the epoch.");
	collect(&m->pools, m->state, FIELD_SUM_POOL, FIELD_SUM_POOL_NAME, pool_columns, pools);
	write_items(f, &m->pools, "pool", pool_columns, pools);
	collect(&m->outputs, m->state, FIELD_SUM_OUTPUT, FIELD_SUM_OUTPUT_NAME, output_columns,
	    outputs);
	write_items(f, &m->outputs, "output", output_columns, outputs);
}

static void
write_all(FILE *f, struct metrics *m)
{
	head(f, "build_info", "gauge", "Always 1; the version of postcard.");
	labelled(f, "build_info", "version", POSTCARD_VERSION, 1);
	seconds(f, "start_time_seconds", m->begun_ns, "When it was started, since the epoch.");
	write_numbers(f, m);
	write_sessions(f, m);
	write_alerts(f, m);
	write_state(f, m);
}

/* Writes the file anew; 0, or errno.  Who is in the way at PATH.tmp goes: it was never renamed. */
static int
replace(struct metrics *m)
{
	(void)unlink(m->beside);
	int fd = open(m->beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	FILE *f = fdopen(fd, "w");
	if (f == NULL) {
		int error = errno;
		(void)close(fd);
		(void)unlink(m->beside);
		return error;
	}
	errno = 0;
	write_all(f, m);
	int error =
	    fchmod(fd, 0644) != 0 || fflush(f) != 0 || ferror(f) ? (errno != 0 ? errno : EIO) : 0;
	if (fclose(f) != 0 && error == 0)
		error = errno;
	if (error == 0 && rename(m->beside, m->path) != 0)
		error = errno;
	if (error != 0)
		(void)unlink(m->beside);
	return error;
}

static void
write_file(struct metrics *m)
{
	m->due_ns = now_monotonic_ns() + METRICS_NS;
	m->error = replace(m);
	if (m->error != 0 && !m->told)
		log_say("%s: %s; metrics are tried again every %d s", m->path, strerror(m->error),
		    (int)(METRICS_NS / SECOND_NS));
	m->told = m->error != 0;
}

/* --------------------------------------------------------------------------------- sink */

static void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	free(m->path);
	free(m->beside);
	free(m->state);
	free(m);
}

/* Why no file can be there; false where one can. */
static bool
is_wrong(const struct metrics *m, char error[SINK_ERROR])
{
	struct stat is;
	const char *slash = strrchr(m->path, '/');
	int len = slash == NULL ? 1 : slash == m->path ? 1 : (int)(slash - m->path);
	char *folder = strndup(slash == NULL ? "." : m->path, (size_t)len);
	bool there = folder != NULL && stat(folder, &is) == 0, wrong = true;
	if (!there)
		snprintf(error, SINK_ERROR, "%s: the folder %.*s: %s", m->path, len,
		    slash == NULL ? "." : m->path, strerror(folder != NULL ? errno : ENOMEM));
	else if (!S_ISDIR(is.st_mode))
		snprintf(error, SINK_ERROR, "%s: %s is no folder", m->path, folder);
	else if (stat(m->path, &is) == 0 && !S_ISREG(is.st_mode))
		snprintf(error, SINK_ERROR, "%s: metrics need a regular file", m->path);
	else
		wrong = false;
	free(folder);
	return wrong;
}

void *
metrics_open(const struct sink_config *config, char error[SINK_ERROR])
{
	if (config->path == NULL || config->path[0] == '\0') {
		snprintf(error, SINK_ERROR, "metrics need a file");
		return NULL;
	}
	struct metrics *m = calloc(1, sizeof *m);
	size_t len = strlen(config->path) + sizeof ".tmp";
	if (m == NULL || (m->path = strdup(config->path)) == NULL ||
	    (m->beside = malloc(len)) == NULL || (m->state = calloc(1, sizeof *m->state)) == NULL) {
		snprintf(error, SINK_ERROR, "no memory for the metrics");
		metrics_free(m);
		return NULL;
	}
	snprintf(m->beside, len, "%s.tmp", m->path);
	record_begin(m->state, RECORD_SESSION);
	m->begun_ns = now_real_ns();
	if (is_wrong(m, error)) {
		metrics_free(m);
		return NULL;
	}
	int cause = replace(m);
	if (cause != 0) {
		snprintf(error, SINK_ERROR, "%s: cannot be written: %s", m->path, strerror(cause));
		metrics_free(m);
		return NULL;
	}
	m->due_ns = now_monotonic_ns() + METRICS_NS;
	return m;
}

bool
metrics_push(void *state, const struct record *r)
{
	struct metrics *m = state;
	switch (r->kind) {
	case RECORD_SESSION: take_session(m, r); break;
	case RECORD_ALERT: take_alert(m, r); break;
	case RECORD_SUMMARY: metrics_status(m, r); break;
	default: break;
	}
	return true;
}

void
metrics_status(void *state, const struct record *summary)
{
	struct metrics *m = state;
	memcpy(m->state, summary, sizeof *summary);
}

bool
metrics_flush(void *state)
{
	return metrics_tick(state);
}

void
metrics_wait(const void *state, struct sink_wait *w)
{
	const struct metrics *m = state;
	int64_t ms = (m->due_ns - now_monotonic_ns()) / 1000000 + 1;
	w->timeout_ms = ms > 0 ? (int)ms : 0;
}

bool
metrics_tick(void *state)
{
	struct metrics *m = state;
	if (now_monotonic_ns() >= m->due_ns)
		write_file(m);
	return true;
}

void
metrics_reopen(void *state)
{
	write_file(state);
}

bool
metrics_close(void *state)
{
	struct metrics *m = state;
	write_file(m);
	int error = m->error;
	metrics_free(m);
	if (error != 0)
		errno = error;
	return error == 0;
}
