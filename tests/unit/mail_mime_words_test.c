/*
 * Encoded words, parameters and character sets.  Inputs are copied into buffers of their own size,
 * so that a read past the end is caught.  Where ../shared (or $POSTCARD_SHARED) exists, the encoded
 * subjects of its labelled captures are decoded and compared too.
 */
#include "base/limits.h"
#include "mail/mime_words.h"

#include <dirent.h>
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char *
copy_of(const char *s, size_t len)
{
	char *p = malloc(len + (len == 0));
	memcpy(p, s, len);
	return p;
}

static void
check_words(const char *value, const char *want)
{
	char buf[LIMIT_SUBJECT + 1], *in = copy_of(value, strlen(value));
	struct text out = text_in(buf, sizeof buf);
	mime_decode_words(in, strlen(value), &out);
	assert_string_equal(buf, want);
	free(in);
}

static void
test_words(void **state)
{
	(void)state;
	check_words("", "");
	check_words("plain text", "plain text");
	check_words("=?utf-8?Q?caf=C3=A9?=", "caf\u00e9");
	check_words("=?UTF-8?b?Y2Fmw6k=?=", "caf\u00e9");
	check_words("=?iso-8859-1?q?caf=e9_au_lait?= now", "caf\u00e9 au lait now");
	check_words("=?us-ascii*en?Q?hello?=", "hello");
	check_words("=?utf-8?Q?"
		    "?=",
	    "");
	check_words("=?utf-8?Q?=?=", "=");
	check_words("x =?utf-8?Q?a?= \t =?utf-8?Q?b?= y", "x ab y");
	check_words("=?utf-8?Q?a?= =?iso-8859-1?Q?=FC?=", "a\u00fc");
	check_words("=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c");
	check_words("=?utf-8?Q?a b?=", "a b");		 /* a space that should be "_" */
	check_words("(=?utf-8?Q?a?=)", "(a)");		 /* in a comment */
	check_words("\"=?utf-8?Q?a?=\"", "\"a\"");	 /* should not be decoded; everybody does */
	check_words("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"); /* no space between */
}

static void
test_split_character(void **state)
{
	(void)state;
	check_words("=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "caf\u00e9");
	check_words("=?utf-8?B?4oI=?= =?UTF-8?B?rA==?=", "\u20ac");
	check_words("=?utf-8?B?4oI=?= =?UTF8?Q?=AC?=", "\u20ac");
	check_words("=?gb2312?B?suI=?= =?gb2312?B?ytQ=?=", "\u6d4b\u8bd5");
	check_words("=?gb2312?Q?=B2?= =?gb2312?Q?=E2?=", "\u6d4b");
	check_words("=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?=", "\u65e5\u672c");
}

static void
test_charsets(void **state)
{
	(void)state;
	check_words("=?koi8-r?B?8NLJ18XU?=", "\u041f\u0440\u0438\u0432\u0435\u0442");
	check_words("=?windows-1251?Q?=CF=F0=E8?=", "\u041f\u0440\u0438");
	check_words("=?windows-1252?Q?=93quoted=94?=", "\u201cquoted\u201d");
	check_words("=?ISO-8859-1?Q?=80?=", "\u20ac");
	check_words("=?windows-1252?Q?=81?=", "\\x81");
	check_words("=?shift_jis?Q?=93=FA=96=7B?=", "\u65e5\u672c");
	check_words("=?euc-kr?Q?=C7=D1?=", "\ud55c");
	check_words("=?ks_c_5601-1987?B?x9E=?=", "\ud55c");
	check_words("=?big5?Q?=A4=A4?=", "\u4e2d");
	check_words("=?iso-8859-15?Q?=A4?=", "\u20ac");
	check_words("=?gb2312?B?1tDOxA==?=", "\u4e2d\u6587");
	check_words("=?big5-hkscs?Q?=A4=A4=A4=E5?=", "\u4e2d\u6587");
	check_words("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\u65e5\u672c");
	check_words("=?koi8-u?Q?=A4=A6?=", "\u0454\u0456");
	check_words("=?windows-1250?Q?=9Aest?=", "\u0161est");
	check_words("=?windows-1253?Q?=E1=E2?=", "\u03b1\u03b2");
	check_words("=?windows-1255?Q?=E0=E1?=", "\u05d0\u05d1");
	check_words("=?windows-1256?Q?=C7?=", "\u0627");
	check_words("=?windows-1257?Q?=E0?=", "\u0105");
	check_words("=?windows-1258?Q?=F0?=", "\u0111");
	check_words("=?utf-16?B?ACoAKw==?=", "*+"); /* RFC 2781: big-endian where nothing says */
	check_words("=?utf-16?B?/v8gCg==?= =?utf-16?Q?=20=AC?=", "\u200a\u20ac");
	check_words("=?utf-16?B?//6sIA==?=", "\u20ac");
	check_words("=?utf-16le?B?rCA=?=", "\u20ac");
	check_words("=?utf-16be?B?2D3eAA==?=", "\U0001f600");
	check_words("=?utf-16be?B?2D0AKg==?=", "\ufffd*"); /* half of a pair */
	check_words("=?utf-16be?B?ACog?=", "*\ufffd");
	check_words("=?utf-7?Q?+IKw-?=", "=?utf-7?Q?+IKw-?="); /* on purpose */
	/* unknown ones, and ones that only iconv_open would know, stay */
	check_words("a =?x-nothing?Q?b?= =?utf-8?Q?c?=", "a =?x-nothing?Q?b?= c");
	check_words("=?utf-8//translit?Q?b?=", "=?utf-8//translit?Q?b?=");
	check_words("=?ISO-2022-CN-EXT?Q?b?=", "=?ISO-2022-CN-EXT?Q?b?=");
	check_words("=??Q?b?=", "=??Q?b?=");
}

/* The character that iconv(3) makes of an octet, safe to show; U+FFFD where it makes none. */
static void
add_converted(struct text *out, iconv_t cd, uint8_t octet)
{
	char *in = (char *)&octet, buf[8], *to = buf;
	size_t left = 1, room = sizeof buf;
	(void)iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &in, &left, &to, &room) == (size_t)-1)
		text_puts(out, "\ufffd");
	else
		text_add_wire(out, buf, (size_t)(to - buf));
}

/* The tables of single octets are those of the C library, where that has the sets. */
static void
test_octet_sets(void **state)
{
	(void)state;
	static const char *const sets[][2] = {
	    {"iso-8859-2", "ISO-8859-2"},
	    {"iso-8859-3", "ISO-8859-3"},
	    {"iso-8859-4", "ISO-8859-4"},
	    {"iso-8859-5", "ISO-8859-5"},
	    {"iso-8859-6", "ISO-8859-6"},
	    {"iso-8859-7", "ISO-8859-7"},
	    {"iso-8859-8-i", "ISO-8859-8"},
	    {"iso-8859-9", "CP1254"},
	    {"iso-8859-10", "ISO-8859-10"},
	    {"iso-8859-11", "TIS-620"},
	    {"iso-8859-13", "ISO-8859-13"},
	    {"iso-8859-14", "ISO-8859-14"},
	    {"latin-9", "ISO-8859-15"},
	    {"iso-8859-16", "ISO-8859-16"},
	    {"cp1250", "CP1250"},
	    {"cp1251", "CP1251"},
	    {"cp1253", "CP1253"},
	    {"windows-1256", "CP1256"},
	    {"windows-1257", "CP1257"},
	    {"koi8-r", "KOI8-R"},
	    {"koi8-u", "KOI8-U"},
	    {"ibm866", "CP866"},
	    {"macintosh", "MACINTOSH"},
	};
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		char value[1024], want[4096];
		struct text words = text_in(value, sizeof value), t = text_in(want, sizeof want);
		iconv_t cd = iconv_open("UTF-8", sets[i][1]);
		if (cd == (iconv_t)-1)
			continue;
		text_printf(&words, "=?%s?Q?", sets[i][0]);
		for (unsigned octet = 0x80; octet <= 0xff; octet++) {
			text_printf(&words, "x=%02X", octet);
			text_puts(&t, "x");
			add_converted(&t, cd, (uint8_t)octet);
		}
		text_puts(&words, "?=");
		assert_false(words.cut || t.cut);
		check_words(value, want);
		assert_int_equal(iconv_close(cd), 0);
	}
}

static void
test_damage(void **state)
{
	(void)state;
	static const char *const same[] = {
	    "=",
	    "=?",
	    "=?utf-8",
	    "=?utf-8?",
	    "=?utf-8?Q",
	    "=?utf-8?Q?",
	    "=?utf-8?Q?a",
	    "=?utf-8?Q?a?",
	    "=?utf-8?X?a?=",
	    "=?utf-8?B?!?=",
	    "=?utf-8?QQ?a?=",
	    "=?utf-8 ?Q?a?=",
	    "?=",
	    "=?=?=?=",
	};
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		check_words(same[i], same[i]);
	check_words("=?utf-8?Q?hello =?utf-8?Q?world?=", "=?utf-8?Q?hello world");
	check_words("=?utf-8?Q?=4?=", "=4");
	check_words("=?utf-8?Q?=zz=?=", "=zz=");
	check_words("=?utf-8?B?YWI?=", "ab"); /* no padding */
	check_words("=?utf-8?B?YWI=YWI=?=", "ab");
	check_words("=?utf-8?Q?a=FFb?=", "a\u00ffb");
	check_words("=?gb2312?Q?a=FFb=B2?=", "a\ufffdb\ufffd");
	check_words("=?utf-8?Q?a=0D=0AX:_y=00?=", "a\\x0d\\x0aX: y\\x00");
	check_words("=?gb2312?Q?a=0A=1B?=", "a\\x0a\\x1b");
	check_words("=?utf-8?B?4oCu?=", "\\u{202e}");
}

static void
test_raw(void **state)
{
	(void)state;
	check_words("caf\xc3\xa9", "caf\u00e9");
	check_words("caf\xe9 \x93x\x94", "caf\u00e9 \u201cx\u201d");
	check_words("\xe9\xc3\xa9", "\u00e9\u00e9");
	check_words("tab\there\x07", "tab here\\x07");
	check_words("\xff\xfe\x9d", "\u00ff\u00fe\\x9d");
	char buf[64], in[] = {'a', 0, 'b'};
	struct text out = text_in(buf, sizeof buf);
	mime_decode_words(in, 3, &out);
	assert_string_equal(buf, "a\\x00b");
}

static void
test_bounds(void **state)
{
	(void)state;
	char buf[8];
	struct text out = text_in(buf, sizeof buf);
	const char *s = "=?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp?=";
	mime_decode_words(s, strlen(s), &out);
	assert_string_equal(buf, "\u00e9\u00e9\u00e9");
	assert_true(out.cut);
	out = text_in(buf, sizeof buf);
	s = "=?gb2312?B?suLK1LLiytSy4srU?=";
	mime_decode_words(s, strlen(s), &out);
	assert_string_equal(buf, "\u6d4b\u8bd5");
	/* a run longer than the buffer that joins words */
	size_t n = 3 * LIMIT_HEADER, words = n / 20;
	char *in = malloc(words * 20), *big = malloc(n);
	for (size_t i = 0; i < words; i++)
		memcpy(in + i * 20, "=?utf-8?Q?abcdefg?= ", 20);
	out = text_in(big, n);
	mime_decode_words(in, words * 20, &out);
	assert_int_equal(out.len, words * 7 + 1); /* and the last space */
	out = text_in(big, n);
	memset(in, 'a', words * 20);
	memcpy(in, "=?utf-8?Q?", 10);
	memcpy(in + words * 20 - 2, "?=", 2);
	mime_decode_words(in, words * 20, &out);
	assert_true(out.len >= LIMIT_HEADER);
	free(in);
	free(big);
}

/* Every prefix is read without a step past its end, and time stays linear. */
static void
test_prefixes(void **state)
{
	(void)state;
	const char *s = "a =?utf-8?Q?b=C3=A9?= =?gb2312?B?suLK1A==?= \xc3\xa9\xe9 =?x?q?y?=";
	for (size_t n = 0; n <= strlen(s); n++) {
		char buf[256], *in = copy_of(s, n);
		struct text out = text_in(buf, sizeof buf);
		mime_decode_words(in, n, &out);
		out = text_in(buf, sizeof buf);
		free(in);
	}
	static const char *const bad[] = {"=?", "=?a?q?", "=?utf-8?q?x",
	    "=?gbk?q?a?=", "=?gbk?q?a?==?big5?q?a?=", "=?utf-8?b?!"};
	char *in = malloc(1u << 20), *buf = malloc(1u << 20);
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		size_t n = k < 3 ? 1u << 20 : LIMIT_HEADER, w = strlen(bad[k]);
		for (size_t i = 0; i < n; i++)
			in[i] = bad[k][i % w];
		struct text out = text_in(buf, 1u << 20);
		clock_t from = clock();
		mime_decode_words(in, n, &out);
		assert_true(clock() - from < CLOCKS_PER_SEC);
	}
	free(in);
	free(buf);
}

static void
check_param(const char *value, const char *name, const char *want)
{
	char buf[LIMIT_TEXT + 1], *in = copy_of(value, strlen(value));
	struct text out = text_in(buf, sizeof buf);
	bool found = mime_param_text(in, strlen(value), name, &out);
	assert_string_equal(buf, want);
	assert_int_equal(found, want[0] != '\0');
	free(in);
}

static void
test_params(void **state)
{
	(void)state;
	check_param("text/plain; name=a.txt", "name", "a.txt");
	check_param("text/plain;NAME=\"a b;c.txt\" ; x=y", "Name", "a b;c.txt");
	check_param("text/plain; name=a.txt", "nam", "");
	check_param("text/plain; name=a.txt", "names", "");
	check_param("text/plain; name=", "name", "");
	check_param("text/plain; name=\"\"", "name", "");
	check_param("text/plain; name", "name", "");
	check_param("text/plain", "name", "");
	check_param("", "name", "");
	check_param("name=x", "name", ""); /* that is the value itself */
	check_param("attachment; filename=my file (1).pdf ; size=3", "filename", "my file (1).pdf");
	check_param("a; x=\"name=1\"; name=2", "name", "2");
	check_param("a (comment; name=1) ; (name=3;(n)) name=2", "name", "2");
	check_param("a; name=1; name=2", "name", "1");
	check_param("a; name=\"q\\\"u\\\\o\\te\"", "name", "q\"u\\o\\te");
	check_param("a; name=\"open", "name", "open");
	check_param("a; name=\"open\\", "name", "open\\");
	check_param("a;;; ; b ; =x; name = y", "name", "y");
	check_param("a; name=\"=?utf-8?Q?caf=C3=A9.txt?=\"", "name", "caf\u00e9.txt");
	check_param("a; name==?utf-8?Q?caf=C3=A9.txt?=", "name", "caf\u00e9.txt");
	check_param("a; name=\"caf\xe9\"", "name", "caf\u00e9");
}

static void
test_params_2231(void **state)
{
	(void)state;
	check_param("a; name*=utf-8'en'caf%C3%A9%20x.txt", "name", "caf\u00e9 x.txt");
	check_param("a; name*=utf-8''caf%C3%A9; name=cafe", "name", "caf\u00e9");
	check_param("a; name=cafe; name*=iso-8859-1''caf%e9", "name", "caf\u00e9");
	check_param("a; name*=\"utf-8''caf%C3%A9\"", "name", "caf\u00e9"); /* quoted, by mistake */
	check_param("a; name*=gb2312''%b2%e2", "name", "\u6d4b");
	check_param("a; name*=x-none''%b2", "name", "\u00b2");
	check_param("a; name*=%41b", "name", "Ab");
	check_param("a; name*=''%41%", "name", "A%");
	check_param("a; name*0=one; name*1=\" two\"; name*2=three", "name", "one twothree");
	check_param("a; name*1=two; name*0=one", "name", "onetwo");
	check_param("a; name*0*=utf-8''caf%C3; name*1*=%A9; name*2=%41", "name", "caf\u00e9%41");
	check_param("a; name*0*=gb2312''%b2; name*1*=%e2", "name", "\u6d4b");
	check_param("a; name*0=a; name*2=c", "name", "a");
	check_param("a; name*1=b", "name", "");
	check_param("a; name*0=\"=?utf-8?Q?=C3?=\"; name*1=\" =?utf-8?Q?=A9?=\"", "name", "\u00e9");
	check_param("a; name*x=b; name**=c", "name", "c");
	check_param("a; name*99999999999=b; name*0=c", "name", "c");
	char value[LIMIT_HEADER], want[LIMIT_TEXT + 1];
	struct text v = text_in(value, sizeof value), w = text_in(want, sizeof want);
	text_puts(&v, "a");
	for (unsigned i = 0; i < LIMIT_PARAM_PIECES + 5; i++)
		text_printf(&v, "; name*%u=%u.", i, i);
	for (unsigned i = 0; i < LIMIT_PARAM_PIECES; i++)
		text_printf(&w, "%u.", i);
	check_param(value, "name", want);
}

static void
test_octets(void **state)
{
	(void)state;
	char out[10];
	const char *s = "multipart/mixed; boundary=\"=_a\xff:?\"";
	assert_int_equal(mime_param_octets(s, strlen(s), "boundary", out, sizeof out), 6);
	assert_memory_equal(out, "=_a\xff:?", 6);
	assert_int_equal(mime_param_octets(s, strlen(s), "boundary", out, 5), 0);
	assert_int_equal(mime_param_octets(s, strlen(s), "other", out, sizeof out), 0);
	s = "m; boundary*0=ab; boundary*1=cd";
	assert_int_equal(mime_param_octets(s, strlen(s), "boundary", out, sizeof out), 4);
	assert_memory_equal(out, "abcd", 4);
	char buf[32];
	static const char *const tokens[][2] = {
	    {"Text/PLAIN; x", "text/plain"},
	    {" (c) Text/x (d)", "text/x"},
	    {"", ""},
	    {";", ""},
	    {"a/b", "a/b"},
	    {"a\x01/b", "a"},
	    {"a\xe9", "a"},
	};
	for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
		char *in = copy_of(tokens[i][0], strlen(tokens[i][0]));
		struct text t = text_in(buf, sizeof buf);
		mime_value_token(in, strlen(tokens[i][0]), &t);
		assert_string_equal(buf, tokens[i][1]);
		free(in);
	}
}

static void
test_param_prefixes(void **state)
{
	(void)state;
	const char *s = "a/b (x\\)) ; name*0*=utf-8'e'%41; name*1=\"q\\\"\"; name*2*=%4; name=x; z";
	char buf[64];
	for (size_t n = 0; n <= strlen(s); n++) {
		char *in = copy_of(s, n);
		struct text out = text_in(buf, sizeof buf);
		(void)mime_param_text(in, n, "name", &out);
		(void)mime_param_octets(in, n, "name", buf, sizeof buf);
		out = text_in(buf, sizeof buf);
		mime_value_token(in, n, &out);
		free(in);
	}
	static const char nul[] = "a; \0; na\0me=x; name=y\0z";
	struct text out = text_in(buf, sizeof buf);
	assert_true(mime_param_text(nul, sizeof nul - 1, "name", &out));
	assert_string_equal(buf, "y\\x00z");
}

/* ---- the labelled captures ---- */

/* Reads the JSON string at *p into out; false where there is none. */
static bool
json_string(const char **p, struct text *out)
{
	const char *s = *p;
	while (*s == ' ' || *s == '\n' || *s == ',' || *s == '[')
		s++;
	if (*s++ != '"')
		return false;
	for (; *s != '"'; s++) {
		if (*s != '\\') {
			text_putc(out, *s);
		} else if (*++s == 'u') {
			char hex[5] = {s[1], s[2], s[3], s[4], 0}, one[4];
			text_add(out, one, utf8_put(one, (uint32_t)strtoul(hex, NULL, 16)));
			s += 4;
		} else {
			text_putc(out, *s == 'n' ? '\n' : *s == 't' ? '\t' : *s);
		}
	}
	*p = s + 1;
	return true;
}

static int
check_labels(const char *json)
{
	int n = 0;
	for (const char *at = json; (at = strstr(at, "\"subjects_raw\":")) != NULL; at++) {
		const char *want_at = NULL;
		for (const char *w = json; (w = strstr(w, "\"subjects\":")) != NULL && w < at; w++)
			want_at = w;
		assert_non_null(want_at);
		const char *raw_at = strchr(at, '[');
		want_at = strchr(want_at, '[');
		for (;;) {
			static char raw[8192], want[8192], got[8192];
			struct text r = text_in(raw, sizeof raw), w = text_in(want, sizeof want),
				    g = text_in(got, sizeof got);
			if (!json_string(&raw_at, &r))
				break;
			assert_true(json_string(&want_at, &w));
			mime_decode_words(raw, r.len, &g);
			assert_string_equal(got, want);
			n++;
		}
	}
	return n;
}

static void
test_labels(void **state)
{
	(void)state;
	const char *shared = getenv("POSTCARD_SHARED");
	char path[600];
	snprintf(path, sizeof path, "%s/captures", shared != NULL ? shared : "../shared");
	DIR *dir = opendir(path);
	if (dir == NULL) {
		print_message("captures of others are not here: %s\n", path);
		skip();
	}
	int n = 0;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (strstr(e->d_name, ".labels.json") == NULL)
			continue;
		char file[900], *json = NULL;
		size_t len = 0;
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		FILE *f = fopen(file, "r");
		assert_non_null(f);
		if (getdelim(&json, &len, '\0', f) > 0)
			n += check_labels(json);
		free(json);
		fclose(f);
	}
	closedir(dir);
	assert_true(n > 0);
}

/* Where the C library can load no converter, as in an empty root, words stand as they came. */
static void
test_charsets_missing(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		static const char value[] =
		    "a =?big5?B?pKSk5Q==?= =?big5?B?pKQ=?= =?utf-8?Q?=C3=A9?=";
		char buf[LIMIT_SUBJECT + 1];
		struct text out = text_in(buf, sizeof buf);
		const struct rlimit none = {0, 0};
		bool good = setrlimit(RLIMIT_NOFILE, &none) == 0;
		mime_decode_words(value, sizeof value - 1, &out);
		good = good && strcmp(buf, "a =?big5?B?pKSk5Q==?= =?big5?B?pKQ=?=\u00e9") == 0;
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	check_words("=?big5?B?pKSk5Q==?=", "\u4e2d\u6587"); /* it is there */
}

static void
test_charsets_held(void **state)
{
	(void)state;
	struct mime_charsets c;
	mime_charsets_open(&c);
	int n = 0;
	for (size_t i = 0; i < MIME_CHARSETS; i++)
		n += c.held[i] != NULL;
	assert_true(n > 10);
	mime_charsets_close(&c);
	mime_charsets_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_charsets_missing), /* before one is loaded */
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_split_character),
	    cmocka_unit_test(test_charsets),
	    cmocka_unit_test(test_octet_sets),
	    cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_raw),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_prefixes),
	    cmocka_unit_test(test_params),
	    cmocka_unit_test(test_params_2231),
	    cmocka_unit_test(test_octets),
	    cmocka_unit_test(test_param_prefixes),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_charsets_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
