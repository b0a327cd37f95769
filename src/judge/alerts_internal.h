/* What an open alert is, for alerts.c and state.c only. */
#ifndef POSTCARD_JUDGE_ALERTS_INTERNAL_H
#define POSTCARD_JUDGE_ALERTS_INTERNAL_H

#include "base/limits.h"
#include "base/map.h"
#include "base/text.h"
#include "judge/alerts.h"

struct alert {
	int64_t last_ns;       /* of its last event; first, as memory_internal.h wants it */
	int64_t first_ns;      /* of its first event */
	int64_t window_end_ns; /* events before it are rolled up */
	int64_t window_ns;
	uint64_t pending; /* events that were not reported yet */
	struct pair_key pair;
	uint8_t level;	 /* the gravest that was reported */
	bool readable;	 /* about readable mail, so that sealed connections resolve it */
	bool resolved;	 /* to be reported as that, and removed */
	bool dirty;	 /* the state file does not have it so */
	uint16_t kind;	 /* of the record kept */
	uint16_t sealed; /* connections in a row between its hosts, when it was saved */
	uint32_t kept;	 /* octets of it */
};

/* The same with the record kept, as the state file has it. */
struct alert_row {
	struct alert alert;
	uint8_t data[LIMIT_ALERT_RECORD];
};

/* struct fingerprint -> what begins with a struct alert */
struct map *alerts_map(struct alerts *a);

/* An open alert as a row. */
void alerts_row(const struct alerts *a, const struct alert *x, struct alert_row *out);

/* Could the octets be an alert? */
bool alert_is_sound(const struct alert_row *x);

/* An alert of an earlier run is open still.  False where it makes no sense. */
bool alerts_take(struct alerts *a, const struct fingerprint *f, const struct alert_row *x);

/* Before the alerts are saved: how many connections in a row were sealed goes into them. */
void alerts_note_sealed(struct alerts *a);

/* The i-th alert that was closed since alerts_closed_forget; false behind the last. */
bool alerts_closed(const struct alerts *a, uint32_t i, struct fingerprint *out);
void alerts_closed_forget(struct alerts *a);

/* The rule's title, and client, server and level, for people. */
void alert_describe(const struct alert_row *x, struct text *name, struct text *about);

#endif
