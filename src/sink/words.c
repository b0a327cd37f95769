/* Words and numbers for people: see words.h. */
#include "sink/words.h"

#include <string.h>

#include "mail/magic.h"

static int
find(const char *const *words, int n, const char *s, size_t len)
{
	int i = 0;
	while (i < n && (strlen(words[i]) != len || memcmp(words[i], s, len) != 0))
		i++;
	return i;
}

static const struct {
	const char *name, *capitals;
	enum style style;
} levels[LEVELS] = {
    [LEVEL_NONE] = {"", "", STYLE_PLAIN},
    [LEVEL_INFORMATIONAL] = {"informational", "INFO", STYLE_DIM},
    [LEVEL_LOW] = {"low", "LOW", STYLE_CYAN},
    [LEVEL_MEDIUM] = {"medium", "MEDIUM", STYLE_YELLOW},
    [LEVEL_HIGH] = {"high", "HIGH", STYLE_RED},
    [LEVEL_CRITICAL] = {"critical", "CRITICAL", STYLE_ALARM},
};

int
words_level(const char *s, size_t len)
{
	for (int i = LEVEL_INFORMATIONAL; i < LEVELS; i++) {
		if (len > 0 && levels[i].name[0] == *s && strlen(levels[i].name) == len &&
		    memcmp(levels[i].name, s, len) == 0)
			return i;
	}
	return LEVEL_NONE;
}

const char *
words_level_name(int level)
{
	return levels[level].capitals;
}

const char *
words_level_word(int level)
{
	return levels[level].name;
}

enum style
words_level_style(int level)
{
	return levels[level].style;
}

static const char *const readables[READABLES] = {"envelope", "headers", "body", "attachments",
    "credentials"};

enum readable
words_readable(const char *s, size_t len)
{
	return (enum readable)find(readables, READABLES, s, len);
}

const char *
words_readable_name(enum readable r)
{
	return readables[r];
}

#define LOGIN_RESULTS 4u
#define LOGIN_SHOWS   6u
#define LOGIN_NEITHER 7u

static const char *const login_results[LOGIN_RESULTS][2] = {{"accepted", "accepted by the server"},
    {"refused", "refused by the server"}, {"cancelled", "cancelled by the client"},
    {"unanswered", "not answered"}};

static const char *const login_shows[LOGIN_SHOWS][2] = {{"password", NULL}, {"token", "a token"},
    {"digest", "a digest, by which passwords can be guessed"},
    {"account", "the account's name alone"}, {"unknown", "an answer of a kind that is not known"},
    {"nothing", "no secret"}};

static unsigned
place(const char *const (*words)[2], unsigned n, const char *s, size_t len)
{
	for (unsigned i = 0; i < n; i++) {
		if (ascii_is(s, len, words[i][0]))
			return i;
	}
	return LOGIN_NEITHER;
}

unsigned
words_login_result(const char *s, size_t len)
{
	return place(login_results, LOGIN_RESULTS, s, len);
}

unsigned
words_login_shows(const char *s, size_t len)
{
	return place(login_shows, LOGIN_SHOWS, s, len);
}

void
words_add_logins(struct text *t, unsigned shows, unsigned results)
{
	const char *between = " (";
	for (unsigned i = 0; i < LOGIN_SHOWS; i++) {
		if (!(shows >> i & 1) || login_shows[i][1] == NULL)
			continue;
		text_puts(t, between);
		text_puts(t, login_shows[i][1]);
		between = ", ";
	}
	text_puts(t, between[0] == ',' ? ")" : "");
	between = t->len > 0 ? "; " : "";
	for (unsigned i = 0; i < LOGIN_RESULTS; i++) {
		if (!(results >> i & 1))
			continue;
		text_puts(t, between);
		if (results != 1u << i)
			text_puts(t, "some ");
		text_puts(t, login_results[i][1]);
		between = ", ";
	}
}

static const char *const outcomes[OUTCOMES] = {"cleartext", "encrypted", "tls-failed", "no-mail",
    "unknown"};

int
words_outcome(const char *s, size_t len)
{
	return find(outcomes, OUTCOMES, s, len);
}

const char *
words_outcome_name(int outcome)
{
	return outcomes[outcome];
}

enum style
words_outcome_style(int outcome)
{
	static const enum style styles[OUTCOMES] = {STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_DIM,
	    STYLE_CYAN};
	return styles[outcome];
}

static const struct {
	const char *name, *words;
} reasons[REASONS] = {
    {"not-offered", "the server offered no TLS"},
    {"not-requested", "the client did not use the TLS it was offered"},
    {"refused", "the server refused STARTTLS"},
    {"stripped", "the offer of TLS was removed on the way"},
    {"tls-failed", "TLS failed, then it went in clear"},
    {"not-asked", "the client never asked for TLS"},
    {"null-cipher", "TLS with a cipher that does not encrypt"},
    {"not-visible", "why is not in the capture"},
};

int
words_reason_of(const char *s, size_t len)
{
	int i = 0;
	while (
	    i < REASONS && (strlen(reasons[i].name) != len || memcmp(reasons[i].name, s, len) != 0))
		i++;
	return i;
}

const char *
words_reason_name(int reason)
{
	return reasons[reason].name;
}

const char *
words_reason(const char *reason)
{
	int i = words_reason_of(reason, strlen(reason));
	return i < REASONS ? reasons[i].words : reason;
}

void
words_count(struct text *t, uint64_t n, const char *one)
{
	text_add_count(t, n);
	text_printf(t, " %s%s", one, n == 1 ? "" : "s");
}

void
words_size(struct text *t, uint64_t octets)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	unsigned u = 0;
	double n = (double)octets;
	for (; n >= 999.5 && u < 6; u++)
		n /= 1000;
	text_printf(t, u > 0 && n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[u]);
}

void
words_file(struct text *t, const struct record_value *declared, const struct record_value *shown)
{
	enum magic is = shown->len > 0 ? magic_named(shown->str, shown->len) : MAGIC_NONE;
	enum magic as = is != MAGIC_NONE ? magic_named(declared->str, declared->len) : MAGIC_NONE;
	bool none = declared->len == 0 ||
	    ascii_is(declared->str, declared->len, "application/octet-stream");
	if (is != MAGIC_NONE && none) {
		text_puts(t, magic_words(is));
	} else if (magic_contradicts(as, is) || (as == MAGIC_NONE && magic_is_program(is))) {
		const char *words = magic_words(as), *space = strchr(words, ' ');
		bool article = strncmp(words, "a ", 2) == 0 || strncmp(words, "an ", 3) == 0;
		text_puts(t, "declared ");
		if (as != MAGIC_NONE)
			text_puts(t, article ? space + 1 : words);
		else
			text_add_wire(t, declared->str, declared->len < 24 ? declared->len : 24);
		text_printf(t, ", is %s", magic_words(is));
	} else {
		text_add_wire(t, declared->str, declared->len < 30 ? declared->len : 30);
	}
}

void
words_duration(struct text *t, uint64_t ns)
{
	unsigned long long s = ns / 1000000000;
	if (s < 1)
		text_printf(t, "%u ms", (unsigned)(ns / 1000000));
	else if (s < 60)
		text_printf(t, "%llu s", s);
	else if (s < 3600)
		text_printf(t, "%llu min %llu s", s / 60, s % 60);
	else if (s < 86400)
		text_printf(t, "%llu h %llu min", s / 3600, s / 60 % 60);
	else
		text_printf(t, "%llu d %llu h", s / 86400, s / 3600 % 24);
}

void
words_time(struct text *t, int64_t ns)
{
	char buf[40];
	struct text whole = text_in(buf, sizeof buf);
	text_add_time(&whole, ns);
	text_add(t, buf, 10);
	text_putc(t, ' ');
	text_add(t, buf + 11, 8);
}

void
words_acceptance(struct text *t, const struct record *r)
{
	struct record_value v;
	char when[40];
	struct text w = text_in(when, sizeof when);
	if (record_find(r, FIELD_ACCEPTED_OWNER, &v))
		text_add_wire(t, v.str, v.len);
	if (!record_find(r, FIELD_ACCEPTED_EXPIRES, &v))
		return;
	words_time(&w, v.ns - 1); /* it ends with the day */
	text_puts(t, ", until ");
	text_add(t, when, w.len < 10 ? w.len : 10);
}

static bool
add_side(struct text *t, const struct record *r, enum field ip, enum field port)
{
	struct record_value v, p;
	char address[ADDR_TEXT];
	if (!record_find(r, ip, &v))
		return false;
	bool with = port != FIELDS && record_find(r, port, &p);
	addr_print(&v.ip, address);
	text_printf(t, with && v.ip.family == 6 ? "[%s]" : "%s", address);
	if (with)
		text_printf(t, ":%u", (unsigned)(p.u64 & 0xffff));
	return true;
}

void
words_about(struct text *t, const struct record *r, const char *arrow, bool ports)
{
	static const struct {
		enum field field;
		const char *word;
	} places[] = {{FIELD_SENSOR_INTERFACE, ""}, {FIELD_SENSOR_OUTPUT, ""},
	    {FIELD_SENSOR_WORKER, "worker "}};
	struct record_value v;
	size_t start = t->len;
	(void)add_side(t, r, FIELD_SOURCE_IP, ports ? FIELD_SOURCE_PORT : FIELDS);
	if (record_find(r, FIELD_DESTINATION_IP, &v)) {
		text_puts(t, t->len > start ? arrow : "");
		(void)add_side(t, r, FIELD_DESTINATION_IP, ports ? FIELD_DESTINATION_PORT : FIELDS);
	}
	if (t->len > start)
		return;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (!record_find(r, places[i].field, &v))
			continue;
		text_printf(t, "%s%s", t->len > start ? ", " : "", places[i].word);
		if (field_table[places[i].field].type == TYPE_U64)
			text_add_count(t, v.u64);
		else
			text_add_wire(t, v.str, v.len);
	}
}

void
words_clock(struct text *t, int64_t ns)
{
	char buf[40];
	struct text whole = text_in(buf, sizeof buf);
	text_add_time(&whole, ns);
	text_add(t, buf + 11, 8);
}

void
words_percent(struct text *t, uint64_t part, uint64_t whole)
{
	double share = whole > 0 ? 100.0 * (double)part / (double)whole : 0;
	if (part > 0 && share < 1)
		text_puts(t, "<1%");
	else if (part < whole && share > 99)
		text_puts(t, ">99%");
	else
		text_printf(t, "%.0f%%", share);
}
