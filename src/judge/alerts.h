/*
 * The life of an alert: said at once, rolled up, raised, resolved.
 *
 * An alert is known by its fingerprint: the rule, and client, server and reason (or the key that
 * the rule names).  The first event is reported at once; those behind it are counted and reported
 * together when the window ends; an event of a higher level is reported at once.  Alerts about
 * readable mail end when LIMIT_ALERT_SEALED connections in a row between the same two were sealed.
 * All times are packet time.
 */
#ifndef POSTCARD_JUDGE_ALERTS_H
#define POSTCARD_JUDGE_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "judge/rules.h"
#include "record/record.h"

struct alerts;

struct alerts *alerts_new(void);    /* NULL where there is no memory */
void alerts_free(struct alerts *a); /* NULL is allowed */

/* The key by which alerts are told apart.  It is drawn by alerts_new, and is that of the state file
 * where there is one, whose alerts were hashed with it. */
const struct hash_key *alerts_key(const struct alerts *a);
void alerts_set_key(struct alerts *a, const struct hash_key *key);

enum alert_state { ALERT_SILENT, ALERT_NEW, ALERT_REPEATED, ALERT_RAISED, ALERT_RESOLVED };

/* What an event makes of its alert. */
struct alert_report {
	enum alert_state state; /* ALERT_SILENT: counted, to be reported later */
	uint64_t count;		/* events that this report stands for */
	int64_t first_ns;	/* of the alert */
	struct alert *alert;	/* for alerts_keep; until the next call of any function here */
};

/* Which alert an event belongs to. */
struct fingerprint {
	uint8_t octets[16]; /* keyed hash over rule and key (alerts_key) */
};

/* Between which hosts.  Zeroed before it is filled. */
struct pair_key {
	struct addr client, server;
	uint16_t port;
	uint8_t zero[6];
};

/* What alerts_event will ask for, and the hashes of it. */
struct alert_place {
	struct fingerprint f;
	struct pair_key pair;
	uint64_t hash, pair_hash, counted_hash;
};

/* `rule` matched `r`, and alerts_event will be told so: fetches meanwhile what is known of it. */
struct alert_place alerts_expect(struct alerts *a, const struct rule *rule, const struct record *r);

/* One event: `rule` matched `r` at `level`.  `at` is what alerts_expect gave for the two. */
struct alert_report alerts_event(struct alerts *a, const struct alert_place *at,
    const struct rule *rule, enum level level, const struct record *r, int64_t now_ns);

/*
 * Who accepts that `rule` matched `r`: `by`, the exception that matched as well, if any.  Mails and
 * the record of their connection are one matter: where all its mails were accepted, so is a session
 * that no exception matches (it has no recipients, say).  To be asked of each match, before
 * alerts_event; NULL: nobody does.
 */
const struct rule *alerts_accepted(struct alerts *a, const struct rule *rule,
    const struct record *r, const struct rule *by);

/* The rules that events were of are about to go: their numbers mean nothing any more. */
void alerts_forget_rules(struct alerts *a);

/* Keeps what later reports of the alert say: of the record of an alert the values that name no
 * person. */
void alerts_keep(struct alerts *a, struct alert *alert, const struct record *r);

/* A session was sealed. */
void alerts_sealed(struct alerts *a, const struct record *r, int64_t now_ns);

/* The next report that is due: a roll-up whose window is over, an alert that is resolved.  With
 * `all` every roll-up is due, as at the end of a run.  False: none. */
bool alerts_due(struct alerts *a, int64_t now_ns, bool all, struct record *out);

/* Puts the state of the report into the record of an alert. */
void alerts_put(struct record *r, enum alert_state state, uint64_t count, int64_t first_ns);

#endif
