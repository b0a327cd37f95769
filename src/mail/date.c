/*
 * Dates of mail: see date.h.  Words and numbers are taken one by one; years of two digits and the
 * named zones of RFC 5322 section 4.3 are read, the military letters but Z are not: their meaning
 * is in doubt there.
 */
#include "mail/date.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

struct rest {
	const char *s;
	size_t len;
};

static void
skip(struct rest *r, size_t n)
{
	r->s += n;
	r->len -= n;
}

static bool
is_between(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '(' || c == ')';
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
	while (r->len > 0 && is_between(*r->s))
		skip(r, 1);
	*word = (struct rest){r->s, 0};
	for (; r->len > 0 && !is_between(*r->s); skip(r, 1))
		word->len++;
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
read_month(struct rest word, struct tm *tm)
{
	static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
	    "sep", "oct", "nov", "dec"};
	for (int i = 0; i < 12; i++) {
		if (ascii_is(word.s, word.len, months[i])) {
			tm->tm_mon = i;
			return true;
		}
	}
	return false;
}

static bool
read_year(struct rest word, struct tm *tm)
{
	int year;
	size_t n = take_number(&word, 2, 4, &year);
	if (n == 0 || word.len > 0)
		return false;
	if (n < 4)
		year += n == 2 && year < 50 ? 2000 : 1900;
	tm->tm_year = year - 1900;
	return year >= 1970 && year <= 2200;
}

static bool
read_clock(struct rest word, struct tm *tm)
{
	if (take_number(&word, 1, 2, &tm->tm_hour) == 0 || !take_colon(&word) ||
	    take_number(&word, 2, 2, &tm->tm_min) == 0)
		return false;
	if (take_colon(&word) && take_number(&word, 2, 2, &tm->tm_sec) == 0)
		return false;
	return word.len == 0 && tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
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
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (ascii_is(word.s, word.len, names[i].name)) {
			*minutes = 60 * names[i].hours;
			return true;
		}
	}
	if (word.len != 5 || (*word.s != '+' && *word.s != '-'))
		return false;
	bool west = *word.s == '-';
	skip(&word, 1);
	if (take_number(&word, 4, 4, &value) == 0 || value % 100 >= 60 || value >= 2400)
		return false;
	*minutes = (value / 100 * 60 + value % 100) * (west ? -1 : 1);
	return true;
}

bool
mail_date_parse(const char *s, size_t len, int64_t *ns)
{
	struct rest r = {s, len}, day, month, year, clock, zone;
	struct tm tm = {0};
	int minutes;
	if (!next_word(&r, &day))
		return false;
	if (!is_digit(*day.s) && !next_word(&r, &day)) /* behind the day's name */
		return false;
	if (!next_word(&r, &month) || !next_word(&r, &year) || !next_word(&r, &clock) ||
	    !next_word(&r, &zone))
		return false;
	if (take_number(&day, 1, 2, &tm.tm_mday) == 0 || day.len > 0 || tm.tm_mday == 0 ||
	    !read_month(month, &tm) || !read_year(year, &tm) || !read_clock(clock, &tm) ||
	    !read_zone(zone, &minutes))
		return false;
	int mday = tm.tm_mday, sec = tm.tm_sec;
	tm.tm_sec = 0; /* a leap second is the first one of the next minute */
	int64_t when = timegm(&tm);
	if (tm.tm_mday != mday) /* 31 February was made another day */
		return false;
	*ns = (when + sec - 60 * (int64_t)minutes) * 1000000000;
	return true;
}
