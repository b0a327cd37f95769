/* Text: cutting at every size, wire octets made safe to show, UTF-8 against a naive reading. */
#include "base/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#define SHOWN(in, out) assert_shown(in, sizeof in - 1, out)

static void *
copy_of(const void *s, size_t len)
{
	void *mem = malloc(len + (len == 0));
	memcpy(mem, s, len);
	return mem;
}

static void
assert_shown(const char *in, size_t len, const char *want)
{
	char buf[256], *mem = copy_of(in, len);
	struct text t = text_in(buf, sizeof buf);
	text_add_wire(&t, mem, len);
	free(mem);
	assert_string_equal(buf, want);
	assert_int_equal(t.len, strlen(want));
	assert_false(t.cut);
}

/* What is kept is a beginning of the whole, of whole characters, and the longest such one. */
static void
assert_cut(const struct text *t, const char *whole)
{
	size_t n = strlen(whole), most = t->cap - 1 < n ? t->cap - 1 : n;
	while (((uint8_t)whole[most] & 0xc0) == 0x80)
		most--;
	assert_int_equal(t->len, most);
	assert_memory_equal(t->buf, whole, most);
	assert_int_equal(t->buf[most], 0);
	assert_true(t->cut == (n >= t->cap));
}

static void
cut_at_every_size(void **state)
{
	(void)state;
	static const char whole[] = "a\xc3\xa9-\xe2\x82\xac-\xf0\x9f\x98\x80z";
	for (size_t cap = 1; cap < sizeof whole + 3; cap++) {
		char *buf = malloc(cap);
		struct text t = text_in(buf, cap);
		assert_string_equal(buf, "");
		text_puts(&t, whole);
		assert_cut(&t, whole);
		t = text_in(buf, cap);
		text_printf(&t, "%s", whole);
		assert_cut(&t, whole);
		t = text_in(buf, cap);
		text_add_wire(&t, whole, sizeof whole - 1);
		assert_cut(&t, whole);
		free(buf);
	}
}

static void
nothing_follows_a_cut(void **state)
{
	(void)state;
	char buf[4];
	struct text t = text_in(buf, sizeof buf);
	text_puts(&t, "ab\xe2\x82\xac");
	assert_true(t.cut);
	text_putc(&t, 'x');
	text_printf(&t, "%d", 1);
	text_add_count(&t, 2);
	text_add_wire(&t, "y", 1);
	assert_string_equal(buf, "ab");
	assert_int_equal(t.len, 2);
	t = text_in(buf, sizeof buf);
	text_puts(&t, "abc");
	text_puts(&t, "");
	text_printf(&t, "%s", "");
	assert_false(t.cut);
	t = text_in(buf, sizeof buf);
	text_printf(&t, "a%lc", (wint_t)0x20ac); /* the C locale has no such character */
	assert_true(t.cut);
	assert_int_equal(t.len, strlen(buf));
}

static void
wire_octets_are_safe(void **state)
{
	(void)state;
	assert_shown("", 0, "");
	SHOWN("plain ~ text", "plain ~ text");
	SHOWN("\0a\r\n\t\x1b[2J\x7f", "\\x00a\\x0d\\x0a\\x09\\x1b[2J\\x7f");
	SHOWN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	SHOWN("\xe9t\xe9", "\xc3\xa9t\xc3\xa9");
	SHOWN("\x9b\xc2\x9b\xc2\x80\xc2\xa0", "\\x9b\\x9b\\x80\xc2\xa0");
	SHOWN("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xe2\x80\xaa",
	    "\\u{202e}\\u{2066}\\u{200f}\\u{202a}");
	SHOWN("a\xd8\x9c"
	      "b\xd8\xa7",
	    "a\\u{061c}b\xd8\xa7");
	SHOWN("\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xaa",
	    "\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xaa");	      /* neighbours of those */
	SHOWN("\xf0\x9f\x98", "\xc3\xb0\\x9f\\x98");	      /* the end is missing */
	SHOWN("\xc0\xaf", "\xc3\x80\xc2\xaf");		      /* overlong '/' */
	SHOWN("\xed\xa0\x80", "\xc3\xad\xc2\xa0\\x80");	      /* a surrogate */
	SHOWN("\xe0\x80\x8a", "\xc3\xa0\\x80\\x8a");	      /* overlong LF */
	SHOWN("\xf4\x90\x80\x80", "\xc3\xb4\\x90\\x80\\x80"); /* U+110000 */
	SHOWN("\xff\xfe\xc3(", "\xc3\xbf\xc3\xbe\xc3\x83(");
}

/* The length of the character at s, by its code point. */
static size_t
naive_char(const uint8_t *s, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (s[0] < 0x80)
		return 1;
	size_t n = (s[0] & 0xe0) == 0xc0 ? 2
	    : (s[0] & 0xf0) == 0xe0	 ? 3
	    : (s[0] & 0xf8) == 0xf0	 ? 4
					 : 0;
	uint32_t cp = n == 0 ? 0 : s[0] & (0x7fu >> n);
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		cp = cp << 6 | (s[i] & 0x3fu);
	}
	return n == 0 || cp < least[n] || cp > 0x10ffff || cp >> 11 == 0x1b ? 0 : n;
}

static void
utf8_characters(void **state)
{
	(void)state;
	static const uint8_t edge[] = {0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	enum { EDGES = sizeof edge };
	assert_int_equal(utf8_char(NULL, 0), 0);
	for (size_t len = 1; len <= 4; len++) {
		uint8_t *s = malloc(len);
		for (unsigned k = 0; k < 256u * EDGES * EDGES * EDGES; k++) {
			unsigned rest = k / 256;
			s[0] = (uint8_t)k;
			for (size_t i = 1; i < len; i++, rest /= EDGES)
				s[i] = edge[rest % EDGES];
			if (utf8_char(s, len) != naive_char(s, len))
				fail_msg("%02x and %u", k & 0xff, k / 256);
		}
		free(s);
	}
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		char out[4];
		size_t n = utf8_put(out, cp), want = cp >> 11 == 0x1b ? 0 : n;
		if (utf8_char((uint8_t *)out, n) != want)
			fail_msg("U+%04x", cp);
	}
}

static void
ascii_words(void **state)
{
	(void)state;
	char *s = copy_of("STARTtls", 8);
	assert_true(ascii_is(s, 8, "startTLS"));
	assert_false(ascii_is(s, 7, "starttls"));
	assert_false(ascii_is(s, 8, "starttl"));
	assert_true(ascii_is(s, 0, ""));
	assert_true(ascii_begins(s, 8, "start") && ascii_begins(s, 8, ""));
	assert_false(ascii_begins(s, 8, "starttlsx"));
	assert_ptr_equal(ascii_find(s, 8, "TLS"), s + 5);
	assert_ptr_equal(ascii_find(s, 8, "t"), s + 1);
	assert_null(ascii_find(s, 7, "tls"));
	assert_null(ascii_find(s, 0, "t"));
	free(s);
	assert_false(ascii_is("[", 1, "{"));
	assert_false(ascii_is("\xc9", 1, "\xe9"));
	for (int c = -128; c < 128; c++) {
		bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
		assert_int_equal(ascii_lower((char)c), upper ? c + 32 : c);
		assert_int_equal(ascii_upper((char)c), lower ? c - 32 : c);
	}
}

/* Octets are compared several at a time: each pair of them, in each place of a word. */
static void
ascii_octets(void **state)
{
	(void)state;
	for (size_t len = 0; len < 20; len++) {
		char *a = copy_of("xxxxxxxxxxxxxxxxxxxx", len);
		char *b = copy_of("XxXxXxXxXxXxXxXxXxXx", len);
		assert_true(ascii_equal(a, b, len));
		for (size_t at = 0; at < len; at++) {
			for (int pair = 0; pair < 65536; pair += at % 8 == 0 ? 1 : 7) {
				a[at] = (char)(pair & 0xff);
				b[at] = (char)(pair >> 8);
				bool want = ascii_lower(a[at]) == ascii_lower(b[at]);
				if (ascii_equal(a, b, len) != want)
					fail_msg("%zu of %zu: %04x", at, len, pair);
			}
			a[at] = b[at] = 'z';
		}
		free(a);
		free(b);
	}
}

static void
assert_time(int64_t ns, const char *want)
{
	char buf[40];
	struct text t = text_in(buf, sizeof buf);
	text_add_time(&t, ns);
	assert_string_equal(buf, want);
}

static void
assert_count(uint64_t n, const char *want)
{
	char buf[27];
	struct text t = text_in(buf, sizeof buf);
	text_add_count(&t, n);
	assert_string_equal(buf, want);
	assert_false(t.cut);
}

static void
times_and_counts(void **state)
{
	(void)state;
	assert_time(0, "1970-01-01T00:00:00.000000000Z");
	assert_time(-1, "1969-12-31T23:59:59.999999999Z");
	assert_time(1709164800000000001, "2024-02-29T00:00:00.000000001Z");
	assert_time(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
	assert_time(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
	assert_count(0, "0");
	assert_count(999, "999");
	assert_count(1000, "1,000");
	assert_count(1234567, "1,234,567");
	assert_count(UINT64_MAX, "18,446,744,073,709,551,615");
}

static void
digits(void **state)
{
	(void)state;
	char want[32], got[DIGITS_U64 + 1];
	uint64_t n = 1;
	for (int i = 0; i < 20; i++, n *= 10) { /* around each power of ten, and at both ends */
		const uint64_t some[] = {n - 1, n, n + 1, n * 9, UINT64_MAX - n};
		for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
			int len = snprintf(want, sizeof want, "%llu", (unsigned long long)some[k]);
			assert_int_equal(digits_put(got, some[k]), len);
			assert_memory_equal(got, want, (size_t)len);
			snprintf(want, sizeof want, "%020llu", (unsigned long long)some[k]);
			for (unsigned wide = 0; wide <= DIGITS_U64; wide++) {
				digits_put_wide(got, wide, some[k]);
				assert_memory_equal(got, want + DIGITS_U64 - wide, wide);
			}
		}
	}
}

static void
assert_base64(const char *in, size_t cap, const char *want)
{
	size_t len = strlen(in), n = strlen(want);
	char *mem = copy_of(in, len);
	uint8_t *out = malloc(cap + (cap == 0));
	assert_int_equal(base64_decode(mem, len, out, cap), n);
	assert_memory_equal(out, want, n);
	free(mem);
	free(out);
}

static void
base64(void **state)
{
	(void)state;
	static const char *const rfc4648[] = {"", "Zg==", "Zm8=", "Zm9v",
	    "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	for (size_t i = 0; i < 7; i++) {
		char want[7];
		snprintf(want, sizeof want, "%.*s", (int)i, "foobar");
		assert_base64(rfc4648[i], i, want);
	}
	for (size_t cap = 0; cap <= 6; cap++) {
		char want[7];
		snprintf(want, sizeof want, "%.*s", (int)cap, "foobar");
		assert_base64("Zm9vYmFy", cap, want);
	}
	assert_base64(" Zm\r\n9v\tYg", 9, "foob");
	assert_base64("Zm9v=YmFy", 9, "foo");
	assert_base64("Zm9v-YmFy", 9, "foo");
	assert_base64("Zm9v\xe9YmFy", 9, "foo");
	assert_base64("Z", 9, "");
	assert_base64("+/+/", 9, "\xfb\xff\xbf");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cut_at_every_size),
	    cmocka_unit_test(nothing_follows_a_cut),
	    cmocka_unit_test(wire_octets_are_safe),
	    cmocka_unit_test(utf8_characters),
	    cmocka_unit_test(ascii_words),
	    cmocka_unit_test(ascii_octets),
	    cmocka_unit_test(times_and_counts),
	    cmocka_unit_test(digits),
	    cmocka_unit_test(base64),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
