/* The summary of a run: see summary.h. */
#include "app/summary.h"

#include <string.h>

#include "base/text.h"
#include "record/read.h"

static enum outcome
outcome_of(const struct record *r)
{
	size_t len;
	const char *word = record_str(r, FIELD_OUTCOME, &len);
	for (unsigned i = 0; word != NULL && i < OUTCOMES; i++) {
		const char *name = outcome_name((enum outcome)i);
		if (len > 0 && name[0] == word[0] && strlen(name) == len &&
		    memcmp(name, word, len) == 0)
			return (enum outcome)i;
	}
	return OUTCOME_UNKNOWN;
}

static void
tally_add_session(struct tally *t, const struct record *r)
{
	enum outcome outcome = outcome_of(r);
	t->sessions++;
	t->outcomes[outcome]++;
	if (outcome == OUTCOME_CLEARTEXT)
		t->cleartext = true;
	if (record_is(r, FIELD_EXPOSED, "credentials"))
		t->credentials++;
	uint64_t messages = record_u64(r, FIELD_MESSAGES, 0);
	uint64_t envelopes = record_u64(r, FIELD_ENVELOPES, 0);
	uint64_t gap = record_u64(r, FIELD_GAP_BYTES, 0);
	t->messages += messages;
	t->envelopes += envelopes > messages ? envelopes - messages : 0;
	t->gap_sessions += gap > 0;
	t->gap_bytes += gap;
	size_t len;
	const char *sides = record_str(r, FIELD_VISIBILITY, &len);
	t->one_sided += word_is(sides, len, "client-only") || word_is(sides, len, "server-only");
	t->midstream += record_true(r, FIELD_MIDSTREAM);
}

void
tally_add(struct tally *t, const struct record *r)
{
	bool over = false;
	if (r->kind == RECORD_SESSION) {
		tally_add_session(t, r);
	} else if (r->kind == RECORD_MESSAGE) {
		t->cleartext = true;
	} else if (r->kind == RECORD_ALERT) {
		size_t len;
		const char *state = record_str(r, FIELD_ALERT_STATE, &len);
		over = word_is(state, len, "resolved");
		t->resolved += over;
		t->alerts += !over && !word_is(state, len, "repeated");
	}
	enum level level = level_of(r);
	if (level > t->worst && !over)
		t->worst = level;
}

void
summary_compose(struct record *out, const struct tally *t, const struct capture_stats *c,
    const struct engine_stats *e, const struct judge_stats *j)
{
	record_begin(out, RECORD_SUMMARY);
	if (c->frames > 0)
		record_put_time(out, FIELD_TIMESTAMP, c->last_ns);
	record_put_word(out, FIELD_EVENT_KIND, "metric");
	record_put_word(out, FIELD_EVENT_DATASET, "postcard.summary");
	if (c->frames > 0) {
		record_put_time(out, FIELD_EVENT_START, c->first_ns);
		record_put_time(out, FIELD_EVENT_END, c->last_ns);
		record_put_u64(out, FIELD_EVENT_DURATION,
		    (uint64_t)c->last_ns - (uint64_t)c->first_ns);
	}
	record_put_word(out, FIELD_OBSERVER_TYPE, "sensor");
	record_put_word(out, FIELD_OBSERVER_PRODUCT, "postcard");
	record_put_word(out, FIELD_OBSERVER_VERSION, POSTCARD_VERSION);

	record_put_u64(out, FIELD_SUM_FILES, c->files);
	record_put_u64(out, FIELD_SUM_FRAMES, c->frames);
	record_put_u64(out, FIELD_SUM_BYTES, c->captured);
	record_put_u64(out, FIELD_SUM_FILTERED, c->filtered);
	record_put_u64(out, FIELD_SUM_TCP, e->tcp);
	record_put_u64(out, FIELD_SUM_NOT_TCP, e->not_tcp);
	record_put_u64(out, FIELD_SUM_UNDECODED, e->undecoded);
	record_put_u64(out, FIELD_SUM_FRAGMENTS, e->fragments);
	record_put_u64(out, FIELD_SUM_UNJOINED, e->unjoined);
	record_put_u64(out, FIELD_SUM_CUT, c->cut);
	record_put_u64(out, FIELD_SUM_CLOCK_STEPS, c->steps_back);
	record_put_u64(out, FIELD_SUM_DROPS, c->dropped);
	record_put_u64(out, FIELD_SUM_FLOWS, e->flows);
	record_put_u64(out, FIELD_SUM_SESSIONS, t->sessions);
	record_put_u64(out, FIELD_SUM_ENCRYPTED, t->outcomes[OUTCOME_ENCRYPTED]);
	record_put_u64(out, FIELD_SUM_CLEARTEXT, t->outcomes[OUTCOME_CLEARTEXT]);
	record_put_u64(out, FIELD_SUM_TLS_FAILED, t->outcomes[OUTCOME_TLS_FAILED]);
	record_put_u64(out, FIELD_SUM_NO_MAIL, t->outcomes[OUTCOME_NO_MAIL]);
	record_put_u64(out, FIELD_SUM_UNKNOWN, t->outcomes[OUTCOME_UNKNOWN]);
	record_put_u64(out, FIELD_SUM_MESSAGES, t->messages);
	record_put_u64(out, FIELD_SUM_ENVELOPES, t->envelopes);
	record_put_u64(out, FIELD_SUM_CREDENTIALS, t->credentials);
	record_put_u64(out, FIELD_SUM_GAP_SESSIONS, t->gap_sessions);
	record_put_u64(out, FIELD_SUM_GAP_BYTES, t->gap_bytes);
	record_put_u64(out, FIELD_SUM_ONE_SIDED, t->one_sided);
	record_put_u64(out, FIELD_SUM_MIDSTREAM, t->midstream);
	record_put_u64(out, FIELD_SUM_ALERTS, t->alerts);
	record_put_u64(out, FIELD_SUM_ACCEPTED, j->accepted);
	record_put_u64(out, FIELD_SUM_RESOLVED, t->resolved);
	record_put_u64(out, FIELD_SUM_EVICTED, e->evicted);
}

void
summary_add_sensor(struct record *out, const struct feed_report *f, unsigned workers,
    uint64_t restarts, int64_t now_ns)
{
	record_put_u64(out, FIELD_SUM_WORKERS, workers);
	record_put_u64(out, FIELD_SUM_RESTARTS, restarts);
	record_put_u64(out, FIELD_SUM_WAITS, f->waits);
	record_put_u64(out, FIELD_SUM_INTERFACE_DROPS, f->capture.interface_dropped);
	if (now_ns > f->last_ns && f->last_ns > 0)
		record_put_u64(out, FIELD_SUM_LAG, (uint64_t)(now_ns - f->last_ns));
	for (unsigned i = 0; i < f->tables; i++) {
		const struct engine_table *t = &f->table[i];
		record_put_item(out, FIELD_SUM_POOL);
		record_put_word(out, FIELD_SUM_POOL_NAME, engine_table_name(i));
		record_put_u64(out, FIELD_SUM_POOL_USED, t->used);
		record_put_u64(out, FIELD_SUM_POOL_PEAK, t->peak);
		record_put_u64(out, FIELD_SUM_POOL_MAX, t->max);
		record_put_u64(out, FIELD_SUM_POOL_FULL, t->refused);
	}
}
