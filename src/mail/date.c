/*
 * Dates of mail: see date.h.  Words and numbers are taken one by one; years of two digits and the
 * named zones of RFC 5322 section 4.3 are read, the military letters but Z are not: their meaning
 * is in doubt there.
 */
#include "mail/date.h"

#include <string.h>

#include "base/scan.h"
#include "base/text.h"

struct rest {
	const char *s;
	size_t len;
};

struct moment {
	int year, month, day; /* month from 0 */
	int hour, minute, second;
};

/* What stands between words. */
static const uint8_t between[256] = {
    [' '] = 1,
    ['\t'] = 1,
    ['\r'] = 1,
    ['\n'] = 1,
    [','] = 1,
    ['('] = 1,
    [')'] = 1,
};

static void
skip(struct rest *r, size_t n)
{
	r->s += n;
	r->len -= n;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes the next word; false where there is none. */
static bool
next_word(struct rest *r, struct rest *word)
{
	while (r->len > 0 && between[(uint8_t)*r->s])
		skip(r, 1);
	*word = (struct rest){r->s, scan_class(r->s, r->len, between, 1)};
	skip(r, word->len);
	return word->len > 0;
}

/* Takes `least` to `most` digits off the word's beginning; how many, 0 where there are less. */
static size_t
take_number(struct rest *word, size_t least, size_t most, int *out)
{
	size_t n = 0;
	for (*out = 0; n < word->len && n < most && is_digit(word->s[n]); n++)
		*out = *out * 10 + (word->s[n] - '0');
	skip(word, n);
	return n >= least ? n : 0;
}

static bool
take_colon(struct rest *word)
{
	if (word->len == 0 || *word->s != ':')
		return false;
	skip(word, 1);
	return true;
}

static bool
read_month(struct rest word, struct moment *m)
{
	static const char months[12][4] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
	    "sep", "oct", "nov", "dec"};
	if (word.len != 3)
		return false;
	const char low[3] = {ascii_lower(word.s[0]), ascii_lower(word.s[1]),
	    ascii_lower(word.s[2])};
	m->month = 0;
	while (m->month < 12 && memcmp(low, months[m->month], sizeof low) != 0)
		m->month++;
	return m->month < 12;
}

static bool
read_year(struct rest word, struct moment *m)
{
	int year;
	size_t n = take_number(&word, 2, 4, &year);
	if (n == 0 || word.len > 0)
		return false;
	if (n < 4)
		year += n == 2 && year < 50 ? 2000 : 1900;
	m->year = year;
	return year >= 1970 && year <= 2200;
}

static bool
read_clock(struct rest word, struct moment *m)
{
	if (take_number(&word, 1, 2, &m->hour) == 0 || !take_colon(&word) ||
	    take_number(&word, 2, 2, &m->minute) == 0)
		return false;
	if (take_colon(&word) && take_number(&word, 2, 2, &m->second) == 0)
		return false;
	return word.len == 0 && m->hour < 24 && m->minute < 60 && m->second <= 60;
}

/* Minutes east of Greenwich. */
static bool
read_zone(struct rest word, int *minutes)
{
	static const struct {
		const char *name;
		int hours;
	} names[] = {{"GMT", 0}, {"UT", 0}, {"UTC", 0}, {"Z", 0}, {"EST", -5}, {"EDT", -4},
	    {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
	int value;
	bool number = *word.s == '+' || *word.s == '-';
	for (size_t i = 0; !number && i < sizeof names / sizeof *names; i++) {
		if (ascii_is(word.s, word.len, names[i].name)) {
			*minutes = 60 * names[i].hours;
			return true;
		}
	}
	if (word.len != 5 || !number)
		return false;
	bool west = *word.s == '-';
	skip(&word, 1);
	if (take_number(&word, 4, 4, &value) == 0 || value % 100 >= 60 || value >= 2400)
		return false;
	*minutes = (value / 100 * 60 + value % 100) * (west ? -1 : 1);
	return true;
}

/* Days from 1970-01-01 to a day of the years from then to 2200; false where the month has no such
 * day.  (timegm takes a lock and some 700 instructions.) */
static bool
days_to(const struct moment *m, int64_t *days)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	bool leap = m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0);
	int last = before[m->month + 1] - before[m->month] + (leap && m->month == 1);
	int past = m->year - 1; /* the last year whose leap day is over */
	*days = 365 * (m->year - 1970) + (past / 4 - past / 100 + past / 400 - 477) +
	    before[m->month] + (leap && m->month > 1) + m->day - 1;
	return m->day <= last;
}

bool
mail_date_parse(const char *s, size_t len, int64_t *ns)
{
	struct rest r = {s, len}, day, month, year, clock, zone;
	struct moment m = {0};
	int64_t days;
	int minutes;
	if (!next_word(&r, &day))
		return false;
	if (!is_digit(*day.s) && !next_word(&r, &day)) /* behind the day's name */
		return false;
	if (!next_word(&r, &month) || !next_word(&r, &year) || !next_word(&r, &clock) ||
	    !next_word(&r, &zone))
		return false;
	if (take_number(&day, 1, 2, &m.day) == 0 || day.len > 0 || m.day == 0 ||
	    !read_month(month, &m) || !read_year(year, &m) || !read_clock(clock, &m) ||
	    !read_zone(zone, &minutes) || !days_to(&m, &days))
		return false;
	/* a leap second is the first one of the next minute */
	*ns = (((days * 24 + m.hour) * 60 + m.minute - minutes) * 60 + m.second) * 1000000000;
	return true;
}
