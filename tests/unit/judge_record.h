/* For the tests of the judge: a record as it comes from the wire, and what it says then. */
#ifndef POSTCARD_TESTS_JUDGE_RECORD_H
#define POSTCARD_TESTS_JUDGE_RECORD_H

#include "record/read.h"
#include "record/record.h"
#include "record_words.h"

static struct record record;

static void
put_ip(enum field f, const char *ip)
{
	record_put_address(&record, f, ip);
}

/* A record begun with what all have. */
static void
begin(enum record_kind kind, const char *direction, uint64_t port, const char *reason)
{
	record_begin(&record, kind);
	record_put_word(&record, FIELD_NETWORK_PROTOCOL, "smtp");
	record_put_word(&record, FIELD_NETWORK_DIRECTION, direction);
	put_ip(FIELD_SOURCE_IP, "10.0.0.9");
	put_ip(FIELD_DESTINATION_IP, "192.0.2.1");
	record_put_u64(&record, FIELD_DESTINATION_PORT, port);
	record_put_word(&record, FIELD_OUTCOME, "cleartext");
	record_put_word(&record, FIELD_REASON, reason);
}

static void
put_exposed(const char *const *words)
{
	for (; *words != NULL; words++)
		record_put_word(&record, FIELD_EXPOSED, *words);
}

static const char *const ENVELOPE[] = {"envelope", NULL};
static const char *const BODY[] = {"envelope", "headers", "body", NULL};
static const char *const CREDENTIALS[] = {"credentials", NULL};
static const char *const ALL[] = {"envelope", "headers", "body", "attachments", "credentials",
    NULL};

static const char *
value_of(enum field f)
{
	return record_word(&record, f);
}

#endif
