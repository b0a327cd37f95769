/*
 * The message scanner.  Each message is written with the events it has to give; it is then scanned
 * whole, in every split in two, octet by octet, and with bare LF, and every prefix has to give a
 * prefix of the same events.  Inputs stand in buffers of their own size.
 * `mail_mime_test speed` prints gigabytes a second instead of testing.
 */
#include "base/limits.h"
#include "base/text.h"
#include "mail/magic.h"
#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct mime_pools pools;

/* One line an event: "subject=Hello", "end", "body", "attach 0 type size name[type shown]", "pgp".
 */
static void
add_event(struct text *t, const struct mime_event *ev)
{
	static const char *const headers[] = {"subject", "id", "mailer", "agent", "from", "date",
	    "received", "tls-required"};
	static const char *const protections[] = {"plain", "pgp", "smime", "signed", "unknown"};
	switch (ev->kind) {
	case MIME_HEADER:
		text_printf(t, "%s=%.*s\n", headers[ev->header], (int)ev->text_len, ev->text);
		break;
	case MIME_HEADERS_END: text_puts(t, "end\n"); break;
	case MIME_BODY: text_puts(t, "body\n"); break;
	case MIME_ATTACHMENT:
		text_printf(t, "attach %u %s %llu %.*s%s%s%s\n", ev->index, ev->mime_type,
		    (unsigned long long)ev->size, (int)ev->text_len, ev->text,
		    ev->detected != MAGIC_NONE ? "[" : "", magic_type(ev->detected),
		    ev->detected != MAGIC_NONE ? "]" : "");
		break;
	case MIME_PROTECTION: text_printf(t, "%s\n", protections[ev->protection]); break;
	}
}

static void
push(uint32_t scan, const void *data, size_t len, struct text *t)
{
	uint8_t *copy = malloc(len + (len == 0));
	if (len > 0)
		memcpy(copy, data, len);
	struct mime_input in = {copy, len};
	struct mime_event ev;
	while (mime_next(&pools, scan, &in, &ev))
		add_event(t, &ev);
	assert_int_equal(in.len, 0);
	free(copy);
}

static void
end(uint32_t scan, struct text *t)
{
	struct mime_event ev;
	while (mime_end(&pools, scan, &ev))
		add_event(t, &ev);
	assert_int_equal(pools.scans.used, 0);
}

static char got[1 << 17];

static const char *
scan_split(const char *s, size_t len, size_t first, size_t step)
{
	struct text t = text_in(got, sizeof got);
	uint32_t scan = mime_begin(&pools);
	assert_int_not_equal(scan, 0);
	push(scan, s, first, &t);
	for (size_t i = first; i < len; i += step)
		push(scan, s + i, len - i < step ? len - i : step, &t);
	end(scan, &t);
	return got;
}

static void
check_octets(const char *s, size_t len, const char *want)
{
	assert_string_equal(scan_split(s, len, len, 1), want);
	assert_string_equal(scan_split(s, len, 0, 1), want);
	assert_string_equal(scan_split(s, len, 0, 3), want);
	for (size_t first = 0; first <= len; first++) {
		if (strcmp(scan_split(s, len, first, len), want) != 0) {
			print_message("split at %zu of %zu\n", first, len);
			assert_string_equal(got, want);
		}
	}
	char whole[4096];
	struct text t = text_in(got, sizeof got);
	uint32_t scan = mime_begin(&pools);
	push(scan, s, len, &t);
	assert_true(t.len < sizeof whole);
	memcpy(whole, got, t.len + 1);
	t = text_in(got, sizeof got);
	end(scan, &t);
	for (size_t n = 0; n < len; n++) {
		t = text_in(got, sizeof got);
		scan = mime_begin(&pools);
		push(scan, s, n, &t);
		assert_memory_equal(got, whole, t.len);
		end(scan, &t);
	}
}

/* A message with CRLF, and what it gives. */
static void
check(const char *s, const char *want)
{
	check_octets(s, strlen(s), want);
}

/* The same for bare LF; sizes count the octets of the message as it is given. */
static void
check_lf(const char *s, const char *want)
{
	char *lf = malloc(strlen(s) + 1);
	size_t n = 0;
	for (; *s != '\0'; s++) {
		if (*s != '\r')
			lf[n++] = *s;
	}
	check_octets(lf, n, want);
	free(lf);
}

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

#define PARTS(type, first, second)                                                     \
	"Content-Type: " type "; boundary=b\r\n\r\n--b\r\n" first "\r\n--b\r\n" second \
	"\r\n--b--\r\n"

/* The first octets of ContentInfo (RFC 5652 section 3), in Base64: a SEQUENCE of indefinite length
 * or of two octets of length, then the object identifier. */
#define CMS_DATA	  "MIAGCSqGSIb3DQEHAaCABIIB"
#define CMS_SIGNED	  "MIAGCSqGSIb3DQEHAqCAMIACAQE="
#define CMS_ENVELOPED	  "MIIBnQYJKoZIhvcNAQcDoIIBjjCCAYo="
#define CMS_AUTHENVELOPED "MIAGCyqGSIb3DQEJEAEXoIAwgAIBAA=="
#define CMS_COMPRESSED	  "MIAGCyqGSIb3DQEJEAEJoIAwgAIBAA=="
#define SEALED		  "[application/pkcs7-mime; smime-type=enveloped-data]"
#define P7M(parameters, body)                                    \
	"Content-Type: application/pkcs7-mime" parameters "\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\n" body "\r\n"
#define ARMOUR(data)                                                                          \
	"-----BEGIN PGP MESSAGE-----\r\nVersion: x\r\n\r\n" data "\r\n=njUN\r\n-----END PGP " \
	"MESSAGE-----\r\n"
#define PGP		ARMOUR("hQEMA4v0pXdYIuAAAQf/") /* a session key for a public key */
#define PGP_SIGNED_ONLY ARMOUR("owEBbQGS/pANAwAI")     /* compressed: gpg --sign --armor */

static void
test_smime(void **state)
{
	(void)state;
	/* the octets decide, whatever is declared */
	check(P7M("; smime-type=Enveloped-Data", CMS_ENVELOPED),
	    "end\nattach 0 application/pkcs7-mime 34 " SEALED "\nsmime\n");
	check(P7M("; smime-type=authEnveloped-data", CMS_AUTHENVELOPED),
	    "end\nattach 0 application/pkcs7-mime 34 " SEALED "\nsmime\n");
	check(P7M("; name=smime.p7m", CMS_ENVELOPED),
	    "end\nattach 0 application/pkcs7-mime 34 smime.p7m" SEALED "\nsmime\n");
	check(P7M("; smime-type=enveloped-data", CMS_SIGNED),
	    "end\nattach 0 application/pkcs7-mime 30 "
	    "[application/pkcs7-mime; smime-type=signed-data]\nsigned\n");
	check(P7M("; name=smime.p7m", CMS_SIGNED),
	    "end\nattach 0 application/pkcs7-mime 30 smime.p7m"
	    "[application/pkcs7-mime; smime-type=signed-data]\nsigned\n");
	check(P7M("; smime-type=enveloped-data", CMS_COMPRESSED),
	    "end\nattach 0 application/pkcs7-mime 34 "
	    "[application/pkcs7-mime; smime-type=compressed-data]\n");
	check(P7M("", CMS_DATA),
	    "end\nattach 0 application/pkcs7-mime 26 [application/pkcs7-mime]\n");
	check("Content-Type: application/octet-stream; name=smime.p7m\r\n"
	      "Content-Transfer-Encoding: base64\r\n\r\n" CMS_ENVELOPED,
	    "end\nattach 0 application/octet-stream 32 smime.p7m" SEALED "\nsmime\n");
	/* signed, and what is signed is sealed: its type stands in it */
	check(P7M("; smime-type=signed-data",
		  "MIAGCSqGSIb3DQEHAqCAMIACAQExADCABgkqhkiG9w0BBwGggCSABIGAQ29udGVudC1UeXBlOiBhcHBs"
		  "aWNhdGlvbi9wa2NzNy1taW1lOyBzbWltZS10eXBlPWVudmVsb3BlZC1kYXRh"),
	    "end\nattach 0 application/pkcs7-mime 142 "
	    "[application/pkcs7-mime; smime-type=signed-data]\nunknown\n");
	/* no octet shows what it is: the declaration counts, where it says one */
	check("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n",
	    "end\nattach 0 application/pkcs7-mime 0 \nsmime\n");
	check("Content-Type: application/x-pkcs7-mime; smime-type=certs-only\r\n\r\n",
	    "end\nattach 0 application/x-pkcs7-mime 0 \nsigned\n");
	check("Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n",
	    "end\nattach 0 application/pkcs7-mime 0 \nsigned\n");
	check("Content-Type: application/pkcs7-mime\r\n\r\n",
	    "end\nattach 0 application/pkcs7-mime 0 \nunknown\n");
	/* they show that it is not that, and no more */
	check("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n"
	      "Dear Ann, this is readable.",
	    "end\nattach 0 application/pkcs7-mime 27 [text/plain]\nunknown\n");
	/* Base64 without a word of it */
	check("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n" CMS_ENVELOPED,
	    "end\nattach 0 application/pkcs7-mime 32 [text/plain]\nsmime\n");
}

static void
test_protection(void **state)
{
	(void)state;
	check(PARTS("multipart/encrypted; protocol=\"application/pgp-encrypted\"",
		  "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
		  "Content-Type: application/octet-stream; name=e.asc\r\n\r\n" PGP),
	    "end\nattach 0 application/octet-stream 99 e.asc[application/pgp-encrypted]\npgp\n");
	check(PARTS("multipart/encrypted; protocol=\"application/pgp-encrypted\"",
		  "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
		  "Content-Type: application/octet-stream\r\n\r\n" PGP_SIGNED_ONLY),
	    "end\nattach 0 application/octet-stream 95 [application/pgp-encrypted]\nsigned\n");
	check(PARTS("multipart/encrypted; protocol=\"application/pgp-encrypted\"",
		  "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
		  "Content-Type: application/octet-stream\r\n\r\nDear Ann"),
	    "end\nattach 0 application/octet-stream 8 \nunknown\n");
	check(PARTS("multipart/encrypted; protocol=\"application/pgp-encrypted\"",
		  "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
		  "Content-Type: application/octet-stream\r\n\r\n"),
	    "end\nattach 0 application/octet-stream 0 \npgp\n");
	/* a list's footer around it: something is readable */
	check(PARTS("multipart/mixed",
		  "Content-Type: multipart/encrypted; boundary=c; "
		  "protocol=application/pgp-encrypted\r\n\r\n--c\r\n"
		  "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--c\r\n"
		  "Content-Type: application/octet-stream\r\n\r\n" PGP "--c--\r\n",
		  "\r\nTo leave this list"),
	    "end\nattach 0 application/octet-stream 97 [application/pgp-encrypted]\nbody\n");
	check("Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; "
	      "boundary=b\r\n\r\n",
	    "end\npgp\n");
	/* signed */
	check(PARTS("multipart/signed; protocol=\"application/pgp-signature\"", "\r\ntext",
		  "Content-Type: application/pgp-signature; name=s.asc\r\n\r\nx"),
	    "end\nbody\nsigned\n");
	check(PARTS("multipart/signed",
		  "Content-Type: application/pkcs7-mime\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n" CMS_ENVELOPED,
		  "Content-Type: application/pkcs7-signature\r\n"
		  "Content-Disposition: attachment; filename=smime.p7s\r\n\r\nx"),
	    "end\nattach 0 application/pkcs7-mime 32 " SEALED "\nsmime\n");
	check("Content-Type: multipart/signed; boundary=b\r\n\r\n", "end\nsigned\n");
	check("Content-Type: multipart/encrypted\r\n\r\n", "end\nunknown\n");
	/* one protected part leaves the message readable; where all are, it is sealed */
	check(PARTS("multipart/mixed",
		  "Content-Type: application/pkcs7-mime\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n" CMS_ENVELOPED,
		  "\r\nDear Ann"),
	    "end\nattach 0 application/pkcs7-mime 32 " SEALED "\nbody\n");
	check(PARTS("multipart/mixed", "\r\n \r\n",
		  "Content-Type: application/pkcs7-mime\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n" CMS_ENVELOPED),
	    "end\nbody\nattach 0 application/pkcs7-mime 32 " SEALED "\nsmime\n");
}

static void
test_inline_pgp(void **state)
{
	(void)state;
	check("A: b\r\n\r\n\r\n \r\n" PGP " \r\n\r\n", "end\nbody\npgp\n");
	check("Hello, not a header\r\n", "body\n");
	check(PGP, "body\npgp\n");
	check("A: b\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: x\r\n\r\nDear Ann\r\n",
	    "end\nbody\nsigned\n");
	check("A: b\r\n\r\n" PGP_SIGNED_ONLY, "end\nbody\nsigned\n");
	/* text around it */
	check("A: b\r\n\r\nx\r\n" PGP, "end\nbody\n");
	check("A: b\r\n\r\n" PGP "x\r\n", "end\nbody\n");
	check("A: b\r\n\r\n" PGP PGP, "end\nbody\n");
	check("A: b\r\n\r\n> -----BEGIN PGP MESSAGE-----\r\n", "end\nbody\n");
	check("A: b\r\n\r\n-----BEGIN PGP MESSAGE-----x\r\n", "end\nbody\n");
	check("A: b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nDear Ann, this is readable\r\n",
	    "end\nbody\n");
	check("A: b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nDear Ann\r\n", "end\nbody\n");
	/* cut, or without a packet that tells */
	check("A: b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA4v0pXdY\r\n",
	    "end\nbody\nunknown\n");
	check("A: b\r\n\r\n" ARMOUR("AAAA"), "end\nbody\nunknown\n");
	/* among parts: all of them, or not */
	check(PARTS("multipart/mixed", "\r\n" PGP, "\r\nx"), "end\nbody\n");
	check(PARTS("multipart/mixed", "\r\nx", "\r\n" PGP), "end\nbody\n");
	check(PARTS("multipart/mixed", "\r\n", "\r\n" PGP), "end\nbody\npgp\n");
	check(PARTS("multipart/mixed", "\r\n" PGP,
		  "Content-Type: application/octet-stream; name=a.pgp\r\n\r\n" PGP),
	    "end\nbody\nattach 0 application/octet-stream 99 a.pgp[application/pgp-encrypted]\n"
	    "pgp\n");
	check(PARTS("multipart/mixed", "Content-Type: image/png\r\n\r\n1", "\r\n" PGP),
	    "end\nattach 0 image/png 1 \nbody\n");
	/* HTML is not taken for sealed, nor for readable */
	check(PARTS("multipart/alternative", "\r\n" PGP,
		  "Content-Type: text/html\r\n\r\n<pre>\r\n" PGP "</pre>\r\n"),
	    "end\nbody\nunknown\n");
	/* behind a transfer encoding */
	check("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	      "LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tDQoNCmhRRU1BNHYwcFhkWUl1QUFB\r\n"
	      "UWYvDQo9bmpVTg0KLS0tLS1FTkQgUEdQIE1FU1NBR0UtLS0tLQ0K\r\n",
	    "end\nbody\npgp\n");
	check("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	      "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA4v0=\r\npXdY\r\n=3DnjUN\r\n-----END PGP "
	      "MESSAGE-----\r\n",
	    "end\nbody\npgp\n");
}

static const char *
scan_gap(const char *before, uint64_t gap, const char *after)
{
	struct text t = text_in(got, sizeof got);
	uint32_t scan = mime_begin(&pools);
	push(scan, before, strlen(before), &t);
	mime_gap(&pools, scan, gap);
	text_puts(&t, "|");
	push(scan, after, strlen(after), &t);
	end(scan, &t);
	return got;
}

static void
test_gap(void **state)
{
	(void)state;
	assert_string_equal(scan_gap("", 9, "ect: x\r\nSubject: y\r\n\r\n"),
	    "|subject=y\nend\nunknown\n");
	assert_string_equal(scan_gap("Subject: x", 9, "z\r\n zz\r\nFrom: y\r\n\r\n"),
	    "|from=y\nend\nunknown\n");
	assert_string_equal(scan_gap("Subject: x\r\nFr", 9, "\r\n\r\nFrom: y"),
	    "subject=x\n|end\nunknown\n");
	assert_string_equal(scan_gap("A: b\r\n", 9, "base64\r\nbase64\r\n"), "|end\nunknown\n");
	assert_string_equal(scan_gap("", 9, "base64\r\nbase64\r\n"), "|unknown\n");
	assert_string_equal(scan_gap("A: b\r\n\r\n", 9, ""), "end\n|unknown\n");
	assert_string_equal(scan_gap("A: b\r\n\r\n", 9, "x"), "end\n|body\nunknown\n");
	assert_string_equal(scan_gap("A: b\r\n\r\n\r\n", 9, PGP), "end\nbody\n|unknown\n");
	assert_string_equal(scan_gap("A: b\r\n\r\nDear", 9, PGP), "end\nbody\n|");
	assert_string_equal(scan_gap("A: b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n", 9, PGP),
	    "end\nbody\n|unknown\n");
	/* what is sealed as a whole stays so; among parts another may have begun */
	assert_string_equal(scan_gap(P7M("", CMS_ENVELOPED), 9, "AAAA"),
	    "end\n|attach 0 application/pkcs7-mime 47 " SEALED "\nsmime\n");
	assert_string_equal(scan_gap("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" P7M(
					 "", CMS_ENVELOPED),
				9, "\r\n--b--\r\n"),
	    "end\n|attach 0 application/pkcs7-mime 43 " SEALED "\nunknown\n");
	static const char head[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
				   "Content-Type: a/b; name=n\r\n\r\n12";
	assert_string_equal(scan_gap(head, 1000, "34\r\n--b\r\n\r\nx"),
	    "end\n|attach 0 a/b 1004 n\nbody\n");
	assert_string_equal(scan_gap(head, 1000, "--b\r\n\r\nx\r\n--b--"),
	    "end\n|attach 0 a/b 1010 n\n"); /* not known to begin a line */
	assert_string_equal(scan_gap(head, 1000, ""), "end\n|attach 0 a/b 1002 n\n");
	assert_string_equal(scan_gap("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", 10,
				"name=x\r\nContent-Type: a/b\r\n\r\n1\r\n--b"),
	    "end\n|unknown\n");
	assert_string_equal(scan_gap("Content-Type: multipart/signed; boundary=b\r\n\r\n", 10, "x"),
	    "end\n|signed\n");
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
		struct mime_input in = {(const uint8_t *)head, sizeof head - 1};
		while (mime_next(&pools, scan, &in, &ev))
			;
		double from = now_s();
		for (size_t i = 0; i < len; i += piece) {
			in = (struct mime_input){(const uint8_t *)body + i,
			    len - i < piece ? len - i : piece};
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
	    cmocka_unit_test(test_smime),
	    cmocka_unit_test(test_protection),
	    cmocka_unit_test(test_inline_pgp),
	    cmocka_unit_test(test_gap),
	    cmocka_unit_test(test_exhausted),
	    cmocka_unit_test(test_random_splits),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	mime_pools_free(&pools);
	return failed;
}
