/*
 * Encoded words and parameters: see mime_words.h and mime.h.
 *
 * Everything works on one field value of at most LIMIT_HEADER octets; time is linear in it. Damaged
 * encodings are shown as well as they can be: an octet that means nothing in its character set
 * becomes U+FFFD, a word that is none stays as it stands.  Adjacent words of one character set are
 * joined before they are converted, because many a mailer cuts a character in two (RFC 2047 section
 * 5 forbids it).
 *
 * Raw octets that are not UTF-8, and ISO-8859-1, are read as Windows-1252, which is ISO-8859-1 with
 * letters where that has the C1 controls: mail that says the one means the other.  In the same way
 * GB2312 is read as GB18030, KS C 5601 as CP949 and Shift_JIS as CP932, which contain them.
 *
 * UTF-7 is not decoded: no mail program of today does (Thunderbird gave it up, the WHATWG forbids
 * it), so its words show encoded to readers; and it would let plain ASCII, which passes every
 * filter before us, become any other text.
 */
#include "mail/mime_words.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/limits.h"
#include "base/scan.h"
#include "mail/octet_sets.h"

/* A character set: its name in mail, and what tells its octets apart; neither for UTF-8 and for
 * Windows-1252, which raw octets are read as, too. */
struct charset {
	const char *name;
	const char16_t *octets; /* from 0x80 on: see octet_sets.h */
	const char *iconv_name;
};

static const struct charset as_utf8 = {.name = "utf-8"}, as_latin = {.name = "windows-1252"};

/* Sets that are the same to iconv stand together: mime_charsets_open opens the first. */
static const struct charset charsets[] = {
    {"iso-8859-2", .octets = iso_8859_2},
    {"latin2", .octets = iso_8859_2},
    {"iso-8859-3", .octets = iso_8859_3},
    {"iso-8859-4", .octets = iso_8859_4},
    {"iso-8859-5", .octets = iso_8859_5},
    {"iso-8859-6", .octets = iso_8859_6},
    {"iso-8859-7", .octets = iso_8859_7},
    {"iso-8859-8", .octets = iso_8859_8},
    {"iso-8859-8-i", .octets = iso_8859_8},
    {"iso-8859-9", .octets = cp1254},
    {"windows-1254", .octets = cp1254},
    {"cp1254", .octets = cp1254},
    {"iso-8859-10", .octets = iso_8859_10},
    {"iso-8859-11", .octets = tis_620},
    {"tis-620", .octets = tis_620},
    {"windows-874", .octets = tis_620},
    {"iso-8859-13", .octets = iso_8859_13},
    {"iso-8859-14", .octets = iso_8859_14},
    {"iso-8859-15", .octets = iso_8859_15},
    {"latin-9", .octets = iso_8859_15},
    {"iso-8859-16", .octets = iso_8859_16},
    {"windows-1250", .octets = cp1250},
    {"cp1250", .octets = cp1250},
    {"windows-1251", .octets = cp1251},
    {"cp1251", .octets = cp1251},
    {"windows-1253", .octets = cp1253},
    {"cp1253", .octets = cp1253},
    {"windows-1255", .iconv_name = "CP1255"},
    {"windows-1256", .octets = cp1256},
    {"windows-1257", .octets = cp1257},
    {"windows-1258", .iconv_name = "CP1258"},
    {"koi8-r", .octets = koi8_r},
    {"koi8-u", .octets = koi8_u},
    {"ibm866", .octets = cp866},
    {"cp866", .octets = cp866},
    {"macintosh", .octets = macintosh},
    {"x-mac-roman", .octets = macintosh},
    {"gb2312", .iconv_name = "GB18030"},
    {"gbk", .iconv_name = "GB18030"},
    {"gb18030", .iconv_name = "GB18030"},
    {"cp936", .iconv_name = "GB18030"},
    {"x-gbk", .iconv_name = "GB18030"},
    {"big5", .iconv_name = "BIG5"},
    {"big5-hkscs", .iconv_name = "BIG5-HKSCS"},
    {"euc-kr", .iconv_name = "CP949"},
    {"ks_c_5601-1987", .iconv_name = "CP949"},
    {"ksc5601", .iconv_name = "CP949"},
    {"cp949", .iconv_name = "CP949"},
    {"shift_jis", .iconv_name = "CP932"},
    {"shift-jis", .iconv_name = "CP932"},
    {"sjis", .iconv_name = "CP932"},
    {"x-sjis", .iconv_name = "CP932"},
    {"cp932", .iconv_name = "CP932"},
    {"windows-31j", .iconv_name = "CP932"},
    {"euc-jp", .iconv_name = "EUC-JP"},
    {"iso-2022-jp", .iconv_name = "ISO-2022-JP"},
    {"iso-2022-kr", .iconv_name = "ISO-2022-KR"},
    {"utf-16be", .iconv_name = "UTF-16BE"},
    {"utf-16", .iconv_name = "UTF-16BE"}, /* RFC 2781 section 4.3; UTF-16LE where it says so */
    {"utf-16le", .iconv_name = "UTF-16LE"},
};

#define CHARSETS (sizeof charsets / sizeof charsets[0])
_Static_assert(CHARSETS <= MIME_CHARSETS, "struct mime_charsets is too small");

/* U+0080 to U+009F as Windows-1252 has them; 0 where it has nothing. */
static const uint16_t windows_1252[32] = {
    0x20ac,
    0,
    0x201a,
    0x0192,
    0x201e,
    0x2026,
    0x2020,
    0x2021,
    0x02c6,
    0x2030,
    0x0160,
    0x2039,
    0x0152,
    0,
    0x017d,
    0,
    0,
    0x2018,
    0x2019,
    0x201c,
    0x201d,
    0x2022,
    0x2013,
    0x2014,
    0x02dc,
    0x2122,
    0x0161,
    0x203a,
    0x0153,
    0,
    0x017e,
    0x0178,
};

void
mime_charsets_open(struct mime_charsets *c)
{
	memset(c, 0, sizeof *c);
	const char *before = "";
	for (size_t i = 0; i < CHARSETS; i++) {
		const char *name = charsets[i].iconv_name;
		if (name == NULL || strcmp(name, before) == 0)
			continue;
		before = name;
		iconv_t cd = iconv_open("UTF-8", name);
		c->held[i] = cd != (iconv_t)-1 ? cd : NULL;
	}
}

void
mime_charsets_close(struct mime_charsets *c)
{
	for (size_t i = 0; i < MIME_CHARSETS; i++) {
		if (c->held[i] != NULL)
			(void)iconv_close(c->held[i]);
	}
	memset(c, 0, sizeof *c);
}

/* The character set of that name, without its language (RFC 2231 section 5); NULL if not known. */
static const struct charset *
charset_named(const char *name, size_t len)
{
	static const char *const utf8[] = {"utf-8", "utf8", "us-ascii", "ascii"};
	static const char *const latin[] = {"iso-8859-1", "windows-1252", "cp1252", "latin1",
	    "iso8859-1", "iso_8859-1"};
	const char *star = memchr(name, '*', len);
	if (star != NULL)
		len = (size_t)(star - name);
	for (size_t i = 0; i < sizeof utf8 / sizeof utf8[0]; i++) {
		if (ascii_is(name, len, utf8[i]))
			return &as_utf8;
	}
	for (size_t i = 0; i < sizeof latin / sizeof latin[0]; i++) {
		if (ascii_is(name, len, latin[i]))
			return &as_latin;
	}
	for (size_t i = 0; i < CHARSETS; i++) {
		if (ascii_is(name, len, charsets[i].name))
			return &charsets[i];
	}
	return NULL;
}

static void
add_latin(struct text *out, const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len && !out->cut; i++) {
		uint16_t cp = s[i] >= 0x80 && s[i] < 0xa0 ? windows_1252[s[i] - 0x80] : s[i];
		char one[4];
		size_t n = utf8_put(one, cp != 0 ? cp : s[i]);
		text_add_wire(out, one, n);
	}
}

/* Octets of a set that is a table. */
static void
add_octets(struct text *out, const char16_t *octets, const uint8_t *s, size_t len)
{
	char buf[512];
	size_t n = 0;
	for (size_t i = 0; i < len && !out->cut; i++) {
		n += utf8_put(buf + n, s[i] < 0x80 ? s[i] : octets[s[i] - 0x80]);
		if (i + 1 < len && sizeof buf - n >= 4)
			continue;
		text_add_wire(out, buf, n);
		n = 0;
	}
}

/* Octets of no declared character set; a tab is the space that it stands for. */
static void
add_raw(struct text *out, const void *octets, size_t len)
{
	const uint8_t *s = octets;
	size_t from = 0;
	for (size_t i = 0; i < len && !out->cut;) {
		bool ascii = s[i] < 0x80; /* most are, and need no call to tell */
		size_t n = ascii ? 1 : utf8_char(s + i, len - i);
		if (n > 0 && s[i] != '\t') {
			i += n;
			continue;
		}
		text_add_wire(out, s + from, i - from);
		if (n > 0)
			text_putc(out, ' ');
		else
			add_latin(out, s + i, 1);
		from = ++i;
	}
	text_add_wire(out, s + from, len - from);
}

/* Octets of the smallest unit of a character set. */
static size_t
unit_of(const char *from)
{
	return strncmp(from, "UTF-16", 6) == 0 ? 2 : 1;
}

/* False, and nothing added, where the C library has no such converter. */
static bool
add_iconv(struct text *out, const char *from, const uint8_t *s, size_t len)
{
	size_t unit = unit_of(from);
	if (unit == 2 && len >= 2 &&
	    (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0)) {
		from = s[0] == 0xff ? "UTF-16LE" : "UTF-16BE"; /* a mark of the order comes first */
		s += 2;
		len -= 2;
	}
	iconv_t cd = iconv_open("UTF-8", from);
	if (cd == (iconv_t)-1)
		return false;
	char *in = (char *)(uintptr_t)s, buf[512]; /* iconv(3) does not write there */
	for (size_t left = len; !out->cut;) {
		char *to = buf;
		size_t room = sizeof buf;
		bool flush = left == 0;
		size_t r = iconv(cd, flush ? NULL : &in, flush ? NULL : &left, &to, &room);
		bool full = r == (size_t)-1 && errno == E2BIG;
		text_add_wire(out, buf, (size_t)(to - buf));
		if (flush || (full && to == buf))
			break;
		if (r == (size_t)-1 && !full) {
			text_puts(out, "\xef\xbf\xbd");
			in += left < unit ? left : unit;
			left -= left < unit ? left : unit;
		}
	}
	(void)iconv_close(cd);
	return true;
}

static bool
add_charset(struct text *out, const struct charset *cs, const uint8_t *s, size_t len)
{
	if (cs->iconv_name != NULL)
		return add_iconv(out, cs->iconv_name, s, len);
	if (cs->octets != NULL)
		add_octets(out, cs->octets, s, len);
	else if (cs == &as_latin)
		add_latin(out, s, len);
	else
		add_raw(out, s, len);
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes "=XX" (and "_", RFC 2047 section 4.2) or "%XX" (RFC 2231 section 4).  Writes at most `cap`
 * octets, returns how many. */
static size_t
unescape(const char *s, size_t len, char mark, uint8_t *out, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < len && n < cap; i++) {
		int high = s[i] == mark && len - i > 2 ? hex_value(s[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s[i + 2]) : -1;
		if (low >= 0) {
			out[n++] = (uint8_t)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = mark == '=' && s[i] == '_' ? ' ' : (uint8_t)s[i];
		}
	}
	return n;
}

struct word {
	const struct charset *cs;
	bool base64;	  /* "B"; else "Q" */
	const char *text; /* encoded, inside the value */
	size_t text_len;
	size_t len; /* of the whole word */
};

/*
 * The encoded word that begins at s ("=?" charset "?" encoding "?" text "?=", RFC 2047 section 2).
 * Spaces in the text are tolerated, the beginning of another word is not, which also keeps the
 * time linear.
 */
static bool
word_at(const char *s, size_t len, struct word *w)
{
	if (len < 7 || s[0] != '=' || s[1] != '?')
		return false;
	const char *name = s + 2, *q = memchr(name, '?', len - 2 < 64 ? len - 2 : 64);
	if (q == NULL || len - (size_t)(q - s) < 5 || q[2] != '?')
		return false;
	char encoding = ascii_lower(q[1]);
	if (encoding != 'b' && encoding != 'q')
		return false;
	w->text = q + 3;
	for (const char *e = w->text;; e++) {
		size_t left = len - (size_t)(e - s);
		if (left < 2)
			return false;
		if (e[0] == '?' && e[1] == '=') {
			w->text_len = (size_t)(e - w->text);
			break;
		}
		if (e[0] == '=' && e[1] == '?' && left > 2 && e[2] != '=')
			return false;
	}
	uint8_t first;
	w->base64 = encoding == 'b';
	if (w->base64 && w->text_len > 0 && base64_decode(w->text, w->text_len, &first, 1) == 0)
		return false;
	w->len = (size_t)(w->text - s) + w->text_len + 2;
	w->cs = charset_named(name, (size_t)(q - name));
	return w->cs != NULL;
}

static bool
is_blank(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n')
			return false;
	}
	return true;
}

/* Adjacent words of one character set, decoded but not yet converted. */
struct run {
	const struct charset *cs; /* NULL: no words are waiting */
	const char *from;	  /* where the first of them begins in the value */
	size_t len;		  /* octets in raw */
	uint8_t raw[LIMIT_HEADER];
};

static void
run_flush(struct run *run, const char *end, struct text *out)
{
	if (run->cs != NULL && !add_charset(out, run->cs, run->raw, run->len))
		add_raw(out, run->from, (size_t)(end - run->from));
	run->cs = NULL;
	run->len = 0;
}

void
mime_decode_words(const char *value, size_t len, struct text *out)
{
	/* cppcheck-suppress uninitvar ; raw is written before it is read, and clearing 4 KiB costs
	 */
	struct run run;
	run.cs = NULL;
	run.len = 0;
	const char *raw = value, *end = value + len; /* what is not yet shown begins at raw */
	for (const char *p = value; p < end && !out->cut;) {
		struct word w;
		if (*p != '=' || !word_at(p, (size_t)(end - p), &w)) {
			p++;
			continue;
		}
		if (run.cs == NULL || !is_blank(raw, (size_t)(p - raw))) {
			run_flush(&run, raw, out);
			add_raw(out, raw, (size_t)(p - raw));
		}
		if (run.cs != w.cs || w.text_len > sizeof run.raw - run.len)
			run_flush(&run, raw, out);
		if (run.cs == NULL)
			run.from = p;
		run.cs = w.cs;
		uint8_t *to = run.raw + run.len;
		size_t room = sizeof run.raw - run.len;
		run.len += w.base64 ? base64_decode(w.text, w.text_len, to, room)
				    : unescape(w.text, w.text_len, '=', to, room);
		p += w.len;
		raw = p;
	}
	run_flush(&run, raw, out);
	add_raw(out, raw, (size_t)(end - raw));
}

/* ---- parameters ---- */

struct param {
	const char *name;
	size_t name_len;
	const char *value; /* as it stands, without its quotes */
	size_t value_len;
	bool quoted;
};

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* Past white space, semicolons and comments (RFC 5322 section 3.2.2), which may nest. */
static const char *
skip_between(const char *p, const char *end)
{
	for (unsigned depth = 0; p < end; p++) {
		if (*p == '\\' && depth > 0 && p + 1 < end)
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (depth == 0 && *p != ' ' && *p != '\t' && *p != ';')
			break;
	}
	return p;
}

/* What ends a parameter's name, its value, a value's first token, or all before the parameters: a
 * bit of each octet (to search among them for each was a fiftieth of a worker's instructions). */
#define ENDS_NAME  1u
#define ENDS_VALUE 2u
#define ENDS_TOKEN 4u
#define ENDS_FIRST 8u
static const uint8_t ends[256] = {
    ['='] = ENDS_NAME,
    [';'] = ENDS_NAME | ENDS_VALUE | ENDS_TOKEN | ENDS_FIRST,
    ['('] = ENDS_TOKEN | ENDS_FIRST,
    [' '] = ENDS_NAME | ENDS_TOKEN,
    ['\t'] = ENDS_NAME | ENDS_TOKEN,
};

static const char *
token_end(const char *p, const char *end, unsigned bit)
{
	return p + scan_class(p, (size_t)(end - p), ends, bit);
}

/* The next parameter at *p, which is moved past it. */
static bool
param_next(const char **at, const char *end, struct param *param)
{
	for (const char *p = *at;;) {
		p = skip_between(p, end);
		if (p == end)
			return false;
		const char *name_end = token_end(p, end, ENDS_NAME);
		param->name = p;
		param->name_len = (size_t)(name_end - p);
		p = skip_blanks(name_end, end);
		if (p == end || *p != '=')
			continue; /* a word without a value */
		p = skip_blanks(p + 1, end);
		param->quoted = p < end && *p == '"';
		param->value = p + param->quoted;
		if (param->quoted) {
			for (p++; p < end && *p != '"'; p++) {
				if (*p == '\\' && p + 1 < end)
					p++;
			}
			param->value_len = (size_t)(p - param->value);
			p += p < end;
		} else {
			p = token_end(p, end, ENDS_VALUE);
			param->value_len = (size_t)(p - param->value);
			while (param->value_len > 0 && is_blank(p - 1, 1)) {
				param->value_len--;
				p--;
			}
		}
		*at = p;
		return true;
	}
}

/* Copies a value without its quoting.  A backslash before another character than '"' and '\' is
 * kept: it is a path on Windows, and no quoting. */
static size_t
unquote(const struct param *param, uint8_t *out, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < param->value_len && n < cap; i++) {
		const char *c = param->value + i;
		if (param->quoted && *c == '\\' && i + 1 < param->value_len &&
		    (c[1] == '"' || c[1] == '\\')) {
			i++;
			c++;
		}
		out[n++] = (uint8_t)*c;
	}
	return n;
}

/* A parameter put together, still in its character set. */
struct param_octets {
	uint8_t octets[LIMIT_PARAM];
	size_t len;
	bool extended;		  /* percent-encoded (RFC 2231): no encoded words in it */
	const struct charset *cs; /* as declared; NULL for none or an unknown one */
};

static void
param_add(struct param_octets *to, const struct param *param, bool extended, bool first)
{
	uint8_t *out = to->octets + to->len;
	size_t cap = sizeof to->octets - to->len;
	if (!extended) {
		to->len += unquote(param, out, cap);
		return;
	}
	const char *s = param->value, *end = s + param->value_len;
	const char *lang = first && s < end ? memchr(s, '\'', (size_t)(end - s)) : NULL;
	const char *text = lang != NULL ? memchr(lang + 1, '\'', (size_t)(end - lang - 1)) : NULL;
	if (text != NULL) {
		to->cs = charset_named(s, (size_t)(lang - s));
		s = text + 1;
	}
	to->extended = true;
	to->len += unescape(s, (size_t)(end - s), '%', out, cap);
}

/* Which form of the parameter `name` this is (RFC 2231 section 3): -1 for none, 0 for the plain
 * one, 1 for "name*", 2 + N for piece N of it ("name*N" and "name*N*"). */
static int
param_form(const struct param *param, const char *name, bool *extended)
{
	size_t n = strlen(name), len = param->name_len;
	const char *s = param->name;
	if (!ascii_begins(s, len, name))
		return -1;
	*extended = len > n + 1 && s[len - 1] == '*';
	len -= *extended;
	if (len == n)
		return 0;
	if (s[n] != '*')
		return -1;
	if (len == n + 1) {
		*extended = true;
		return 1;
	}
	int piece = 0;
	for (size_t i = n + 1; i < len; i++) {
		if (s[i] < '0' || s[i] > '9' || piece >= (int)LIMIT_PARAM_PIECES)
			return -1;
		piece = piece * 10 + (s[i] - '0');
	}
	return piece < (int)LIMIT_PARAM_PIECES ? 2 + piece : -1;
}

static bool
param_find(const char *value, size_t len, const char *name, struct param_octets *to)
{
	struct param forms[2 + LIMIT_PARAM_PIECES], param; /* by form; the first of each counts */
	bool have[2 + LIMIT_PARAM_PIECES] = {false}, is_extended[2 + LIMIT_PARAM_PIECES];
	const char *end = value + len, *p = token_end(value, end, ENDS_FIRST);
	while (param_next(&p, end, &param)) {
		bool extended;
		int form = param_form(&param, name, &extended);
		if (form >= 0 && !have[form]) {
			have[form] = true;
			forms[form] = param;
			is_extended[form] = extended;
		}
	}
	to->len = 0;
	to->extended = false;
	to->cs = NULL;
	if (have[1]) {
		param_add(to, &forms[1], true, true);
	} else if (have[2]) {
		for (size_t i = 2; i < 2 + LIMIT_PARAM_PIECES && have[i]; i++)
			param_add(to, &forms[i], is_extended[i], i == 2);
	} else if (have[0]) {
		param_add(to, &forms[0], false, true);
	}
	return to->len > 0;
}

void
mime_value_token(const char *value, size_t len, struct text *out)
{
	const char *end = value + len, *p = skip_between(value, end);
	size_t n = scan_printable(p, (size_t)(token_end(p, end, ENDS_TOKEN) - p));
	size_t from = out->len;
	text_add(out, p, n);
	for (; from < out->len; from++)
		out->buf[from] = ascii_lower(out->buf[from]);
}

size_t
mime_param_octets(const char *value, size_t len, const char *name, char *out, size_t cap)
{
	struct param_octets found;
	if (!param_find(value, len, name, &found) || found.len > cap)
		return 0;
	memcpy(out, found.octets, found.len);
	return found.len;
}

bool
mime_param_text(const char *value, size_t len, const char *name, struct text *out)
{
	struct param_octets found;
	if (!param_find(value, len, name, &found))
		return false;
	if (!found.extended)
		mime_decode_words((const char *)found.octets, found.len, out);
	else if (found.cs == NULL || !add_charset(out, found.cs, found.octets, found.len))
		add_raw(out, found.octets, found.len);
	return true;
}
