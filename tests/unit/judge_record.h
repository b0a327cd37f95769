/* For the tests of the judge: a record as it comes from the wire, and what it says then. */
#ifndef POSTCARD_TESTS_JUDGE_RECORD_H
#define POSTCARD_TESTS_JUDGE_RECORD_H

#include "record/read.h"
#include "record/record.h"

static struct record record;

static void
put_ip(enum field f, const char *ip)
{
	struct addr a;
	assert_true(addr_parse(ip, &a));
	record_put_ip(&record, f, &a);
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
	static char text[3][2048];
	static unsigned next;
	struct record_value v;
	char *out = text[next++ % 3];
	if (!record_find(&record, f, &v))
		return "";
	assert_true(v.len < sizeof text[0]);
	memcpy(out, v.str, v.len);
	out[v.len] = '\0';
	return out;
}

#endif
