/* The own probe: how lines begin, on which port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ident/probe.h"

static const struct row {
	const char *text;
	uint16_t port;
	enum probe_verdict verdict;
	bool sure;
} rows[] = {
    {"220 mx.example.com ESMTP\r\n", 25, PROBE_SMTP, true},
    {"220 mx.example.com ESMTP\r\n", 4711, PROBE_SMTP, true},
    {"220 ready\r\n", 25, PROBE_SMTP, true},
    {"220 ready\r\n", 4711, PROBE_SMTP, false},
    {"220 example FTP server\r\n", 2121, PROBE_OTHER, false},
    {"220 mx", 25, PROBE_MORE, false},
    {"554 no service\r\n", 25, PROBE_SMTP, true},
    {"EHLO x\r\n", 4711, PROBE_SMTP, true},
    {"helo x\r\n", 25, PROBE_SMTP, true},
    {"mail from:<a@b>\r\n", 4711, PROBE_SMTP, true},
    {"QUIT\r\n", 25, PROBE_SMTP, true},
    {"QUIT\r\n", 4711, PROBE_TEXT, false},
    {"* OK IMAP\r\n", 4711, PROBE_IMAP, true},
    {"a1 LOGIN x y\r\n", 143, PROBE_IMAP, true},
    {"a1 LOGIN x y\r\n", 4711, PROBE_IMAP, false},
    {"+OK ready\r\n", 110, PROBE_POP3, true},
    {"+OK ready\r\n", 4711, PROBE_POP3, false},
    {"USER joe\r\n", 110, PROBE_POP3, true},
    {"USER joe\r\n", 21, PROBE_TEXT, false},
    {"GET / HTTP/1.1\r\n", 25, PROBE_OTHER, false},
    {"SSH-2.0-x\r\n", 25, PROBE_OTHER, false},
    {"hello world\r\n", 4711, PROBE_TEXT, false},
    {"hel", 4711, PROBE_MORE, false},
    {"\x16\x03\x01\x02\x00\x01", 443, PROBE_TLS, false},
    {"\x16\x03\x01", 465, PROBE_MORE, false},
    {"\x01\x02\x03", 25, PROBE_OTHER, false},
    {"220 mx\x07 ESMTP\r\n", 25, PROBE_SMTP, true},
    {"EHLO \x01x\r\n", 587, PROBE_SMTP, true},
    {"+OK \x7f\r\n", 110, PROBE_POP3, true},
    {"* OK \x08\r\n", 143, PROBE_IMAP, true},
    {"220 mx\x07 ESMTP\r\n", 4711, PROBE_OTHER, false},
    {"hello \x07\r\n", 25, PROBE_OTHER, false},
};

static void
table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len =
		    rows[i].text[0] == 0x16 ? (rows[i].port == 443 ? 6 : 3) : strlen(rows[i].text);
		struct probe_result r = probe((const uint8_t *)rows[i].text, len, rows[i].port);
		if (r.verdict != rows[i].verdict || r.sure != rows[i].sure)
			print_error("row %zu: %s\n", i, rows[i].text);
		assert_int_equal(r.verdict, rows[i].verdict);
		assert_int_equal(r.sure, rows[i].sure);
	}
}

static void
sides(void **state)
{
	(void)state;
	assert_true(probe((const uint8_t *)"220 x ESMTP\r\n", 13, 25).from_server);
	assert_true(probe((const uint8_t *)"EHLO x\r\n", 8, 25).from_client);
	assert_true(probe((const uint8_t *)"\x16\x03\x01\x02\x00\x01", 6, 465).from_client);
	assert_true(probe((const uint8_t *)"\x16\x03\x03\x02\x00\x02", 6, 465).from_server);
}

/* What a longer prefix says must not contradict what a shorter one was sure of. */
static void
prefixes_do_not_contradict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].text);
		enum probe_verdict said = PROBE_MORE;
		for (size_t n = 0; n <= len && rows[i].text[0] != 0x16; n++) {
			enum probe_verdict v =
			    probe((const uint8_t *)rows[i].text, n, rows[i].port).verdict;
			if (said != PROBE_MORE && said != PROBE_TEXT)
				assert_int_equal(v, said);
			said = v;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table),
	    cmocka_unit_test(sides),
	    cmocka_unit_test(prefixes_do_not_contradict),
	};
	return cmocka_run_group_tests_name("ident/probe", tests, NULL, NULL);
}
