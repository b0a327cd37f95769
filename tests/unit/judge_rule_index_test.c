/* The index of a rule set, and what it remembers of records, leave no rule out: random rules and
 * records, against asking each rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "judge/rule.h"
#include "record_build.h"

static uint64_t seed;

static unsigned
below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

#define PICK(words) words[below(sizeof words / sizeof *words)]

/* Tests of every kind: texts, patterns, numbers, networks, expressions, presence, keywords. */
static const char *const tests[] = {"postcard.outcome: cleartext", "postcard.outcome: encrypted",
    "postcard.reason: [refused, stripped]", "postcard.helo|endswith: .example.net",
    "postcard.helo|contains: print", "postcard.helo: 'p*r-?.*'", "postcard.helo: '*'",
    "postcard.helo|re: '^p[a-z]+-[0-9]'", "postcard.helo|re|i: 'ex?ample\\.(net|org)$'",
    "postcard.helo|re: 'inters?-'", "postcard.helo|re: 'zz|Pr'", "postcard.helo|re|i: '^prin{1}t'",
    "postcard.helo|re|i: 'S.*bank'", "postcard.helo|re: 'Print(?i)ER'",
    "postcard.helo|re: '[e].ample'", "postcard.helo|re: '(a)?example'",
    "postcard.helo|re: 'examplé?\\.net'", "postcard.helo|cased: Printer-3.example.net",
    "postcard.helo|re: 'zz[[:alpha:]]|Pr'", "postcard.helo|re: 'zz{x|Pr'",
    "postcard.helo|re: '(zz[[:alpha:]])|Pr'", "postcard.helo|re: '(\\c)zz)?Pr'",
    "destination.port: 25", "destination.port: [465, 587]", "destination.port|gte: 465",
    "destination.port|neq: 25", "source.ip: 10.1.2.3", "source.ip|cidr: 10.0.0.0/8",
    "source.ip|cidr: [2001:db8::/32, 0.0.0.0/0]", "source.ip|cidr: '::/0'", "source.ip: '10.1.*'",
    "postcard.helo: null", "postcard.helo|exists: true", "postcard.starttls.offered: false",
    "postcard.exposed|all: [envelope, body]", "postcard.exposed: body",
    "source.bytes|gt|fieldref: destination.bytes", "source.ip|cidr|expand: '%nobody%'",
    "source.bytes: 0", "event.start|hour: 22"};

static const char *const conditions[] = {"a", "not a", "a and b", "a or b", "a and not b",
    "(a or b) and c", "a or (b and c)", "not (a or b)", "1 of them", "all of them",
    "not all of them", "a and (b or not c)"};

static const char *const values[][6] = {{"", "postcard.outcome: cleartext",
					    "postcard.outcome: Encrypted",
					    "postcard.outcome: unknown"},
    {"", "postcard.reason: refused", "postcard.reason: stripped", "postcard.reason: not-offered"},
    {"", "postcard.helo: Printer-3.example.net", "postcard.helo: printer",
	"postcard.helo: \u017fban\u212a.exampl.net", "postcard.helo: print.example.org"},
    {"", "destination.port: 25", "destination.port: 587", "destination.port: 4711"},
    {"", "source.ip: 10.1.2.3", "source.ip: 192.0.2.1", "source.ip: '2001:db8::1'"},
    {"", "postcard.starttls.offered: false", "postcard.starttls.offered: true", ""},
    {"", "postcard.exposed: [envelope, body]", "postcard.exposed: [body]", ""},
    {"", "source.bytes: 0", "source.bytes: 5, destination.bytes: 4", "destination.bytes: 9"},
    {"", "event.start: 0", "email.to.address: [a@b, printer]", ""}};

static void
write_rule(char *to, size_t cap, unsigned number, bool keywords)
{
	const char *condition = PICK(conditions);
	unsigned names = 3;
	int n = snprintf(to, cap,
	    "---\ntitle: t\nname: r%u\ntaxonomy: ecs\nlogsource: {product: postcard}\nlevel: low\n"
	    "detection:\n",
	    number);
	/* a name that a condition does not use is an error */
	if (strstr(condition, "them") == NULL)
		names = strchr(condition, 'c') != NULL ? 3 : strchr(condition, 'b') != NULL ? 2 : 1;
	for (unsigned i = 0; i < names; i++) {
		const char *one = PICK(tests), *two = PICK(tests);
		bool both = below(2) == 0 && strncmp(one, two, strcspn(one, ":")) != 0;
		if (below(12) == 0 && keywords)
			n += snprintf(to + n, cap - (size_t)n, "  %c: [print, '*strip*']\n",
			    'a' + i);
		else
			n += snprintf(to + n, cap - (size_t)n, "  %c: {%s%s%s}\n", 'a' + i, one,
			    both ? ", " : "", both ? two : "");
	}
	snprintf(to + n, cap - (size_t)n, "  condition: %s\n", condition);
}

static void
write_record(char *to, size_t cap)
{
	struct text t = text_in(to, cap);
	const size_t kinds = sizeof values / sizeof *values;
	text_puts(&t, below(2) ? "{kind: session" : "{kind: message");
	for (size_t i = 0; i < kinds; i++) {
		const char *one = values[i][below(6)];
		if (one != NULL && one[0] != '\0')
			text_printf(&t, ", %s", one);
	}
	text_putc(&t, '}');
}

/* A set of `count` rules. */
static struct rules *
make_rules(unsigned count, bool keywords)
{
	static char text[200000];
	static const struct placeholder nobody = {"nobody", NULL, 0};
	char error[YAML_ERROR] = "";
	struct rules *s = rules_new(&nobody, 1);
	size_t len = 0;
	for (unsigned i = 0; i < count; i++) {
		write_rule(text + len, sizeof text - len, i, keywords);
		len += strlen(text + len);
	}
	if (!rules_read(s, text, len, "x.yml", false, error) || !rules_link(s, error))
		fail_msg("%s", error);
	return s;
}

/* Matches a record; how many rules do, which are those that hold where each is asked. */
static unsigned
match_one(struct rules *s, const struct record *record, int64_t ns, const char *line)
{
	struct rule_hit hits[RULE_HITS];
	size_t found = rules_match(s, record, ns, hits), at = 0;
	rule_view(s, record);
	for (uint32_t i = 0; i < s->rules; i++) {
		if (!rule_holds(s, s->rule[i]->body->root))
			continue;
		if (at >= found || hits[at].rule != s->rule[i])
			fail_msg("rule %u is left out for %s", i, line);
		at++;
	}
	assert_int_equal(at, found);
	return (unsigned)found;
}

static void
no_rule_is_left_out(void **state)
{
	(void)state;
	static struct record record;
	static char line[2000];
	unsigned matched = 0, asked = 0, total = 0;
	for (seed = 1; seed < 1u << 20; seed = seed * 2 + 1) {
		uint64_t began = seed;
		struct rules *s = make_rules(150, true);
		for (unsigned n = 0; n < 100; n++) {
			write_record(line, sizeof line);
			int64_t ns = build_record_of(&record, line);
			uint32_t i, walk = 0;
			matched += match_one(s, &record, ns, line);
			while (rule_index_next(&s->index, &walk, &i))
				asked++;
			total += (unsigned)s->rules;
		}
		rules_free(s);
		seed = began;
	}
	assert_true(matched > 10000);
	assert_true(asked < total / 10 * 7); /* many have no key: they say what is not */
}

/* The same of few rules, so that records are alike in what these ask. */
static void
nor_is_one_that_is_remembered(void **state)
{
	(void)state;
	static struct record record;
	static char line[2000];
	unsigned matched = 0, remembered = 0, total = 0;
	for (seed = 1; seed < 1u << 20; seed = seed * 2 + 1) {
		uint64_t began = seed;
		for (unsigned count = 1; count < 20; count++) {
			struct rules *s = make_rules(count, false);
			for (unsigned n = 0; n < 200; n++) {
				write_record(line, sizeof line);
				int64_t ns = build_record_of(&record, line);
				matched += match_one(s, &record, ns, line);
				total++;
			}
			remembered += s->memo.found;
			rules_free(s);
		}
		seed = began;
	}
	assert_true(matched > 10000);
	assert_true(remembered > total / 10);
}

/* What must stand in whatever an expression matches: with less a rule is slow, with more it is left
 * out.  "": nothing that is known. */
static void
what_an_expression_asks_for(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *run;
	} rows[] = {{"^ab[x\\]y]cde", "cde"}, {"ab[^]x]cde", "cde"}, {"ab(x\\)y)cde", "cde"},
	    {"ab([)])cde", "cde"}, {"ab((x)y)?cde*", "ab"}, {"abc{2}d{,3}ef", "ab"},
	    {"a\\.b\\dcd", "a.b"}, {"abc+", "abc"},
	    /* nothing plain: another alternative may follow, or a bracket mean nothing */
	    {"abc[[:alpha:]]|d", ""}, {"abc([[:alpha:]])|d", ""}, {"abc{x|d", ""}, {"abc{x|y}", ""},
	    {"(\\c)ab)cde", ""}, {"[\\c]x]cde", ""}, {"([\\Q]\\E)xyz(])", ""}, {"[\\E]ab]x", ""},
	    {"abc|d", ""}, {"(?i)abc", ""}, {"abc\\x41", ""}, {"(a)bc\\1", ""}, {"abc\\", ""},
	    {"abc[d", ""}, {"abc(d", ""}, {"abc([d)", ""}};
	struct rules *s = rules_new(NULL, 0);
	assert_non_null(s);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *e = rows[i].expression;
		struct atom a = {.kind = ATOM_REGEX, .text = e, .len = (uint32_t)strlen(e)};
		assert_true(rule_run_find(s, &a));
		if (a.run_len != strlen(rows[i].run) || memcmp(a.run, rows[i].run, a.run_len) != 0)
			fail_msg("%s: '%.*s'", e, (int)a.run_len, a.run);
	}
	rules_free(s);
}

int
main(void)
{
	const struct CMUnitTest all[] = {cmocka_unit_test(what_an_expression_asks_for),
	    cmocka_unit_test(no_rule_is_left_out), cmocka_unit_test(nor_is_one_that_is_remembered)};
	return cmocka_run_group_tests(all, NULL, NULL);
}
