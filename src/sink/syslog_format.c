/*
 * Records as syslog messages: see syslog_format.h, and syslog.h for what each format is.
 *
 * RFC 5424: header fields are PRINTUSASCII (section 6: hostname 255, msgid 32 octets), the time has
 * six digits (a nanosecond is no TIME-SECFRAC), structured data as section 6.3, and MSG begins with
 * a byte order mark where it has more than ASCII (MSG-UTF8); not before JSON, which must have none
 * (RFC 8259 section 8.1).  RFC 3164: the local time, as its readers expect, and the host name
 * without its domain; over a local socket no host name.
 */
#include "sink/syslog_format.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/now.h"
#include "sink/object.h"
#include "sink/syslog_pairs.h"
#include "sink/words.h"

#define SEQUENCE_MAX 2147483647u /* RFC 5424 section 7.3.1 */
#define TEXT_SPARE   400u	 /* octets that pairs leave to the text behind them */
#define SENTENCE     1024u	 /* octets of the text */

struct syslog_format {
	struct syslog_url url;
	bool reveal;
	char host[256];	     /* PRINTUSASCII */
	char short_host[64]; /* without its domain */
	unsigned pid;
	uint32_t sequence;	/* of the last message, in this run */
	size_t max;		/* octets of a message */
	struct object *objects; /* writer of json and cee; NULL for the others */
};

static void
clean_host(char *out, size_t cap, const char *host, bool whole)
{
	size_t n = 0;
	for (; *host != '\0' && n + 1 < cap && (whole || *host != '.'); host++)
		out[n++] = (char)(*host > 32 && *host < 127 ? *host : '_');
	out[n] = '\0';
	if (n == 0)
		memcpy(out, "-", 2);
}

struct syslog_format *
syslog_format_new(const struct syslog_url *u, bool reveal, const char *host, unsigned pid)
{
	struct syslog_format *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	f->url = *u;
	f->reveal = reveal;
	f->pid = pid;
	f->max = u->format == FORMAT_RFC3164				? LIMIT_SYSLOG_OLD
	    : u->format == FORMAT_RFC5424 && u->transport == SYSLOG_UDP ? LIMIT_SYSLOG_UDP
									: LIMIT_SYSLOG_MESSAGE;
	clean_host(f->host, sizeof f->host, host, true);
	clean_host(f->short_host, sizeof f->short_host, host, false);
	if (u->format == FORMAT_JSON || u->format == FORMAT_CEE) {
		f->objects = object_new(reveal);
		if (f->objects == NULL) {
			free(f);
			return NULL;
		}
	}
	return f;
}

void
syslog_format_free(struct syslog_format *f)
{
	if (f == NULL)
		return;
	object_free(f->objects);
	free(f);
}

static int
level_of_record(const struct record *r)
{
	struct record_value v;
	int level = record_find(r, FIELD_LEVEL, &v) ? words_level(v.str, v.len) : LEVEL_NONE;
	return level == LEVEL_NONE ? LEVEL_INFORMATIONAL : level;
}

bool
syslog_format_wants(const struct syslog_format *f, const struct record *r)
{
	if (r->kind == RECORD_SUMMARY || (r->kind != RECORD_ALERT && !f->url.sessions))
		return false;
	return level_of_record(r) >= f->url.level;
}

static unsigned
severity_of(const struct record *r)
{
	switch (level_of_record(r)) {
	case LEVEL_CRITICAL: return 2;
	case LEVEL_HIGH: return 3;
	case LEVEL_MEDIUM: return 4;
	case LEVEL_LOW: return 5;
	default: return 6;
	}
}

/* The severity of CEF and LEEF, and of event.severity. */
static unsigned
severity_of_ten(const struct record *r)
{
	return (unsigned)(level_of_record(r) - LEVEL_INFORMATIONAL) * 2 + 1;
}

static const char *
kind_of(const struct record *r)
{
	switch (r->kind) {
	case RECORD_ALERT: return "alert";
	case RECORD_MESSAGE: return "message";
	case RECORD_SENSOR: return "sensor";
	case RECORD_SUMMARY: return "status";
	default: return "session";
	}
}

static int64_t
time_of(const struct record *r)
{
	struct record_value v;
	if (record_find(r, FIELD_TIMESTAMP, &v))
		return v.ns;
	return now_real_ns();
}

/* The header of RFC 5424 up to MSGID and the space behind it. */
static void
add_header(const struct syslog_format *f, struct text *t, const struct record *r)
{
	char when[40];
	struct text w = text_in(when, sizeof when);
	text_add_time(&w, time_of(r)); /* 2026-11-23T13:00:00.123456789Z */
	if (w.len == 30)
		memcpy(when + 26, "Z", 2);
	text_printf(t, "<%u>1 %s %s postcard %u %s ", f->url.facility * 8u + severity_of(r),
	    w.len > 0 ? when : "-", f->host, f->pid, kind_of(r));
}

/* That of RFC 3164, up to the tag. */
static void
add_old_header(const struct syslog_format *f, struct text *t, const struct record *r)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t ns = time_of(r);
	time_t s = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
	struct tm tm = {.tm_mday = 1};
	(void)localtime_r(&s, &tm);
	text_printf(t, "<%u>%.3s %2d %02d:%02d:%02d ", f->url.facility * 8u + severity_of(r),
	    months + 3 * tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (f->url.transport != SYSLOG_UNIX)
		text_printf(t, "%s ", f->short_host);
}

/* The sentence of a record; where it has none, the ends of the connection and the outcome. */
static void
add_sentence(struct text *t, const struct record *r)
{
	if (pairs_add_value(t, r, FIELD_MESSAGE, false))
		return;
	text_printf(t, "%s", kind_of(r));
	static const struct {
		const char *before;
		uint16_t field;
	} parts[] = {{" from ", FIELD_SOURCE_IP}, {" port ", FIELD_SOURCE_PORT},
	    {" to ", FIELD_DESTINATION_IP}, {" port ", FIELD_DESTINATION_PORT},
	    {": ", FIELD_OUTCOME}, {", ", FIELD_REASON}, {": ", FIELD_SENSOR_CAUSE}};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct record_value v;
		if (record_find(r, (enum field)parts[i].field, &v)) {
			text_puts(t, parts[i].before);
			(void)pairs_add_value(t, r, parts[i].field, false);
		}
	}
}

static bool
is_ascii(const char *s)
{
	while ((signed char)*s > 0) /* ARM's char has no sign */
		s++;
	return *s == '\0';
}

/* Adds the text last; what does not fit is cut, and says so. */
static void
add_last(struct text *t, const char *s)
{
	struct text end = value_begin(t->buf + t->len, t->cap - t->len);
	text_puts(&end, s);
	value_end(&end);
	t->len += end.len;
}

static void
write_new(struct syslog_format *f, struct text *t, const struct record *r, const char *sentence)
{
	add_header(f, t, r);
	text_puts(t, "[postcard@32473");
	pairs_add(t, PAIRS_SD, r, f->reveal, TEXT_SPARE);
	text_printf(t, "][meta sequenceId=\"%u\"] ", f->sequence);
	if (!is_ascii(sentence))
		text_puts(t, "\xef\xbb\xbf");
	add_last(t, sentence);
}

static void
write_old(struct syslog_format *f, struct text *t, const struct record *r, const char *sentence)
{
	add_old_header(f, t, r);
	text_printf(t, "postcard[%u]: ", f->pid);
	struct text head = value_begin(t->buf + t->len, LIMIT_SYSLOG_OLD / 2);
	text_puts(&head, sentence);
	value_end(&head);
	t->len += head.len;
	text_puts(t, " [postcard");
	pairs_add(t, PAIRS_SD, r, f->reveal, 1);
	text_putc(t, ']');
}

/* A value in a header of CEF or LEEF, where | ends it. */
static void
add_header_value(struct text *t, const struct record *r, uint16_t field, const char *otherwise,
    bool cef)
{
	char value[256];
	struct text v = value_begin(value, sizeof value);
	if (!pairs_add_value(&v, r, field, false))
		text_puts(&v, otherwise);
	value_end(&v);
	for (const char *s = value; *s != '\0'; s++) {
		if (cef && (*s == '|' || *s == '\\'))
			text_putc(t, '\\');
		text_putc(t, (char)(!cef && *s == '|' ? '/' : *s));
	}
}

static void
write_cef(struct syslog_format *f, struct text *t, const struct record *r, const char *sentence)
{
	add_old_header(f, t, r);
	text_puts(t, "CEF:0|postcard|postcard|" POSTCARD_VERSION "|");
	add_header_value(t, r, FIELD_RULE_ID, kind_of(r), true);
	text_putc(t, '|');
	add_header_value(t, r, FIELD_RULE_NAME, kind_of(r), true);
	text_printf(t, "|%u|rt=%lld cat=%s proto=TCP", severity_of_ten(r),
	    (long long)(time_of(r) / 1000000), kind_of(r));
	pairs_add_one(t, PAIRS_CEF, "dvchost", f->host, 0);
	pairs_add_one(t, PAIRS_CEF, "msg", sentence, 0);
	pairs_add(t, PAIRS_CEF, r, f->reveal, 0);
}

/* usrName and the other words: "Predefined LEEF event attributes" of IBM's guide. */
static void
write_leef(struct syslog_format *f, struct text *t, const struct record *r, const char *sentence)
{
	add_old_header(f, t, r);
	text_puts(t, "LEEF:2.0|postcard|postcard|" POSTCARD_VERSION "|");
	add_header_value(t, r, FIELD_RULE_ID, kind_of(r), false);
	text_printf(t, "|x09|cat=%s\tdevTime=%lld\tsev=%u\tproto=TCP", kind_of(r),
	    (long long)(time_of(r) / 1000000), severity_of_ten(r));
	pairs_add(t, PAIRS_LEEF, r, f->reveal, TEXT_SPARE);
	pairs_add_one(t, PAIRS_LEEF, "msg", sentence, 0);
}

static void
write_object(struct syslog_format *f, struct text *t, const struct record *r)
{
	add_header(f, t, r);
	text_printf(t, "[meta sequenceId=\"%u\"] %s", f->sequence,
	    f->url.format == FORMAT_CEE ? "@cee: " : "");
	t->len += object_write_within(f->objects, r, t->buf + t->len, t->cap - 1 - t->len);
	t->buf[t->len] = '\0';
}

size_t
syslog_format_write(struct syslog_format *f, const struct record *r,
    char out[LIMIT_SYSLOG_MESSAGE + 1])
{
	char sentence[SENTENCE];
	struct text s = value_begin(sentence, sizeof sentence), t = text_in(out, f->max + 1);
	f->sequence = f->sequence == SEQUENCE_MAX ? 1 : f->sequence + 1;
	if (f->objects == NULL)
		add_sentence(&s, r);
	value_end(&s);
	switch (f->url.format) {
	case FORMAT_RFC5424: write_new(f, &t, r, sentence); break;
	case FORMAT_RFC3164: write_old(f, &t, r, sentence); break;
	case FORMAT_CEF: write_cef(f, &t, r, sentence); break;
	case FORMAT_LEEF: write_leef(f, &t, r, sentence); break;
	case FORMAT_JSON:
	case FORMAT_CEE: write_object(f, &t, r); break;
	}
	return t.len;
}
