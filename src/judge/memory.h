/*
 * Memory across connections: what one connection cannot tell.
 *
 * Four things are remembered, in packet time, so that a replay in time order says what a live
 * sensor said: connections whose TLS failed or was refused (LIMIT_FAILURE_NS), what each server
 * used to offer, who was offered TLS behind which network, and who was seen to send readable mail.
 * memory_apply tells a record what is known, then learns from it.  All of it is bounded; the oldest
 * goes first.  judge/state.h keeps it in a file.
 */
#ifndef POSTCARD_JUDGE_MEMORY_H
#define POSTCARD_JUDGE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "record/record.h"

struct memory;

/* An empty memory; NULL where there is no room.  Free with memory_free (NULL is allowed). */
struct memory *memory_new(void);
void memory_free(struct memory *m);

/* A record is about to be judged: fetches what is remembered of its hosts, while others work on it.
 */
void memory_expect(struct memory *m, const struct record *r);

/*
 * Adds to a session or message what the memory knows of it (postcard.related, .baseline, .path,
 * .new, .memory_s), and sets postcard.reason anew where it knows better: tls-failed or refused
 * where the readable mail is a retry, stripped where an offer vanished with high or medium
 * confidence.  Then learns from it.  Records of other kinds stay as they are.
 */
void memory_apply(struct memory *m, struct record *r);

#endif
