/* Rules of Sigma: what they match, and what is refused with file, line and cause. */
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

static struct record record;
static char error[YAML_ERROR];

static const char *const home[] = {"10.0.0.0/8", "192.168.0.0/16"};
static const char *const partners[] = {"partner.example", "100%.example"};
static const char *const odd[] = {"a\xff"};
static const struct placeholder placeholders[] = {{"home_net", home, 2},
    {"partner_domains", partners, 2}, {"nobody", NULL, 0}, {"odd", odd, 1}};

#define HEAD                                 \
	"title: t\nname: t\ntaxonomy: ecs\n" \
	"logsource: {product: postcard}\n"   \
	"level: low\n"
#define RULE(name, detection)               \
	"---\ntitle: " name "\nname: " name \
	"\ntaxonomy: ecs\nlogsource: {product: postcard}\nlevel: low\ndetection: " detection "\n"
#define CORRELATION(name, section) \
	"---\ntitle: " name "\nname: " name "\ncorrelation: " section "\n"

static struct rules *
read_rules(const char *text)
{
	error[0] = '\0';
	struct rules *s = rules_new(placeholders, 4);
	if (!rules_read(s, text, strlen(text), "x.yml", false, error) || !rules_link(s, error)) {
		rules_free(s);
		return NULL;
	}
	return s;
}

/* Names of the rules that match the record, with a blank behind each. */
static const char *
hits_of(struct rules *s, const char *line)
{
	static char names[4096];
	struct rule_hit hits[RULE_HITS];
	int64_t ns = build_record_of(&record, line);
	size_t n = rules_correlate(s, ns, hits, rules_match(s, &record, ns, hits));
	names[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		strcat(names, hits[i].rule->name);
		if (hits[i].accepted != NULL)
			strcat(names, "=accepted");
		strcat(names, " ");
	}
	return names;
}

/* Does `selection` (a map of a detection) match the record? */
static bool
selects(const char *selection, const char *line)
{
	char text[8192];
	snprintf(text, sizeof text, HEAD "detection:\n  selection: %s\n  condition: selection\n",
	    selection);
	struct rules *s = read_rules(text);
	if (s == NULL)
		fail_msg("%s: %s", selection, error);
	bool yes = hits_of(s, line)[0] != '\0';
	rules_free(s);
	return yes;
}

static const char *const a_record =
    "{source.ip: 10.1.2.3, destination.ip: '2001:db8::25', destination.port: 25,"
    " postcard.outcome: cleartext, postcard.reason: not-offered, postcard.exposed: [envelope, "
    "body],"
    " postcard.helo: 'Printer-3.Example.net', postcard.starttls.offered: false,"
    " postcard.starttls.reply: 454, postcard.gap_bytes: 0, postcard.greeting: '220 a*b?c\\d',"
    " email.to.address: [x@partner.example, ''], event.start: 0, source.bytes: 10,"
    " destination.bytes: 20}";

static void
values(void **state)
{
	(void)state;
	static const struct {
		const char *selection;
		bool yes;
	} cases[] = {
	    /* text: blind to case, whole */
	    {"{postcard.outcome: CLEARTEXT}", true},
	    {"{postcard.outcome: no-mail}", false},
	    {"{postcard.helo: printer}", false},
	    {"{postcard.helo|cased: PRINTER-3.EXAMPLE.NET}", false},
	    {"{postcard.outcome|contains: rtex}", true},
	    {"{postcard.outcome|cased: cleartext}", true},
	    {"{postcard.helo|cased|startswith: Printer}", true},
	    {"{postcard.helo|cased|startswith: printer}", false},
	    /* any of several values; any of a list; all of a list */
	    {"{postcard.exposed: body}", true},
	    {"{postcard.exposed: [credentials, body]}", true},
	    {"{postcard.exposed|all: [envelope, body]}", true},
	    {"{postcard.exposed|all: [envelope, credentials]}", false},
	    {"{postcard.helo|contains|all: [printer, example]}", true},
	    {"{postcard.helo|contains|all: [printer, nonesuch]}", false},
	    /* places */
	    {"{postcard.helo|contains: '-3.ex'}", true},
	    {"{postcard.helo|startswith: printer}", true},
	    {"{postcard.helo|startswith: rinter}", false},
	    {"{postcard.helo|endswith: .net}", true},
	    {"{postcard.helo|endswith: .ne}", false},
	    /* wildcards and escapes */
	    {"{postcard.helo: 'printer-*.net'}", true},
	    {"{postcard.helo: 'printer-?.example.net'}", true},
	    {"{postcard.helo: 'printer-??.example.net'}", false},
	    {"{postcard.helo: '*example*'}", true},
	    {"{postcard.helo: '*xample.n?t'}", true},
	    {"{postcard.helo: 'p*r-*.*.net'}", true},
	    {"{postcard.helo: 'printer**net'}", true},
	    {"{postcard.helo|cased: 'P***3.E**t'}", true},
	    {"{postcard.greeting: '220 a\\*b\\?c\\d'}", true},
	    {"{postcard.greeting: '220 a\\*b\\?c\\\\d'}", true},
	    {"{postcard.greeting: '220 aXb\\?c\\d'}", false},
	    {"{postcard.greeting|contains: 'a\\*b'}", true},
	    {"{postcard.greeting|contains: 'a\\?b'}", false},
	    {"{postcard.helo: '*'}", true},
	    {"{email.subject: '*'}", false},
	    /* null, the empty text, presence */
	    {"{email.subject: null}", true},
	    {"{postcard.helo: null}", false},
	    {"{email.to.address: ''}", true},
	    {"{postcard.helo: ''}", false},
	    {"{postcard.helo|exists: true}", true},
	    {"{postcard.helo|exists: false}", false},
	    {"{email.subject|exists: false}", true},
	    /* numbers, truth */
	    {"{destination.port: 25}", true},
	    {"{destination.port: [587, 25]}", true},
	    {"{destination.port: 2}", false},
	    {"{destination.port|gte: 25}", true},
	    {"{destination.port|gt: 25}", false},
	    {"{destination.port|lt: 26}", true},
	    {"{destination.port|lte: 24}", false},
	    {"{destination.port|neq: 25}", false},
	    {"{destination.port|neq: 26}", true},
	    {"{postcard.starttls.offered: false}", true},
	    {"{postcard.starttls.offered: true}", false},
	    {"{postcard.starttls.requested: false}", false},
	    {"{postcard.starttls.reply: 454}", true},
	    {"{postcard.starttls.reply: '4*'}", true},
	    {"{postcard.starttls.reply: 'OK'}", false},
	    {"{postcard.starttls.reply|gte: 400}", true},
	    /* addresses */
	    {"{source.ip: 10.1.2.3}", true},
	    {"{source.ip: '10.*'}", true},
	    {"{source.ip|cidr: 10.0.0.0/8}", true},
	    {"{source.ip|cidr: [192.0.2.0/24, 10.1.2.0/30]}", true},
	    {"{source.ip|cidr: 10.1.2.4/30}", false},
	    {"{destination.ip|cidr: '2001:db8::/32'}", true},
	    {"{source.ip|cidr|expand: '%home_net%'}", true},
	    {"{destination.ip|cidr|expand: '%home_net%'}", false},
	    {"{source.ip|cidr|expand: '%nobody%'}", false},
	    {"{email.to.address|endswith|expand: '@%partner_domains%'}", true},
	    /* other fields */
	    {"{source.bytes|fieldref: destination.bytes}", false},
	    {"{source.bytes|lt|fieldref: destination.bytes}", true},
	    {"{postcard.exposed|fieldref: postcard.exposed}", true},
	    {"{event.end|gt|fieldref: event.start}", false},
	    /* parts of a time: 2023-11-14 22:13:20 */
	    {"{event.start|hour: 22}", true},
	    {"{event.start|hour|gte: 23}", false},
	    {"{event.start|year: 2023}", true},
	    {"{event.start|month: 11}", true},
	    {"{event.start|week: 46}", true},
	    {"{event.start|minute: 13}", true},
	    {"{event.start|day: 14}", true},
	    /* expressions */
	    {"{postcard.helo|re: '^Printer-\\d+\\.'}", true},
	    {"{postcard.helo|re: '^printer'}", false},
	    {"{postcard.helo|re|i: '^printer'}", true},
	    {"{postcard.helo|re: 'NOPE|net$'}", true},
	    {"{destination.port: '2?'}", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (selects(cases[i].selection, a_record) != cases[i].yes)
			fail_msg("%s should %smatch", cases[i].selection,
			    cases[i].yes ? "" : "not ");
	}
}

static void
encodings(void **state)
{
	(void)state;
	static const struct {
		const char *selection, *helo;
		bool yes;
	} cases[] = {
	    {"{postcard.helo|base64: 'hello'}", "aGVsbG8=", true},
	    {"{postcard.helo|base64: 'hello'}", "AGVSBG8=", false}, /* base64 minds its case */
	    {"{postcard.helo|base64|contains: 'foobar'}", "xZm9vYmFyx", true},
	    {"{postcard.helo|base64offset|contains: 'foobar'}",
		"IGZvb2Jhcg==", true}, /* " foobar" */
	    {"{postcard.helo|base64offset|contains: 'foobar'}", "ICBmb29iYXI=", true},
	    {"{postcard.helo|base64offset|contains: 'foobar'}", "ICAgZm9vYmFy", true},
	    {"{postcard.helo|base64offset|contains: 'foobar'}", "ICAgZm9vYmF6", false},
	    {"{postcard.helo|utf16le|base64offset|contains: 'ab'}", "YQBiAA==", true},
	    {"{postcard.helo|wide|base64offset|contains: 'ab'}", "YQBiAA==", true},
	    {"{postcard.helo|utf16be|base64offset|contains: 'ab'}", "AGEAYg==", true},
	    {"{postcard.helo|utf16|base64offset|contains: 'ab'}", "//5hAGIA", true},
	    {"{postcard.helo|utf16le|base64: 'é€😀'}", "6QCsID3YAN4=", true},
	    {"{postcard.helo|utf16be|base64: 'é€😀'}", "AOkgrNg93gA=", true},
	    {"{postcard.helo|expand: '\\%home_net%'}", "%home_net%", true},
	    {"{postcard.helo|expand: '\\%home_net%'}", "10.0.0.0/8", false},
	    {"{postcard.helo|windash|contains: ' -x'}", "y /x z", true},
	    {"{postcard.helo|windash|contains: ' -x'}", "y \xe2\x80\x94x z", true},
	    {"{postcard.helo|windash|contains: ' -x'}", "y +x z", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[256];
		snprintf(line, sizeof line, "{postcard.helo: '%s'}", cases[i].helo);
		if (selects(cases[i].selection, line) != cases[i].yes)
			fail_msg("%s should %smatch %s", cases[i].selection,
			    cases[i].yes ? "" : "not ", cases[i].helo);
	}
}

static void
conditions(void **state)
{
	(void)state;
	static const struct {
		const char *condition;
		bool yes;
	} cases[] = {
	    /* yes and yes_2 match, no and no_2 do not */
	    {"yes", true},
	    {"no", false},
	    {"not no", true},
	    {"not not yes", true},
	    {"yes and no", false},
	    {"yes or no", true},
	    {"no or no_2 or yes", true},
	    {"yes and not no", true},
	    {"not yes and no", false},
	    {"not (yes and no)", true},
	    {"no and no_2 or yes", true},
	    {"no and (no_2 or yes)", false},
	    {"YES_2 and yes", false},
	    {"1 of yes*", true},
	    {"1 of no*", false},
	    {"any of them", true},
	    {"all of them", false},
	    {"all of yes*", true},
	    {"all of *", false},
	    {"not 1 of no*", true},
	    {"yes AND NOT no", true},
	    {"((((yes))))", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];
		/* a second condition uses what the first does not */
		snprintf(text, sizeof text,
		    HEAD "detection:\n"
			 "  yes: {postcard.outcome: cleartext}\n"
			 "  yes_2: {destination.port: 25}\n"
			 "  no: {postcard.outcome: encrypted}\n"
			 "  no_2: {destination.port: 26}\n"
			 "  condition:\n  - %s\n  - no and no_2 and yes and yes_2\n",
		    cases[i].condition);
		struct rules *s = read_rules(text);
		if (strstr(cases[i].condition, "YES_2") != NULL) {
			assert_null(s);
			assert_non_null(strstr(error, "did you mean 'yes_2'?"));
			continue;
		}
		if (s == NULL)
			fail_msg("%s: %s", cases[i].condition, error);
		if ((hits_of(s, a_record)[0] != '\0') != cases[i].yes)
			fail_msg("%s should %smatch", cases[i].condition,
			    cases[i].yes ? "" : "not ");
		rules_free(s);
	}
}

static void
keywords_and_lists(void **state)
{
	(void)state;
	assert_true(selects("[nonesuch, Printer-3]", a_record));
	assert_false(selects("[nonesuch, other]", a_record));
	assert_true(selects("printer-3*net", a_record));
	assert_true(selects("[{postcard.outcome: encrypted}, {destination.port: 25}]", a_record));
	assert_false(selects("[{postcard.outcome: encrypted, destination.port: 25}]", a_record));
}

static void
kinds_and_states(void **state)
{
	(void)state;
	struct rules *s =
	    read_rules("title: a\nname: a\ntaxonomy: ecs\nlevel: low\n"
		       "logsource: {product: postcard, service: session}\n"
		       "license: CC0\nfields: [source.ip, postcard.helo]\n"
		       "detection: {s: {postcard.outcome: cleartext}, condition: s}\n"
		       "---\ntitle: b\nname: b\ntaxonomy: ecs\nlevel: low\n"
		       "logsource: {product: postcard, service: message}\n"
		       "detection: {s: {postcard.outcome: cleartext}, condition: s}\n"
		       "---\ntitle: c\nname: c\ntaxonomy: ecs\nlevel: low\nstatus: deprecated\n"
		       "logsource: {product: postcard}\n"
		       "detection: {s: {postcard.outcome: cleartext}, condition: s}\n");
	assert_non_null(s);
	assert_string_equal(hits_of(s, "{kind: session, postcard.outcome: cleartext}"), "a ");
	assert_string_equal(hits_of(s, "{kind: message, postcard.outcome: cleartext}"), "b ");
	rules_free(s);
}

static void
filters(void **state)
{
	(void)state;
	static const char two[] = RULE("r", "{s: {postcard.outcome: cleartext}, condition: s}")
	    RULE("q", "{s: {destination.port: 25}, condition: s}");
	static const char filter[] =
	    "---\ntitle: f\nlogsource: {product: postcard}\n"
	    "filter:\n  rules: [r]\n  printer: {source.ip: 10.1.2.3}\n  condition: not printer\n";
	char text[4096];
	snprintf(text, sizeof text, "%s%s", two, filter);
	struct rules *s = read_rules(text);
	if (s == NULL)
		fail_msg("%s", error);
	assert_string_equal(hits_of(s, a_record), "q ");
	assert_string_equal(hits_of(s, "{postcard.outcome: cleartext, source.ip: 10.1.2.4}"), "r ");
	rules_free(s);

	/* an exception: until its day is over */
	s = rules_new(NULL, 0);
	assert_true(rules_read(s, two, strlen(two), "x.yml", false, error));
	static const char exception[] =
	    "title: old printer\nlogsource: {product: postcard}\n"
	    "filter:\n  rules: any\n  printer: {source.ip: 10.1.2.3}\n  condition: not printer\n"
	    "postcard: {owner: Ann, reason: no TLS in it, expires: 2023-11-14}\n";
	assert_true(rules_read(s, exception, strlen(exception), "e.yml", true, error));
	assert_true(rules_link(s, error));
	assert_string_equal(hits_of(s, a_record), "r=accepted q=accepted ");
	assert_string_equal(hits_of(s,
				"{at: 6399, postcard.outcome: cleartext, source.ip: 10.1.2.3}"),
	    "r=accepted ");
	assert_string_equal(hits_of(s,
				"{at: 6400, postcard.outcome: cleartext, source.ip: 10.1.2.3}"),
	    "r ");
	rules_free(s);
}

#define EVENT  RULE("e", "{s: {postcard.outcome: cleartext}, condition: s}")
#define FAILED RULE("f", "{s: {postcard.outcome: tls-failed}, condition: s}")

/* Pushes lines; the number of the first that completes the correlation "c", from 1; 0: none. */
static unsigned
completes(struct rules *s, const char *const *lines)
{
	for (unsigned i = 0; lines[i] != NULL; i++) {
		if (strstr(hits_of(s, lines[i]), "c ") != NULL)
			return i + 1;
	}
	return 0;
}

static void
check_correlation(const char *rules, const char *const *lines, unsigned expected)
{
	struct rules *s = read_rules(rules);
	if (s == NULL)
		fail_msg("%s", error);
	unsigned got = completes(s, lines);
	if (got != expected)
		fail_msg("completed by event %u, not by %u: %s", got, expected,
		    strstr(rules, "c\n"));
	rules_free(s);
}

#define AT(t, client, more) \
	"{at: " #t ", source.ip: " client ", postcard.outcome: cleartext" more "}"
#define FAIL(t, client) "{at: " #t ", source.ip: " client ", postcard.outcome: tls-failed}"

static void
counting(void **state)
{
	(void)state;
	static const char three[] = EVENT CORRELATION("c",
	    "{type: event_count, rules: [e], group-by: [source.ip], timespan: 10s, condition: "
	    "{gte: 3}}");
	check_correlation(three,
	    (const char *const[]){AT(0, "10.0.0.1", ""), AT(5, "10.0.0.1", ""),
		AT(10, "10.0.0.1", ""), NULL},
	    3);
	check_correlation(three,
	    (const char *const[]){AT(0, "10.0.0.1", ""), AT(5, "10.0.0.1", ""),
		AT(11, "10.0.0.1", ""), AT(14, "10.0.0.1", ""), NULL},
	    4);
	check_correlation(three,
	    (const char *const[]){AT(0, "10.0.0.1", ""), AT(1, "10.0.0.2", ""),
		AT(2, "10.0.0.1", ""), AT(3, "10.0.0.3", ""), NULL},
	    0);
	static const char values[] = EVENT CORRELATION("c",
	    "{type: value_count, rules: [e], group-by: [source.ip], timespan: 1m, "
	    "condition: {field: destination.port, gt: 1}}");
	check_correlation(values,
	    (const char *const[]){AT(0, "10.0.0.1", ", destination.port: 25"),
		AT(1, "10.0.0.1", ", destination.port: 25"), AT(2, "10.0.0.1", ""),
		AT(3, "10.0.0.1", ", destination.port: 26"), NULL},
	    4);
	/* the field beside the condition, as the schema has it, or on both sides */
	static const char beside[] = EVENT CORRELATION("c",
	    "{type: value_count, field: destination.port, rules: [e], group-by: [source.ip], "
	    "timespan: 1m, condition: {field: destination.port, gt: 1}}");
	check_correlation(beside,
	    (const char *const[]){AT(0, "10.0.0.1", ", destination.port: 25"),
		AT(3, "10.0.0.1", ", destination.port: 26"), NULL},
	    2);
	/* a field of several values belongs to a group by each */
	static const char rcpt[] = EVENT CORRELATION("c",
	    "{type: event_count, rules: [e], group-by: [email.to.address], timespan: 1m, "
	    "condition: {gte: 2}}");
	check_correlation(rcpt,
	    (const char *const[]){AT(0, "10.0.0.1", ", email.to.address: [a@b, c@d]"),
		AT(1, "10.0.0.1", ", email.to.address: [e@f]"),
		AT(2, "10.0.0.1", ", email.to.address: [C@D, g@h]"), NULL},
	    3);
}

static void
computing(void **state)
{
	(void)state;
	static const struct {
		const char *type, *condition;
		unsigned expected;
	} cases[] = {/* of 10, 30, 20, 40 */
	    {"value_sum", "{gte: 60}", 3}, {"value_avg", "{gte: 25}", 4},
	    {"value_max", "{gt: 20}", 2}, {"value_min", "{lt: 10}", 0},
	    {"value_median", "{gte: 25}", 4}, {"value_median", "{eq: 20}", 2},
	    {"value_percentile, percentile: 75", "{gte: 30}", 2}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];
		snprintf(text, sizeof text,
		    EVENT "---\ntitle: c\nname: c\ncorrelation: {type: %s, field: postcard.size, "
			  "rules: [e], timespan: 1h, condition: %s}\n",
		    cases[i].type, cases[i].condition);
		check_correlation(text,
		    (const char *const[]){AT(0, "10.0.0.1", ", postcard.size: 10"),
			AT(1, "10.0.0.1", ", postcard.size: 30"),
			AT(2, "10.0.0.1", ", postcard.size: 20"),
			AT(3, "10.0.0.1", ", postcard.size: 40"), NULL},
		    cases[i].expected);
	}
}

static void
in_time(void **state)
{
	(void)state;
	static const char both[] = EVENT FAILED CORRELATION("c",
	    "{type: temporal, rules: [f, e], group-by: [source.ip], timespan: 10s}");
	check_correlation(both,
	    (const char *const[]){AT(0, "10.0.0.1", ""), FAIL(1, "10.0.0.1"), NULL}, 2);
	check_correlation(both,
	    (const char *const[]){AT(0, "10.0.0.1", ""), FAIL(1, "10.0.0.2"), FAIL(11, "10.0.0.1"),
		NULL},
	    0);
	static const char ordered[] = EVENT FAILED CORRELATION("c",
	    "{type: temporal_ordered, rules: [f, e], group-by: [source.ip], timespan: 10s}");
	check_correlation(ordered,
	    (const char *const[]){AT(0, "10.0.0.1", ""), FAIL(1, "10.0.0.1"), NULL}, 0);
	check_correlation(ordered,
	    (const char *const[]){AT(0, "10.0.0.1", ""), FAIL(1, "10.0.0.1"), AT(9, "10.0.0.1", ""),
		NULL},
	    3);
	check_correlation(ordered,
	    (const char *const[]){FAIL(1, "10.0.0.1"), AT(12, "10.0.0.1", ""), NULL}, 0);
	static const char either[] = EVENT FAILED RULE("g",
	    "{s: {postcard.outcome: unknown}, condition: s}") CORRELATION("c",
	    "{type: temporal, rules: [f, e, g], timespan: 10s, condition: f and (e or g)}");
	check_correlation(either,
	    (const char *const[]){FAIL(1, "10.0.0.1"), AT(2, "10.0.0.1", ""), NULL}, 2);
	static const char aliased[] = EVENT FAILED CORRELATION("c",
	    "{type: temporal, rules: [f, e], group-by: [who], timespan: 10s, "
	    "aliases: {who: {f: source.ip, e: destination.ip}}}");
	check_correlation(aliased,
	    (const char *const[]){FAIL(1, "10.0.0.1"),
		AT(2, "10.0.0.1", ", destination.ip: 10.0.0.2"),
		AT(2, "10.0.0.9", ", destination.ip: 10.0.0.1"), NULL},
	    3);
}

static void
correlations_of_correlations(void **state)
{
	(void)state;
	/* the inner one is complete anew when its window has passed */
	static const char text[] = CORRELATION("c",
	    "{type: event_count, rules: [inner], timespan: 1h, condition: {gte: 2}}")
	    CORRELATION("inner",
		"{type: event_count, rules: [e], generate: true, timespan: 10s, condition: {gte: "
		"2}}") EVENT;
	struct rules *s = read_rules(text);
	if (s == NULL)
		fail_msg("%s", error);
	assert_string_equal(hits_of(s, AT(0, "10.0.0.1", "")), "e ");
	assert_string_equal(hits_of(s, AT(1, "10.0.0.1", "")), "e ");
	assert_string_equal(hits_of(s, AT(100, "10.0.0.1", "")), "e ");
	assert_string_equal(hits_of(s, AT(101, "10.0.0.1", "")), "e c ");
	rules_free(s);
}

static void
many_groups_are_bounded(void **state)
{
	(void)state;
	struct rules *s = read_rules(EVENT CORRELATION("c",
	    "{type: event_count, rules: [e], group-by: [postcard.helo], timespan: 1d, condition: "
	    "{gte: 9000}}"));
	assert_non_null(s);
	for (unsigned i = 0; i < 2000; i++) {
		struct rule_hit hits[RULE_HITS];
		char name[16];
		record_begin(&record, RECORD_SESSION);
		record_put_word(&record, FIELD_OUTCOME, "cleartext");
		snprintf(name, sizeof name, "h%u", i);
		record_put_word(&record, FIELD_HELO, name);
		size_t n = rules_match(s, &record, BUILD_EPOCH_NS + i, hits);
		assert_int_equal(rules_correlate(s, BUILD_EPOCH_NS + i, hits, n), 0);
	}
	rules_free(s);
}

static void
expressions_give_up(void **state)
{
	(void)state;
	struct rules *s =
	    read_rules(HEAD "detection: {s: {postcard.helo|re: '^(a+)+$'}, condition: s}\n");
	assert_non_null(s);
	assert_string_equal(hits_of(s,
				"{postcard.helo: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab}"),
	    "");
	assert_int_equal(rules_given_up(s), 1);
	assert_string_equal(hits_of(s, "{postcard.helo: aaaa}"), "t ");
	rules_free(s);
}

static void
refusals(void **state)
{
	(void)state;
	unsigned wrong = 0;
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"a: [", "x.yml:2:1: did not find"},
	    {"[]", "x.yml:1:1: "},
	    {"title: t\n", "one of 'detection', 'correlation' and 'filter' is expected"},
	    {HEAD "tittle: x\n",
		"x.yml:6:1: 'tittle' is no attribute of Sigma; did you mean 'title'?"},
	    {HEAD "detection: {s: {postcard.outcom: x}, condition: s}",
		"x.yml:6:17: 'postcard.outcom' is no field of the records; did you mean "
		"'postcard.outcome'?"},
	    {HEAD "detection: {s: {postcard.outcome: encryptd}, condition: s}",
		"x.yml:6:35: 'encryptd' is no postcard.outcome; did you mean 'encrypted'?"},
	    {HEAD "detection: {s: {postcard.outcome|neq: sealed}, condition: s}",
		"(encrypted, cleartext, tls-failed, no-mail, unknown)"},
	    {HEAD "detection: {s: {postcard.outcome|cased: Encrypted}, condition: s}",
		"mean 'encr"},
	    {HEAD "detection: {s: {postcard.outcome|startswith: rypt}, condition: s}",
		"'rypt' is no"},
	    {HEAD "detection: {s: {postcard.outcome: '?rypted'}, condition: s}", "'?rypted' is no"},
	    {HEAD "detection: {s: {postcard.exposed: [body, header]}, condition: s}", "'headers'?"},
	    {HEAD "detection: {s: {postcard.anomalies: compresed}, condition: s}", "'compressed'?"},
	    {HEAD "detection: {s: {event.action: x}, condition: s}", "alert-resolved, status)"},
	    {HEAD "detection: {s: {postcard.anomalies: x}, condition: s}", ", ...)"},
	    {HEAD "detection: {s: {postcard.outcome|contain: x}, condition: s}",
		"did you mean 'contains'?"},
	    {HEAD "detection: {s: {postcard.outcome|re: '('}, condition: s}",
		"x.yml:6:38: the expression is wrong at its character"},
	    {HEAD "detection: {s: {postcard.outcome|re: 'a', postcard.outcome|re: 'a'}, condition: "
		  "s}",
		"'postcard.outcome|re'"},
	    {HEAD "detection: {s: {postcard.outcome|i: 'a'}, condition: s}", "behind '|re'"},
	    {HEAD "detection: {s: {destination.port: mail}, condition: s}", "'mail' is no number"},
	    {HEAD "detection: {s: {destination.port|contains: 2}, condition: s}", "is a number"},
	    {HEAD "detection: {s: {source.ip: 10.0.0.0/40}, condition: s}", "no network"},
	    {HEAD "detection: {s: {postcard.outcome|cidr: 10.0.0.0/8}, condition: s}", "is text"},
	    {HEAD "detection: {s: {postcard.midstream: maybe}, condition: s}", "true or false"},
	    {HEAD "detection: {s: {event.start: 2020}, condition: s}", "only a part"},
	    {HEAD "detection: {s: {postcard.outcome|all: x}, condition: s}", "at least two"},
	    {HEAD "detection: {s: {postcard.helo|base64offset: x}, condition: s}",
		"add '|contains'"},
	    {HEAD "detection: {s: {postcard.helo|base64: 'a*'}, condition: s}", "wildcards"},
	    {HEAD "detection: {s: {postcard.helo|expand: '%nonesuch%'}, condition: s}",
		"%nonesuch% has no value"},
	    {HEAD "detection: {s: {postcard.helo: {a: b}}, condition: s}", "not a map"},
	    {HEAD "detection: {s: {postcard.helo: []}, condition: s}", "empty list"},
	    {HEAD "detection: {s: {}, condition: s}", "empty map"},
	    {HEAD "detection: {s: [], condition: s}", "x.yml:6:16: an empty list"},
	    {HEAD "fields: [source.ip, source.pi]\n", "x.yml:6:9: 'source.pi' is no field"},
	    {HEAD "detection: {s: {postcard.helo: x}, condition: '| count() > 1'}", "old Sigma: w"},
	    {HEAD "detection: {s: {postcard.helo|re|contains: x}, condition: s}", "'|m' and '|s'"},
	    {HEAD "detection: {s: {'|fieldref': postcard.helo}, condition: s}", "texts only"},
	    {HEAD "detection: {s: {source.bytes|lt|fieldref: event.start}, condition: s}",
		"'event.start' is not of the same type"},
	    {HEAD "detection: {s: {postcard.hops: x}, condition: s}", "compared with a text"},
	    {HEAD "detection: {s: {postcard.helo: [{a: b}]}, condition: s}", "a text, a number"},
	    {HEAD "detection: {s: {postcard.helo|windash: '-a-b-c-d-e-f'}, condition: s}",
		"more than 4096 texts"},
	    {HEAD "detection: {s: {postcard.helo|expand|wide|base64: '%odd%'}, condition: s}",
		"is not UTF-8"},
	    {HEAD "detection: {s: [[x]], condition: s}", "x.yml:6:17: a list in a list"},
	    {HEAD "detection: {s: [!!str x], condition: s}", "x.yml:6:17: tags (!) are not taken"},
	    {HEAD "detection: {s: {postcard.helo: x}, t: {postcard.helo: y}, condition: s}",
		"'t' is not used"},
	    {HEAD "detection: {s: {postcard.helo: x}}", "'condition' is missing"},
	    {HEAD "detection: {s: {postcard.helo: x}, condition: s and}", "a name is expected"},
	    {HEAD "detection: {s: {postcard.helo: x}, condition: (s}", "')' is expected"},
	    {HEAD "detection: {s: {postcard.helo: x}, condition: s s}",
		"'and' or 'or' is expected"},
	    {HEAD "detection: {s: {postcard.helo: x}, condition: 2 of s*}", "only '1 of'"},
	    {HEAD "detection: {s: {postcard.helo: x}, condition: s | count() > 1}", "old Sigma"},
	    {HEAD "detection: {s: {postcard.helo: x}, timeframe: 1m, condition: s}", "old Sigma"},
	    {"title: t\ntaxonomy: sigma\nlevel: low\nlogsource: {product: postcard}\n"
	     "detection: {s: {postcard.helo: x}, condition: s}",
		"'ecs' is expected"},
	    {"title: t\ntaxonomy: ecs\nlevel: low\nlogsource: {product: windows}\n"
	     "detection: {s: {postcard.helo: x}, condition: s}",
		"not of postcard"},
	    {"title: t\ntaxonomy: ecs\nlevel: grave\nlogsource: {product: postcard}\n"
	     "detection: {s: {postcard.helo: x}, condition: s}",
		"is no level"},
	    {HEAD "id: 5\ndetection: {s: {postcard.helo: x}, condition: s}", "no UUID"},
	    {HEAD "related: x\ndetection: {s: {postcard.helo: x}, condition: s}",
		"x.yml:6:10: 'related' is a list"},
	    {HEAD "related: [{id: x, type: similar}]\n"
		  "detection: {s: {postcard.helo: x}, condition: s}",
		"no UUID"},
	    {HEAD "related: [{id: 0e95725d-7320-415d-80f7-004da920fc11, type: like}]\n"
		  "detection: {s: {postcard.helo: x}, condition: s}",
		"'like' is no type of relation"},
	    {HEAD "related: [{type: similar}]\ndetection: {s: {postcard.helo: x}, condition: s}",
		"'id' and 'type'"},
	    {HEAD "date: 2026-02-30\ndetection: {s: {postcard.helo: x}, condition: s}", "a day"},
	    {HEAD "tags: [Attack]\ndetection: {s: {postcard.helo: x}, condition: s}", "is no tag"},
	    {HEAD "postcard: {widow: 1h}\ndetection: {s: {postcard.helo: x}, condition: s}",
		"did you mean 'window'?"},
	    {HEAD "postcard: {owner: me}\ndetection: {s: {postcard.helo: x}, condition: s}",
		"only filters are exceptions"},
	    {RULE("a", "{s: {postcard.helo: x}, condition: s}")
		    RULE("a", "{s: {postcard.helo: y}, condition: s}"),
		"x.yml:9:1: the name or id 'a' is that of x.yml:2, too"},
	    {CORRELATION("c", "{type: event_count, rules: [e], timespan: 1h, condition: {gte: 2}}"),
		"x.yml:4:42: there is no rule 'e'"},
	    {EVENT CORRELATION("c",
		 "{type: event_count, rules: [e], timespan: 1h, condition: {lt: 2}}"),
		"lower bound"},
	    {EVENT CORRELATION("c",
		 "{type: event_count, rules: [e], timespan: 1h, condition: {gt: 3, lte: 3}}"),
		"no number keeps to both"},
	    {EVENT CORRELATION("c",
		 "{type: event_count, rules: [e], timespan: 1w, condition: {gte: 2}}"),
		"length of time"},
	    {EVENT CORRELATION("c",
		 "{type: evnt_count, rules: [e], timespan: 1h, condition: {gte: 2}}"),
		"did you mean 'event_count'?"},
	    {EVENT CORRELATION("c",
		 "{type: value_count, rules: [e], timespan: 1h, condition: {gte: 2}}"),
		"whose values?"},
	    {EVENT CORRELATION("c",
		 "{type: value_count, rules: [e], field: source.ip, timespan: 1h, condition: {gte: "
		 "2, field: destination.ip}}"),
		"'field' says 'destination.ip' here and 'source.ip' in line"},
	    {EVENT CORRELATION("c",
		 "{type: value_sum, field: postcard.helo, rules: [e], timespan: 1h, condition: "
		 "{gte: 2}}"),
		"is no number"},
	    {EVENT CORRELATION("c", "{type: event_count, rules: [e], timespan: 1h}"),
		"'condition' is missing"},
	    {EVENT CORRELATION("c", "{type: temporal, rules: [e], timespan: 1h, condition: not e}"),
		"'not'"},
	    {EVENT CORRELATION("c",
		 "{type: event_count, rules: [e], group-by: [x.y], timespan: 1h, condition: {gte: "
		 "2}}"),
		"no field"},
	    {CORRELATION("c", "{type: temporal, rules: [d], timespan: 1h}")
		    CORRELATION("d", "{type: temporal, rules: [c], timespan: 1h}"),
		"names itself"},
	    {RULE("r",
		 "{s: {postcard.outcome: cleartext}, condition: s}") "---\ntitle: f\nlogsource: "
								     "{product: postcard}\n"
								     "filter: {rules: any, p: "
								     "{source.ip: 10.1.2.3}, "
								     "condition: p}\n"
								     "postcard: {owner: a, reason: "
								     "b, expires: 2030-01-01}",
		"did you mean 'condition: not selection'?"},
	    {RULE("r",
		 "{s: {postcard.outcome: cleartext}, condition: s}") "---\ntitle: f\nlogsource: "
								     "{product: postcard}\n"
								     "filter: {rules: [q], p: "
								     "{source.ip: 10.1.2.3}, "
								     "condition: not p}\n",
		"there is no rule 'q'"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rules *s = read_rules(cases[i].text);
		rules_free(s);
		if (s == NULL && strstr(error, cases[i].says) != NULL &&
		    strncmp(error, "x.yml:", 6) == 0)
			continue;
		print_error("%s\nsays: %s\nnot: %s\n", cases[i].text, error, cases[i].says);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* Which fields rules ask for: in tests, as keys of alerts, and in correlations. */
static void
fields_asked_for(void **state)
{
	(void)state;
	struct rules *s = read_rules(
	    "title: a\nname: a\ntaxonomy: ecs\nlevel: low\nlogsource: {product: postcard}\n"
	    "detection: {s: {postcard.outcome: cleartext, "
	    "source.bytes|gt|fieldref: destination.bytes}, condition: s}\n"
	    "postcard: {key: [postcard.helo]}\n---\n"
	    "title: c\nname: c\ntaxonomy: ecs\nlevel: low\n"
	    "correlation: {type: value_count, field: postcard.greeting, rules: [a], "
	    "group-by: [source.ip, destination.port], timespan: 1h, condition: {field: "
	    "postcard.greeting, gte: 2}}\npostcard: {key: [postcard.helo]}\n");
	static const enum field asked[] = {FIELD_OUTCOME, FIELD_SOURCE_BYTES,
	    FIELD_DESTINATION_BYTES, FIELD_HELO, FIELD_GREETING, FIELD_SOURCE_IP,
	    FIELD_DESTINATION_PORT};
	static const enum field others[] = {FIELD_CLIENT_SOFTWARE, FIELD_DESTINATION_IP};
	if (s == NULL)
		fail_msg("%s", error);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
		assert_true(rules_ask(s, asked[i]));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(rules_ask(s, others[i]));
	rules_free(s);
	s = read_rules("title: a\ntaxonomy: ecs\nlevel: low\nlogsource: {product: postcard}\n"
		       "detection: {s: [any text], condition: s}\n");
	if (s == NULL)
		fail_msg("%s", error);
	assert_true(rules_ask(s, FIELD_CLIENT_SOFTWARE));
	rules_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values),
	    cmocka_unit_test(encodings),
	    cmocka_unit_test(conditions),
	    cmocka_unit_test(keywords_and_lists),
	    cmocka_unit_test(kinds_and_states),
	    cmocka_unit_test(filters),
	    cmocka_unit_test(counting),
	    cmocka_unit_test(computing),
	    cmocka_unit_test(in_time),
	    cmocka_unit_test(correlations_of_correlations),
	    cmocka_unit_test(many_groups_are_bounded),
	    cmocka_unit_test(expressions_give_up),
	    cmocka_unit_test(fields_asked_for),
	    cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
