/* What the TLS machine saw, as anomalies and fields; which name a certificate is compared with. */
#include "cert_made.h"
#include "finding/message.h"
#include "record_text.h"

#include <string.h>

struct run {
	struct findings F;
	struct finding f;
	struct finding_view v;
	struct record r;
};

#define NOW (INT64_C(1767225600) * 1000000000) /* 2026-01-01 */

static struct run *
start(void)
{
	struct run *x = calloc(1, sizeof *x);
	assert_true(findings_init(&x->F, &(struct findings_sizes){4, 4, 4, 4, 4, 1u << 20}));
	x->v = (struct finding_view){.ts_ns = NOW, .both = true, .payload = true};
	return x;
}

static void
finish(struct run *x)
{
	finding_release(&x->F, &x->f);
	for (int i = 0; i < STRINGS_CLASSES; i++)
		assert_int_equal(x->F.strings.cls[i].used, 0);
	assert_int_equal(x->F.facts.used, 0);
	findings_free(&x->F);
	free(x);
}

static void
say(struct run *x, enum mail_event_kind kind, const char *text)
{
	struct mail_event ev = {.kind = (uint8_t)kind, .text = text, .len = strlen(text)};
	(void)finding_take(&x->F, &x->f, &ev, &x->v);
}

static void
take(struct run *x, struct tls_event tls)
{
	struct mail_event ev = {.kind = MAIL_TLS, .tls = &tls};
	(void)finding_take(&x->F, &x->f, &ev, &x->v);
}

static void
show(struct run *x, const struct wish *w)
{
	struct der d = der_of(make(w));
	take(x, (struct tls_event){.kind = TLS_EVENT_CERTIFICATE, .data = d.b, .len = d.len});
	free(d.b);
}

static const struct record *
put(struct run *x)
{
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, finding_outcome(&x->f, &x->v), &x->r);
	return &x->r;
}

static bool
has(const struct run *x, enum anomaly a)
{
	return (x->f.anomalies & 1u << a) != 0;
}

static void
hosts(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: none */
	} rows[] = {
	    {"mx.example.com ESMTP Postfix", "mx.example.com"},
	    {"mx.example.com", "mx.example.com"},
	    {"mx.example.com.", "mx.example.com"},
	    {"mx.example.com. ESMTP", "mx.example.com"},
	    {"MX-1.Example.COM\tESMTP", "MX-1.Example.COM"},
	    {"my_host.example ESMTP", "my_host.example"},
	    {"xn--mx-kka.example ESMTP", "xn--mx-kka.example"},
	    {"[CAPABILITY IMAP4rev1 STARTTLS] mail.example.com Cyrus IMAP", "mail.example.com"},
	    {"[CAPABILITY IMAP4rev1 mail.example.com", NULL},
	    {"OK [CAPABILITY IMAP4rev1] mail.example.com Cyrus", "mail.example.com"},
	    {"PREAUTH mail.example.com Cyrus", "mail.example.com"},
	    {"OK [CAPABILITY", NULL},
	    {"OK ", NULL},
	    {"[192.0.2.1] ESMTP", NULL},
	    {"192.0.2.1 ESMTP", NULL},
	    {"4.2 ready", NULL},
	    {"v1.2b5 ready", NULL},
	    {"localhost ESMTP", NULL},
	    {"ESMTP mx.example.com", NULL},
	    {"Ready.", NULL},
	    {"Dovecot ready.", NULL},
	    {"a..b ESMTP", NULL},
	    {".example.com", NULL},
	    {"mx.example.com: hello", NULL},
	    {"mx.ex\xc3\xa4mple.com ESMTP", NULL},
	    {"mx.example.com\\x00 ESMTP", NULL},
	    {"*.example.com", NULL},
	    {"a.b", NULL},
	    {"***********************", NULL},
	    {"", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t at, len = strlen(rows[i].text);
		char *copy = malloc(len > 0 ? len : 1); /* exactly sized */
		memcpy(copy, rows[i].text, len);
		size_t n = finding_host(copy, len, &at);
		if (n != (rows[i].host != NULL ? strlen(rows[i].host) : 0) ||
		    (n > 0 && memcmp(copy + at, rows[i].host, n) != 0))
			fail_msg("%s: %.*s", rows[i].text, (int)n, copy + at);
		free(copy);
	}
	/* as long as a name may be, and longer */
	char name[300];
	memset(name, 'a', sizeof name);
	for (size_t i = 49; i < sizeof name; i += 50)
		name[i] = '.';
	size_t at;
	assert_int_equal(finding_host(name, 253, &at), 253);
	assert_int_equal(finding_host(name, 254, &at), 0);
	name[49] = 'a';
	assert_int_equal(finding_host(name, 200, &at), 0); /* a label of 99 */
}

/* Whom is the certificate compared with, and does it fit? */
static void
names(void **state)
{
	static const struct {
		const char *sni, *greeting, *ehlo, *alt;
		const char *want; /* lines of the record */
		bool mismatch;
	} rows[] = {
	    {"mx.example.com", "other.example ESMTP", "other.example", "DNS:mx.example.com",
		"postcard.tls.name.checked=mx.example.com\npostcard.tls.name.from=sni\n"
		"postcard.tls.name.match=1\n",
		false},
	    {"mx.example.com", "other.example ESMTP", "other.example", "DNS:other.example",
		"postcard.tls.name.checked=mx.example.com\npostcard.tls.name.from=sni\n"
		"postcard.tls.name.match=0\n",
		true},
	    {"", "mx.example.com ESMTP", "", "DNS:*.example.com",
		"postcard.tls.name.checked=mx.example.com\npostcard.tls.name.from=greeting\n"
		"postcard.tls.name.match=1\n",
		false},
	    /* one of the names that the server has fits */
	    {"", "mx.inside.example ESMTP", "mx.example.com at your service", "DNS:mx.example.com",
		"postcard.tls.name.checked=mx.example.com\npostcard.tls.name.from=ehlo\n"
		"postcard.tls.name.match=1\n",
		false},
	    {"", "mx.inside.example ESMTP", "mx.example.com Hello", "DNS:a.example",
		"postcard.tls.name.checked=mx.inside.example\n"
		"postcard.tls.name.from=greeting\npostcard.tls.name.match=0\n",
		true},
	    {"", "ESMTP ready", "mx.example.com Hello", "DNS:a.example",
		"postcard.tls.name.checked=mx.example.com\npostcard.tls.name.from=ehlo\n"
		"postcard.tls.name.match=0\n",
		true},
	    {"", "ESMTP ready", "[192.0.2.1] Hello", "DNS:a.example",
		"!postcard.tls.name.checked\n", false},
	    {"192.0.2.1", "ESMTP ready", "mail", "DNS:a.example", "!postcard.tls.name.checked\n",
		false},
	    {"mail", "mx.example.com ESMTP", "", "DNS:mx.example.com",
		"postcard.tls.name.from=greeting\npostcard.tls.name.match=1\n", false},
	    {"a\\x00b.example", "", "", "DNS:a.example", "!postcard.tls.name.match\n", false},
	    {"a.example", "", "", "IP:192.0.2.1", "postcard.tls.name.match=0\n", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct run *x = start();
		struct tls_event hello = {.kind = TLS_EVENT_CLIENT_HELLO};
		say(x, MAIL_GREETING, rows[i].greeting);
		say(x, MAIL_SERVER_NAME, rows[i].ehlo);
		strcpy(hello.sni, rows[i].sni);
		take(x, hello);
		show(x, &(struct wish){.cn = "cn.example", .issuer = "i", .names = rows[i].alt});
		record_expect(put(x), rows[i].want);
		assert_int_equal(has(x, ANOMALY_CERT_MISMATCH), rows[i].mismatch);
		finish(x);
	}
	/* more names than can be kept: nothing is said where none of the kept ones fits */
	char many[9000] = "", one[64];
	for (int i = 0; i < 300; i++) {
		snprintf(one, sizeof one, "%sDNS:n%03d.example.org", i > 0 ? "," : "", i);
		strcat(many, one);
	}
	for (int fits = 0; fits < 2; fits++) {
		struct run *x = start();
		say(x, MAIL_GREETING, fits ? "n001.example.org" : "n299.example.org");
		show(x, &(struct wish){.cn = "a", .names = many});
		record_expect(put(x),
		    fits ? "postcard.tls.name.match=1" : "!postcard.tls.name.match");
		assert_false(has(x, ANOMALY_CERT_MISMATCH));
		finish(x);
	}
}

static void
certificates(void **state)
{
	static const struct {
		const char *from, *end;
		bool expired, early;
	} rows[] = {
	    {NULL, NULL, false, false},
	    {"20200101000000Z", "20251231235959Z", true, false},
	    {"20200101000000Z", "20260101000000Z", false, false}, /* to the second */
	    {"20260101000000Z", NULL, false, false},
	    {"20260101000001Z", NULL, false, true},
	    {"19400101000000Z", "19600101000000Z", true, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct run *x = start();
		show(x,
		    &(struct wish){.cn = "a.example",
			.issuer = "CA",
			.from = rows[i].from,
			.end = rows[i].end});
		assert_int_equal(has(x, ANOMALY_CERT_EXPIRED), rows[i].expired);
		assert_int_equal(has(x, ANOMALY_CERT_NOT_YET_VALID), rows[i].early);
		assert_false(has(x, ANOMALY_CERT_SELF_SIGNED));
		assert_false(has(x, ANOMALY_CERT_WEAK));
		finish(x);
	}
	struct run *x = start();
	show(x, &(struct wish){.cn = "a", .issuer = "CA", .names = "DNS:b.example,IP:192.0.2.1"});
	show(x, &(struct wish){.cn = "another"}); /* the first one stands */
	record_expect(put(x),
	    "tls.server.subject=CN=a\ntls.server.issuer=CN=CA\n"
	    "tls.server.x509.alternative_names=b.example\n"
	    "tls.server.x509.alternative_names=192.0.2.1\n"
	    "tls.server.x509.public_key_algorithm=EC\ntls.server.x509.public_key_size=256\n"
	    "tls.server.x509.signature_algorithm=ecdsa-with-SHA256\n"
	    "tls.server.not_before=1735689600000000000\n"
	    "tls.server.not_after=2051222400000000000");
	finish(x);

	x = start();
	show(x, &(struct wish){.cn = "a", .issuer = "CA", .hash = EVP_sha1()});
	assert_true(has(x, ANOMALY_CERT_WEAK));
	record_expect(put(x), "!tls.server.x509.alternative_names");
	finish(x);

	x = start();
	take(x,
	    (struct tls_event){.kind = TLS_EVENT_CERTIFICATE,
		.data = (const uint8_t *)"none",
		.len = 4});
	assert_int_equal(x->f.anomalies, 0);
	record_expect(put(x), "!tls.server.x509.public_key_algorithm\n!tls.server.hash.sha256");
	finish(x);
}

static void
exchanges(void **state)
{
	static const struct {
		uint16_t group;
		uint32_t bits;
		const char *want;
		bool weak;
	} rows[] = {{0x0017, 0, "postcard.tls.group=secp256r1", false},
	    {0x0013, 0, "postcard.tls.group=secp192r1", true},
	    {0, 2048, "postcard.tls.group=DHE-2048", false},
	    {0, 2047, "postcard.tls.group=DHE-2047", true},
	    {0, 1024, "postcard.tls.group=DHE-1024", true},
	    {0x7777, 0, "!postcard.tls.group", false}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct run *x = start();
		take(x,
		    (struct tls_event){.kind = TLS_EVENT_SERVER_HELLO,
			.version = 0x0303,
			.cipher = 0xc02f});
		take(x,
		    (struct tls_event){.kind = TLS_EVENT_KEY_EXCHANGE,
			.group = rows[i].group,
			.dh_bits = rows[i].bits});
		record_expect(put(x), rows[i].want);
		assert_int_equal(has(x, ANOMALY_KEY_EXCHANGE_WEAK), rows[i].weak);
		record_expect(&x->r, "tls.resumed=0");
		take(x, (struct tls_event){.kind = TLS_EVENT_RESUMED});
		record_expect(put(x), "tls.resumed=1");
		finish(x);
	}
	struct run *x = start(); /* post-quantum, TLS 1.3 */
	take(x,
	    (struct tls_event){.kind = TLS_EVENT_SERVER_HELLO,
		.version = 0x0304,
		.cipher = 0x1302,
		.group = 0x11ec});
	record_expect(put(x), "postcard.tls.group=X25519MLKEM768\ntls.version=1.3");
	assert_int_equal(x->f.anomalies, 0);
	finish(x);
}

/* Which alerts end a handshake. */
static void
alerts(void **state)
{
	static const struct {
		uint16_t version;
		uint8_t level, alert;
		bool broke;
	} rows[] = {{0x0303, 2, 40, true}, {0x0303, 1, 112, false}, {0x0303, 1, 0, false},
	    {0x0303, 1, 42, false}, {0x0304, 1, 42, true}, /* RFC 8446 section 6 */
	    {0x0304, 1, 0, false}, {0x0304, 1, 90, false}, {0x0304, 1, 112, false},
	    {0x0304, 2, 48, true}, {0, 1, 112, false}, {0, 2, 70, true}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int up = 0; up < 2; up++) {
			struct run *x = start();
			if (rows[i].version != 0)
				take(x,
				    (struct tls_event){.kind = TLS_EVENT_SERVER_HELLO,
					.version = rows[i].version,
					.cipher = 0xc02f});
			if (up)
				take(x, (struct tls_event){.kind = TLS_EVENT_ESTABLISHED});
			take(x,
			    (struct tls_event){.kind = TLS_EVENT_ALERT,
				.side = TLS_SERVER,
				.alert_level = rows[i].level,
				.alert = rows[i].alert});
			assert_int_equal((x->f.flags & FINDING_TLS_BROKE) != 0,
			    rows[i].broke && !up);
			finish(x);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(names),
	    cmocka_unit_test(certificates),
	    cmocka_unit_test(exchanges),
	    cmocka_unit_test(alerts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
