/* Correlations and fields compared with fields: what they count, what they hand on to other rules,
 * and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge/rules.h"
#include "record_build.h"

static char error[YAML_ERROR];

#define RULE_OF(level, name, selection)                                               \
	"---\ntitle: " name "\nname: " name "\nlevel: " level                         \
	"\ntaxonomy: ecs\nlogsource: {product: postcard}\ndetection: {s: {" selection \
	"}, condition: s}\n"
#define RULE(name, selection) RULE_OF("low", name, selection)
#define CORRELATION(section)  "---\ntitle: c\nname: c\ncorrelation: {" section "}\n"
#define EVENT		      RULE("event", "postcard.outcome: cleartext")
#define FAILED		      RULE("failed", "postcard.outcome: tls-failed")

static struct rules *
read_rules(const char *text)
{
	error[0] = '\0';
	struct rules *s = rules_new(NULL, 0);
	assert_non_null(s);
	if (rules_read(s, text, strlen(text), "x.yml", false, error) && rules_link(s, error))
		return s;
	rules_free(s);
	return NULL;
}

/* Does the record hit the last rule that was read? */
static bool
hits(struct rules *s, const char *line)
{
	static struct record record;
	struct rule_hit hit[RULE_HITS];
	int64_t ns = build_record_of(&record, line);
	size_t n = rules_correlate(s, ns, hit, rules_match(s, &record, ns, hit));
	return n > 0 && hit[n - 1].rule == rules_at(s, rules_count(s) - 1);
}

/* How many of the lines complete it. */
static unsigned
completions(const char *rules, const char *const *lines)
{
	unsigned n = 0;
	struct rules *s = read_rules(rules);
	if (s == NULL)
		fail_msg("%s", error);
	for (; *lines != NULL; lines++)
		n += hits(s, *lines);
	rules_free(s);
	return n;
}

#define LINES(...)     ((const char *const[]){__VA_ARGS__, NULL})
#define CLEAR(t, more) "{at: " #t ", postcard.outcome: cleartext, destination.port: 25" more "}"

/* One record is one event, however many of the rules it hits. */
static void
events_of_two_rules(void **state)
{
	(void)state;
	static const char both[] = EVENT RULE("mx", "destination.port: 25")
	    CORRELATION("type: event_count, rules: [event, mx], timespan: 1m, condition: {gte: 3}");
	assert_int_equal(completions(both, LINES(CLEAR(0, ""), CLEAR(1, ""))), 0);
	assert_int_equal(completions(both, LINES(CLEAR(0, ""), CLEAR(1, ""), CLEAR(2, ""))), 1);
	/* of two other groups it is an event of each */
	static const char ends[] = EVENT RULE("mx", "destination.port: 25")
	    CORRELATION("type: event_count, rules: [event, mx], timespan: 1m, condition: {gte: 3}, "
			"group-by: [end], aliases: {end: {event: source.ip, mx: destination.ip}}");
	static const char there[] = CLEAR(0, ", source.ip: 10.0.0.1, destination.ip: 10.0.0.2");
	static const char back[] = CLEAR(0, ", source.ip: 10.0.0.2, destination.ip: 10.0.0.1");
	assert_int_equal(completions(ends, LINES(there, back)), 0);
	assert_int_equal(completions(ends, LINES(there, back, there)), 1);
}

static void
an_upper_bound(void **state)
{
	(void)state;
	static const char two_or_three[] = EVENT CORRELATION(
	    "type: event_count, rules: [event], timespan: 1m, condition: {gte: 2, lte: 3}");
	struct rules *s = read_rules(two_or_three);
	if (s == NULL)
		fail_msg("%s", error);
	assert_false(hits(s, CLEAR(0, "")));
	assert_true(hits(s, CLEAR(1, "")));
	assert_false(hits(s, CLEAR(2, "")));  /* still the same */
	assert_false(hits(s, CLEAR(3, "")));  /* four: too many */
	assert_false(hits(s, CLEAR(61, ""))); /* those at 1, 2, 3 and 61 */
	assert_true(hits(s, CLEAR(63, "")));  /* those at 3, 61 and 63: it is met anew */
	rules_free(s);
}

/* Groups by the value of any type. */
static void
groups_of_truth_and_time(void **state)
{
	(void)state;
	static const char truth[] = EVENT CORRELATION("type: event_count, rules: [event], "
						      "group-by: [postcard.midstream], "
						      "timespan: 1m, condition: {gte: 2}");
	assert_int_equal(completions(truth,
			     LINES(CLEAR(0, ", postcard.midstream: true"), CLEAR(1, ""),
				 CLEAR(1, ", postcard.midstream: false"))),
	    0);
	assert_int_equal(completions(truth,
			     LINES(CLEAR(0, ", postcard.midstream: false"),
				 CLEAR(1, ", postcard.midstream: true"),
				 CLEAR(1, ", postcard.midstream: false"))),
	    1);
	static const char start[] = EVENT CORRELATION(
	    "type: value_count, rules: [event], field: event.start, timespan: 1m, "
	    "condition: {gte: 2}");
	assert_int_equal(completions(start,
			     LINES(CLEAR(0, ", event.start: 5"), CLEAR(1, ", event.start: 5"))),
	    0);
	assert_int_equal(completions(start,
			     LINES(CLEAR(0, ", event.start: 5"), CLEAR(1, ", event.start: 5.5"))),
	    1);
}

static void
an_order_of_one(void **state)
{
	(void)state;
	static const char one[] = EVENT CORRELATION(
	    "type: temporal_ordered, rules: [event], timespan: 1m, condition: event");
	assert_int_equal(completions(one, LINES(CLEAR(0, ""), "{postcard.outcome: unknown}")), 1);
}

/* Of the gravest of its rules, wherever these stand. */
static void
a_level_that_is_not_said(void **state)
{
	(void)state;
#define COUNT "type: event_count, timespan: 1h, condition: {gte: 2}, rules: "
	static const char later[] =
	    "---\ntitle: o\nname: outer\ncorrelation: {" COUNT "[inner]}\n"
	    "---\ntitle: i\nname: inner\ncorrelation: {" COUNT
	    "[event, failed]}\n" EVENT RULE_OF("high", "failed", "postcard.outcome: tls-failed")
		CORRELATION(COUNT "[outer]") "level: informational\n";
	static const enum level levels[] = {LEVEL_HIGH, LEVEL_HIGH, LEVEL_LOW, LEVEL_HIGH,
	    LEVEL_INFORMATIONAL};
	struct rules *s = read_rules(later);
	if (s == NULL)
		fail_msg("%s", error);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		assert_int_equal(rules_at(s, i)->level, levels[i]);
	rules_free(s);
}

/* Rules are read anew: what was counted is kept where the correlation is the same. */
static void
windows_move(void **state)
{
	(void)state;
#define THREE "rules: [event], group-by: [destination.port], condition: {gte: 3}"
	static const char old[] = EVENT CORRELATION("type: event_count, timespan: 1m, " THREE);
	static const char other[] = EVENT CORRELATION("type: event_count, timespan: 2m, " THREE);
	static const struct hash_key key = {.k = {1, 2, 3, 4}};
	for (unsigned same = 0; same < 2; same++) {
		struct rules *s = read_rules(old), *then = read_rules(same ? old : other);
		assert_true(s != NULL && then != NULL);
		rules_set_key(s, &key);
		rules_set_key(then, &key);
		assert_false(hits(s, CLEAR(0, "")));
		assert_false(hits(s, CLEAR(1, "")));
		rules_windows_move(then, s);
		rules_free(s);
		struct window_walk at = {0};
		struct window w;
		assert_int_equal(rules_window_next(then, &at, &w), same);
		assert_true(!same || w.dirty); /* it is to be saved anew */
		assert_int_equal(hits(then, CLEAR(2, "")), same);
		rules_free(then);
	}
}

/* Of fields of text and others, in all places; and expressions over several lines. */
static void
fields_and_lines(void **state)
{
	(void)state;
	static const struct {
		const char *selection, *record;
		bool yes;
	} rows[] = {
	    {"postcard.helo|contains|fieldref: postcard.greeting",
		"postcard.helo: xABx, postcard.greeting: ab", true},
	    {"postcard.helo|fieldref: postcard.greeting",
		"postcard.helo: xABx, postcard.greeting: ab", false},
	    {"postcard.helo|startswith|fieldref: postcard.greeting",
		"postcard.helo: abx, postcard.greeting: ab", true},
	    {"postcard.helo|startswith|fieldref: postcard.greeting",
		"postcard.helo: xab, postcard.greeting: ab", false},
	    {"postcard.helo|endswith|fieldref: postcard.greeting",
		"postcard.helo: xab, postcard.greeting: ab", true},
	    {"postcard.helo|endswith|fieldref: postcard.greeting",
		"postcard.helo: abx, postcard.greeting: ab", false},
	    {"postcard.helo|fieldref: postcard.midstream",
		"postcard.helo: 'true', postcard.midstream: true", true},
	    {"postcard.helo|fieldref: postcard.midstream",
		"postcard.helo: 'true', postcard.midstream: false", false},
	    {"postcard.helo|fieldref: event.start",
		"postcard.helo: '2023-11-14T22:13:21.000000000Z', event.start: 1", true},
	    {"postcard.helo|startswith|fieldref: event.start",
		"postcard.helo: '2023-11-14T22:13:21.000000000Z', event.start: 2", false},
	    {"postcard.greeting|re: '^b'", "postcard.greeting: \"a\\nb\"", false},
	    {"postcard.greeting|re|m: '^b'", "postcard.greeting: \"a\\nb\"", true},
	    {"postcard.greeting|re: 'a.b'", "postcard.greeting: \"a\\nb\"", false},
	    {"postcard.greeting|re|s: 'a.b'", "postcard.greeting: \"a\\nb\"", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[512], line[256];
		snprintf(text, sizeof text, RULE("r", "%s"), rows[i].selection);
		snprintf(line, sizeof line, "{%s}", rows[i].record);
		if (completions(text, LINES(line)) != rows[i].yes)
			fail_msg("%s should %smatch %s", text, rows[i].yes ? "" : "not ", line);
	}
}

static void
refusals(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} rows[] = {
	    {EVENT CORRELATION("type: event_count, rules: [event], timespan: 1h, condition: {gte: "
			       "9223372036854775807}"),
		"a number is expected here"},
	    {EVENT CORRELATION("type: event_count, rules: [event], timespan: 1h, condition: {}"),
		"a comparison is expected, as {gte: 10}"},
	    {EVENT FAILED CORRELATION("type: temporal, rules: [event, failed], timespan: 1h, "
				      "condition: event and not failed"),
		"'not' would be met"},
	    {EVENT FAILED CORRELATION("type: temporal_ordered, rules: [event, failed], timespan: "
				      "1h, condition: event or failed"),
		"joins rules by 'and' only"},
	    {EVENT CORRELATION("type: event_count, rules: [evnt], timespan: 1h, condition: {gte: "
			       "2}"),
		"there is no rule 'evnt'; did you mean 'event'?"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_null(read_rules(rows[i].text));
		if (strstr(error, rows[i].says) == NULL || strncmp(error, "x.yml:", 6) != 0)
			fail_msg("%s: %s", rows[i].says, error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_of_two_rules),
	    cmocka_unit_test(an_upper_bound),
	    cmocka_unit_test(groups_of_truth_and_time),
	    cmocka_unit_test(an_order_of_one),
	    cmocka_unit_test(a_level_that_is_not_said),
	    cmocka_unit_test(windows_move),
	    cmocka_unit_test(fields_and_lines),
	    cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests_name("judge/rule_correlation", tests, NULL, NULL);
}
