/* What a live view knows: see view_model.h. */
#include "sink/view_model.h"

#include <string.h>

#define SECOND_NS  1000000000ll
#define RATE_NS	   (5 * SECOND_NS)
#define SESSION_NS (60 * SECOND_NS)

bool
view_model_init(struct view_model *m, bool unicode)
{
	memset(m, 0, sizeof *m);
	m->unicode = unicode;
	return summary_init(&m->summary);
}

void
view_model_free_all(struct view_model *m)
{
	summary_free_all(&m->summary);
}

static void
take_alert(struct view_model *m, const struct record *r)
{
	struct view_alert a;
	unsigned at = 0;
	summary_take_alert(&m->summary, r);
	view_alert_take(&a, r, m->unicode);
	m->raised += a.state == VIEW_NEW || a.state == VIEW_WORSE;
	while (at < m->alerts && !view_alert_same(&m->alert[at], &a))
		at++;
	if (at < m->alerts && (a.state == VIEW_REPEATED || a.state == VIEW_WORSE)) {
		a.count += m->alert[at].count;
	} else if (at < m->alerts && a.state == VIEW_RESOLVED) {
		a.count = m->alert[at].count;
	} else if (at == m->alerts) {
		at = m->alerts < LIMIT_VIEW_ALERTS ? m->alerts++ : LIMIT_VIEW_ALERTS - 1;
		a.count = a.state == VIEW_RESOLVED ? 1 : a.count;
	}
	memmove(&m->alert[1], &m->alert[0], at * sizeof a);
	m->alert[0] = a;
}

static void
take_status(struct view_model *m, const struct record *r, int64_t at_ns)
{
	struct view_sample *s = &m->sample[m->samples % VIEW_SAMPLES];
	uint64_t outcomes[OUTCOMES], all = 0;
	summary_take_summary(&m->summary, r);
	summary_outcomes(&m->summary, outcomes);
	for (int o = 0; o < OUTCOMES; o++)
		all += outcomes[o];
	*s = (struct view_sample){.at_ns = at_ns,
	    .packets = summary_number(&m->summary, FIELD_SUM_FRAMES, 0),
	    .octets = summary_number(&m->summary, FIELD_SUM_BYTES, 0),
	    .sessions = all};
	m->samples++;
}

void
view_model_take(struct view_model *m, const struct record *r, int64_t at_ns)
{
	switch (r->kind) {
	case RECORD_SESSION: {
		struct clear clear;
		bool in_clear = clear_of_session(&clear, r, false);
		summary_take_session(&m->summary, r, in_clear ? &clear : NULL);
		summary_take_alert(&m->summary, r);
		if (in_clear)
			view_top_take(&m->top, &clear);
		break;
	}
	case RECORD_MESSAGE: summary_take_alert(&m->summary, r); break;
	case RECORD_ALERT: take_alert(m, r); break;
	case RECORD_SUMMARY: take_status(m, r, at_ns); break;
	default: break;
	}
}

/* The oldest sample that is at most `ns` older than the newest one, or the one before the newest;
 * NULL where there is none. */
static const struct view_sample *
before(const struct view_model *m, int64_t ns)
{
	unsigned kept = m->samples < VIEW_SAMPLES ? m->samples : VIEW_SAMPLES;
	const struct view_sample *found = NULL,
				 *newest = &m->sample[(m->samples - 1) % VIEW_SAMPLES];
	for (unsigned back = 1; back < kept; back++) {
		const struct view_sample *s = &m->sample[(m->samples - 1 - back) % VIEW_SAMPLES];
		if (newest->at_ns - s->at_ns > ns + SECOND_NS / 2 && found != NULL)
			break;
		found = s;
	}
	return found != NULL && found->at_ns < newest->at_ns ? found : NULL;
}

/* Counts may go back where a worker that died takes its own along. */
static double
rate(uint64_t then, uint64_t now, int64_t ns)
{
	return now > then ? (double)(now - then) * (double)SECOND_NS / (double)ns : 0;
}

bool
view_model_rates(const struct view_model *m, struct view_rates *out)
{
	if (m->samples < 2)
		return false;
	const struct view_sample *now = &m->sample[(m->samples - 1) % VIEW_SAMPLES];
	const struct view_sample *near = before(m, RATE_NS), *far = before(m, SESSION_NS);
	if (near == NULL || far == NULL)
		return false;
	out->packets = rate(near->packets, now->packets, now->at_ns - near->at_ns);
	out->octets = rate(near->octets, now->octets, now->at_ns - near->at_ns);
	out->sessions = rate(far->sessions, now->sessions, now->at_ns - far->at_ns) * 60;
	return true;
}
