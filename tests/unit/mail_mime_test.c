/*
 * The message scanner: headers, parts, lines.  Each message is written with the events it has to
 * give (mail_mime_events.h).
 * `mail_mime_test speed` prints gigabytes a second instead of testing.
 */
#include "mail_mime_events.h"

#include <time.h>

static void
test_header(void **state)
{
	(void)state;
	static const char m[] = "Received: one\r\n\tby x;\r\n   now\r\n"
				"Received:two\r\n"
				"X-Other: Subject: no\r\n"
				"SUBJECT:  Hello \r\n there  \r\n"
				"Subject: again\r\n"
				"Message-Id : <1@x>\r\n"
				"From: a@b\r\nDate: Mon\r\nX-Mailer: m\r\nuser-agent: u\r\n"
				"TLS-Required: No\r\nTLS-Required: No\r\n"
				"Subjects: no\r\nSubjec: no\r\n"
				"\r\nSubject: body\r\n";
	static const char want[] = "received=one by x; now\nreceived=two\nsubject=Hello  there\n"
				   "id=<1@x>\nfrom=a@b\ndate=Mon\nmailer=m\nagent=u\n"
				   "tls-required=No\ntls-required=No\nend\nbody\n";
	check(m, want);
	check_lf(m, want);
}

static void
test_header_odd(void **state)
{
	(void)state;
	check("", "");
	check("\r\n", "end\n");
	check("\r\nbody", "end\nbody\n");
	check("\n\n", "end\nbody\n");
	check("Subject: cut", "subject=cut\n");
	check("Subject: cut\r\n", "subject=cut\n");
	check("Subject:\r\n\r\n", "subject=\nend\n");
	check("Subject: \r\n \t\r\n x\r\n \r\n\r\n", "subject=x\nend\n");
	check("Subject: a\r\r\n b\r\r\n\r\r\nc", "subject=a b\nend\nbody\n");
	check("Subject: a\rb\r\n\r\n", "subject=a\rb\nend\n");
	check("Subject: caf\xe9\r\n\r\n", "subject=caf\xe9\nend\n");
	/* no header at all */
	check("Hello there\r\nSubject: x\r\n", "body\n");
	check("Hello\r\nSubject: x\r\n", "body\n");
	check(" Subject: x\r\n\r\n", "body\n");
	check(": x\r\n\r\n", "body\n");
	check("Sub\001ject: x\r\n\r\n", "body\n");
	/* a line that is none ends the header */
	check("Subject: x\r\nHello there\r\nFrom: y\r\n", "subject=x\nend\nbody\n");
	check("Subject: x\r\n\rFrom: y\r\n\r\n", "subject=x\nend\nbody\n");
	check("A: b\r\n--x", "end\nbody\n");
	check("Content-Type: x\r\n--xyz", "end\nbody\n");
	/* a mailbox file's line */
	check("From a@b Mon\r\nSubject: x\r\n\r\n", "subject=x\nend\n");
	check("From nobody", "");
	check("From", "");
	check("From : y\r\n\r\n", "from=y\nend\n");
	check("Subject: x\r\nFrom a@b\r\n", "subject=x\nend\nbody\n");
	check_octets("Subject: a\0b\r\n\r\n", 16, "subject=a\nend\n"); /* printed up to NUL */
}

static void
test_header_bounds(void **state)
{
	(void)state;
	struct text t = text_in(got, sizeof got);
	uint32_t scan = mime_begin(&pools);
	char many[1000];
	memset(many, 'n', sizeof many);
	for (int i = 0; i < 1000; i++)
		push(scan, many, sizeof many, &t); /* an endless name: not a field */
	push(scan, " x", 2, &t);
	assert_string_equal(got, "body\n");
	end(scan, &t);

	t = text_in(got, sizeof got);
	scan = mime_begin(&pools);
	push(scan, "Subject: ", 9, &t);
	for (int i = 0; i < 1000; i++)
		push(scan, many, sizeof many, &t);
	push(scan, "\r\n folded\r\n\r\n", 13, &t);
	assert_int_equal(t.len, 8 + LIMIT_HEADER + 1 + 4);
	end(scan, &t);

	t = text_in(got, sizeof got);
	scan = mime_begin(&pools);
	for (unsigned i = 0; i < LIMIT_RECEIVED + 5; i++)
		push(scan, "Received: x\r\n", 13, &t);
	push(scan, "\r\n", 2, &t);
	assert_int_equal(t.len, 11 * LIMIT_RECEIVED + 4);
	end(scan, &t);
}

static const char mixed[] = "Subject: s\r\n"
			    "Content-Type: multipart/mixed;\r\n boundary=\"=_b:1\"\r\n"
			    "\r\n"
			    "preamble\r\n"
			    "--=_b:1\r\n"
			    "Content-Type: text/plain\r\n"
			    "Subject: of a part\r\n"
			    "\r\n"
			    "text\r\n--=_b:12\r\n-- =_b:1\r\n"
			    "--=_b:1 \t\r\n"
			    "Content-Type: Application/PDF; name=\"x.pdf\"\r\n"
			    "Content-Disposition: attachment; filename=\"y.pdf\"\r\n"
			    "\r\n"
			    "0123456789\r\n"
			    "0123456789\r\n"
			    "--=_b:1\r\n"
			    "Content-Disposition: inline;\r\n\tfilename*=utf-8''%c3%a9.png\r\n"
			    "Content-Type: image/png\r\n"
			    "\r\n"
			    "--=_b:1\r\n"
			    "Content-Type: image/gif\r\n"
			    "\r\n"
			    "\r\n"
			    "\r\n"
			    "--=_b:1--\r\n"
			    "epilogue\r\n--=_b:1\r\nContent-Type: image/no\r\n\r\n";

static void
test_multipart(void **state)
{
	(void)state;
	check(mixed,
	    "subject=s\nend\nbody\nattach 0 application/pdf 22 y.pdf[text/plain]\n"
	    "attach 1 image/png 0 \u00e9.png\nattach 2 image/gif 2 \n");
	check_lf(mixed,
	    "subject=s\nend\nbody\nattach 0 application/pdf 21 y.pdf[text/plain]\n"
	    "attach 1 image/png 0 \u00e9.png\nattach 2 image/gif 1 \n");
}

static void
test_nested(void **state)
{
	(void)state;
	static const char m[] =
	    "Content-Type: multipart/mixed; boundary=out\r\n\r\n"
	    "--out\r\n"
	    "Content-Type: multipart/alternative; boundary=outin; name=no\r\n\r\n"
	    "not a body\r\n"
	    "--outin\r\n\r\n"
	    "\r\n" /* an empty text */
	    "--outin\r\nContent-Type: text/html\r\n\r\n"
	    "--outin--\r\n"
	    "not a body either\r\n"
	    "--out\r\nContent-Type: message/rfc822\r\n"
	    "Content-Disposition: attachment; filename=m.eml\r\n\r\n"
	    "Subject: inner\r\n"
	    "Content-Type: multipart/mixed; boundary=deep\r\n\r\n"
	    "--deep\r\nContent-Disposition: attachment\r\n\r\nx\r\n--deep--\r\n"
	    "\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Subject: inner\r\n"
	    "--out--";
	check(m, "end\nattach 0  1 \nattach 1 message/rfc822 120 m.eml\nbody\n");
	/* the outer boundary ends the inner parts too */
	check("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
	      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	      "Content-Type: x/y\r\n\r\n12\r\n--a\r\n\r\n--b\r\n--a--\r\n--a",
	    "end\nattach 0 x/y 2 \nbody\n");
}

static void
test_depth(void **state)
{
	(void)state;
	char m[4096];
	struct text t = text_in(m, sizeof m);
	unsigned deep = LIMIT_MIME_DEPTH + 3;
	text_puts(&t, "Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
	for (unsigned i = 1; i < deep; i++)
		text_printf(&t, "--b%u\r\nContent-Type: multipart/mixed; boundary=b%u\r\n\r\n",
		    i - 1, i);
	text_printf(&t, "--b%u\r\nContent-Type: a/b\r\n\r\nx\r\n--b%u--\r\n", deep - 1, deep - 1);
	text_puts(&t, "--b7\r\nContent-Type: c/d\r\n\r\n1234\r\n--b7--\r\n");
	text_puts(&t, "--b0\r\nContent-Type: e/f\r\n\r\n12345");
	check(m, "end\nbody\nattach 0 c/d 4 \nattach 1 e/f 5 \n");
	/* nothing else is in it: what is deeper may be sealed or not */
	char *tail = strstr(m, "--b7\r\nContent-Type: c/d");
	assert_non_null(tail);
	*tail = '\0';
	check(m, "end\nbody\nunknown\n");
}

static void
test_single(void **state)
{
	(void)state;
	check("Content-Type: application/pdf; name=a.pdf\r\n\r\n12345\r\n",
	    "end\nattach 0 application/pdf 7 a.pdf\n");
	check("Content-Disposition: Attachment\r\n\r\n12345\r\n", "end\nattach 0  7 \n");
	check("Content-Type: text/plain\r\n\r\n--x\r\n", "end\nbody\n");
	check("Content-Type: text\r\n\r\nx", "end\nbody\n");
	check("Content-Type: text/html; name=page\r\n\r\n", "end\nattach 0 text/html 0 page\n");
	check("Content-Type: multipart/mixed\r\n\r\n--x\r\n", "end\nbody\nunknown\n");
	check("Content-Type: text/plain\r\nContent-Type: image/png\r\n\r\nx", "end\nbody\n");
	check("Content-Type: message/rfc822\r\n\r\nx", "end\nbody\n");
	/* no empty line before the first boundary, nor after a part's header */
	check("Content-Type: multipart/mixed; boundary=b\r\n--b\r\nContent-Type: a/b\r\n--b--\r\n",
	    "end\nattach 0 a/b 0 \n");
	check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nno field\r\n--b\r\n"
	      "Content-Type: a/b\r\n1 2\r\n--b--\r\n",
	    "end\nbody\nattach 0 a/b 3 \n");
	/* a hyphen where a name could be must not become half of a boundary */
	check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n- -b\r\n--b\r\n\r\n",
	    "end\nbody\n");
	/* the content ends inside an attachment, and inside its header */
	check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
	      "a/b\r\n\r\n123",
	    "end\nattach 0 a/b 3 \n");
	check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b; name=x",
	    "end\nattach 0 a/b 0 x\n");
	check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n-", "end\nbody\n");
	check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\r\n.x\r\n--b--",
	    "end\nbody\n");
}

static void
test_boundaries(void **state)
{
	(void)state;
	char m[1024], bound[LIMIT_BOUNDARY + 2];
	memset(bound, 'x', sizeof bound);
	for (int n = (int)LIMIT_BOUNDARY; n <= (int)LIMIT_BOUNDARY + 1; n++) {
		struct text t = text_in(m, sizeof m);
		text_printf(&t,
		    "Content-Type: multipart/mixed; boundary=%.*s\r\n\r\n--%.*s\r\n"
		    "Content-Type: a/b\r\n\r\n1\r\n--%.*s--\r\n",
		    n, bound, n, bound, n, bound);
		check(m,
		    n == (int)LIMIT_BOUNDARY ? "end\nattach 0 a/b 1 \n" : "end\nbody\nunknown\n");
	}
	/* lines of hyphens, long ones too, are body */
	struct text t = text_in(m, sizeof m);
	text_puts(&t, "Content-Type: multipart/mixed; boundary=\"-\"\r\n\r\n---\r\n\r\n");
	for (int i = 0; i < 300; i++)
		text_putc(&t, '-');
	text_puts(&t, "\r\n--\r\n-\r\n\r\n----\r\n---\r\nContent-Type: a/b\r\n\r\n-\r\n-----\r\n");
	check(m, "end\nbody\nattach 0 a/b 1 \n");
}

static void
test_many_attachments(void **state)
{
	(void)state;
	struct text t = text_in(got, sizeof got);
	uint32_t scan = mime_begin(&pools);
	static const char head[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
	static const char part[] = "--b\r\nContent-Type: a/b; name=n\r\n\r\n\r\n";
	push(scan, head, sizeof head - 1, &t);
	for (unsigned i = 0; i < LIMIT_ATTACHMENTS + 2; i++)
		push(scan, part, sizeof part - 1, &t);
	end(scan, &t);
	char want[64];
	snprintf(want, sizeof want, "attach %u a/b 0 n\nattach %u a/b 0 \n", LIMIT_ATTACHMENTS - 1,
	    LIMIT_ATTACHMENTS);
	assert_non_null(strstr(got, want));
}

static void
test_exhausted(void **state)
{
	(void)state;
	uint32_t a = mime_begin(&pools), b = mime_begin(&pools), c = mime_begin(&pools);
	assert_true(a != 0 && b != 0 && c == 0);
	struct text t = text_in(got, sizeof got);
	push(c, "Subject: x\r\n\r\n", 14, &t);
	mime_gap(&pools, c, 1);
	struct mime_event ev;
	assert_false(mime_end(&pools, c, &ev));
	while (mime_end(&pools, a, &ev))
		;
	c = mime_begin(&pools);
	assert_int_not_equal(c, 0);
	while (mime_end(&pools, c, &ev))
		;
	end(b, &t);
	assert_string_equal(got, "");
}

/* Random messages out of pieces that matter: every split gives the same. */
static void
test_random_splits(void **state)
{
	(void)state;
	static const char *const pieces[] = {
	    "\r\n",
	    "\n",
	    "\r",
	    "--b",
	    "--b--",
	    "--",
	    "-",
	    " ",
	    "\t",
	    "x",
	    "x y",
	    ":",
	    ".",
	    "\r\n--b\r\n",
	    "\r\n--c--\r\n",
	    "\r\n\r\n",
	    "Subject: s",
	    "From ",
	    "Content-Type: ",
	    "multipart/mixed; boundary=b\r\n",
	    "Content-Type: multipart/signed; boundary=c\r\n\r\n",
	    "Content-Type: a/b; name=n\r\n",
	    "\r\n-----BEGIN PGP MESSAGE-----\r\n",
	    "Content-Disposition: attachment; filename=f",
	};
	uint32_t seed = 5;
	for (int round = 0; round < 3000; round++) {
		char m[1200], want[4096];
		struct text t = text_in(m, sizeof m);
		if (round % 2 == 0)
			text_puts(&t, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
		for (int i = 0; i < 14; i++) {
			seed = seed * 1664525u + 1013904223u;
			text_puts(&t, pieces[(seed >> 8) % (sizeof pieces / sizeof pieces[0])]);
		}
		strcpy(want, scan_split(m, t.len, t.len, 1));
		assert_string_equal(scan_split(m, t.len, 0, 1), want);
		for (size_t first = 0; first <= t.len; first += 1 + (size_t)(seed >> 8) % 5)
			assert_string_equal(scan_split(m, t.len, first, t.len), want);
	}
}

static double
now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
speed(void)
{
	static const char head[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
				   "Content-Type: a/b; name=n\r\n\r\n";
	size_t len = 100u << 20;
	char *body = malloc(len);
	for (size_t i = 0; i < len; i++)
		body[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : (char)('A' + i * 7 % 26);
	for (size_t piece = 1460; piece <= len; piece *= piece < 100000 ? 45 : 2000) {
		uint32_t scan = mime_begin(&pools);
		struct mime_event ev;
		struct mime_input in = {(const uint8_t *)head, sizeof head - 1, false};
		while (mime_next(&pools, scan, &in, &ev))
			;
		double from = now_s();
		for (size_t i = 0; i < len; i += piece) {
			in = (struct mime_input){(const uint8_t *)body + i,
			    len - i < piece ? len - i : piece, false};
			while (mime_next(&pools, scan, &in, &ev))
				;
		}
		double took = now_s() - from;
		while (mime_end(&pools, scan, &ev))
			printf("attachment of %llu octets in pieces of %zu: %.1f GB/s\n",
			    (unsigned long long)ev.size, piece, (double)len / took / 1e9);
	}
	free(body);
	return 0;
}

int
main(int argc, char **argv)
{
	if (!mime_pools_init(&pools, 2))
		return 1;
	if (argc > 1 && strcmp(argv[1], "speed") == 0)
		return speed();
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_header_odd),
	    cmocka_unit_test(test_header_bounds),
	    cmocka_unit_test(test_multipart),
	    cmocka_unit_test(test_nested),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_single),
	    cmocka_unit_test(test_boundaries),
	    cmocka_unit_test(test_many_attachments),
	    cmocka_unit_test(test_exhausted),
	    cmocka_unit_test(test_random_splits),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	mime_pools_free(&pools);
	return failed;
}
