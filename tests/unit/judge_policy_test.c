/* Forced-TLS policies: who is judged by which, every verdict, imports, and what is refused. */
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
#include "record_build.h"
#include "record_words.h"

static struct record record;
static char error[YAML_ERROR];

static struct policies *
read_policies(const char *yaml)
{
	error[0] = '\0';
	struct policies *p = policies_new();
	struct yaml *y = yaml_open(yaml, strlen(yaml), "c.yml", error);
	assert_true(p != NULL && y != NULL);
	bool good = yaml_next(y) && policies_read(p, y, yaml_root(y), folder);
	yaml_close(y);
	if (good)
		return p;
	policies_free(p);
	return NULL;
}

static const char *
word(enum field f)
{
	return record_word(&record, f);
}

/* "verdict wants source cause domain", with "-" for what is absent. */
static const char *
judged(const struct policies *p, const char *line)
{
	static char text[512];
	static const enum field fields[] = {FIELD_POLICY_VERDICT, FIELD_POLICY_WANTS,
	    FIELD_POLICY_SOURCE, FIELD_POLICY_CAUSE, FIELD_POLICY_DOMAIN};
	build_record_of(&record, line);
	policies_apply(p, &record);
	text[0] = '\0';
	for (size_t i = 0; i < 5; i++) {
		const char *w = word(fields[i]);
		strcat(text, i > 0 ? " " : "");
		strcat(text, w[0] != '\0' ? w : "-");
	}
	return text;
}

static void
check(const char *yaml, const char *line, const char *expected)
{
	struct policies *p = read_policies(yaml);
	if (p == NULL)
		fail_msg("%s", error);
	const char *got = judged(p, line);
	if (strcmp(got, expected) != 0)
		fail_msg("\n%s\n%s\nis: %s\nnot: %s", yaml, line, got, expected);
	policies_free(p);
}

#define NOTHING "- - - - -"
#define MAIL(to)                                                                     \
	"{kind: message, network.direction: outbound, postcard.outcome: cleartext, " \
	"email.to.address: [" to "]}"

static void
recipient_domains(void **state)
{
	(void)state;
	static const char *const partner = "- {domain: partner.example, tls: encrypt}";
	check(partner, MAIL("a@partner.example"),
	    "violated encrypt config cleartext partner.example");
	check(partner, MAIL("a@PARTNER.Example"),
	    "violated encrypt config cleartext partner.example");
	check(partner, MAIL("a@sub.partner.example"), NOTHING);
	check(partner, MAIL("a@other.example"), NOTHING);
	check(partner, MAIL("nobody"), NOTHING);
	check(partner, MAIL("x@other.example, 'a@b@partner.example'"),
	    "violated encrypt config cleartext partner.example");
	static const char *const below = "- {domain: '*.partner.example', tls: verify}";
	check(below, MAIL("a@partner.example"), NOTHING);
	check(below, MAIL("a@x.y.partner.example"),
	    "violated verify config cleartext x.y.partner.example");
	check("- {domain: .partner.example, tls: verify}", MAIL("a@x.partner.example"),
	    "violated verify config cleartext x.partner.example");
	/* the gravest of several; each domain is named */
	check("- {domain: a.example, tls: encrypt}\n- {domain: [b.example, c.example], tls: "
	      "verify}",
	    MAIL("x@a.example, x@b.example"), "violated verify config cleartext a.example");
	/* refused recipients crossed the wire, too */
	check(partner,
	    "{kind: message, postcard.outcome: cleartext, postcard.refused.to: "
	    "'a@partner.example'}",
	    "violated encrypt config cleartext partner.example");
	/* the first that matches counts */
	check("- {domain: x.partner.example, tls: none}\n- {domain: '*.partner.example', tls: "
	      "verify}",
	    MAIL("a@x.partner.example"), NOTHING);
	check("- {domain: partner.example, tls: may}", MAIL("a@partner.example"), NOTHING);
}

static void
directions(void **state)
{
	(void)state;
	static const char *const out =
	    "- {domain: partner.example, tls: encrypt, direction: outbound}";
	check(out, MAIL("a@partner.example"), "violated encrypt config cleartext partner.example");
	check(out,
	    "{kind: message, network.direction: inbound, postcard.outcome: cleartext,"
	    " email.to.address: a@partner.example}",
	    NOTHING);
	check("- {domain: partner.example, tls: none, direction: inbound}\n"
	      "- {domain: partner.example, tls: encrypt}",
	    MAIL("a@partner.example"), "violated encrypt config cleartext partner.example");
}

static void
peers(void **state)
{
	(void)state;
	static const char clear[] =
	    "{postcard.outcome: cleartext, source.ip: 192.0.2.7, destination.ip: '2001:db8::1',"
	    " postcard.greeting: '220 mx.partner.example ESMTP', postcard.helo: out.example.com}";
	check("- {peer: 192.0.2.0/24, tls: encrypt}", clear,
	    "violated encrypt config cleartext 192.0.2.0/24");
	check("- {peer: '2001:db8::1', tls: verify}", clear,
	    "violated verify config cleartext 2001:db8::1");
	check("- {peer: 198.51.100.0/24, tls: encrypt}", clear, NOTHING);
	check("- {peer: mx.partner.example, tls: encrypt}", clear,
	    "violated encrypt config cleartext mx.partner.example");
	check("- {peer: [x.example, '*.example.com'], tls: encrypt}", clear,
	    "violated encrypt config cleartext x.example");
	check("- {peer: 192.0.2.0/24, tls: encrypt}",
	    "{kind: message, postcard.outcome: cleartext, source.ip: 192.0.2.7}",
	    "violated encrypt config cleartext 192.0.2.0/24");
	check("- {peer: 192.0.2.0/24, tls: encrypt}",
	    "{postcard.outcome: no-mail, source.ip: 192.0.2.7}", NOTHING);
	check("- {peer: 192.0.2.0/24, tls: encrypt}",
	    "{postcard.outcome: tls-failed, source.ip: 192.0.2.7}", NOTHING);
	check("- {peer: 192.0.2.0/24, tls: encrypt}",
	    "{postcard.outcome: unknown, source.ip: 192.0.2.7}",
	    "not-provable encrypt config - 192.0.2.0/24");
}

#define SEALED(more)                                                                      \
	"{postcard.outcome: encrypted, tls.established: true, destination.ip: 192.0.2.7," \
	" postcard.greeting: '220 mx.partner.example ESMTP'" more "}"

static void
sealed_connections(void **state)
{
	(void)state;
	static const char *const encrypt = "- {domain: partner.example, tls: encrypt}";
	static const char *const verify = "- {domain: partner.example, tls: verify}";
	check(encrypt, SEALED(""), "kept encrypt config - partner.example");
	check(verify, SEALED(""), "not-provable verify config - partner.example");
	check(verify, SEALED(", postcard.anomalies: certificate-expired"),
	    "violated verify config expired partner.example");
	check(verify, SEALED(", postcard.anomalies: certificate-not-yet-valid"),
	    "violated verify config not-yet-valid partner.example");
	check(verify, SEALED(", postcard.anomalies: [tls-version-old, certificate-self-signed]"),
	    "violated verify config self-signed partner.example");
	check(verify, SEALED(", postcard.anomalies: certificate-name-mismatch"),
	    "violated verify config name partner.example");
	check(encrypt, SEALED(", postcard.anomalies: certificate-expired"),
	    "kept encrypt config - partner.example");
	/* of a peer: for whom the certificate may be, where one is seen */
#define CERTIFICATE ", tls.server.hash.sha256: 'ab'"
	check("- {peer: 192.0.2.0/24, tls: verify, names: [a.example, '*.partner.example']}",
	    SEALED(CERTIFICATE), "not-provable verify config - 192.0.2.0/24");
	check("- {peer: 192.0.2.0/24, tls: verify, names: [a.example, '*.other.example']}\n"
	      "- {peer: 192.0.2.7, tls: verify, names: mx.partner.example}",
	    SEALED(CERTIFICATE), "violated verify config name 192.0.2.0/24");
	check("- {peer: 192.0.2.0/24, tls: verify, names: a.example}", SEALED(""),
	    "not-provable verify config - 192.0.2.0/24");
	check("- {peer: 192.0.2.0/24, tls: encrypt, names: a.example}", SEALED(CERTIFICATE),
	    "kept encrypt config - 192.0.2.0/24");
	check("- {peer: 192.0.2.0/24, tls: verify, names: a.example}",
	    "{postcard.outcome: encrypted, destination.ip: 192.0.2.7" CERTIFICATE "}",
	    "not-provable verify config - 192.0.2.0/24");
	/* names: one label for the star (RFC 8461) */
	static const char *const names = "- {domain: partner.example, tls: encrypt, names: "
					 "['*.mail.example', mx.partner.example]}";
	check(names, SEALED(""), "kept encrypt config - partner.example");
	check(names, "{postcard.outcome: encrypted, tls.client.server_name: a.mail.example}",
	    "kept encrypt config - partner.example");
	check(names, "{postcard.outcome: encrypted, tls.client.server_name: a.b.mail.example}",
	    NOTHING);
	check(names, "{postcard.outcome: encrypted, tls.client.server_name: mail.example}",
	    NOTHING);
	check(names,
	    "{postcard.outcome: encrypted, postcard.greeting: '220 other.partner.example'}",
	    NOTHING);
}

static void
mta_sts(void **state)
{
	(void)state;
	write_text("enforce.txt",
	    "version: STSv1\r\nmode: enforce\r\n \t\r\nmx: mx.partner.example\r\nmx: "
	    "*.backup.example\r\n"
	    "max_age: 86400\r\nfuture: yes\r\n");
	write_text("testing.txt", "version: STSv1\nmode: testing\nmx: x.example\nmax_age: 86400\n");
	static const char *const enforce =
	    "- {import: mta-sts, file: enforce.txt, domain: partner.example}";
	check(enforce, MAIL("a@partner.example"),
	    "violated verify mta-sts cleartext partner.example");
	check(enforce, SEALED(""), "not-provable verify mta-sts - partner.example");
	check(enforce, SEALED(", postcard.anomalies: certificate-name-mismatch"),
	    "violated verify mta-sts name partner.example");
	check("- {import: mta-sts, file: testing.txt, domain: partner.example}",
	    MAIL("a@partner.example"), NOTHING);
	/* TLS-Required: No sets it aside, but not a policy of one's own */
	static const char waived[] =
	    "{kind: message, postcard.outcome: cleartext,"
	    " email.to.address: a@partner.example, postcard.tls_required: false}";
	check(enforce, waived, "not-provable verify mta-sts - partner.example");
	assert_true(record_find(&record, FIELD_POLICY_WAIVED, &(struct record_value){0}));
	check("- {domain: partner.example, tls: verify}", waived,
	    "violated verify config cleartext partner.example");
	assert_true(record_find(&record, FIELD_POLICY_WAIVED, &(struct record_value){0}));
	/* it is good for max_age from the day on which it was fetched; the records are of
	 * 2023-11-14 */
	static const char late[] = "{kind: message, postcard.outcome: cleartext, email.to.address: "
				   "a@partner.example, at: 0}";
	check("- {import: mta-sts, file: enforce.txt, domain: partner.example, fetched: "
	      "2023-11-14}",
	    late, "violated verify mta-sts cleartext partner.example");
	check("- {import: mta-sts, file: enforce.txt, domain: partner.example, fetched: "
	      "2023-11-13}",
	    late, NOTHING);
}

static void
postfix(void **state)
{
	(void)state;
	write_text("tls_policy",
	    "# comment\n\n"
	    "none.example       none\n"
	    "enc.example:587    encrypt protocols=>=TLSv1.2\n"
	    "sec.example        secure\n    match=mx.sec.example:.backup.example ciphers=high\n"
	    ".below.example     verify\n"
	    "[relay.example]:25 encrypt\n"
	    "hop.example        secure match=hostname:nexthop:mx.other.example\n"
	    "sub.example        secure match=dot-nexthop\n"
	    "any.example        secure match=hostname\n"
	    "dane.example       dane\n"
	    "only.example       dane-only\n");
	static const char *const import = "- {import: postfix, file: tls_policy}";
	check(import, MAIL("a@none.example"), NOTHING);
	check(import, MAIL("a@enc.example"), "violated encrypt postfix cleartext enc.example");
	check(import, MAIL("a@sec.example"), "violated verify postfix cleartext sec.example");
	check(import, MAIL("a@x.below.example"),
	    "violated verify postfix cleartext x.below.example");
	check(import, MAIL("a@below.example"), NOTHING);
	check(import, MAIL("a@dane.example"), NOTHING);
	check(import, MAIL("a@only.example"), "violated verify postfix cleartext only.example");
	check(import, "{postcard.outcome: cleartext, postcard.greeting: '220 relay.example'}",
	    "violated encrypt postfix cleartext relay.example");
	check(import, "{postcard.outcome: encrypted, postcard.greeting: '220 a.backup.example'}",
	    "not-provable verify postfix - sec.example");
	/* nexthop is the domain itself, dot-nexthop what is below it; any host is as none is named
	 */
	static const struct {
		const char *greeting, *domain;
	} match[] = {{"mx.other.example", "hop.example"}, {"hop.example", "hop.example"},
	    {"mx.hop.example", NULL}, {"mx.sub.example", "sub.example"}, {"sub.example", NULL},
	    {"any.example", "any.example"}, {"mx.any.example", "any.example"}};
	for (size_t i = 0; i < sizeof match / sizeof *match; i++) {
		char line[128], want[128];
		snprintf(line, sizeof line,
		    "{postcard.outcome: encrypted, postcard.greeting: '220 %s'}",
		    match[i].greeting);
		snprintf(want, sizeof want, "not-provable verify postfix - %s", match[i].domain);
		check(import, line, match[i].domain != NULL ? want : NOTHING);
	}
	check(import, "{postcard.outcome: encrypted, postcard.greeting: '220 mx.enc.example'}",
	    "kept encrypt postfix - enc.example");
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void
tlsa(void **state)
{
	(void)state;
	write_text("tlsa.txt",
	    "; from dig\n"
	    "_25._tcp.mx.partner.example. 3600 IN TLSA 3 0 1 "
	    "( 00112233445566778899AABBCCDDEEFF 00112233445566778899aabbccddeeff )\n");
	write_text("spki.txt", "_25._tcp.mx.partner.example. IN TLSA 3 1 1 " HASH "\n");
	static const char *const sure =
	    "- {import: tlsa, file: tlsa.txt, domain: partner.example, validated: true}";
	check(sure, MAIL("a@partner.example"), "violated verify tlsa cleartext partner.example");
	check(sure, SEALED(", tls.server.hash.sha256: " HASH),
	    "kept verify tlsa - partner.example");
	check(sure, SEALED(", tls.server.hash.sha256: 11" HASH),
	    "violated verify tlsa certificate partner.example");
	check(sure, SEALED(""), "not-provable verify tlsa - partner.example");
	/* neither name nor dates count (RFC 7672 section 3.1.1) */
	check(sure,
	    SEALED(", postcard.anomalies: certificate-expired, tls.server.hash.sha256: " HASH),
	    "kept verify tlsa - partner.example");
	check("- {import: tlsa, file: spki.txt, domain: partner.example, validated: true}",
	    SEALED(", tls.server.hash.sha256: 11" HASH),
	    "not-provable verify tlsa - partner.example");
	/* without DNSSEC they bind nobody */
	check("- {import: tlsa, file: tlsa.txt, domain: partner.example}",
	    MAIL("a@partner.example"), NOTHING);
}

static void
refusals(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *file, *says;
	} cases[] = {
	    {"x", "", "c.yml:1:1: 'policies' is a list"},
	    {"- x", "", "c.yml:1:3: "},
	    {"- {domian: a.example, tls: may}", "",
		"c.yml:1:4: 'domian' is no key of a policy; did you mean 'domain'?"},
	    {"- {domain: a.example}", "", "'tls' is missing"},
	    {"- {tls: may}", "", "either 'domain' or 'peer'"},
	    {"- {domain: a.example, peer: b.example, tls: may}", "", "either 'domain' or 'peer'"},
	    {"- {domain: a.example, tls: encrpt}", "", "did you mean 'encrypt'?"},
	    {"- {domain: a.example, tls: may, direction: out}", "", "is no direction"},
	    {"- {domain: 'a b', tls: may}", "", "is no domain"},
	    {"- {domain: b\xc3\xbc"
	     "cher.example, tls: may}",
		"", "A-label"},
	    {"- {peer: 10.0.0.0/99, tls: may}", "", "is no network"},
	    {"- {peer: 10.0.0.300, tls: may}", "", "'10.0.0.300' is no address"},
	    {"- {peer: [mx.example.net, 192.0.2], tls: may}", "", "'192.0.2' is no address"},
	    {"- {peer: a.example, tls: verify, names: ['a b']}", "", "is no domain"},
	    {"- {domain: a.example, tls: may, file: f}", "", "go with 'import' only"},
	    {"- {import: dane, file: f.txt}", "", "is no kind of policies"},
	    {"- {import: mta-sts, file: f.txt}", "", "'domain' is missing"},
	    {"- {import: postfix}", "", "'file' is missing"},
	    {"- {import: postfix, file: nowhere.txt}", "", "nowhere.txt"},
	    {"- {import: postfix, file: f.txt, tls: may}", "", "does not go with 'import'"},
	    {"- {import: postfix, file: f.txt}", "a.example\n", "f.txt:1: a level is expected"},
	    {"- {import: postfix, file: f.txt}", "\n\na.example maybe\n",
		"f.txt:3: 'maybe' is no level"},
	    {"- {import: postfix, file: f.txt}", " a.example may\n", "f.txt:1: the first line"},
	    {"- {import: postfix, file: f.txt}", "a.example may x\n",
		"f.txt:1: 'x' is no attribute"},
	    {"- {import: postfix, file: f.txt}", "[192.0.2.1] may\n", "f.txt:1: addresses"},
	    {"- {import: mta-sts, file: f.txt, domain: a.example}", "version: STSv2\n",
		"f.txt:1: version"},
	    {"- {import: mta-sts, file: f.txt, domain: a.example}", "version: STSv1\nmode: force\n",
		"f.txt:2: mode"},
	    {"- {import: mta-sts, file: f.txt, domain: a.example}", "version: STSv1\n",
		"no whole policy"},
	    {"- {import: mta-sts, file: f.txt, domain: a.example, fetched: today}",
		"version: STSv1\nmode: none\nmax_age: 1\n", "a day is expected"},
	    {"- {import: mta-sts, file: f.txt, domain: a.example}", "version: STSv1\nmx: *.*.b\n",
		"f.txt:2: '*.*.b' is no domain or host"},
	    {"- {import: postfix, file: f.txt}", "a.example may\n* encrypt\n",
		"f.txt:2: '*' is no domain or host"},
	    {"- {import: mta-sts, file: f.txt, domain: a.example}", "nonsense\n",
		"f.txt:1: 'key: value'"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}", "mx.a.example. TLSA 3 0 1 00\n",
		"f.txt:1: 'mx.a.example.' is no owner"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}",
		"_25._tcp.mx.a.example. IN A 192.0.2.1\n", "f.txt:1: no TLSA record"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}",
		"_25._tcp.mx.a.example. TLSA 3 0 1 xyz\n", "not hexadecimal"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}",
		"_25._tcp.mx.a.example. TLSA 3 0 1 00\n", "64 hexadecimal digits"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}",
		"_25._tcp.mx.a.example. TLSA 3 1 2 00\n", "128 hexadecimal digits"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}",
		"_25._tcp.mx.a.example. TLSA 3 1 0 012\n", "no whole octets"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}",
		"_25._tcp.mx.a.example. TLSA 4 1 0 01\n", "f.txt:1: usage 0 to 3"},
	    {"- {import: tlsa, file: f.txt, domain: a.example}", "\n", "no TLSA record in it"},
	};
	unsigned wrong = 0;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		write_text("f.txt", cases[i].file);
		struct policies *p = read_policies(cases[i].yaml);
		policies_free(p);
		if (p == NULL && strncmp(error, "c.yml:1:", 8) == 0 &&
		    strstr(error, cases[i].says) != NULL)
			continue;
		print_error("%s\nsays: %s\nnot: %s\n", cases[i].yaml, error, cases[i].says);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* Where there is none, and of what no policy is about. */
static void
nothing_to_judge(void **state)
{
	(void)state;
	struct policies *none = policies_new(),
			*one = read_policies("- {domain: a.example, tls: encrypt}");
	assert_true(none != NULL && one != NULL);
	assert_int_equal(policies_count(none), 0);
	assert_string_equal(judged(none, MAIL("a@a.example")), NOTHING);
	assert_string_equal(judged(one, "{kind: sensor, email.to.address: a@a.example}"), NOTHING);
	policies_free(none);
	policies_free(one);
	policies_free(NULL);
}

/* Tens of thousands of imported domains are found as quickly as one. */
static void
many_domains(void **state)
{
	(void)state;
	FILE *f = fopen(path_of("many"), "w");
	for (unsigned i = 0; i < 50000; i++)
		fprintf(f, "d%u.example encrypt\n", i);
	fclose(f);
	struct policies *p = read_policies("- {import: postfix, file: many}");
	if (p == NULL)
		fail_msg("%s", error);
	assert_int_equal(policies_count(p), 50000);
	assert_string_equal(judged(p, MAIL("a@d49999.example")),
	    "violated encrypt postfix cleartext d49999.example");
	assert_string_equal(judged(p, MAIL("a@d50000.example")), NOTHING);
	for (unsigned i = 0; i < 20000; i++) {
		record_begin(&record, RECORD_MESSAGE);
		record_put_word(&record, FIELD_EMAIL_TO, "a@a.b.c.d.e.f.g.example");
		policies_apply(p, &record);
	}
	policies_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(recipient_domains),
	    FOLDER_TEST(directions),
	    FOLDER_TEST(peers),
	    FOLDER_TEST(sealed_connections),
	    FOLDER_TEST(mta_sts),
	    FOLDER_TEST(postfix),
	    FOLDER_TEST(tlsa),
	    FOLDER_TEST(refusals),
	    cmocka_unit_test(nothing_to_judge),
	    FOLDER_TEST(many_domains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
