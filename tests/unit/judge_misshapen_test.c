/*
 * Rules, filters, correlations and policies in which one value has another shape, stands twice, is
 * missing or has a key that nobody knows: each is read, or refused with the file and the line.
 *
 * The documents below have a key in each line that has a value; that value is replaced in turn.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "judge/policy.h"
#include "judge/rules.h"

static const char *const rules[] = {
    "title: a\nid: 5f5e1f0e-6d29-4d3a-9f0c-6d2f1e0a7b01\nname: a\nrelated:\n"
    "  - id: 5f5e1f0e-6d29-4d3a-9f0c-6d2f1e0a7b02\n    type: similar\n"
    "taxonomy: ecs\nstatus: stable\ndescription: what it is\nlicense: MIT\nauthor: Ann\n"
    "references:\n  - https://example.org/\ndate: 2026-11-23\nmodified: 2026-11-24\n"
    "logsource:\n  product: postcard\n  service: session\n  definition: y\n"
    "detection:\n  s:\n    postcard.outcome: cleartext\n    destination.port|gte: 25\n"
    "    email.subject|re: 'in[vw]oice+'\n    source.ip|cidr: 10.0.0.0/8\n"
    "    email.subject|base64offset|contains: abc\n    email.subject|wide|base64: abc\n"
    "    email.subject|utf16|base64: abc\n    postcard.helo|windash: '-a-b'\n"
    "    source.bytes|lt|fieldref: destination.bytes\n    postcard.helo|exists: true\n"
    "  t:\n    - postcard.helo: mx\n    - words\n"
    "  condition: s and not 1 of t*\n"
    "fields:\n  - source.ip\nfalsepositives:\n  - none\nlevel: high\ntags:\n  - attack.t1040\n"
    "  - cwe.319\nscope:\n  - mail\n"
    "postcard:\n  message: it was {client}\n  advice: tell {server}\n  key:\n    - source.ip\n"
    "  window: 1h\n",
    "title: x\nlogsource:\n  product: postcard\nfilter:\n  rules:\n    - a\n"
    "  s:\n    source.ip: 10.0.0.77\n  condition: not s\n"
    "postcard:\n  owner: Ann\n  reason: no TLS in it\n  expires: 2099-06-30\n",
    "title: c\nname: c\nlevel: medium\ncorrelation:\n  type: value_count\n  rules:\n    - a\n"
    "  group-by:\n    - who\n  aliases:\n    who:\n      a: source.ip\n"
    "  timespan: 1m\n  generate: true\n"
    "  condition:\n    gte: 2\n    lt: 9\n    field: destination.port\n",
    "title: p\nname: p\nlevel: medium\ncorrelation:\n  type: value_percentile\n  rules:\n    - a\n"
    "  group-by:\n    - source.ip\n  timespan: 1m\n  percentile: 90\n"
    "  condition:\n    gte: 2\n    field: destination.port\n",
    "title: t\nname: t\nlevel: medium\ncorrelation:\n  type: temporal\n  rules: [a, b]\n"
    "  group-by: source.ip\n  timespan: 1m\n  condition: a and b\n"};

static const char plain[] =
    "title: a\nname: %s\nlevel: low\ntaxonomy: ecs\nlogsource: {product: postcard}\n"
    "detection: {s: {postcard.outcome: cleartext}, condition: s}\n---\n";

static const char *const policies[] =
    {"- domain:\n    - example.org\n    - .example.net\n  tls: verify\n  names: mx.example.org\n"
     "  direction: outbound\n",
	"- peer:\n    - 10.0.0.0/8\n    - mx.example.org\n  tls: encrypt\n",
	"- import: mta-sts\n  file: sts.txt\n  domain: example.org\n  fetched: 2026-11-23\n",
	"- import: tlsa\n  file: dane.txt\n  domain: example.org\n  validated: true\n",
	"- import: postfix\n  file: tls_policy\n"};

/* What stands in the place of a value. */
static const char *const shapes[] = {"{x: y}", "{x: y, x: z}", "[{x: y}]", "[[a]]", "[]", "''", "~",
    "[a, a]", "[a, {b: c}]", "-1", "99999999999999999999", "1h", "2026-13-40", "true", "\"a\\0b\"",
    "'*'", "'%none%'", "LONG"};

static char error[YAML_ERROR];

/* Is the text taken?  `error`: why not. */
typedef bool (*taker)(const char *text);

static bool
take_rules(const char *text)
{
	char all[32768];
	struct rules *s = rules_new(NULL, 0);
	assert_non_null(s);
	snprintf(all, sizeof all, plain, "b");
	bool good = rules_read(s, all, strlen(all), "b.yml", false, error) &&
	    rules_read(s, text, strlen(text), "x.yml", false, error) && rules_link(s, error);
	rules_free(s);
	return good;
}

/* The same where "a" is there, for those that name it. */
static bool
take_others(const char *text)
{
	char all[32768];
	struct rules *s = rules_new(NULL, 0);
	assert_non_null(s);
	size_t n = (size_t)snprintf(all, sizeof all, plain, "a");
	snprintf(all + n, sizeof all - n, plain, "b");
	bool good = rules_read(s, all, strlen(all), "b.yml", false, error) &&
	    rules_read(s, text, strlen(text), "x.yml", strstr(text, "filter") != NULL, error) &&
	    rules_link(s, error);
	rules_free(s);
	return good;
}

static bool
take_policies(const char *text)
{
	struct policies *p = policies_new();
	struct yaml *y = yaml_open(text, strlen(text), "x.yml", error);
	bool good =
	    p != NULL && y != NULL && yaml_next(y) && policies_read(p, y, yaml_root(y), folder);
	yaml_close(y);
	policies_free(p);
	return good;
}

/* "x.yml:7:3: why", or that of a file that it names. */
static void
expect_place(const char *text, bool good)
{
	const char *colon = strchr(error, ':');
	if (good ? error[0] == '\0' : colon != NULL && isdigit((unsigned char)colon[1]))
		return;
	fail_msg("%s\nsays: %s", text, error);
}

static unsigned taken, refused;

static void
try(taker take, const char *text)
{
	error[0] = '\0';
	bool good = take(text);
	expect_place(text, good);
	*(good ? &taken : &refused) += 1;
}

/* The document with line `at` as `line`, which may be more than one, or none. */
static void
try_line(taker take, const char *document, size_t at, size_t len, const char *line)
{
	static char text[32768];
	int n =
	    snprintf(text, sizeof text, "%.*s%s%s", (int)at, document, line, document + at + len);
	assert_true(n > 0 && (size_t)n < sizeof text);
	try(take, text);
}

static void
try_each_line(taker take, const char *document)
{
	static char line[8192], filler[4096];
	memset(filler, 'z', sizeof filler - 1);
	for (size_t at = 0; document[at] != '\0';) {
		size_t len = strcspn(document + at, "\n") + 1, indent = strspn(document + at, " -");
		const char *colon = memchr(document + at, ':', len);
		size_t key = colon != NULL ? (size_t)(colon - document) - at + 1 : indent;
		for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
			const char *shape = strcmp(shapes[i], "LONG") == 0 ? filler : shapes[i];
			snprintf(line, sizeof line, "%.*s %s\n", (int)key, document + at, shape);
			try_line(take, document, at, len, line);
		}
		snprintf(line, sizeof line, "%.*s%.*s", (int)len, document + at, (int)len,
		    document + at);
		try_line(take, document, at, len, line); /* twice */
		try_line(take, document, at, len, "");	 /* not at all */
		snprintf(line, sizeof line, "%.*snobody: knows\n%.*s",
		    (int)strspn(document + at, " "), document + at, (int)len, document + at);
		try_line(take, document, at, len, line);
		at += len;
	}
}

static void
of_rules(void **state)
{
	(void)state;
	taken = refused = 0;
	try(take_rules, rules[0]);
	assert_string_equal(error, "");
	try_each_line(take_rules, rules[0]);
	for (size_t i = 1; i < sizeof rules / sizeof *rules; i++) {
		try(take_others, rules[i]);
		assert_string_equal(error, "");
		try_each_line(take_others, rules[i]);
	}
	assert_true(taken > 100 && refused > 1000);
}

static void
of_policies(void **state)
{
	(void)state;
	write_text("sts.txt",
	    "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 86400\n");
	write_text("dane.txt",
	    "_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 "
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
	write_text("tls_policy", "example.org encrypt\nexample.net secure match=nexthop\n");
	taken = refused = 0;
	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		try(take_policies, policies[i]);
		if (error[0] != '\0')
			fail_msg("%s: %s", policies[i], error);
		try_each_line(take_policies, policies[i]);
	}
	assert_true(taken > 10 && refused > 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_rules),
	    FOLDER_TEST(of_policies),
	};
	return cmocka_run_group_tests_name("judge/misshapen", tests, NULL, NULL);
}
