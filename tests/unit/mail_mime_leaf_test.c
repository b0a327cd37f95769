/*
 * What bodies are: types by first octets, files inside texts and messages, transfer encodings,
 * end-to-end protection, and what losses leave of all that.
 */
#include "mail_mime_events.h"

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
test_detected(void **state)
{
	(void)state;
	check("Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: "
	      "base64\r\n\r\n"
	      "TVqQAAMAAAAEAAAA\r\n//8AALgAAAA=\r\n",
	    "end\nattach 0 application/pdf 32 "
	    "a.pdf[application/vnd.microsoft.portable-executable]\n");
	check("Content-Type: application/pdf; name=a.pdf\r\n"
	      "Content-Transfer-Encoding: BASE64 (always)\r\n\r\nJVBERi0xLjc=",
	    "end\nattach 0 application/pdf 12 a.pdf[application/pdf]\n");
	check("Content-Type: application/pdf; name=a.pdf\r\n"
	      "Content-Transfer-Encoding: quoted-printable\r\n\r\n=25PDF=2D=\r\n1.7",
	    "end\nattach 0 application/pdf 15 a.pdf[application/pdf]\n");
	check("Content-Type: application/pdf; name=a.pdf\r\n"
	      "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 "
	      "a.pdf\r\n()5!$1BTQ+C<`\r\n`\r\nend\r\n",
	    "end\nattach 0 application/pdf 40 a.pdf[application/pdf]\n");
	check("Content-Type: application/pdf; name=a.pdf\r\n"
	      "Content-Transfer-Encoding: x-nothing\r\n\r\n%PDF-1.7",
	    "end\nattach 0 application/pdf 8 a.pdf\n");
	/* of two the first counts */
	check("Content-Type: application/pdf; name=a.pdf\r\n"
	      "Content-Transfer-Encoding: base64\r\n"
	      "Content-Transfer-Encoding: quoted-printable\r\n\r\nJVBERi0xLjc=",
	    "end\nattach 0 application/pdf 12 a.pdf[application/pdf]\n");
	/* no empty line before the body: it begins in what was taken for a header */
	check("Content-Type: application/pdf; name=a.pdf\r\n%PDF-1.7\r\n",
	    "end\nattach 0 application/pdf 10 a.pdf[application/pdf]\n");
	/* the line end before a boundary, and the boundary itself, are none of its octets */
	check(PARTS("multipart/mixed", "Content-Type: a/b\r\n\r\n%PDF-",
		  "Content-Type: a/b\r\n\r\nGIF8"),
	    "end\nattach 0 a/b 5 [application/pdf]\nattach 1 a/b 4 \n");
	/* declared as a text, and it is none: a file all the same */
	check(PARTS("multipart/mixed", "\r\nDear Ann",
		  "Content-Type: text/plain\r\nContent-Transfer-Encoding: "
		  "base64\r\n\r\niVBORw0KGgo="),
	    "end\nbody\nattach 0 text/plain 12 [image/png]\n");
	check("A: b\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=",
	    "end\nbody\nattach 0  12 [image/png]\n");
	/* a script is a text */
	check("A: b\r\n\r\n#!/bin/sh\r\nrm x\r\n", "end\nbody\n");
	/* a password is no protection end to end */
	check("Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: "
	      "base64\r\n\r\n"
	      "UEsDBAoACQAAAAAAIQBhYmNkAQAAAAEAAAAFAAAAYS50eHQ=",
	    "end\nattach 0 application/zip 48 a.zip[application/zip; encrypted]\n");
	check("Content-Type: application/ms-tnef; name=winmail.dat\r\n"
	      "Content-Transfer-Encoding: base64\r\n\r\neJ8+IgEA",
	    "end\nattach 0 application/ms-tnef 8 winmail.dat[application/ms-tnef]\n");
}

static void
test_detected_gap(void **state)
{
	(void)state;
	/* what came before the loss may tell; what comes behind may not */
	assert_string_equal(scan_gap("Content-Type: a/b\r\n\r\n%PDF-1", 9, "GIF89a"),
	    "end\n|attach 0 a/b 21 [application/pdf]\n");
	/* a text may be the beginning of anything, and a signed one may yet hold a sealed one */
	assert_string_equal(scan_gap("Content-Type: a/b\r\n\r\nDear Ann, how are you today?", 9,
				""),
	    "end\n|attach 0 a/b 37 \n");
	assert_string_equal(scan_gap(P7M("", CMS_SIGNED), 9, ""),
	    "end\n|attach 0 application/pkcs7-mime 39 "
	    "[application/pkcs7-mime; smime-type=signed-data]\nunknown\n");
	assert_string_equal(scan_gap("Content-Type: a/b\r\n\r\n", 9, "%PDF-1"),
	    "end\n|attach 0 a/b 15 \nunknown\n");
	assert_string_equal(scan_gap("Content-Type: a/b\r\n\r\nDear", 9, "Ann, how are you today?"),
	    "end\n|attach 0 a/b 36 \n");
}

static void
test_uuencode(void **state)
{
	(void)state;
	static const char file[] = "Subject: s\r\n\r\nDear Ann,\r\nbefore\r\n"
				   "begin 644 r\xc3\xa9sum\xc3\xa9.pdf\r\n"
				   "()5!$1BTQ+C<`\r\n"
				   "`\r\n"
				   "end\r\n"
				   "behind\r\nbegin 600 b \r\n#2&5L\r\nend\r\nenough\r\n";
	check(file,
	    "subject=s\nend\nbody\nattach 0  18 r\u00e9sum\u00e9.pdf[application/pdf]\n"
	    "attach 1  7 b\n");
	check_lf(file,
	    "subject=s\nend\nbody\nattach 0  16 r\u00e9sum\u00e9.pdf[application/pdf]\n"
	    "attach 1  6 b\n");
	/* a file and nothing else */
	check("A: b\r\n\r\nbegin 644 a\r\n#2&5L\r\n`\r\nend\r\n", "end\nattach 0  10 a\n");
	/* in a part; its boundary ends it */
	check(PARTS("multipart/mixed", "\r\nbegin 0644 a b.txt\r\n#2&5L", "\r\nx"),
	    "end\nattach 0  5 a b.txt\nbody\n");
	/* a line of data that begins like a boundary */
	check(PARTS("multipart/mixed", "\r\nbegin 644 a\r\n#2&5L\r\n-2&5L;&\\L(&AO=R!A<F4`\r\nend",
		  "\r\nx"),
	    "end\nattach 0  30 a[text/plain]\nbody\n");
	/* words */
	check("A: b\r\n\r\nbegin 644 the work\r\nand end it\r\nend\r\n", "end\nbody\n");
	check("A: b\r\n\r\nbegin 644 a\r\n#2~5L\r\nend\r\n", "end\nbody\n");
	check("A: b\r\n\r\nbegin 64 a\r\n#2&5L\r\nend\r\n", "end\nbody\n");
	check("A: b\r\n\r\nbegin 644\r\n#2&5L\r\nend\r\n", "end\nbody\n");
	check("A: b\r\n\r\nbegin 888 a\r\n#2&5L\r\nend\r\n", "end\nbody\n");
	check("A: b\r\n\r\nbegin 644 a\r\n", "end\nbody\n");
	check("A: b\r\n\r\nbegin 644 a\r\nbegin 644 b\r\n#2&5L\r\nend",
	    "end\nbody\nattach 0  7 b\n");
	check("A: b\r\n\r\n begin 644 a\r\n#2&5L\r\nend\r\n", "end\nbody\n");
	check("Content-Type: text/html\r\n\r\nbegin 644 a\r\n#2&5L\r\nend\r\n", "end\nbody\n");
	/* beside what is sealed it can be read */
	check(PARTS("multipart/mixed", "\r\nbegin 644 a\r\n#2&5L\r\nend",
		  "Content-Type: application/pkcs7-mime\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n" CMS_ENVELOPED),
	    "end\nattach 0  7 a\nattach 1 application/pkcs7-mime 32 " SEALED "\n");
	/* words, and behind them a short line, or one that is longer than what is kept of it */
	char text[LIMIT_MIME_LINE + 400];
	for (unsigned n = 40; n <= LIMIT_MIME_LINE + 100; n += LIMIT_MIME_LINE) {
		snprintf(text, sizeof text,
		    "A: b\r\n\r\nbegin 644 a\r\n%0*u\r\nbegin 644 b\r\n#2&5L\r\nend", (int)n, 0u);
		check(text, "end\nbody\nattach 0  7 b\n");
		snprintf(text, sizeof text,
		    PARTS("multipart/encrypted; protocol=\"application/pgp-encrypted\"",
			"\r\nbegin 644 a\r\n%0*u", "\r\n"),
		    (int)n, 0u);
		check(text, "end\nbody\n");
	}
	/* lost octets */
	assert_string_equal(scan_gap("A: b\r\n\r\nbegin 644 a\r\n", 9, "2&5L\r\nend\r\nx"),
	    "end\n|body\n");
	assert_string_equal(scan_gap("A: b\r\n\r\nbegin 644 a\r\n#2&5L\r\n", 9,
				"2&5L\r\nend\r\nx\r\n"),
	    "end\n|attach 0  22 a\nbody\n");
}

#define INNER                                                                 \
	"Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n" \
	"--i\r\n\r\nDear Ann\r\n--i\r\nContent-Type: a/b; name=i.pdf\r\n\r\n%PDF-\r\n--i--\r\n"

static void
test_messages(void **state)
{
	(void)state;
	/* attached: its own attachments are told, then itself */
	check("Subject: s\r\n" PARTS("multipart/mixed", "\r\nx",
		  "Content-Type: message/rfc822; name=m.eml\r\n\r\n" INNER),
	    "subject=s\nend\nbody\nattach 0 a/b 5 i.pdf[application/pdf]\n"
	    "attach 1 message/rfc822 130 m.eml\n");
	/* forwarded without a name, inside a bounce */
	check(PARTS("multipart/report", "\r\nfailed", "Content-Type: message/rfc822\r\n\r\n" INNER),
	    "end\nbody\nattach 0 a/b 5 i.pdf[application/pdf]\n");
	/* in a digest a part without a type is one */
	check(PARTS("multipart/digest", "\r\n" INNER, "\r\nSubject: y\r\n\r\nz"),
	    "end\nbody\nattach 0 a/b 5 i.pdf[application/pdf]\n");
	/* the second one inside is not read */
	check(PARTS("multipart/mixed", "\r\nx",
		  "Content-Type: message/rfc822; name=m.eml\r\n\r\n"
		  "Content-Type: message/rfc822; name=n.eml\r\n\r\n" INNER),
	    "end\nbody\nattach 0 message/rfc822 130 n.eml[text/plain]\n"
	    "attach 1 message/rfc822 174 m.eml\n");
	/* the content ends inside it */
	check("Content-Type: message/rfc822; name=m.eml\r\n\r\nContent-Type: a/b; name=i\r\n\r\n1",
	    "end\nattach 0 a/b 1 i\nattach 1 message/rfc822 30 m.eml\n");
	/* a boundary ends its header, and both */
	check(PARTS("multipart/mixed", "Content-Type: message/rfc822; name=m.eml\r\n\r\nSubject: x",
		  "\r\nx"),
	    "end\nattach 0 message/rfc822 10 m.eml\nbody\n");
	check(PARTS("multipart/mixed", "Content-Type: message/rfc822; name=m.eml\r\n\r\n", "\r\nx"),
	    "end\nattach 0 message/rfc822 0 m.eml\nbody\n");
	/* sealed inside */
	check(PARTS("multipart/mixed", "\r\n",
		  "Content-Type: message/rfc822\r\n\r\nSubject: y\r\n" P7M("", CMS_ENVELOPED)),
	    "end\nbody\nattach 0 application/pkcs7-mime 34 " SEALED "\nsmime\n");
	/* encoded, which RFC 2046 forbids */
	check(PARTS("multipart/mixed", "\r\n",
		  "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		  "U3ViamVjdDogeA0KDQp5"),
	    "end\nbody\nunknown\n");
}

static void
test_types(void **state)
{
	(void)state;
	/* comments, no parameters, odd spacing */
	check("Content-Type: (a) multipart/mixed (b;c) ; (boundary=no) boundary = \"b\" (d)\r\n\r\n"
	      "--b\r\nContent-Type: a/b (c)\r\n\r\n1\r\n--b--\r\n",
	    "end\nattach 0 a/b 1 \n");
	check("Content-Type:multipart/mixed;boundary=b;x\r\n\r\n--b\r\nContent-Type:a/"
	      "b\r\n\r\n1\r\n--b--",
	    "end\nattach 0 a/b 1 \n");
	/* boundaries of which one begins like the other, and with blanks at their end */
	check("Content-Type: multipart/mixed; boundary=\"b  \"\r\n\r\n--b \r\n"
	      "Content-Type: multipart/mixed; "
	      "boundary=bb\r\n\r\n--bb\r\n\r\nx\r\n--bbb\r\n--bb--x\r\n"
	      "--bb--\t\r\n--b\r\nContent-Type: a/b\r\n\r\n1\r\n--b-\r\n--b --\r\n--b-- "
	      "\r\n--b\r\n",
	    "end\nbody\nattach 0 a/b 15 [text/plain]\n");
	/* no closing boundary */
	check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
	      "Content-Type: a/b\r\n\r\n1",
	    "end\nbody\nattach 0 a/b 1 \n");
	/* by disposition alone, by name alone, inline */
	check(PARTS("multipart/related", "Content-Type: text/html\r\n\r\n<img>",
		  "Content-Type: image/png\r\nContent-ID: <1>\r\nContent-Disposition: "
		  "inline\r\n\r\n1"),
	    "end\nbody\nattach 0 image/png 1 \n");
	check(PARTS("multipart/mixed", "Content-Disposition: ATTACHMENT\r\n\r\n1",
		  "Content-Disposition: attachment; filename*0*=utf-8''%e2%82; "
		  "filename*1*=%ac.txt; "
		  "filename=no\r\nContent-Type: text/plain; name=no\r\n\r\n1"),
	    "end\nattach 0  1 \nattach 1 text/plain 1 \u20ac.txt\n");
}

int
main(void)
{
	if (!mime_pools_init(&pools, 2))
		return 1;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_smime),
	    cmocka_unit_test(test_protection),
	    cmocka_unit_test(test_inline_pgp),
	    cmocka_unit_test(test_gap),
	    cmocka_unit_test(test_detected),
	    cmocka_unit_test(test_detected_gap),
	    cmocka_unit_test(test_uuencode),
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_types),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	mime_pools_free(&pools);
	return failed;
}
