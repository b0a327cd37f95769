/* Memory across connections: retries, baselines, paths, what is new; in packet time, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "judge/memory.h"
#include "record_build.h"
#include "record_words.h"

static struct record record;
static struct memory *memory;

static int
begin(void **state)
{
	(void)state;
	memory = memory_new();
	return memory != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	memory_free(memory);
	return 0;
}

/* A record of the client and server that all tests have, unless `more` says others; `id` is of its
 * connection. */
static void
see(const char *kind, double at, const char *id, const char *more)
{
	char line[1024];
	int64_t start = BUILD_EPOCH_NS + (int64_t)((at - 1) * 1e9);
	snprintf(line, sizeof line, "{kind: %s, at: %.3f, network.community_id: '1:%s', %s}", kind,
	    at, id, more);
	build_record_of(&record, line);
	record_put_time(&record, FIELD_EVENT_START, start);
	memory_apply(memory, &record);
}

#define PAIR  "source.ip: 192.0.2.9, destination.ip: 198.51.100.25, destination.port: 25"
#define NAMES ", postcard.helo: out.example.com, postcard.greeting: '220 mx1.example.org ESMTP'"
#define FAILED                                                                                 \
	PAIR NAMES                                                                             \
	    ", postcard.outcome: tls-failed, postcard.tls.alert: 'server: handshake_failure'," \
	    " postcard.starttls.offered: true, postcard.starttls.reply: 220"
#define REFUSED                                                                \
	PAIR NAMES ", postcard.outcome: cleartext, postcard.reason: refused, " \
		   "postcard.starttls.offered: true,"                          \
		   " postcard.starttls.reply: 454"
#define IGNORED PAIR NAMES ", postcard.outcome: cleartext, postcard.reason: not-requested"
#define SEALED	PAIR NAMES ", postcard.outcome: encrypted, postcard.starttls.offered: true"

static const char *
word(enum field f)
{
	return record_word(&record, f);
}

static uint64_t
number(enum field f)
{
	struct record_value v;
	return record_find(&record, f, &v) ? v.u64 : UINT64_MAX;
}

static void
expect_retry(const char *reason, const char *by)
{
	assert_string_equal(word(FIELD_REASON), reason);
	assert_string_equal(word(FIELD_RELATED_BY), by);
}

static void
a_retry_names_what_failed(void **state)
{
	(void)state;
	struct record_value v;
	see("session", 0, "a", FAILED);
	see("message", 600, "b", IGNORED);
	expect_retry("tls-failed", "address");
	assert_string_equal(word(FIELD_RELATED_ID), "1:a");
	assert_string_equal(word(FIELD_RELATED_OUTCOME), "tls-failed");
	assert_string_equal(word(FIELD_RELATED_ALERT), "server: handshake_failure");
	assert_true(record_find(&record, FIELD_RELATED_TIME, &v));
	assert_int_equal(v.ns, BUILD_EPOCH_NS);
	see("session", 601, "b", IGNORED);
	expect_retry("tls-failed", "address");
	/* a day later nobody remembers */
	see("message", 86399, "c", IGNORED);
	expect_retry("tls-failed", "address");
	see("message", 86401, "c", IGNORED);
	expect_retry("not-requested", "");
}

static void
a_refusal_is_remembered_too(void **state)
{
	(void)state;
	see("session", 0, "a", REFUSED);
	expect_retry("refused", ""); /* its own */
	see("message", 5, "b", IGNORED);
	expect_retry("refused", "address");
	/* nothing crossed: the outcome is that of a failure, but no handshake was tried */
	see("session", 10, "c",
	    PAIR NAMES ", postcard.outcome: tls-failed, postcard.starttls.reply: 454");
	see("message", 15, "d", IGNORED);
	expect_retry("refused", "address");
	assert_string_equal(word(FIELD_RELATED_ID), "1:c");
	assert_string_equal(word(FIELD_RELATED_OUTCOME), "refused");
}

static void
other_reasons_stay(void **state)
{
	(void)state;
	static const char *const reasons[] = {"not-offered", "stripped", "refused", "null-cipher",
	    "not-visible", "tls-failed"};
	see("session", 0, "a", FAILED);
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		char line[400];
		snprintf(line, sizeof line,
		    PAIR ", postcard.outcome: cleartext, postcard.reason: %s", reasons[i]);
		see("message", 5, "b", line);
		expect_retry(reasons[i], "");
	}
}

static void
names_find_it_from_other_addresses(void **state)
{
	(void)state;
	see("session", 0, "a", FAILED);
	/* the second MX of the domain, at once; not an hour later */
	static const char other[] = "source.ip: 192.0.2.9, destination.ip: 198.51.100.26,"
				    " destination.port: 25, postcard.helo: out.example.com,"
				    " postcard.greeting: '220 mx2.example.org ESMTP',"
				    " postcard.outcome: cleartext, postcard.reason: not-requested";
	see("message", 60, "b", other);
	expect_retry("tls-failed", "domain");
	see("message", 3600, "c", other);
	expect_retry("not-requested", "");
	/* the same names from other addresses: a client behind NAT, a server that moved */
	static const char moved[] = "source.ip: 192.0.2.77, destination.ip: 198.51.100.99,"
				    " destination.port: 25, postcard.helo: OUT.example.com,"
				    " postcard.greeting: '220 MX1.example.org',"
				    " postcard.outcome: cleartext, postcard.reason: not-requested";
	see("message", 7200, "d", moved);
	expect_retry("tls-failed", "name");
	/* others are others */
	see("message", 60, "e",
	    "source.ip: 192.0.2.10, destination.ip: 198.51.100.25, destination.port: 25,"
	    " postcard.outcome: cleartext, postcard.reason: not-requested");
	expect_retry("not-requested", "");
}

/* The address of one side and the name of the other are enough, whatever the rest became. */
static void
one_name_and_one_address_find_it(void **state)
{
	(void)state;
#define READABLE ", postcard.outcome: cleartext, postcard.reason: not-requested"
	static const char *const found[] = {
	    /* the client's address changed, and a firewall masks the greeting */
	    "source.ip: 192.0.2.77, destination.ip: 198.51.100.25, destination.port: 25,"
	    " postcard.helo: out.example.com, postcard.greeting: '220 *****'" READABLE,
	    /* the server's address changed, and the client gives another name */
	    "source.ip: 192.0.2.9, destination.ip: 203.0.113.7, destination.port: 25,"
	    " postcard.helo: other.example.net, postcard.greeting: '220 mx1.example.org'" READABLE,
	};
	see("session", 0, "a", FAILED);
	for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
		see("message", 7200, "b", found[i]);
		expect_retry("tls-failed", "name");
	}
	/* one side alone is not */
	see("message", 7200, "c",
	    "source.ip: 192.0.2.9, destination.ip: 203.0.113.7, destination.port: 25,"
	    " postcard.helo: out.example.com, postcard.greeting: '220 mx1.example.net'" READABLE);
	expect_retry("not-requested", "");
	see("message", 7200, "d",
	    "source.ip: 192.0.2.77, destination.ip: 198.51.100.25, destination.port: 25,"
	    " postcard.helo: other.example.net, postcard.greeting: '220 mx1.example.org'" READABLE);
	expect_retry("not-requested", "");
}

/* Who could not fetch mail sends none instead; another port is none the less a retry. */
static void
another_protocol_is_no_retry(void **state)
{
	(void)state;
#define HOSTS "source.ip: 192.0.2.9, destination.ip: 198.51.100.25, destination.port: "
	static const struct {
		const char *failed, *readable;
		bool retry;
	} rows[] = {
	    {"143, network.protocol: imap", "25, network.protocol: smtp", false},
	    {"993, network.protocol: tls", "587, network.protocol: smtp", false},
	    {"995, network.protocol: tls", "143, network.protocol: imap", false},
	    {"465, network.protocol: tls", "143, network.protocol: imap", false},
	    {"10143, network.protocol: imap", "2525, network.protocol: smtp", false},
	    {"993, network.protocol: tls", "143, network.protocol: imap", true},
	    {"10995, network.protocol: pop3", "110, network.protocol: pop3", true},
	    {"465, network.protocol: tls", "2525, network.protocol: smtp", true},
	    {"25, network.protocol: smtp", "24, network.protocol: lmtp", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[400];
		double at = (double)i * 2 * 86400; /* the one before is forgotten */
		snprintf(line, sizeof line, HOSTS "%s" NAMES ", postcard.outcome: tls-failed",
		    rows[i].failed);
		see("session", at, "a", line);
		snprintf(line, sizeof line, HOSTS "%s" NAMES READABLE, rows[i].readable);
		see("session", at + 5, "b", line);
		expect_retry(rows[i].retry ? "tls-failed" : "not-requested",
		    rows[i].retry ? "address" : "");
	}
}

static void
not_of_itself_and_not_backwards(void **state)
{
	(void)state;
	see("session", 100, "a", FAILED);
	see("message", 100, "a", IGNORED); /* the same connection */
	expect_retry("not-requested", "");
	see("message", 90, "b", IGNORED); /* it began before the one that failed */
	expect_retry("not-requested", "");
}

/* Mail went readable, then STARTTLS was refused: it is a retry, and is remembered itself. */
static void
a_retry_may_fail_too(void **state)
{
	(void)state;
	see("session", 0, "a", FAILED);
	see("session", 10, "b",
	    IGNORED ", postcard.starttls.offered: true, postcard.starttls.reply: 454");
	expect_retry("tls-failed", "address");
	assert_string_equal(word(FIELD_RELATED_ID), "1:a");
	assert_string_equal(word(FIELD_RELATED_OUTCOME), "tls-failed");
	see("message", 20, "c", IGNORED);
	expect_retry("refused", "address");
	assert_string_equal(word(FIELD_RELATED_ID), "1:b");
}

static void
sealed_again_forgets(void **state)
{
	(void)state;
	see("session", 0, "a", FAILED);
	see("session", 10, "b", SEALED);
	see("message", 20, "c", IGNORED);
	expect_retry("not-requested", "");
	see("session", 30, "d", FAILED);
	see("message", 40, "e", IGNORED);
	expect_retry("tls-failed", "address");
}

/* ------------------------------------------------------------------------------ baseline */

#define KEYWORDS ", postcard.capabilities: [SIZE, PIPELINING, 8BITMIME, CHUNKING]"
#define OFFER	 SEALED ", postcard.capabilities: [STARTTLS, SIZE, PIPELINING, 8BITMIME, CHUNKING]"
#define GONE                                                                               \
	PAIR NAMES KEYWORDS ", postcard.outcome: cleartext, postcard.reason: not-offered," \
			    " postcard.starttls.offered: false"

static void
offers(double from, unsigned n, double step)
{
	for (unsigned i = 0; i < n; i++)
		see("session", from + i * step, "o", OFFER);
}

static void
expect_baseline(const char *verdict, const char *confidence, const char *reason)
{
	assert_string_equal(word(FIELD_BASELINE_VERDICT), verdict);
	assert_string_equal(word(FIELD_BASELINE_CONFIDENCE), confidence);
	assert_string_equal(word(FIELD_REASON), reason);
}

static void
an_offer_that_vanishes(void **state)
{
	(void)state;
	see("session", 0, "x", GONE);
	expect_baseline("none", "", "not-offered");
	for (unsigned n = 1; n <= 3; n++) {
		memory_free(memory);
		memory = memory_new();
		offers(0, n, 1);
		see("message", 50, "x", GONE);
		expect_baseline("vanished",
		    n == 1	 ? "low"
			: n == 2 ? "medium"
				 : "high",
		    n == 1 ? "not-offered" : "stripped");
	}
	assert_int_equal(number(FIELD_BASELINE_OFFERED), 3);
	assert_int_equal(number(FIELD_BASELINE_NOT_OFFERED), 0);
	assert_int_equal(number(FIELD_BASELINE_CLIENTS), 1);
	see("session", 51, "x", GONE);
	expect_baseline("vanished", "high", "stripped");
	/* long ago is less sure */
	see("message", 9 * 86400.0, "y", GONE);
	expect_baseline("vanished", "medium", "stripped");
	/* it comes back, and all is as it was */
	see("session", 9 * 86400.0 + 1, "z", OFFER);
	see("message", 9 * 86400.0 + 2, "x", GONE);
	expect_baseline("vanished", "high", "stripped");
}

/* The offer vanished, and what was asked for all the same was refused: both are remembered, the
 * failure by the names that stand behind the reason in the record. */
static void
what_vanished_may_be_refused(void **state)
{
	(void)state;
	offers(0, 3, 1);
	see("session", 50, "x",
	    PAIR ", postcard.reason: not-offered" NAMES KEYWORDS
		 ", postcard.outcome: cleartext, postcard.starttls.offered: false,"
		 " postcard.starttls.reply: 502");
	expect_baseline("vanished", "high", "stripped");
	see("message", 60, "y",
	    "source.ip: 192.0.2.77, destination.ip: 198.51.100.26, destination.port: 25" NAMES
	    ", postcard.outcome: cleartext, postcard.reason: not-requested");
	expect_retry("refused", "name");
	assert_string_equal(word(FIELD_RELATED_ID), "1:x");
}

/* One machine of several has no TLS: a network sees the offer come and go. */
static void
an_offer_that_comes_and_goes(void **state)
{
	(void)state;
	offers(0, 4, 1);
	for (unsigned i = 0; i < 2; i++) {
		see("session", 10 + 10 * i, "x", GONE);
		expect_baseline("vanished", "high", "stripped");
		offers(11 + 10 * i, 4, 1);
	}
	see("session", 40, "x", GONE);
	expect_baseline("pool", "", "not-offered");
	/* but many offers without a break, and it is the machine of before no more */
	offers(50, 50, 1);
	see("session", 140, "x", GONE);
	expect_baseline("vanished", "high", "stripped");
}

/* One network never sees it, others always do: that is the way to this network. */
static void
others_do_not_make_it_come_and_go(void **state)
{
	(void)state;
	static const char other[] =
	    "source.ip: 203.0.113.9, destination.ip: 198.51.100.25, destination.port: 25" KEYWORDS
	    ", postcard.outcome: cleartext, postcard.reason: not-offered, "
	    "postcard.starttls.offered: false";
	offers(0, 3, 1);
	for (unsigned i = 0; i < 5; i++) {
		see("session", 10 + 10 * i, "x", other);
		expect_baseline("vanished", "high", "stripped");
		offers(11 + 10 * i, 3, 1);
	}
}

static void
refused_ehlo_counts_as_missing(void **state)
{
	(void)state;
	offers(0, 3, 1);
	see("message", 10, "x",
	    PAIR NAMES ", postcard.outcome: cleartext, postcard.reason: not-offered");
	expect_baseline("vanished", "high", "stripped");
}

static void
a_masked_keyword_is_evidence_itself(void **state)
{
	(void)state;
	offers(0, 1, 1);
	see("session", 10, "x",
	    PAIR NAMES ", postcard.outcome: cleartext, postcard.reason: stripped,"
		       " postcard.anomalies: keyword-mangled, postcard.starttls.offered: false");
	expect_baseline("vanished", "high", "stripped");
	/* and no habit of the server's */
	offers(20, 2, 1);
	see("message", 30, "x", GONE);
	expect_baseline("vanished", "high", "stripped");
}

static void
never_offered_is_as_before(void **state)
{
	(void)state;
	see("session", 0, "x", GONE);
	see("session", 1, "y", GONE);
	expect_baseline("as-before", "", "not-offered");
	see("session", 2, "o", OFFER);
	assert_string_equal(word(FIELD_BASELINE_VERDICT), "gained");
	see("session", 3, "o", OFFER);
	assert_string_equal(word(FIELD_BASELINE_VERDICT), "");
	/* it was without before: several machines behind one address */
	see("session", 4, "x", GONE);
	expect_baseline("pool", "", "not-offered");
	/* TLS was turned on, long ago */
	offers(5, 50, 1);
	see("session", 60, "x", GONE);
	expect_baseline("vanished", "high", "stripped");
}

static void
another_set_of_keywords_is_another_machine(void **state)
{
	(void)state;
	offers(0, 10, 1);
	see("message", 20, "x",
	    PAIR NAMES ", postcard.outcome: cleartext, postcard.reason: not-offered,"
		       " postcard.starttls.offered: false, postcard.capabilities: [HELP]");
	expect_baseline("rebuilt", "", "not-offered");
	/* one keyword more or less is not */
	see("message", 21, "x",
	    PAIR NAMES ", postcard.outcome: cleartext, postcard.reason: not-offered,"
		       " postcard.starttls.offered: false,"
		       " postcard.capabilities: [SIZE, PIPELINING, 8BITMIME]");
	expect_baseline("vanished", "medium", "stripped");
}

static void
turned_off_for_good(void **state)
{
	(void)state;
	static const char other[] =
	    "source.ip: 203.0.113.9, destination.ip: 198.51.100.25, destination.port: 25" KEYWORDS
	    ", postcard.outcome: cleartext, postcard.reason: not-offered, "
	    "postcard.starttls.offered: false";
	offers(0, 5, 1);
	for (unsigned i = 0; i < 10; i++)
		see("session", 100 + i, "x", i % 2 == 0 ? GONE : other);
	expect_baseline("vanished", "high", "stripped");
	see("session", 6 * 86400.0, "x", GONE);
	expect_baseline("vanished", "high", "stripped");
	see("session", 8 * 86400.0, "x", GONE);
	expect_baseline("as-before", "", "not-offered");
	see("session", 8 * 86400.0 + 1, "x", GONE);
	expect_baseline("as-before", "", "not-offered");
	see("session", 8 * 86400.0 + 2, "o", OFFER);
	assert_string_equal(word(FIELD_BASELINE_VERDICT), "gained");
}

static void
from_one_side_it_takes_a_month(void **state)
{
	(void)state;
	offers(0, 5, 1);
	for (unsigned day = 1; day < 30; day++)
		see("session", day * 86400.0, "x", GONE);
	expect_baseline("vanished", "medium", "stripped");
	see("session", 31.5 * 86400, "x", GONE);
	expect_baseline("as-before", "", "not-offered");
}

/* -------------------------------------------------------------------------------- paths */

/* A connection of host 9 of client network `net` to server `server`. */
static void
meet(unsigned net, unsigned server, bool offered)
{
	char line[512];
	snprintf(line, sizeof line,
	    "source.ip: 10.0.%u.9, destination.ip: 198.51.100.%u, destination.port: 25, %s", net,
	    server,
	    offered ? "postcard.outcome: encrypted, postcard.starttls.offered: true"
		    : "postcard.outcome: cleartext, postcard.reason: not-offered,"
		      " postcard.starttls.offered: false");
	see("session", 10, "p", line);
}

static void
whose_network_to_look_at(void **state)
{
	(void)state;
	/* one server, one client: nothing to compare */
	meet(1, 1, false);
	assert_string_equal(word(FIELD_PATH_SUSPECT), "");
	/* the server is like that to all */
	meet(2, 1, false);
	assert_string_equal(word(FIELD_PATH_SUSPECT), "server");
	assert_int_equal(number(FIELD_PATH_CLIENTS_WITHOUT), 2);
	assert_int_equal(number(FIELD_PATH_CLIENTS_WITH), 0);
	/* others get an offer from each of these servers, network 3 from none */
	for (unsigned server = 11; server <= 13; server++)
		meet(4, server, true);
	meet(3, 11, false);
	assert_string_equal(word(FIELD_PATH_SUSPECT), "unclear");
	meet(3, 12, false);
	meet(3, 13, false);
	assert_string_equal(word(FIELD_PATH_SUSPECT), "client");
	assert_int_equal(number(FIELD_PATH_SERVERS_WITHOUT), 3);
	/* network 4 has offers from other servers, and others have one from server 20 */
	meet(5, 20, true);
	meet(6, 20, true);
	meet(4, 20, false);
	assert_string_equal(word(FIELD_PATH_SUSPECT), "path");
	assert_int_equal(number(FIELD_PATH_SERVERS_WITH), 3);
	assert_int_equal(number(FIELD_PATH_CLIENTS_WITH), 2);
}

/* ------------------------------------------------------------------------------ the rest */

static void
what_is_new(void **state)
{
	(void)state;
	see("session", 0, "s", SEALED);
	see("message", 100000, "a", IGNORED ", postcard.to_domain: [example.org, example.net]");
	assert_true(record_is(&record, FIELD_NEW, "client"));
	assert_true(record_is(&record, FIELD_NEW, "domain"));
	assert_int_equal(number(FIELD_MEMORY_S), 100000);
	see("message", 100001, "a", IGNORED ", postcard.to_domain: [example.net]");
	assert_string_equal(word(FIELD_NEW), "");
	see("session", 100002, "a", IGNORED);
	assert_string_equal(word(FIELD_NEW), "");
	see("message", 100003, "a", IGNORED ", postcard.to_domain: [example.net, other.example]");
	assert_false(record_is(&record, FIELD_NEW, "client"));
	assert_true(record_is(&record, FIELD_NEW, "domain"));
	/* sealed mail is not readable mail */
	see("session", 100004, "b", "source.ip: 192.0.2.200, postcard.outcome: encrypted");
	assert_string_equal(word(FIELD_NEW), "");
}

static void
what_teaches_nothing(void **state)
{
	(void)state;
	/* the clock of a capture that was wrong: in the year 2118, before 1970 */
	see("message", 3e9, "a", IGNORED ", postcard.to_domain: [example.org]");
	assert_string_equal(word(FIELD_NEW), "");
	see("message", -1.7e9, "a", IGNORED ", postcard.to_domain: [example.org]");
	assert_string_equal(word(FIELD_NEW), "");
	see("message", 10, "a", IGNORED ", postcard.to_domain: [example.org]");
	assert_true(record_is(&record, FIELD_NEW, "client"));
	assert_true(record_is(&record, FIELD_NEW, "domain"));
	assert_int_equal(number(FIELD_MEMORY_S), 0);
	/* a domain without a name is none */
	see("message", 11, "a", IGNORED ", postcard.to_domain: ['']");
	assert_string_equal(word(FIELD_NEW), "");
	see("message", 12, "a", IGNORED ", postcard.to_domain: ['', example.net]");
	assert_string_equal(word(FIELD_NEW), "domain");
}

/* More of everything than there is room for: bounded, and what is new is still known. */
static void
floods_are_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct addr client = {.family = 4, .b = {10}}, server = {.family = 4, .b = {172}};
		client.b[1] = server.b[3] = (uint8_t)(i >> 16);
		client.b[2] = server.b[2] = (uint8_t)(i >> 8);
		client.b[3] = server.b[1] = (uint8_t)i;
		record_begin(&record, i % 2 == 0 ? RECORD_SESSION : RECORD_MESSAGE);
		record_put_time(&record, FIELD_EVENT_END, BUILD_EPOCH_NS + i * 1000000ll);
		record_put_ip(&record, FIELD_SOURCE_IP, &client);
		record_put_ip(&record, FIELD_DESTINATION_IP, &server);
		record_put_u64(&record, FIELD_DESTINATION_PORT, 25);
		record_put_word(&record, FIELD_OUTCOME, i % 3 == 0 ? "tls-failed" : "cleartext");
		record_put_word(&record, FIELD_REASON,
		    i % 3 == 1 ? "not-offered" : "not-requested");
		record_put_bool(&record, FIELD_STARTTLS_OFFERED, i % 3 != 1);
		memory_apply(memory, &record);
	}
	see("session", 200, "a", FAILED);
	see("message", 300, "b", IGNORED);
	expect_retry("tls-failed", "address");
}

static void
odd_records_do_no_harm(void **state)
{
	(void)state;
	for (unsigned kind = RECORD_SESSION; kind <= RECORD_SUMMARY; kind++) {
		record_begin(&record, (enum record_kind)kind);
		memory_apply(memory, &record);
		assert_int_equal(record.len, 0);
	}
	/* one that is full stays as it is, but for the reason */
	record_begin(&record, RECORD_MESSAGE);
	while (record.cut == 0)
		record_put_word(&record, FIELD_EXPOSED, "envelope");
	memory_apply(memory, &record);
	assert_true(record.len <= sizeof record.data);
}

#define MEMORY_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    MEMORY_TEST(a_retry_names_what_failed),
	    MEMORY_TEST(a_refusal_is_remembered_too),
	    MEMORY_TEST(other_reasons_stay),
	    MEMORY_TEST(names_find_it_from_other_addresses),
	    MEMORY_TEST(one_name_and_one_address_find_it),
	    MEMORY_TEST(another_protocol_is_no_retry),
	    MEMORY_TEST(not_of_itself_and_not_backwards),
	    MEMORY_TEST(a_retry_may_fail_too),
	    MEMORY_TEST(sealed_again_forgets),
	    MEMORY_TEST(an_offer_that_vanishes),
	    MEMORY_TEST(what_vanished_may_be_refused),
	    MEMORY_TEST(an_offer_that_comes_and_goes),
	    MEMORY_TEST(others_do_not_make_it_come_and_go),
	    MEMORY_TEST(refused_ehlo_counts_as_missing),
	    MEMORY_TEST(a_masked_keyword_is_evidence_itself),
	    MEMORY_TEST(never_offered_is_as_before),
	    MEMORY_TEST(another_set_of_keywords_is_another_machine),
	    MEMORY_TEST(turned_off_for_good),
	    MEMORY_TEST(from_one_side_it_takes_a_month),
	    MEMORY_TEST(whose_network_to_look_at),
	    MEMORY_TEST(what_is_new),
	    MEMORY_TEST(what_teaches_nothing),
	    MEMORY_TEST(floods_are_bounded),
	    MEMORY_TEST(odd_records_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
