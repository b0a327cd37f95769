/* The alerts of a run, as a report lists them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record_build.h"
#include "sink/alert_list.h"

static struct alert_list list;
static struct record record;

static void
take(enum record_kind kind, const char *line)
{
	build_record_of(&record, line);
	record.kind = kind;
	alert_list_take(&list, &record);
}

#define ALERT(rest) take(RECORD_ALERT, "{postcard.alert.state: " rest "}")

static void
drawn(unsigned columns, const char *want)
{
	char *out = NULL;
	size_t len;
	struct page p = {.out = open_memstream(&out, &len), .columns = columns, .unicode = true};
	alert_list_draw(&list, &p);
	page_write(&p);
	fclose(p.out);
	assert_string_equal(out, want);
	free(out);
}

static int
begin(void **state)
{
	(void)state;
	memset(&list, 0, sizeof list);
	return 0;
}

/* One row a rule, the gravest first; repeats count their events only. */
static void
rows(void **state)
{
	(void)state;
	drawn(80, "");
	ALERT("new, rule.name: less, postcard.level: low, postcard.count: 1, postcard.outcome: "
	      "cleartext, source.ip: 192.0.2.1, destination.ip: 198.51.100.2");
	ALERT("new, rule.name: grave, postcard.level: high, postcard.count: 1, postcard.outcome: "
	      "cleartext, source.ip: 192.0.2.9, message: not shown of a card");
	ALERT("repeated, rule.name: less, postcard.level: low, postcard.count: 1233");
	ALERT("raised, rule.name: less, postcard.level: medium, postcard.count: 1");
	ALERT("new, rule.name: sealed, postcard.level: informational, postcard.count: 2, message: "
	      "the certificate is over");
	ALERT("resolved, rule.name: less, postcard.level: medium, postcard.count: 7, "
	      "source.ip: 192.0.2.1");
	drawn(80,
	    "   Alerts                                                         alerts  events\n"
	    "     HIGH      grave  192.0.2.9                                        1       1\n"
	    "     MEDIUM    less  192.0.2.1 to 198.51.100.2                         2   1,235\n"
	    "     INFO      sealed                                                  1       2\n"
	    "               the certificate is over\n"
	    "\n"
	    "   Resolved                                                               alerts\n"
	    "     less  192.0.2.1                                                           1\n"
	    "\n");
	drawn(49, ""); /* too narrow for rows */
}

/* A row that stands for several pairs of hosts does not name one as if it were all. */
static void
other_hosts(void **state)
{
	(void)state;
	static const char *const hosts[] = {"source.ip: 192.0.2.1, destination.ip: 198.51.100.2",
	    "source.ip: 192.0.2.1, destination.ip: 198.51.100.2",
	    "source.ip: 192.0.2.7, destination.ip: 198.51.100.2"};
	char line[300];
	for (size_t i = 0; i < 6; i++) {
		snprintf(line, sizeof line,
		    "{postcard.alert.state: new, rule.name: %s, postcard.level: low, "
		    "postcard.count: 1, postcard.outcome: %s, message: it is over., %s}",
		    i < 3 ? "readable" : "sealed", i < 3 ? "cleartext" : "encrypted", hosts[i % 3]);
		take(RECORD_ALERT, line);
	}
	drawn(80,
	    "   Alerts                                                         alerts  events\n"
	    "     LOW       readable  192.0.2.1 to 198.51.100.2 and others          3       3\n"
	    "     LOW       sealed  192.0.2.1 to 198.51.100.2 and others            3       3\n"
	    "               it is over. And others.\n"
	    "\n");
}

/* Mails and logins count, and connections of which neither was accepted. */
static void
acceptance(void **state)
{
	(void)state;
#define ACCEPTED "postcard.accepted.title: a printer, postcard.accepted.owner: Ann"
#define ID(x)	 "network.community_id: '1:" x "', "
	take(RECORD_MESSAGE, "{kind: message, " ID("a") ACCEPTED "}");
	take(RECORD_MESSAGE, "{kind: message, " ID("a") ACCEPTED "}");
	take(RECORD_SESSION, "{postcard.messages: 2, " ID("a") ACCEPTED "}");
	take(RECORD_SESSION, "{postcard.messages: 0, " ID("b") ACCEPTED "}");
	take(RECORD_SESSION, "{postcard.messages: 5, " ID("c") "}"); /* accepted by nobody */
	assert_string_equal(list.accepted[0].title, "a printer");
	assert_true(list.accepted[0].events == 3);
	/* its mail was not accepted, or by another exception */
	take(RECORD_MESSAGE, "{kind: message, " ID("d") "}");
	take(RECORD_SESSION, "{postcard.messages: 1, " ID("d") ACCEPTED "}");
	assert_true(list.accepted[0].events == 4);
	take(RECORD_MESSAGE, "{kind: message, " ID("e") "postcard.accepted.title: another}");
	take(RECORD_SESSION, "{postcard.messages: 1, " ID("e") ACCEPTED "}");
	assert_true(list.accepted[0].events == 5 && list.accepted[1].events == 1);
	list.accepted[1].title[0] = '\0';
	/* a mail and a login */
	take(RECORD_MESSAGE, "{kind: message, " ID("f") ACCEPTED "}");
	take(RECORD_SESSION,
	    "{postcard.messages: 1, postcard.exposed: [body, credentials], " ID("f") ACCEPTED "}");
	assert_true(list.accepted[0].events == 7);
	take(RECORD_SESSION, "{postcard.messages: 1, " ACCEPTED "}"); /* nobody knows which */
	assert_true(list.accepted[0].events == 8);
	assert_non_null(strstr(list.accepted[0].detail, "Ann"));
	assert_string_equal(list.accepted[1].title, "");
	assert_string_equal(list.rule[0].title, "");
}

/* What finds no row is counted in the last one. */
static void
more_rules_than_rows(void **state)
{
	(void)state;
	char line[128];
	for (unsigned i = 0; i < LIMIT_LISTED_RULES + 10; i++) {
		snprintf(line, sizeof line,
		    "{postcard.alert.state: new, rule.name: rule %u, postcard.level: low, "
		    "postcard.count: 1}",
		    i);
		take(RECORD_ALERT, line);
	}
	uint64_t alerts = 0;
	for (unsigned i = 0; i < LIMIT_LISTED_RULES; i++)
		alerts += list.rule[i].alerts;
	assert_true(alerts == LIMIT_LISTED_RULES + 10);
	assert_string_equal(list.rule[LIMIT_LISTED_RULES - 1].title, "others");
	assert_true(list.rule[LIMIT_LISTED_RULES - 1].alerts == 11);
}

#define LIST_TEST(f) cmocka_unit_test_setup(f, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LIST_TEST(rows),
	    LIST_TEST(other_hosts),
	    LIST_TEST(acceptance),
	    LIST_TEST(more_rules_than_rows),
	};
	return cmocka_run_group_tests_name("sink/alert_list", tests, NULL, NULL);
}
