/*
 * A page of text: see page.h.  One thread writes, so stdio need not lock; and it is called for many
 * lines at once, of which 4,096 cards have 78,000 with ten pieces each.  Nearly all is ASCII that
 * fits: it is looked at once and copied.
 */
#include "sink/page.h"

#include <string.h>

#include "base/cursor.h"
#include "base/text.h"

/* ECMA-48 SGR, of the sixteen colours that every terminal theme defines. */
static const char *const sgr[STYLES] = {
    [STYLE_PLAIN] = "",
    [STYLE_BOLD] = "\x1b[1m",
    [STYLE_DIM] = "\x1b[2m",
    [STYLE_ALARM] = "\x1b[1;97;41m",
    [STYLE_RED] = "\x1b[1;31m",
    [STYLE_YELLOW] = "\x1b[33m",
    [STYLE_GREEN] = "\x1b[32m",
    [STYLE_CYAN] = "\x1b[36m",
};

#define SGR_OFF "\x1b[0m"

struct range {
	uint32_t from, to;
};

/* Blocks whose characters take no column (combining marks, joiners, variation selectors) ... */
static const struct range none[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},
    {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0000, 0xe01ef}};

/* ... and two (East Asian Wide and Fullwidth of UAX 11, and emoji), by blocks. */
static const struct range wide[] = {{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a},
    {0x23e9, 0x23ec}, {0x2614, 0x2615}, {0x26aa, 0x26ab}, {0x2705, 0x2705}, {0x2728, 0x2728},
    {0x274c, 0x274c}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797}, {0x2b1b, 0x2b1c},
    {0x2b50, 0x2b50}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7a3},
    {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18aff},
    {0x1b000, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e},
    {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f7e0, 0x1f7eb}, {0x1f90c, 0x1faff}, {0x20000, 0x3fffd}};

/* Ranges ascend, so that what is drawn most, lines and boxes, is soon past them. */
static bool
is_in(const struct range *r, size_t n, uint32_t c)
{
	size_t i = 0;
	while (i < n && c > r[i].to)
		i++;
	return i < n && c >= r[i].from;
}

/* Octets and columns of the character at s; what is not UTF-8 counts as one of each. */
static size_t
char_at(const char *s, size_t len, unsigned *columns)
{
	const uint8_t *u = (const uint8_t *)s;
	size_t n = utf8_char(u, len);
	*columns = 1;
	if (n <= 1)
		return 1;
	uint32_t c = u[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (u[i] & 0x3fu);
	if (is_in(none, sizeof none / sizeof *none, c))
		*columns = 0;
	else if (is_in(wide, sizeof wide / sizeof *wide, c))
		*columns = 2;
	return n;
}

/* Octets at the beginning of s that are ASCII: one column each. */
static size_t
ascii_run(const char *s, size_t len)
{
	const uint64_t high = 0x8080808080808080u;
	size_t i = 0;
	for (uint64_t w; len - i > sizeof w; i += sizeof w) {
		memcpy(&w, s + i, sizeof w);
		if ((w & high) != 0)
			break;
	}
	if (len - i <= sizeof high && (load_word(s + i, len - i) & high) == 0)
		return len;
	while ((uint8_t)s[i] < 0x80)
		i++;
	return i;
}

unsigned
page_width(const char *s, size_t len)
{
	size_t i = ascii_run(s, len);
	unsigned width = (unsigned)i, columns;
	for (; i < len; width += columns)
		i += char_at(s + i, len - i, &columns);
	return width;
}

/* Octets of the longest beginning of s that takes at most `columns`. */
static size_t
head_of(const char *s, size_t len, unsigned columns)
{
	size_t i = 0;
	for (unsigned width = 0, c; i < len;) {
		size_t n = char_at(s + i, len - i, &c);
		if (width + c > columns)
			break;
		width += c;
		i += n;
	}
	return i;
}

/* Where the end of s begins that takes at most `columns`. */
static size_t
tail_of(const char *s, size_t len, unsigned columns)
{
	unsigned width = page_width(s, len), c;
	size_t i = 0;
	while (i < len && width > columns) {
		i += char_at(s + i, len - i, &c);
		width -= c;
	}
	return i;
}

void
page_write(struct page *p)
{
	if (p->out == NULL)
		p->over = true;
	else if (p->used > 0)
		(void)fwrite_unlocked(p->text, 1, p->used, p->out);
	p->used = 0;
}

/* What is longer than the room that there is. */
static void
long_out(struct page *p, const char *s, size_t len)
{
	for (size_t n; len > 0; s += n, len -= n) {
		n = sizeof p->text - p->used;
		n = n < len ? n : len;
		memcpy(p->text + p->used, s, n);
		p->used += (unsigned)n;
		if (p->used == sizeof p->text)
			page_write(p);
	}
}

static inline void
octets_out(struct page *p, const char *s, size_t len)
{
	if (len >= sizeof p->text - p->used) {
		long_out(p, s, len);
		return;
	}
	memcpy(p->text + p->used, s, len);
	p->used += (unsigned)len;
}

static void
string_out(struct page *p, const char *s)
{
	octets_out(p, s, strlen(s));
}

static inline void
blanks_out(struct page *p)
{
	static const char blanks[] = "                                ";
	for (unsigned n; p->blanks > 0; p->blanks -= n) {
		n = p->blanks < sizeof blanks - 1 ? p->blanks : sizeof blanks - 1;
		octets_out(p, blanks, n);
	}
}

/* Writes octets that fit for who reads ASCII: a "?" for each column of what is not. */
static void
ascii_out(struct page *p, const char *s, size_t len)
{
	unsigned columns;
	size_t plain = ascii_run(s, len);
	octets_out(p, s, plain);
	for (size_t i = plain; i < len;) {
		size_t n = char_at(s + i, len - i, &columns);
		if (n == 1)
			octets_out(p, s + i, 1);
		for (unsigned c = n == 1 ? 0 : columns; c > 0; c--)
			octets_out(p, "?", 1);
		i += n;
	}
}

/* Writes octets that fit, `width` columns of them; blanks at their end wait for what follows. */
static inline void
emit(struct page *p, const char *s, size_t len, unsigned width)
{
	unsigned blanks = 0;
	p->column += width;
	for (; len > 0 && s[len - 1] == ' '; len--)
		blanks++;
	if (len > 0)
		blanks_out(p);
	p->blanks += blanks;
	if (p->unicode)
		octets_out(p, s, len);
	else
		ascii_out(p, s, len);
}

/* Before anything is written: the blanks before it, and its style. */
static void
style_on(struct page *p, enum style style)
{
	blanks_out(p);
	if (p->colour && style != STYLE_PLAIN)
		string_out(p, sgr[style]);
}

static void
style_off(struct page *p, enum style style)
{
	if (p->colour && style != STYLE_PLAIN)
		string_out(p, SGR_OFF);
}

/* An ellipsis takes one column or two. */
static unsigned
ellipsis_width(const struct page *p)
{
	return p->unicode ? 1 : 2;
}

static void
ellipsis(struct page *p)
{
	blanks_out(p);
	string_out(p, p->unicode ? "\xe2\x80\xa6" : "..");
	p->column += ellipsis_width(p);
}

/* Writes s in at most `room` columns, `tail` of which are for its end where it must be cut. */
static void
put_within(struct page *p, enum style style, const char *s, size_t len, unsigned room,
    unsigned tail)
{
	if (room > p->columns - p->column)
		room = p->columns - p->column;
	if (len == 0 || room == 0)
		return;
	style_on(p, style);
	unsigned dots = ellipsis_width(p), width = page_width(s, len);
	if (width <= room) {
		emit(p, s, len, width);
	} else if (room <= dots) {
		size_t head = head_of(s, len, room);
		emit(p, s, head, page_width(s, head));
	} else {
		if (tail > room - dots)
			tail = (room - dots) / 2;
		size_t from = tail_of(s, len, tail), head = head_of(s, len, room - dots - tail);
		emit(p, s, head, page_width(s, head));
		ellipsis(p);
		emit(p, s + from, len - from, page_width(s + from, len - from));
	}
	style_off(p, style);
}

void
page_put(struct page *p, enum style style, const char *s)
{
	put_within(p, style, s, strlen(s), p->columns, 0);
}

void
page_put_middle(struct page *p, enum style style, const char *s, unsigned columns)
{
	put_within(p, style, s, strlen(s), columns, columns / 2);
}

void
page_tab(struct page *p, unsigned to)
{
	to = to < p->columns ? to : p->columns;
	if (to > p->column) {
		p->blanks += to - p->column;
		p->column = to;
	}
}

/* Of eight octets: is one a blank, and the one behind it, too? */
static bool
two_blanks_at(const char *s)
{
	const uint64_t sevens = 0x7f7f7f7f7f7f7f7fu, blanks = 0x2020202020202020u;
	uint64_t w;
	memcpy(&w, s, sizeof w);
	w ^= blanks; /* now a blank is zero */
	w = ~(((w & sevens) + sevens) | w | sevens);
	return (w & w >> 8) != 0;
}

/* Do two blanks stand side by side? */
static bool
has_two_blanks(const char *s, size_t len)
{
	if (len < 8) {
		for (size_t i = 0; i + 1 < len; i++) {
			if (s[i] == ' ' && s[i + 1] == ' ')
				return true;
		}
		return false;
	}
	for (size_t i = 0; i + 8 < len; i += 7) {
		if (two_blanks_at(s + i))
			return true;
	}
	return two_blanks_at(s + len - 8);
}

/* Octets of the word at s. */
static size_t
word_len(const char *s, size_t len)
{
	const char *blank = memchr(s, ' ', len);
	return blank != NULL ? (size_t)(blank - s) : len;
}

/*
 * Octets of the words at s that fit into the line together behind `blank` blanks: ASCII with single
 * blanks between them, which is what nearly all is, put at once (a report of 4,096 cards
 * is 0.6 million words).  0 where that is not so, or not even one fits.
 */
static size_t
words_that_fit(const struct page *p, const char *s, size_t len, unsigned blank)
{
	size_t taken = p->column + blank, room = taken < p->columns ? p->columns - taken : 0;
	size_t n = ascii_run(s, len < room + 1 ? len : room + 1);
	if (n < len && n <= room)
		return 0; /* something else is in it */
	if (n > room) {
		while (n > 0 && s[--n] != ' ')
			continue;
	}
	return !has_two_blanks(s, n) && (n == 0 || s[n - 1] != ' ') ? n : 0;
}

/* Is there room for the word at s behind `blank` blanks? */
static bool
word_fits(const struct page *p, const char *s, size_t len, unsigned blank)
{
	return p->column + blank + page_width(s, word_len(s, len)) <= p->columns;
}

void
page_wrap(struct page *p, enum style style, unsigned indent, const char *s)
{
	const char *end = s + strlen(s);
	bool styled = p->colour && style != STYLE_PLAIN;
	for (unsigned blank = 0;; blank = 1) {
		while (s < end && *s == ' ')
			s++;
		if (s == end)
			return;
		size_t left = (size_t)(end - s),
		       run = styled ? 0 : words_that_fit(p, s, left, blank);
		if (run == 0 && p->column > indent && !word_fits(p, s, left, blank)) {
			page_line(p);
			page_tab(p, indent);
			blank = 0;
			run = styled ? 0 : words_that_fit(p, s, left, 0);
		}
		page_tab(p, p->column + blank);
		if (run > 0) {
			emit(p, s, run, (unsigned)run);
			s += run;
		} else {
			size_t len = word_len(s, left);
			put_within(p, style, s, len, p->columns, p->columns / 3);
			s += len;
		}
	}
}

void
page_line(struct page *p)
{
	octets_out(p, "\n", 1);
	p->column = p->blanks = 0;
	p->lines++;
}

void
page_put_lines(struct page *p, const char *lines, size_t len)
{
	octets_out(p, lines, len);
}

void
page_rule(struct page *p, enum style style, unsigned n)
{
	static const char lines[] =
	    "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"
	    "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"
	    "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80";
	const char *s = p->unicode ? lines : "----------------";
	unsigned room = p->columns > p->column ? p->columns - p->column : 0;
	n = n < room ? n : room;
	p->column += n;
	style_on(p, style);
	for (unsigned many; n > 0; n -= many) {
		many = n < 16 ? n : 16;
		octets_out(p, s, (p->unicode ? 3 : 1) * many);
	}
	style_off(p, style);
}

void
page_bar(struct page *p, enum style style, double share, unsigned columns)
{
	static const char *const part[] = {"", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d",
	    "\xe2\x96\x8c", "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89"};
	unsigned per = p->unicode ? 8 : 1; /* steps in a column */
	unsigned steps = (unsigned)(share * columns * per + 0.5);
	if (steps == 0 && share > 0)
		steps = 1;
	style_on(p, style);
	for (; steps >= per && p->column < p->columns; steps -= per, p->column++)
		string_out(p, p->unicode ? "\xe2\x96\x88" : "#");
	if (steps > 0 && steps < per && p->column < p->columns) {
		string_out(p, part[steps]);
		p->column++;
	}
	style_off(p, style);
}
