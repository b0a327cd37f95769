/* Dates of mail: what is one, what is none, and every prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/date.h"

static const struct {
	const char *date;
	int64_t s; /* -1: none */
} cases[] = {
    {"Mon, 23 Nov 2026 13:00:00 +0000", 1795438800},
    {" 23 Nov 2026 13:00:00 -0000", 1795438800},
    {"Mon,23 nov 26 13:00 GMT", 1795438800},
    {"Mon, 23 Nov 2026 05:00:00 -0800 (PST)", 1795438800},
    {"Mon, 23 Nov 2026 18:30:00 +0530", 1795438800},
    {"23 Nov 1999 13:00:00 EST", 943380000},
    {"23 Nov 99 13:00:00 EST", 943380000},
    {"29 Feb 2028 00:00:00 Z", 1835395200},
    {"31 Dec 2016 23:59:60 +0000", 1483228800},
    {"29 Feb 2027 00:00:00 Z", -1},
    {"31 Nov 2026 13:00:00 +0000", -1},
    {"0 Nov 2026 13:00:00 +0000", -1},
    {"23 Nov 2026 24:00:00 +0000", -1},
    {"23 Nov 2026 13:00:00 +9900", -1},
    {"23 Nov 2026 13:00:00 A", -1},
    {"23 Nov 2026 13:00:00", -1},
    {"23 Nov 12026 13:00:00 +0000", -1},
    {"23 Nov 1969 13:00:00 +0000", -1},
    {"23 Nov 2026 13:0:00 +0000", -1},
    {"23 Nov 2026 13:00: +0000", -1},
    {"23 Nov 2026 13:00:0 +0000", -1},
    {"23 Brumaire 2026 13:00:00 +0000", -1},
    {"", -1},
};

#define CASES (sizeof cases / sizeof *cases)

static void
dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		int64_t ns = -1;
		bool is = mail_date_parse(cases[i].date, strlen(cases[i].date), &ns);
		if (is != (cases[i].s >= 0) || (is && ns != cases[i].s * 1000000000))
			fail_msg("%s: %lld", cases[i].date, (long long)ns);
	}
}

/* No prefix up to the zone's last octet is a date. */
static void
every_prefix(void **state)
{
	(void)state;
	static const char date[] = "Mon, 23 Nov 2026 14:00:00 +0100 (CET)";
	size_t whole = strlen("Mon, 23 Nov 2026 14:00:00 +0100");
	for (size_t n = 0; n < sizeof date; n++) {
		int64_t ns = 0;
		char *tight = malloc(n > 0 ? n : 1); /* so that a sanitizer sees what is behind */
		assert_non_null(tight);
		memcpy(tight, date, n);
		assert_int_equal(mail_date_parse(tight, n, &ns), n >= whole);
		assert_true(n < whole || ns == 1795438800ll * 1000000000);
		free(tight);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates),
	    cmocka_unit_test(every_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
