/*
 * Transfer encodings undone.  Each input is decoded whole, in every split in two and octet by
 * octet, into rooms of every size, and must give the same.
 */
#include "mail/mime_decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
push(struct mime_decoder *d, const char *s, size_t len, size_t cap, char *out, size_t *n)
{
	uint8_t *in = malloc(len + (len == 0)), *room = malloc(cap);
	if (len > 0)
		memcpy(in, s, len);
	for (size_t at = 0, used; at < len; at += used) {
		size_t got = mime_decode(d, in + at, len - at, &used, room, cap);
		assert_true(got <= cap);
		assert_true(used > 0 && used <= len - at);
		memcpy(out + *n, room, got);
		*n += got;
	}
	free(in);
	free(room);
}

static void
check_octets(enum mime_encoding e, const char *s, size_t len, const char *want, size_t want_len)
{
	for (size_t cap = 3; cap <= 40; cap += cap < 9 ? 1 : 31) {
		for (size_t first = 0; first <= len; first++) {
			char out[512];
			size_t n = 0;
			struct mime_decoder d;
			mime_decoder_begin(&d, e);
			push(&d, s, first, cap, out, &n);
			push(&d, s + first, len - first, cap, out, &n);
			assert_int_equal(n, want_len);
			assert_memory_equal(out, want, n);
		}
		char out[512];
		size_t n = 0;
		struct mime_decoder d;
		mime_decoder_begin(&d, e);
		for (size_t i = 0; i < len; i++)
			push(&d, s + i, 1, cap, out, &n);
		assert_int_equal(n, want_len);
		assert_memory_equal(out, want, n);
	}
}

static void
check(enum mime_encoding e, const char *s, const char *want)
{
	check_octets(e, s, strlen(s), want, strlen(want));
}

static void
test_none(void **state)
{
	(void)state;
	check(ENCODING_NONE, "", "");
	check(ENCODING_NONE, "a=20\r\n", "a=20\r\n");
	check_octets(ENCODING_NONE, "a\0\xff", 3, "a\0\xff", 3);
	check(ENCODING_OTHER, "anything", "");
}

static void
test_base64(void **state)
{
	(void)state;
	check(ENCODING_BASE64, "SGVsbG8=", "Hello");
	check(ENCODING_BASE64, "SGVs\r\nbG8\r\n", "Hello"); /* no padding */
	check(ENCODING_BASE64, " S-G!V\ns*bG8h", "Hello!"); /* octets that mean nothing */
	check(ENCODING_BASE64, "SGVsbG8=SGVsbG8=", "Hello");
	check(ENCODING_BASE64, "SGVsb", "Hel");
	check(ENCODING_BASE64, "=SGVs", "");
	check_octets(ENCODING_BASE64, "AP+/", 4, "\0\xff\xbf", 3);
}

static void
test_qp(void **state)
{
	(void)state;
	check(ENCODING_QP, "caf=C3=A9=\r\n au=20lait=\n!", "caf\xc3\xa9 au lait!");
	check(ENCODING_QP, "=e9=3D=3d", "\xe9==");
	check(ENCODING_QP, "a= \t\r\nb", "ab");
	check(ENCODING_QP, "=zz =4z =", "=zz =4z ");
	check(ENCODING_QP, "a=\rb", "ab");
	check_octets(ENCODING_QP, "=00", 3, "\0", 1);
}

static void
test_uu(void **state)
{
	(void)state;
	/* as uuencode writes it */
	check(ENCODING_UU, "begin 644 a.txt\r\n%2&5L;&\\\r\n`\r\nend\r\n", "Hello");
	check(ENCODING_UU, "begin 644 a.txt\r\n%2&5L;&\\`\r\n`\r\nend\r\n", "Hello");
	check(ENCODING_UU, "#2&5L\n\"2&4`\n \nend\n", "HelHe");
	check(ENCODING_UU, "#2&5Lx\n#2&5L", "HelHel"); /* a sum at the end */
	check(ENCODING_UU, "end\n#2&5L\n", "");
	check(ENCODING_UU, "#2~5L\n#2&5L\n", "");
	check(ENCODING_UU, "\r\n\r\n#2&5L\n", "Hel");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_qp),
	    cmocka_unit_test(test_uu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
