/*
 * A run: see run.h.
 *
 * capture -> engine -> enrich -> judge (-> alerts) -> tally -> sink, in one loop.  Enrichment comes
 * before judgement, because how bad something is depends on where it went.
 */
#include "app/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "app/progress.h"
#include "app/summary.h"
#include "app/terminal.h"
#include "base/log.h"
#include "capture/capture.h"
#include "engine/engine.h"
#include "enrich/enrich.h"
#include "judge/judge.h"
#include "sink/sink.h"

#define CLOCK_PACKETS 4096u /* packets between two looks at the clock, a power of two */

struct run {
	const struct options *o;
	struct judge *judge;
	struct enrich *enrich;
	struct capture *capture;
	struct engine *engine;
	struct sink *sink;
	struct progress progress;
	struct tally tally;
	uint64_t packets;     /* given to the engine */
	int write_error;      /* errno of the output; 0 while all is well */
	bool capture_failed;  /* reading had to stop */
	struct record record; /* the one under way */
	struct record alert;  /* an alert about it */
};

/* Which signal asks the run to end; a signal handler has nowhere else to write. */
static volatile sig_atomic_t stop_signal;

static volatile sig_atomic_t reload_asked;

static void
on_signal(int number)
{
	stop_signal = number;
}

static void
on_reload(int number)
{
	(void)number;
	reload_asked = 1;
}

/* The first signal ends the run in order; the second has its default action. */
static void
catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction old,
		    new = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
		sigemptyset(&new.sa_mask);
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &new, NULL);
	}
}

/* SIGHUP asks for other rules and ends nothing: a read that waits goes on, and the next packet is
 * judged by them. */
static void
catch_reload(void)
{
	struct sigaction reload = {.sa_handler = on_reload, .sa_flags = SA_RESTART};
	sigemptyset(&reload.sa_mask);
	sigaction(SIGHUP, &reload, NULL);
}

/* What the tables can hold. */
static void
say_sizes(const struct engine *e)
{
	struct engine_table t;
	log_say("memory: at most %llu MB; its tables hold",
	    (unsigned long long)engine_memory(e) >> 20);
	for (unsigned i = 0; engine_table_get(e, i, &t); i++)
		log_say("  %10lu %-28s %6llu MB", (unsigned long)t.max, t.name,
		    (unsigned long long)t.octets >> 20);
}

/* Which tables were full, and how often. */
static void
say_full(const struct engine *e)
{
	struct engine_table t;
	for (unsigned i = 0; engine_table_get(e, i, &t); i++) {
		if (t.refused > 0)
			log_say("memory was full for %s %llu times (see --memory)", t.name,
			    (unsigned long long)t.refused);
	}
}

/* The judge, with rules, policies and what it remembers from earlier runs. */
static bool
open_judge(struct run *r, struct config *c)
{
	char error[JUDGE_ERROR] = "no memory for the judge";
	r->judge = judge_new();
	if (r->judge != NULL && config_judge(c, r->o, r->judge, error) &&
	    (r->o->state == NULL || judge_remember(r->judge, r->o->state, error)))
		return true;
	log_say("%s", error);
	return false;
}

/* Each part of the set-up says itself what is wrong; the first that fails ends it. */
static bool
run_open(struct run *r, struct config *c)
{
	const struct options *o = r->o;
	char error[512] = "";
	if (!open_judge(r, c))
		return false;
	struct enrich_config enrich = {
	    .geoip_dir = o->geoip_dir,
	    .no_geoip = o->numeric,
	    .home = o->home,
	    .homes = o->home_count,
	};
	struct capture_error capture_error;
	r->capture = capture_open_files(o->files, o->file_count, o->filter, &capture_error);
	if (r->capture == NULL) {
		/* one word behind the files is more often a misspelt file than an expression */
		bool misspelt = o->loose_word != NULL && strchr(o->filter, ' ') == NULL &&
		    strstr(capture_error.text, "filter") != NULL;
		if (misspelt)
			log_say("%s; nor is '%.64s' a file", capture_error.text, o->loose_word);
		else
			log_say("%s", capture_error.text);
		return false;
	}
	r->enrich = enrich_open(&enrich, error);
	if (r->enrich == NULL) {
		log_say("%s", error);
		return false;
	}
	struct engine_config engine = {.memory = o->memory, .no_ndpi = o->no_ndpi};
	r->engine = engine_new(&engine, error);
	if (r->engine == NULL) {
		log_say("%s", error);
		return false;
	}
	if (o->verbose > 0)
		say_sizes(r->engine);
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	struct sink_config sink = {
	    .kind = o->json ? "json" : "text",
	    .out = stdout,
	    .reveal = o->reveal,
	    .colour = terminal.colour,
	    .unicode = terminal.unicode,
	    .quiet = o->quiet,
	    .verbose = o->verbose,
	    .columns = terminal.columns,
	};
	r->sink = sink_open(&sink, error);
	if (r->sink == NULL) {
		log_say("%s", error);
		return false;
	}
	return true;
}

static void
run_close(struct run *r)
{
	if (r->engine != NULL)
		engine_free(r->engine);
	capture_close(r->capture);
	enrich_close(r->enrich);
	judge_free(r->judge);
	free(r);
}

static bool
push(struct run *r, const struct record *record)
{
	progress_clear();
	if (sink_push(r->sink, record))
		return true;
	r->write_error = errno != 0 ? errno : EIO;
	return false;
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

/* Takes what the engine has to say.  False where it could not be written. */
static bool
drain(struct run *r)
{
	while (engine_next(r->engine, &r->record)) {
		enrich_apply(r->enrich, &r->record);
		judge_push(r->judge, &r->record);
		tally_add(&r->tally, &r->record);
		if (!push(r, &r->record) || !drain_alerts(r))
			return false;
	}
	return true;
}

static void
show_progress(struct run *r)
{
	struct progress_state s = {.packets = r->packets, .sessions = r->tally.sessions};
	if (!progress_is_due(&r->progress))
		return;
	capture_progress(r->capture, &s.octets_read, &s.octets_total);
	progress_show(&r->progress, &s);
}

/* Configuration, rules and policies anew, all of them or none; other options stay as they are. */
static void
reload(struct run *r)
{
	struct options o = *r->o;
	struct config c;
	char error[YAML_ERROR];
	reload_asked = 0;
	if (config_read(&c, &o, error) && config_judge(&c, &o, r->judge, error)) {
		size_t n = rules_count(judge_rules(r->judge));
		log_say("reloaded: %zu rule%s", n, n == 1 ? "" : "s");
	} else {
		log_say("not reloaded, all stays as it was: %s", error);
	}
	config_free(&c);
}

/* All packets, until the input or the reader's patience ends.  False where the output failed. */
static bool
run_packets(struct run *r)
{
	struct frame frame;
	while (stop_signal == 0 && (r->o->packets == 0 || r->packets < r->o->packets)) {
		enum capture_status status = capture_next(r->capture, &frame);
		if (status != CAPTURE_FRAME) {
			r->capture_failed = status == CAPTURE_FAILED;
			break;
		}
		engine_push(r->engine, &frame);
		if (!drain(r))
			return false;
		if (reload_asked)
			reload(r);
		if ((++r->packets & (CLOCK_PACKETS - 1)) == 0)
			show_progress(r);
	}
	engine_finish(r->engine);
	if (!drain(r))
		return false;
	judge_finish(r->judge);
	return drain_alerts(r);
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

/* A line about the input: said, and written into the summary. */
static void
add_fault(struct run *r, const char *line)
{
	log_say("%s", line);
	record_put_word(&r->record, FIELD_SUM_FAULTS, line);
}

static void
run_summary(struct run *r, const struct capture_stats *capture)
{
	struct engine_stats engine;
	char line[128];
	engine_stats_get(r->engine, &engine);
	struct judge_stats judged;
	judge_stats_get(r->judge, &judged);
	summary_compose(&r->record, &r->tally, capture, &engine, &judged);
	size_t faults = capture_faults(r->capture);
	for (size_t i = 0; i < faults; i++)
		add_fault(r, capture_fault(r->capture, i));
	if (r->capture_failed)
		add_fault(r, capture_failure(r->capture));
	if (stop_signal != 0) {
		snprintf(line, sizeof line,
		    "ended by signal %d after %llu packets; the rest was not read",
		    (int)stop_signal, (unsigned long long)r->packets);
		add_fault(r, line);
	}
	if (engine.unknown_link_more > 0)
		log_say("%llu packets have link type %u, and %llu other ones, which are not known; "
			"they were not looked at",
		    (unsigned long long)(engine.unknown_link - engine.unknown_link_more),
		    engine.unknown_link_type, (unsigned long long)engine.unknown_link_more);
	else if (engine.unknown_link > 0)
		log_say("%llu packets have link type %u, which is not known; they were not looked "
			"at",
		    (unsigned long long)engine.unknown_link, engine.unknown_link_type);
	say_full(r->engine);
	if (engine.evicted > 0)
		log_say("%llu connections were given up early because memory was full",
		    (unsigned long long)engine.evicted);
	if (judged.given_up > 0)
		log_say("%llu times an expression of a rule gave up after %u steps",
		    (unsigned long long)judged.given_up, LIMIT_RULE_STEPS);
	push(r, &r->record);
}

static int
status_of(const struct run *r, const struct capture_stats *capture)
{
	const struct options *o = r->o;
	if (stop_signal != 0)
		return 128 + (int)stop_signal;
	if ((o->fail_on_cleartext && r->tally.cleartext) ||
	    (o->fail_level != LEVEL_NONE && r->tally.worst >= o->fail_level))
		return STATUS_FOUND;
	if (r->capture_failed || capture->files_damaged > 0)
		return STATUS_DAMAGED;
	return STATUS_DONE;
}

int
run_replay(const struct options *o, struct config *c)
{
	struct run *r = calloc(1, sizeof *r);
	if (r == NULL) {
		log_say("no memory");
		return STATUS_ERROR;
	}
	r->o = o;
	catch_reload();
	if (!run_open(r, c)) {
		run_close(r);
		return STATUS_ERROR;
	}
	catch_signals();
	/* records that scroll by on the same screen are progress enough */
	progress_begin(&r->progress, !o->quiet && !(o->json && isatty(STDOUT_FILENO) == 1));

	struct capture_stats capture = {0};
	bool written = run_packets(r);
	progress_clear();
	capture_stats_get(r->capture, &capture);
	bool saved = save(r);
	if (written)
		run_summary(r, &capture);
	errno = 0;
	if (!sink_close(r->sink) && r->write_error == 0)
		r->write_error = errno != 0 ? errno : EIO;

	int status = status_of(r, &capture);
	if (r->write_error != 0) {
		if (r->write_error != EPIPE) /* the reader has gone: it knows */
			log_say("standard output: %s", strerror(r->write_error));
		status = STATUS_ERROR;
	}
	if (!saved)
		status = STATUS_ERROR;
	run_close(r);
	return status;
}
