/*
 * A run: see run.h.
 *
 * workers (or, in one process, a feed) -> enrich -> judge (-> alerts) -> tally -> outputs, in one
 * loop.  Enrichment comes before judgement, because how bad something is depends on where it went.
 * A live run adds what happens to the sensor itself (sensor.h), a summary each second, and the
 * clock of the judge, who else would wait for the next mail.
 */
#include "app/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "app/notify.h"
#include "app/outputs.h"
#include "app/paths.h"
#include "app/progress.h"
#include "app/sandbox.h"
#include "app/sensor.h"
#include "app/signals.h"
#include "app/summary.h"
#include "app/workers.h"
#include "base/log.h"
#include "base/now.h"
#include "enrich/enrich.h"
#include "judge/judge.h"

#define BATCH	     1024u /* words of workers between two looks at all else: what a ring holds */
#define STATUS_MS    1000  /* between two summaries of a live run */
#define SAVE_MS	     30000 /* between two times that a live run saves its memory */
#define STOP_LIVE_MS 900   /* that workers of a live run have for their last records */
#define DRAIN_MS     500   /* that outputs of a live run have for what waits */
#define LINE	     2048  /* octets of a message about the set-up */

struct run {
	const struct options *o;
	const struct config *config; /* as it was at the start */
	struct notify notify;	     /* the service manager */
	struct judge *judge;
	struct enrich *enrich;
	struct capture *files; /* NULL: live */
	struct spawn spawn;
	struct identity user;	 /* whom the parent became; uid 0: it is who it was */
	struct workers *workers; /* NULL: all in one process, or */
	struct feed feed;
	struct outputs outputs;
	struct progress progress;
	struct tally tally;
	struct sensor sensor;
	struct feed_report report; /* what the workers count */
	struct workers_word word;
	char faults[LIMIT_FAULTS][CAPTURE_TEXT]; /* lines about the input, for the summary */
	unsigned fault_count;
	int64_t status_ms;    /* when a summary is due */
	int64_t save_ms;      /* when the memory is to be saved */
	int64_t stop_ms;      /* when workers that were asked to end are not waited for any more */
	bool write_failed;    /* standard output is gone */
	bool failed;	      /* reading had to stop, or could not begin */
	bool died;	      /* a worker did, and with it part of what was read */
	bool sizes_told;      /* -v: what the tables hold */
	struct record record; /* the one under way */
	struct record alert;  /* an alert about it */
};

static bool
is_live(const struct run *r)
{
	return r->files == NULL;
}

/* ---- what is said on standard error ---- */

/* What the tables can hold. */
static void
say_sizes(const struct feed_report *f)
{
	log_say("memory: at most %llu MB; its tables hold", (unsigned long long)f->memory >> 20);
	for (unsigned i = 0; i < f->tables; i++)
		log_say("  %10lu %-28s %6llu MB", (unsigned long)f->table[i].max,
		    engine_table_name(i), (unsigned long long)f->table[i].octets >> 20);
}

/* Which tables were full, and how often. */
static void
say_full(const struct feed_report *f)
{
	for (unsigned i = 0; i < f->tables; i++) {
		if (f->table[i].refused > 0)
			log_say("memory was full for %s %llu times (see --memory)",
			    engine_table_name(i), (unsigned long long)f->table[i].refused);
	}
}

/* A line about the input: said, and kept for the summary. */
static void
add_fault(struct run *r, const char *line)
{
	log_say("%s", line);
	if (r->fault_count < LIMIT_FAULTS)
		snprintf(r->faults[r->fault_count++], CAPTURE_TEXT, "%s", line);
}

/* Why an option's value cannot be used; before it, where that stands if it is in the configuration
 * (the command line is before the reader's eyes); behind it, who may not do that, if it is not who
 * began the run. */
static void
add_wrong(const struct run *r, const struct config *c, enum option id, const char *value,
    const char *error, struct text *t)
{
	char place[1024];
	struct text at = text_in(place, sizeof place);
	config_line_add(c, id, value, &at);
	text_add_wire(t, place, at.len);
	text_puts(t, error);
	if (r->user.uid != 0 && strstr(error, strerror(EACCES)) != NULL)
		text_printf(t, " (to user %s: see --user)", r->user.name);
}

/* The option whose path a message is about as a whole (what is wrong inside of a file has a line of
 * its own), and the path; OPTIONS: none. */
static enum option
option_of(const struct options *o, const char *error, const char **value)
{
	const struct {
		enum option id;
		size_t count;
		const char *const *paths;
	} all[] = {{OPTION_RULES, o->rules_count, o->rules},
	    {OPTION_RULES_EXTRA, o->extra_count, o->extra}, {OPTION_GEOIP, 1, &o->geoip_dir},
	    {OPTION_VENDORS, 1, &o->vendors}, {OPTION_STATE, 1, &o->state}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		for (size_t k = 0; k < all[i].count; k++) {
			const char *path = all[i].paths[k];
			size_t n = path != NULL ? strlen(path) : 0;
			*value = path;
			if (n > 0 && strncmp(error, path, n) == 0 &&
			    strncmp(error + n, ": ", 2) == 0)
				return all[i].id;
		}
	}
	return OPTIONS;
}

/* The same of a message that may begin with a path. */
static void
add_wrong_path(const struct run *r, const struct config *c, const struct options *o,
    const char *error, struct text *t)
{
	const char *value = NULL;
	enum option id = option_of(o, error, &value);
	add_wrong(r, c, id, value, error, t);
}

static void
say_wrong(const struct run *r, enum option id, const char *value, const char *error)
{
	char line[LINE];
	struct text t = text_in(line, sizeof line);
	if (id != OPTIONS)
		add_wrong(r, r->config, id, value, error, &t);
	else
		add_wrong_path(r, r->config, r->o, error, &t);
	log_say("%s", line);
}

/* ---- set-up ---- */

/* The judge, with rules, policies and what it remembers from earlier runs. */
static bool
open_judge(struct run *r, struct config *c)
{
	char error[JUDGE_ERROR] = "no memory for the judge";
	r->judge = judge_new();
	if (r->judge != NULL && config_judge(c, r->o, r->judge, error))
		return true;
	say_wrong(r, OPTIONS, NULL, error);
	return false;
}

static bool
open_state(struct run *r)
{
	char error[JUDGE_ERROR] = "";
	if (r->o->state == NULL || judge_remember(r->judge, r->o->state, error))
		return true;
	say_wrong(r, OPTIONS, NULL, error);
	return false;
}

static bool
open_files(struct run *r)
{
	const struct options *o = r->o;
	struct capture_error error;
	r->files = capture_open_files(o->files, o->file_count, o->filter, &error);
	if (r->files != NULL)
		return true;
	/* one word behind the files is more often a misspelt file than an expression */
	bool filter = strncmp(error.text, "the capture filter", 18) == 0;
	if (filter && o->loose_word != NULL && strchr(o->filter, ' ') == NULL)
		log_say("%s; nor is '%.64s' a file", error.text, o->loose_word);
	else
		say_wrong(r, OPTION_FILTER, filter ? o->filter : NULL, error.text);
	return false;
}

/* How many workers: a file that can be read once only has one reader. */
static unsigned
worker_count(const struct run *r)
{
	unsigned n = r->o->jobs > 0 ? r->o->jobs : 1;
	if (n > 1 && r->spawn.pipe) {
		log_say("-j %u: a pipe can be read by one process only; one worker reads it", n);
		n = 1;
	}
	return n;
}

static void
set_spawn(struct run *r)
{
	const struct options *o = r->o;
	struct spawn *s = &r->spawn;
	s->files = r->files;
	s->pipe = r->files != NULL && !capture_is_forkable(r->files);
	for (size_t i = 0; i < o->file_count; i++)
		s->standard_input |= strcmp(o->files[i], "-") == 0;
	s->workers = worker_count(r);
	if (r->notify.fd >= 0)
		s->parents[s->parents_count++] = r->notify.fd;
	s->packets = o->packets;
	s->live = (struct live_config){
	    .interfaces = o->interfaces,
	    .count = o->interface_count,
	    .expression = o->filter,
	    .ports = o->ports,
	    .port_count = o->port_count,
	    .all_ports = o->all_ports,
	    .no_promiscuous = o->no_promiscuous,
	    .snaplen = o->snaplen,
	    .buffer = o->buffer,
	    .shares = 1,
	};
	s->engine = (struct engine_config){.memory = o->memory, .no_ndpi = o->no_ndpi};
	uint64_t each = engine_memory_of(&s->engine) / s->workers;
	s->engine.memory = each > ENGINE_MEMORY_MIN ? each : ENGINE_MEMORY_MIN;
	if (o->file_count > LIMIT_OPEN_FILES) {
		s->sandbox.files = o->files;
		s->sandbox.file_count = o->file_count;
	}
}

/* All in one process, with all its rights: to debug. */
static bool
open_single(struct run *r)
{
	char error[256] = "";
	struct capture_error live_error = {""};
	r->feed = (struct feed){.files = r->files,
	    .limit = r->o->packets,
	    .shares = 1,
	    .pipe = r->spawn.pipe};
	if (r->files == NULL)
		r->feed.live = live_open(&r->spawn.live, &live_error);
	r->feed.engine = engine_new(&r->spawn.engine, error);
	if (r->feed.engine != NULL && (r->files != NULL || r->feed.live != NULL))
		return true;
	log_say("%s", live_error.text[0] != '\0' ? live_error.text : error);
	return false;
}

/* The workers; of a live run, the parent gives up being root behind them. */
static bool
open_workers(struct run *r)
{
	static const char *const workers_usual[] = {PATHS_WORKER, PATHS_NOBODY, NULL};
	char error[256] = "";
	struct spawn *s = &r->spawn;
	/* files that are opened later are read as who one is */
	bool good = s->sandbox.file_count > 0 ||
	    identity_find(&s->sandbox.identity, NULL, workers_usual, error);
	good = good && (r->workers = workers_open(s, error)) != NULL;
	if (good && is_live(r))
		good = config_identity(r->o, &r->user, error) && sandbox_become(&r->user, error);
	if (!good)
		log_say("%s", error);
	return good;
}

/* Databases and home networks.  NULL with a message. */
static struct enrich *
open_enrich(const struct options *o, char error[ENRICH_ERROR])
{
	const struct enrich_config config = {
	    .geoip_dir = o->geoip_dir,
	    .vendors = o->vendors,
	    .no_geoip = o->numeric,
	    .home = o->home,
	    .homes = o->home_count,
	};
	return enrich_open(&config, error);
}

/* Who reads packets. */
static bool
open_readers(struct run *r)
{
	set_spawn(r);
	return r->o->single_process ? open_single(r) : open_workers(r);
}

/* Each part of the set-up says itself what is wrong; the first that fails ends it.  Workers of
 * files begin before the rules are read, which takes as long as 3 % of a gigabyte; live, the parent
 * may not be allowed to read them any more behind its workers. */
static bool
run_open(struct run *r, struct config *c)
{
	const struct options *o = r->o;
	char error[ENRICH_ERROR + SINK_ERROR] = "";
	bool live = o->file_count == 0;
	if (!live && !open_files(r))
		return false;
	/* not before: the first octets of a pipe may never come, and nothing is there to be ended
	 * in order */
	signals_catch_ends(!o->single_process);
	if ((live && !open_judge(r, c)) || !open_readers(r) || (!live && !open_judge(r, c)))
		return false;
	if (!open_state(r))
		return false;
	if ((r->enrich = open_enrich(o, error)) == NULL) {
		say_wrong(r, OPTIONS, NULL, error);
		return false;
	}
	if (!outputs_open(&r->outputs, o, is_live(r), error)) {
		say_wrong(r, r->outputs.wrong, r->outputs.wrong_value, error);
		return false;
	}
	if (r->outputs.lists && o->state == NULL)
		judge_be_brief(r->judge);
	return true;
}

static void
run_close(struct run *r)
{
	workers_close(r->workers);
	if (r->feed.engine != NULL)
		engine_free(r->feed.engine);
	live_close(r->feed.live);
	capture_close(r->files);
	enrich_close(r->enrich);
	judge_free(r->judge);
	free(r);
}

/* ---- records ---- */

static bool
push(struct run *r, const struct record *record)
{
	if (!outputs_push(&r->outputs, record))
		r->write_failed = true;
	return !r->write_failed;
}

/* The alerts that are due.  False where one could not be written. */
static bool
drain_alerts(struct run *r)
{
	while (judge_next(r->judge, &r->alert)) {
		tally_add(&r->tally, &r->alert);
		if (!push(r, &r->alert))
			return false;
	}
	return true;
}

/* r->record is new.  False where it could not be written. */
static bool
take_record(struct run *r)
{
	bool details = outputs_want_details(&r->outputs, &r->record);
	judge_expect(r->judge, &r->record);
	judge_want_words(r->judge, details);
	enrich_want_who(r->enrich, details || judge_reads_who(r->judge));
	enrich_apply(r->enrich, &r->record);
	judge_push(r->judge, &r->record);
	tally_add(&r->tally, &r->record);
	return push(r, &r->record) && drain_alerts(r);
}

/* Something happened to the sensor itself. */
static bool
take_sensor(struct run *r, const struct sensor_event *e)
{
	log_say("%s", e->text);
	sensor_compose(&r->record, e);
	return take_record(r);
}

/* The same of an interface, whose name the line begins with. */
static bool
take_interface(struct run *r, const char *action)
{
	char name[CAPTURE_TEXT];
	const char *line = r->word.text;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(line, ":"), line);
	const struct sensor_event e = {.action = action, .text = line, .interface = name};
	return take_sensor(r, &e);
}

/* ---- what else is to be done ---- */

static void
count(struct run *r)
{
	if (r->workers != NULL)
		workers_report(r->workers, &r->report);
	else
		feed_report_get(&r->feed, &r->report);
	if (r->o->verbose > 0 && !r->sizes_told && r->report.tables > 0) {
		say_sizes(&r->report);
		r->sizes_told = true;
	}
}

static void
compose_summary(struct run *r)
{
	struct judge_stats judged;
	judge_stats_get(r->judge, &judged);
	summary_compose(&r->record, &r->tally, &r->report.capture, &r->report.engine, &judged);
	summary_add_sensor(&r->record, &r->report, r->spawn.workers,
	    r->workers != NULL ? workers_restarts(r->workers) : 0, is_live(r) ? now_real_ns() : 0);
	outputs_count(&r->outputs, &r->record);
	if (is_live(r))
		sensor_put_status(&r->record, r->o->interfaces, r->o->interface_count);
	for (unsigned i = 0; i < r->fault_count; i++)
		record_put_word(&r->record, FIELD_SUM_FAULTS, r->faults[i]);
}

static void
show_progress(struct run *r)
{
	struct progress_state s = {.sessions = r->tally.sessions};
	if (is_live(r) || !progress_is_due(&r->progress))
		return;
	count(r);
	s.packets = r->report.packets;
	s.octets_read = r->report.octets_read;
	s.octets_total = r->report.octets_total;
	progress_show(&r->progress, &s);
}

/* Configuration, rules, policies and databases anew, all of them or none; then outputs.  Options of
 * what is read and written stay as they are. */
static void
reload(struct run *r)
{
	struct options o = r->config->line;
	struct config c;
	char error[YAML_ERROR + ENRICH_ERROR] = "", line[LINE];
	struct text t = text_in(line, sizeof line);
	notify_reloading(&r->notify);
	bool good = config_read(&c, &o, error);
	struct enrich *enrich = good ? open_enrich(&o, error) : NULL;
	good = enrich != NULL && config_judge(&c, &o, r->judge, error);
	if (good) {
		size_t n = rules_count(judge_rules(r->judge));
		enrich_close(r->enrich);
		r->enrich = enrich;
		log_say("reloaded: %zu rule%s", n, n == 1 ? "" : "s");
	} else {
		enrich_close(enrich);
		add_wrong_path(r, &c, &o, error, &t);
		log_say("not reloaded, all stays as it was: %s", line);
	}
	config_free(&c);
	outputs_reopen(&r->outputs);
	notify_ready(&r->notify);
}

/* What is remembered goes into its file.  False where that could not be written. */
static bool
save(struct run *r)
{
	char error[JUDGE_ERROR] = "";
	if (judge_save(r->judge, error))
		return true;
	log_say("%s", error);
	return false;
}

/* Counters, on standard error. */
static void
say_counters(struct run *r)
{
	count(r);
	compose_summary(r);
	sensor_say(&r->record);
}

/* What a live run does each second.  False where an alert could not be written. */
static bool
each_second(struct run *r)
{
	struct sensor_event loss;
	int64_t now = now_monotonic_ms();
	if (!is_live(r) || now < r->status_ms)
		return true;
	r->status_ms = now + STATUS_MS;
	count(r);
	judge_clock(r->judge, now_real_ns() - FEED_LAG_NS);
	if (!drain_alerts(r))
		return false;
	if (sensor_loss(&r->sensor, &r->report.capture, now, &loss) && !take_sensor(r, &loss))
		return false;
	compose_summary(r);
	outputs_status(&r->outputs, &r->record);
	notify_status(&r->notify, "%llu packets, %llu mail connections",
	    (unsigned long long)r->report.packets, (unsigned long long)r->tally.sessions);
	if (now >= r->save_ms) {
		r->save_ms = now + SAVE_MS;
		(void)save(r);
	}
	return true;
}

/* ---- the loop ---- */

/* A word of the workers; false where the run is over. */
static bool
take_word(struct run *r, enum workers_said said)
{
	struct sensor_event e = {.worker = r->word.worker + 1, .text = r->word.text};
	char line[CAPTURE_TEXT + 64];
	switch (said) {
	case WORKERS_RECORD: return take_record(r);
	case WORKERS_FAULT: add_fault(r, r->word.text); return true;
	case WORKERS_SANDBOX:
		if (is_live(r) || r->o->verbose > 0)
			log_say("this system lacks parts of the sandbox of workers: %s",
			    r->word.text);
		return true;
	case WORKERS_NOTE: log_say("%s", r->word.text); return true;
	case WORKERS_DOWN: return take_interface(r, "interface-down");
	case WORKERS_UP: return take_interface(r, "interface-up");
	case WORKERS_GONE: return take_interface(r, "interface-gone");
	case WORKERS_HUNG:
	case WORKERS_DIED:
		snprintf(line, sizeof line, "worker %u died: %s; what it had open is lost",
		    e.worker, r->word.text);
		e.action = said == WORKERS_HUNG ? "worker-hung" : "worker-died";
		e.cause = r->word.text;
		e.text = line;
		r->died = true;
		if (!is_live(r) && r->fault_count < LIMIT_FAULTS)
			snprintf(r->faults[r->fault_count++], CAPTURE_TEXT, "%.*s",
			    CAPTURE_TEXT - 1, line);
		return take_sensor(r, &e);
	case WORKERS_FAILED:
		r->failed = true;
		add_fault(r, r->word.text);
		return true;
	case WORKERS_NOTHING:
	case WORKERS_END: break;
	}
	return false;
}

/* Waits for whatever comes next. */
static void
wait_for_more(struct run *r)
{
	struct pollfd p[LIMIT_WORKERS + 1 + OUTPUTS];
	unsigned n = workers_poll(r->workers, p);
	int timeout = workers_timeout(r->workers);
	n += outputs_poll(&r->outputs, p + n, &timeout);
	if (timeout < 0 || timeout > STATUS_MS / 4)
		timeout = STATUS_MS / 4;
	signals_poll(p, n, timeout);
}

/* What signals and readers ask for. */
static void
obey(struct run *r)
{
	if (signals_reload())
		reload(r);
	if (signals_report())
		say_counters(r);
	if (r->stop_ms == 0 && (signals_stop() != 0 || r->outputs.ends)) {
		r->stop_ms = now_monotonic_ms() + (is_live(r) ? STOP_LIVE_MS : INT32_MAX);
		notify_stopping(&r->notify);
		workers_stop(r->workers);
	}
}

/* All that workers say, until they have ended.  False where the output failed. */
static bool
run_workers(struct run *r)
{
	enum workers_said said = WORKERS_NOTHING;
	while (said != WORKERS_END && (r->stop_ms == 0 || now_monotonic_ms() < r->stop_ms)) {
		unsigned n = 0;
		workers_hear(r->workers);
		obey(r); /* before it is told that workers ended, whom the same signal told to */
		do {
			said = workers_next(r->workers, &r->record, &r->word);
			if (said != WORKERS_NOTHING && said != WORKERS_END && !take_word(r, said))
				return false;
		} while (said != WORKERS_NOTHING && said != WORKERS_END && ++n < BATCH);
		notify_alive(&r->notify);
		if (!each_second(r) || !outputs_tick(&r->outputs))
			return false;
		show_progress(r);
		if (said != WORKERS_NOTHING)
			continue;
		if ((is_live(r) || r->spawn.pipe) && !outputs_flush(&r->outputs))
			return false;
		wait_for_more(r);
	}
	obey(r);
	return true;
}

/* What the feed of a run in one process has to report.  False where it could not be written. */
static bool
take_events(struct run *r)
{
	static const enum workers_said words[] = {[FEED_EVENT_FAULT] = WORKERS_FAULT,
	    [FEED_EVENT_NOTE] = WORKERS_NOTE,
	    [FEED_EVENT_DOWN] = WORKERS_DOWN,
	    [FEED_EVENT_UP] = WORKERS_UP,
	    [FEED_EVENT_GONE] = WORKERS_GONE,
	    [FEED_EVENT_SANDBOX] = WORKERS_SANDBOX,
	    [FEED_EVENT_FAILED] = WORKERS_FAILED};
	enum feed_event what;
	while (feed_event(&r->feed, &what, r->word.text)) {
		if (!take_word(r, words[what]))
			return false;
	}
	return true;
}

/* The same in one process. */
static bool
run_single(struct run *r)
{
	enum feed_status s;
	for (unsigned n = 1; (s = feed_next(&r->feed, &r->record)) != FEED_END; n++) {
		if (s == FEED_RECORD && !take_record(r))
			return false;
		if (signals_stop() != 0 || r->outputs.ends)
			feed_stop(&r->feed);
		if (s != FEED_IDLE && n % 4096 != 0)
			continue;
		if (signals_reload())
			reload(r);
		if (signals_report())
			say_counters(r);
		show_progress(r);
		if (!take_events(r) || !each_second(r) || !outputs_tick(&r->outputs))
			return false;
		if (s == FEED_IDLE && !outputs_flush(&r->outputs))
			return false;
		if (s == FEED_IDLE)
			feed_wait(&r->feed);
	}
	return take_events(r);
}

/* ---- the end ---- */

static void
run_summary(struct run *r)
{
	char line[128];
	struct judge_stats judged;
	judge_stats_get(r->judge, &judged);
	if (signals_stop() != 0 && !is_live(r)) {
		snprintf(line, sizeof line,
		    "ended by signal %d after %llu packets; the rest was not read", signals_stop(),
		    (unsigned long long)r->report.packets);
		add_fault(r, line);
	}
	const struct engine_stats *e = &r->report.engine;
	if (e->unknown_link_more > 0)
		log_say("%llu packets have link type %u, and %llu other ones, which are not known; "
			"they were not looked at",
		    (unsigned long long)(e->unknown_link - e->unknown_link_more),
		    e->unknown_link_type, (unsigned long long)e->unknown_link_more);
	else if (e->unknown_link > 0)
		log_say("%llu packets have link type %u, which is not known; they were not looked "
			"at",
		    (unsigned long long)e->unknown_link, e->unknown_link_type);
	say_full(&r->report);
	if (e->evicted > 0)
		log_say("%llu connections were given up early because memory was full",
		    (unsigned long long)e->evicted);
	if (judged.given_up > 0)
		log_say("%llu times an expression of a rule gave up after %u steps",
		    (unsigned long long)judged.given_up, LIMIT_RULE_STEPS);
	if (!is_live(r)) /* what is on its way is no flaw */
		outputs_settle(&r->outputs, signals_stop() != 0);
	compose_summary(r);
	(void)push(r, &r->record);
	if (!is_live(r))
		outputs_settle(&r->outputs, signals_stop() != 0);
}

static int
status_of(const struct run *r)
{
	const struct options *o = r->o;
	if (signals_stop() != 0 && !is_live(r))
		return 128 + signals_stop();
	if (r->failed && r->report.tables == 0 && r->report.packets == 0)
		return STATUS_ERROR; /* it never began */
	if (r->died && !is_live(r))
		return STATUS_DIED;
	if ((o->fail_on_cleartext && r->tally.cleartext) ||
	    (o->fail_level != LEVEL_NONE && r->tally.worst >= o->fail_level))
		return STATUS_FOUND;
	if (r->failed || r->report.capture.files_damaged > 0)
		return STATUS_DAMAGED;
	return STATUS_DONE;
}

int
run_once(const struct options *o, struct config *c)
{
	struct run *r = calloc(1, sizeof *r);
	if (r == NULL) {
		log_say("no memory");
		return STATUS_ERROR;
	}
	r->o = o;
	r->config = c;
	notify_open(&r->notify);
	signals_catch();
	if (!run_open(r, c)) {
		run_close(r);
		return STATUS_ERROR;
	}
	/* records that scroll by on the same screen are progress enough */
	progress_begin(&r->progress, !o->quiet && !(o->json && isatty(STDOUT_FILENO) == 1));

	notify_ready(&r->notify);
	bool written = r->workers != NULL ? run_workers(r) : run_single(r);
	if (written && is_live(r)) { /* what was lost since the last look, too */
		struct sensor_event loss;
		count(r);
		if (sensor_loss(&r->sensor, &r->report.capture, r->sensor.next_ms, &loss))
			written = take_sensor(r, &loss);
	}
	if (written) {
		judge_finish(r->judge);
		written = drain_alerts(r);
	}
	progress_clear();
	count(r);
	bool saved = save(r);
	if (written && !(r->failed && r->report.packets == 0))
		run_summary(r);
	(void)outputs_close(&r->outputs, is_live(r) ? DRAIN_MS : 0);

	int status = status_of(r);
	if (r->outputs.error != 0) {
		if (r->outputs.error != EPIPE) /* the reader has gone: it knows */
			log_say("standard output: %s", strerror(r->outputs.error));
		status = STATUS_ERROR;
	}
	if (!saved || r->outputs.lost)
		status = STATUS_ERROR;
	run_close(r);
	return status;
}
