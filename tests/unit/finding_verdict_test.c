/* Outcome and reason, by what was seen and how well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "finding/finding.h"

#define WHOLE                                                 \
	{                                                     \
		.both = true, .closed = true, .payload = true \
	}
#define ONE_SIDE                                \
	{                                       \
		.closed = true, .payload = true \
	}
#define OPEN_END                              \
	{                                     \
		.both = true, .payload = true \
	}
#define MIDSTREAM                                                                \
	{                                                                        \
		.both = true, .closed = true, .payload = true, .midstream = true \
	}
#define LATE_END                                                \
	{                                                       \
		.both = true, .closed = true, .midstream = true \
	}
#define LATE_RESET                                                             \
	{                                                                      \
		.both = true, .closed = true, .midstream = true, .reset = true \
	}
#define GAP                                                                \
	{                                                                  \
		.both = true, .closed = true, .payload = true, .gap = true \
	}
#define HEADLESS                                               \
	{                                                      \
		.both = true, .closed = true, .headless = true \
	}
#define GIVEN_UP                                                \
	{                                                       \
		.both = true, .payload = true, .given_up = true \
	}
#define TRIED	   (FINDING_REQUESTED | FINDING_REPLIED | FINDING_GO)
#define EHLO	   (FINDING_ASKED | FINDING_SURE)
#define OFFER_NONE (EHLO | FINDING_OFFER_KNOWN)
#define OFFER_MADE (OFFER_NONE | FINDING_OFFERED)

static void
outcomes(void **state)
{
	(void)state;
	static const struct {
		uint32_t flags;
		uint8_t exposed;
		struct finding_view view;
		enum outcome want;
	} rows[] = {
	    {TRIED | FINDING_ESTABLISHED, 0, WHOLE, OUTCOME_ENCRYPTED},
	    {TRIED | FINDING_ESTABLISHED, 0, GAP, OUTCOME_ENCRYPTED},
	    {FINDING_TLS_MIDSTREAM, 0, MIDSTREAM, OUTCOME_ENCRYPTED},
	    /* before TLS a sender or a password may be what was lost; behind it nothing is */
	    {TRIED | FINDING_ESTABLISHED | FINDING_MISSED, 0, GAP, OUTCOME_UNKNOWN},
	    {FINDING_TLS_MIDSTREAM | FINDING_MISSED, 0, MIDSTREAM, OUTCOME_ENCRYPTED},
	    {FINDING_TLS_MIDSTREAM | FINDING_MISSED, 0, GAP, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_TLS_MIDSTREAM | FINDING_MISSED, 0, MIDSTREAM, OUTCOME_UNKNOWN},
	    {FINDING_TLS_MIDSTREAM | FINDING_UNREAD, 0, GAP, OUTCOME_ENCRYPTED},
	    /* what comes behind a refusal, or instead of TLS */
	    {FINDING_REQUESTED | FINDING_REPLIED | FINDING_UNREAD, 0, GAP, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_TLS_SEEN | FINDING_TLS_BROKE | FINDING_UNREAD, 0, GAP,
		OUTCOME_UNKNOWN},
	    /* another list tells what is offered now, not what was said before */
	    {OFFER_NONE | FINDING_MISSED, 0, ONE_SIDE, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_TLS_SEEN | FINDING_TLS_BROKE | FINDING_MISSED, 0, GAP,
		OUTCOME_UNKNOWN},
	    /* whatever else: what was readable was readable */
	    {TRIED | FINDING_ESTABLISHED, EXPOSED_ENVELOPE, WHOLE, OUTCOME_CLEARTEXT},
	    {OFFER_NONE, EXPOSED_CREDENTIALS, GAP, OUTCOME_CLEARTEXT},
	    {TRIED | FINDING_ESTABLISHED | FINDING_NULL, 0, WHOLE, OUTCOME_CLEARTEXT},
	    /* a cipher that does not encrypt seals nothing, also where nothing was seen to cross */
	    {TRIED | FINDING_ESTABLISHED | FINDING_UNSEALED, 0, OPEN_END, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_ESTABLISHED | FINDING_UNSEALED, 0, GAP, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_ESTABLISHED | FINDING_UNSEALED, 0, WHOLE, OUTCOME_NO_MAIL},
	    {TRIED | FINDING_TLS_MIDSTREAM | FINDING_UNSEALED, 0, GAP, OUTCOME_UNKNOWN},
	    {FINDING_TLS_MIDSTREAM | FINDING_UNSEALED, 0, MIDSTREAM, OUTCOME_UNKNOWN},
	    /* never "encrypted" for hellos alone */
	    {TRIED | FINDING_HELLO | FINDING_SERVER_HELLO | FINDING_TLS_SEEN, 0, WHOLE,
		OUTCOME_TLS_FAILED},
	    {TRIED | FINDING_HELLO | FINDING_SERVER_HELLO | FINDING_TLS_SEEN, 0, OPEN_END,
		OUTCOME_UNKNOWN},
	    {TRIED | FINDING_HELLO | FINDING_TLS_SEEN, 0, GAP, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_HELLO | FINDING_TLS_SEEN, 0, ONE_SIDE, OUTCOME_UNKNOWN},
	    /* proof of failure needs no whole capture */
	    {TRIED | FINDING_TLS_SEEN | FINDING_TLS_BROKE, 0, GAP, OUTCOME_TLS_FAILED},
	    {FINDING_REQUESTED | FINDING_REPLIED, 0, OPEN_END, OUTCOME_TLS_FAILED},
	    {FINDING_REQUESTED | FINDING_REPLIED | FINDING_LOST, 0, GAP, OUTCOME_UNKNOWN},
	    {FINDING_REQUESTED, 0, OPEN_END, OUTCOME_UNKNOWN},
	    {FINDING_REQUESTED, 0, WHOLE, OUTCOME_TLS_FAILED},
	    /* nothing crossed */
	    {OFFER_MADE, 0, WHOLE, OUTCOME_NO_MAIL},
	    {0, 0, WHOLE, OUTCOME_NO_MAIL},
	    {OFFER_MADE, 0, GAP, OUTCOME_UNKNOWN},
	    {0, 0, HEADLESS, OUTCOME_UNKNOWN},
	    {0, 0, MIDSTREAM, OUTCOME_UNKNOWN},
	    {FINDING_SURE, 0, MIDSTREAM, OUTCOME_UNKNOWN},
	    {0, 0, LATE_END, OUTCOME_UNKNOWN},
	    {0, 0, LATE_RESET, OUTCOME_NO_MAIL},
	    /* what came behind the end of memory was not seen */
	    {OFFER_MADE, 0, GIVEN_UP, OUTCOME_UNKNOWN},
	    {FINDING_REQUESTED | FINDING_REPLIED, 0, GIVEN_UP, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_TLS_SEEN | FINDING_TLS_BROKE, 0, GIVEN_UP, OUTCOME_UNKNOWN},
	    {TRIED | FINDING_ESTABLISHED, 0, GIVEN_UP, OUTCOME_ENCRYPTED},
	    {OFFER_NONE, EXPOSED_ENVELOPE, GIVEN_UP, OUTCOME_CLEARTEXT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct finding f = {.flags = rows[i].flags, .exposed = rows[i].exposed};
		enum outcome got = finding_outcome(&f, &rows[i].view);
		if (got != rows[i].want)
			print_error("row %zu: %s\n", i, outcome_name(got));
		assert_int_equal(got, rows[i].want);
	}
}

static void
reasons(void **state)
{
	(void)state;
	static const struct {
		uint32_t flags;
		struct finding_view view;
		const char *want;
	} rows[] = {
	    {OFFER_NONE, WHOLE, "not-offered"},
	    {OFFER_NONE, ONE_SIDE, "not-offered"},
	    {EHLO | FINDING_REFUSED_EHLO, WHOLE, "not-offered"},
	    {OFFER_MADE, WHOLE, "not-requested"},
	    /* the command that asked may be what was lost */
	    {OFFER_MADE | FINDING_LOST, GAP, "not-visible"},
	    {OFFER_MADE | FINDING_REQUESTED | FINDING_REPLIED, WHOLE, "refused"},
	    {OFFER_MADE | FINDING_REQUESTED, WHOLE, "not-visible"},
	    {OFFER_NONE | FINDING_STRIPPED, WHOLE, "stripped"},
	    {OFFER_MADE | TRIED | FINDING_TLS_BROKE, WHOLE, "tls-failed"},
	    {OFFER_MADE | TRIED | FINDING_TLS_OVER, WHOLE, "tls-failed"},
	    {OFFER_MADE | TRIED | FINDING_NULL, WHOLE, "null-cipher"},
	    {FINDING_HELO, WHOLE, "not-asked"},
	    {FINDING_HELO | FINDING_LOST, GAP, "not-visible"},
	    {FINDING_HELO | FINDING_LOST, WHOLE, "not-visible"},
	    {EHLO, ONE_SIDE, "not-visible"}, /* asked; the answer was not captured */
	    {0, WHOLE, "not-asked"},
	    {FINDING_LOST, WHOLE, "not-visible"}, /* its beginning was not captured */
	    {0, MIDSTREAM, "not-visible"},
	    {0, GAP, "not-visible"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct finding f = {.flags = rows[i].flags};
		assert_string_equal(reason_word(finding_reason(&f, &rows[i].view))->s,
		    rows[i].want);
	}
	assert_string_equal(reason_word(REASON_NONE)->s, "");
}

static void
anomalies_have_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ANOMALIES; i++) {
		assert_true(
		    strlen(anomaly_table[i].name) > 3 && strlen(anomaly_table[i].meaning) > 10);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(anomaly_table[i].name, anomaly_table[j].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(outcomes),
	    cmocka_unit_test(reasons),
	    cmocka_unit_test(anomalies_have_names),
	};
	return cmocka_run_group_tests_name("finding/verdict", tests, NULL, NULL);
}
