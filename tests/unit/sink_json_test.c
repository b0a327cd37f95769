/*
 * The JSON sink: golden lines, masking, escaping, odd and random records, write errors.  A strict
 * validator of RFC 8259 below reads every line that is written.
 *
 * `sink_json_test speed` prints how many typical session records a second one core writes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "sink/sink.h"

/* --- a strict validator: JSON, UTF-8, no key twice in an object ------------------------------ */

struct reader {
	const uint8_t *p, *end;
	int depth;
};

static bool read_value(struct reader *r);

static bool
eat(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != (uint8_t)c)
		return false;
	r->p++;
	return true;
}

static bool
read_string(struct reader *r)
{
	if (!eat(r, '"'))
		return false;
	while (r->p < r->end && *r->p != '"') {
		size_t n = utf8_char(r->p, (size_t)(r->end - r->p));
		if (n == 0 || *r->p < 0x20 || *r->p == 0x7f)
			return false;
		if (n == 2 && r->p[0] == 0xc2 && r->p[1] < 0xa0)
			return false; /* C1 */
		if (n == 3 && memcmp(r->p, "\xe2\x80\xae", 3) == 0)
			return false; /* bidi override */
		if (*r->p == '\\') {
			if (r->end - r->p < 2 || strchr("\"\\/bfnrt", r->p[1]) == NULL)
				return false;
			n = 2;
		}
		r->p += n;
	}
	return eat(r, '"');
}

static bool
read_number(struct reader *r)
{
	const uint8_t *begin = r->p;
	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > begin && (*begin != '0' || r->p == begin + 1);
}

static bool
read_object(struct reader *r)
{
	const uint8_t *keys[FIELDS];
	size_t lens[FIELDS], n = 0;
	if (!eat(r, '{'))
		return false;
	if (eat(r, '}'))
		return true;
	do {
		const uint8_t *key = r->p;
		if (n == FIELDS || !read_string(r))
			return false;
		size_t len = (size_t)(r->p - key);
		for (size_t i = 0; i < n; i++) {
			if (lens[i] == len && memcmp(keys[i], key, len) == 0)
				return false;
		}
		keys[n] = key;
		lens[n++] = len;
		if (!eat(r, ':') || !read_value(r))
			return false;
	} while (eat(r, ','));
	return eat(r, '}');
}

static bool
read_array(struct reader *r)
{
	if (!eat(r, '['))
		return false;
	if (eat(r, ']'))
		return true;
	do {
		if (!read_value(r))
			return false;
	} while (eat(r, ','));
	return eat(r, ']');
}

static bool
read_word(struct reader *r, const char *word)
{
	for (; *word != '\0'; word++) {
		if (!eat(r, *word))
			return false;
	}
	return true;
}

static bool
read_value(struct reader *r)
{
	if (r->p == r->end || ++r->depth > 16)
		return false;
	bool ok = *r->p == '{' ? read_object(r)
	    : *r->p == '['     ? read_array(r)
	    : *r->p == '"'     ? read_string(r)
	    : *r->p == 't'     ? read_word(r, "true")
	    : *r->p == 'f'     ? read_word(r, "false")
			       : read_number(r);
	r->depth--;
	return ok;
}

/* Are these octets lines of one JSON object each?  Returns how many; -1 where not. */
static int
count_lines(const char *s, size_t len)
{
	struct reader r = {(const uint8_t *)s, (const uint8_t *)s + len, 0};
	int n = 0;
	while (r.p < r.end) {
		if (*r.p != '{' || !read_value(&r) || !eat(&r, '\n'))
			return -1;
		n++;
	}
	return n;
}

static void
the_validator_can_say_no(void **state)
{
	(void)state;
	static const char *const bad[] = {"{", "{}", "[]\n", "{\"a\":}\n", "{\"a\":01}\n",
	    "{\"a\":1,}", "{\"a\":[1,]}\n", "{\"a\":1}{}\n", "{\"a\":\"\x01\"}\n",
	    "{\"a\":1,\"a\":2}\n", "{\"a\":\"\xff\"}\n", "{\"a\":\"\\x\"}\n", "{\"a\":nul}\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(count_lines(bad[i], strlen(bad[i])), -1);
	assert_int_equal(count_lines("{}\n{\"a\":[{\"b\":true}]}\n", 22), 2);
}

/* --- what the sink writes of records ---------------------------------------------------------- */

static char *
written(const struct record *r, size_t n, bool reveal, size_t *len)
{
	char *out = NULL, error[SINK_ERROR];
	FILE *f = open_memstream(&out, len);
	struct sink_config config = {.kind = "json", .out = f, .reveal = reveal};
	struct sink *s = sink_open(&config, error);
	assert_non_null(s);
	for (size_t i = 0; i < n; i++)
		assert_true(sink_push(s, &r[i]));
	assert_true(sink_close(s));
	fclose(f);
	assert_int_equal(count_lines(out, *len), (int)n);
	return out;
}

static void
expect(const struct record *r, bool reveal, const char *line)
{
	size_t len;
	char *out = written(r, 1, reveal, &len);
	assert_string_equal(out, line);
	free(out);
}

static void
put_mail(struct record *r)
{
	struct addr a, b;
	assert_true(addr_parse("192.0.2.7", &a) && addr_parse("2001:db8::25", &b));
	record_begin(r, RECORD_MESSAGE);
	/* in an order that is not the table's */
	record_put_word(r, FIELD_EXPOSED, "envelope");
	record_put_word(r, FIELD_EXPOSED, "body");
	record_put_item(r, FIELD_EMAIL_ATTACHMENT);
	record_put_u64(r, FIELD_EMAIL_ATTACHMENT_SIZE, 1200);
	record_put_word(r, FIELD_EMAIL_ATTACHMENT_NAME, "plan.pdf");
	record_put_item(r, FIELD_EMAIL_ATTACHMENT);
	record_put_item(r, FIELD_EMAIL_ATTACHMENT);
	record_put_word(r, FIELD_EMAIL_ATTACHMENT_TYPE, "text/plain");
	record_put_word(r, FIELD_EMAIL_FROM, "alice@example.org");
	record_put_word(r, FIELD_EMAIL_TO, "bob@example.net");
	record_put_word(r, FIELD_EMAIL_TO, "carol@example.com");
	record_put_word(r, FIELD_EMAIL_SUBJECT, "Dinner on \"Friday\"");
	record_put_time(r, FIELD_TIMESTAMP, 1795438800123456789);
	record_put_u64(r, FIELD_EVENT_DURATION, UINT64_MAX);
	record_put_u64(r, FIELD_STARTTLS_REPLY, 454);
	record_put_bool(r, FIELD_STARTTLS_OFFERED, true);
	record_put_bool(r, FIELD_CLIENT_HELLO, false);
	record_put_ip(r, FIELD_DESTINATION_IP, &b);
	record_put_ip(r, FIELD_SOURCE_IP, &a);
	record_put_u64(r, FIELD_SOURCE_PORT, 0);
	record_put_word(r, FIELD_SOURCE_AS_NAME, "Example");
}

static void
a_mail_whole(void **state)
{
	(void)state;
	struct record r;
	put_mail(&r);
	expect(&r, true,
	    "{\"@timestamp\":\"2026-11-23T13:00:00.123456789Z\","
	    "\"event\":{\"duration\":18446744073709551615},"
	    "\"source\":{\"ip\":\"192.0.2.7\",\"port\":0,"
	    "\"as\":{\"organization\":{\"name\":\"Example\"}}},"
	    "\"destination\":{\"ip\":\"2001:db8::25\"},"
	    "\"email\":{\"from\":{\"address\":[\"alice@example.org\"]},"
	    "\"to\":{\"address\":[\"bob@example.net\",\"carol@example.com\"]},"
	    "\"subject\":\"Dinner on \\\"Friday\\\"\","
	    "\"attachments\":[{\"file\":{\"name\":\"plan.pdf\",\"size\":1200}},{},"
	    "{\"file\":{\"mime_type\":\"text/plain\"}}]},"
	    "\"postcard\":{\"exposed\":[\"envelope\",\"body\"],"
	    "\"starttls\":{\"offered\":true,\"reply\":454},\"client_hello\":false}}\n");
}

static void
a_mail_masked(void **state)
{
	(void)state;
	static const char *const secret[] = {"alice", "bob@", "carol", "Dinner", "Friday", "plan"};
	struct record r;
	size_t len;
	put_mail(&r);
	char *out = written(&r, 1, false, &len);
	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		assert_null(strstr(out, secret[i]));
	assert_non_null(strstr(out, "\"a***@example.org\""));
	assert_non_null(strstr(out, "\"Di*** (18 characters)\""));
	assert_non_null(strstr(out, "\"p***.pdf\""));
	free(out);
}

static void
wire_octets(void **state)
{
	(void)state;
	struct record r;
	record_begin(&r, RECORD_SESSION);
	const char greeting[] = "a\"\\\0\x1b[1m\x7f\xc3\xa4\xe4\xff\xc2\x9b\xe2\x80\xae\xed\xa0\x80"
				"\xf0\x9f\x93\xae\xe2\x80";
	record_put_str(&r, FIELD_GREETING, greeting, sizeof greeting - 1);
	record_put_str(&r, FIELD_HELO, "", 0);
	expect(&r, false,
	    "{\"postcard\":{\"helo\":\"\",\"greeting\":\"a\\\"\\\\\\\\x00\\\\x1b[1m\\\\x7f"
	    "\xc3\xa4\xc3\xa4\xc3\xbf\\\\x9b\\\\u{202e}\xc3\xad\xc2\xa0\\\\x80\xf0\x9f\x93\xae"
	    "\xc3\xa2\\\\x80\"}}\n");
}

static void
odd_records(void **state)
{
	(void)state;
	struct record r;
	record_begin(&r, RECORD_SESSION);
	expect(&r, false, "{}\n");
	record_put_word(&r, FIELD_STARTTLS_REPLY_WORD, "BAD");
	expect(&r, false, "{\"postcard\":{\"starttls\":{\"reply\":\"BAD\"}}}\n");
	/* the number of the same name comes first in the table */
	record_put_u64(&r, FIELD_STARTTLS_REPLY, 220);
	expect(&r, false, "{\"postcard\":{\"starttls\":{\"reply\":220}}}\n");
	/* one value where there may be one */
	record_begin(&r, RECORD_SESSION);
	record_put_word(&r, FIELD_OUTCOME, "encrypted");
	record_put_word(&r, FIELD_OUTCOME, "cleartext");
	expect(&r, false, "{\"postcard\":{\"outcome\":\"encrypted\"}}\n");
	/* a member outside an element */
	record_begin(&r, RECORD_MESSAGE);
	record_put_u64(&r, FIELD_EMAIL_ATTACHMENT_SIZE, 1);
	expect(&r, false, "{}\n");
	record_put_item(&r, FIELD_EMAIL_ATTACHMENT);
	expect(&r, false, "{\"email\":{\"attachments\":[{}]}}\n");
	/* times before the epoch, and the ends of the range */
	record_begin(&r, RECORD_SESSION);
	record_put_time(&r, FIELD_TIMESTAMP, -1);
	record_put_time(&r, FIELD_EVENT_START, INT64_MIN);
	record_put_time(&r, FIELD_EVENT_END, INT64_MAX);
	record_put_time(&r, FIELD_TLS_NOT_AFTER, 0);
	expect(&r, false,
	    "{\"@timestamp\":\"1969-12-31T23:59:59.999999999Z\","
	    "\"event\":{\"start\":\"1677-09-21T00:12:43.145224192Z\","
	    "\"end\":\"2262-04-11T23:47:16.854775807Z\"},"
	    "\"tls\":{\"server\":{\"not_after\":\"1970-01-01T00:00:00.000000000Z\"}}}\n");
}

/* Fields that share an object stand together in the table: otherwise an object would come twice. */
static void
every_field_at_once(void **state)
{
	(void)state;
	static const char *const deep[] = {"\"summary\":{",
	    "\"geo\":{\"country_iso_code\":", "\"vlan\":{\"id\":", "\"hash\":{\"sha256\":"};
	struct record r;
	struct addr a;
	size_t len;
	assert_true(addr_parse("::ffff:192.0.2.1", &a));
	record_begin(&r, RECORD_SESSION);
	for (int f = FIELDS - 1; f >= 0; f--) {
		switch (field_table[f].type) {
		case TYPE_STR: record_put_word(&r, (enum field)f, "x"); break;
		case TYPE_U64: record_put_u64(&r, (enum field)f, 1); break;
		case TYPE_BOOL: record_put_bool(&r, (enum field)f, true); break;
		case TYPE_TIME: record_put_time(&r, (enum field)f, 1); break;
		case TYPE_IP: record_put_ip(&r, (enum field)f, &a); break;
		default: record_put_item(&r, (enum field)f); break;
		}
	}
	char *out = written(&r, 1, false, &len);
	for (size_t i = 0; i < sizeof deep / sizeof *deep; i++)
		assert_non_null(strstr(out, deep[i]));
	free(out);
}

static void
thousands_of_values(void **state)
{
	(void)state;
	struct record *r = malloc(sizeof *r);
	size_t len;
	record_begin(r, RECORD_MESSAGE);
	size_t values = 0;
	for (; r->cut == 0; values++)
		record_put_str(r, FIELD_EMAIL_TO, "", 0);
	values--; /* the last was left out */
	assert_true(values > 14000);
	char *out = written(r, 1, false, &len);
	assert_int_equal(len,
	    strlen("{\"email\":{\"to\":{\"address\":[") + values * 3 - 1 + strlen("]}}}\n"));
	free(out);
	/* the longest line: controls in one value, larger than the buffer */
	char *big = malloc(64970);
	memset(big, 1, 64970);
	record_begin(r, RECORD_SESSION);
	record_put_str(r, FIELD_NETWORK_APPLICATION, big, 64970);
	out = written(r, 1, false, &len);
	assert_true(len > 64970 * 5);
	free(out);
	free(big);
	free(r);
}

/* --- random records ----------------------------------------------------------------------------
 */

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void
put_random(struct record *r, uint64_t *seed)
{
	char octets[64];
	enum field f = (enum field)(next_random(seed) % FIELDS);
	struct addr a = {.family = next_random(seed) % 2 == 0 ? 4 : 6};
	size_t len = next_random(seed) % sizeof octets;
	bool ascii = next_random(seed) % 2 == 0;
	for (size_t i = 0; i < len; i++)
		octets[i] = (char)(next_random(seed) & (ascii ? 0x7f : 0xff));
	switch (field_table[f].type) {
	case TYPE_STR: record_put_str(r, f, octets, len); break;
	case TYPE_U64: record_put_u64(r, f, next_random(seed)); break;
	case TYPE_BOOL: record_put_bool(r, f, len & 1); break;
	case TYPE_TIME: record_put_time(r, f, (int64_t)next_random(seed) << 32); break;
	case TYPE_IP: record_put_ip(r, f, &a); break;
	default: record_put_item(r, f); break;
	}
}

static void
random_records(void **state)
{
	(void)state;
	enum { RECORDS = 64 };
	struct record *r = malloc(RECORDS * sizeof *r);
	uint64_t seed = 20261123;
	for (int round = 0; round < 30; round++) {
		for (size_t i = 0; i < RECORDS; i++) {
			uint32_t n = next_random(&seed) % 200;
			record_begin(&r[i], RECORD_SESSION);
			while (n-- > 0)
				put_random(&r[i], &seed);
			/* half of them damaged, as from a worker that was taken over */
			for (uint32_t k = i % 2 == 0 ? 0 : 8; k > 0 && r[i].len > 0; k--)
				r[i].data[next_random(&seed) % r[i].len] =
				    (uint8_t)next_random(&seed);
		}
		for (int reveal = 0; reveal < 2; reveal++) {
			size_t len;
			free(written(r, RECORDS, reveal != 0, &len));
		}
	}
	free(r);
}

/* --- text that is used again --------------------------------------------------------------------
 */

/* An alert about `about`, as the judge makes it, or nearly so. */
static void
put_alert(struct record *r, const struct record *about, uint64_t *seed)
{
	static const uint16_t anew[] = {FIELD_EVENT_KIND, FIELD_EVENT_DATASET, FIELD_LEVEL,
	    FIELD_MESSAGE, FIELD_ADVICE};
	record_copy_without(r, about, anew, next_random(seed) % 6);
	r->kind = RECORD_ALERT;
	record_put_word(r, FIELD_EVENT_KIND, "alert");
	record_put_word(r, FIELD_RULE_NAME, "Mail readable");
	for (uint32_t n = next_random(seed) % 4; n > 0; n--)
		put_random(r, seed);
}

/* A record like `before`: with fewer values, with more, with other ones. */
static void
put_like(struct record *r, const struct record *before, uint64_t *seed)
{
	uint16_t without[8];
	unsigned n = next_random(seed) % 8;
	for (unsigned i = 0; i < n; i++)
		without[i] = (uint16_t)(next_random(seed) % FIELDS);
	record_copy_without(r, before, without, n);
	r->kind = (uint16_t)(next_random(seed) % 3);
	for (n = next_random(seed) % 8; n > 0; n--)
		put_random(r, seed);
}

static void
damage(struct record *r, uint64_t *seed)
{
	if (r->len > 0)
		r->data[next_random(seed) % r->len] = (uint8_t)next_random(seed);
}

/* What records have in common with those before them is copied: the lines are those that each has
 * where nothing came before it. */
static void
alike_records(void **state)
{
	(void)state;
	enum { RECORDS = 40 };
	struct record *r = malloc(RECORDS * sizeof *r);
	uint64_t seed = 20261130;
	for (int round = 0; round < 60; round++) {
		record_begin(&r[0], RECORD_SESSION);
		for (uint32_t n = next_random(&seed) % 150; n > 0; n--)
			put_random(&r[0], &seed);
		for (size_t i = 1; i < RECORDS; i++) {
			const struct record *before = &r[next_random(&seed) % i];
			if (next_random(&seed) % 3 == 0)
				put_alert(&r[i], &r[i - 1], &seed);
			else
				put_like(&r[i], before, &seed);
			if (round % 4 == 3 && i % 5 == 4)
				damage(&r[i], &seed);
		}
		size_t len, one, at = 0;
		char *all = written(r, RECORDS, round % 2 != 0, &len);
		for (size_t i = 0; i < RECORDS; i++) {
			char *alone = written(&r[i], 1, round % 2 != 0, &one);
			assert_true(at + one <= len);
			assert_memory_equal(all + at, alone, one);
			at += one;
			free(alone);
		}
		assert_int_equal(at, len);
		free(all);
	}
	free(r);
}

static void
errors(void **state)
{
	(void)state;
	char error[SINK_ERROR];
	struct sink_config config = {.kind = "gopher", .out = stdout};
	assert_null(sink_open(&config, error));
	assert_non_null(strstr(error, "gopher"));

	FILE *full = fopen("/dev/full", "w");
	if (full == NULL)
		skip();
	struct record r;
	put_mail(&r);
	config = (struct sink_config){.kind = "json", .out = full};
	struct sink *s = sink_open(&config, error);
	assert_true(sink_push(s, &r)); /* still in the buffer */
	assert_false(sink_flush(s));
	assert_int_equal(errno, ENOSPC);
	errno = 0;
	assert_false(sink_push(s, &r));
	assert_int_equal(errno, ENOSPC);
	assert_false(sink_close(s));
	assert_int_equal(errno, ENOSPC);
	fclose(full);
	assert_true(sink_close(NULL));
}

/* --- speed ---------------------------------------------------------------------------------------
 */

/* Number `n`: another connection of other hosts at another time. */
static void
put_typical(struct record *r, unsigned n)
{
	struct addr a, b;
	(void)addr_parse(n == 0 ? "198.51.100.27" : "198.51.100.29", &a);
	(void)addr_parse(n == 0 ? "203.0.113.125" : "203.0.113.126", &b);
	record_begin(r, RECORD_SESSION);
	record_put_time(r, FIELD_TIMESTAMP, 1795438800123456789 + n);
	record_put_word(r, FIELD_MESSAGE,
	    n == 0 ? "198.51.100.27 sent 3 mails to 203.0.113.125 that anyone "
		     "on the way could read: the server did not offer STARTTLS."
		   : "198.51.100.29 sent 3 mails to 203.0.113.126 that anyone "
		     "on the way could read: the server did not offer STARTTLS.");
	record_put_word(r, FIELD_EVENT_KIND, "event");
	record_put_word(r, FIELD_EVENT_CATEGORY, "network");
	record_put_word(r, FIELD_EVENT_CATEGORY, "email");
	record_put_word(r, FIELD_EVENT_TYPE, "connection");
	record_put_word(r, FIELD_EVENT_DATASET, "postcard.session");
	record_put_time(r, FIELD_EVENT_START, 1795438800123456789 + n);
	record_put_time(r, FIELD_EVENT_END, 1795438802123456789 + n);
	record_put_u64(r, FIELD_EVENT_DURATION, 2000000000 + n);
	record_put_word(r, FIELD_OBSERVER_TYPE, "sensor");
	record_put_word(r, FIELD_OBSERVER_PRODUCT, "postcard");
	record_put_word(r, FIELD_OBSERVER_VERSION, "0.1.0");
	record_put_word(r, FIELD_NETWORK_TRANSPORT, "tcp");
	record_put_word(r, FIELD_NETWORK_TYPE, "ipv4");
	record_put_word(r, FIELD_NETWORK_PROTOCOL, "smtp");
	record_put_word(r, FIELD_NETWORK_COMMUNITY_ID,
	    n == 0 ? "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" : "1:MQU9qZlK+B5F3KDmev6m5PMibrg=");
	record_put_ip(r, FIELD_SOURCE_IP, &a);
	record_put_u64(r, FIELD_SOURCE_PORT, 49152 + n);
	record_put_u64(r, FIELD_SOURCE_BYTES, 123456 + n);
	record_put_u64(r, FIELD_SOURCE_PACKETS, 123 + n);
	record_put_ip(r, FIELD_DESTINATION_IP, &b);
	record_put_u64(r, FIELD_DESTINATION_PORT, 25);
	record_put_u64(r, FIELD_DESTINATION_BYTES, 1234 + n);
	record_put_u64(r, FIELD_DESTINATION_PACKETS, 99 + n);
	record_put_word(r, FIELD_OUTCOME, "cleartext");
	record_put_word(r, FIELD_REASON, "not-offered");
	record_put_word(r, FIELD_EXPOSED, "envelope");
	record_put_word(r, FIELD_EXPOSED, "headers");
	record_put_word(r, FIELD_EXPOSED, "body");
	record_put_bool(r, FIELD_STARTTLS_OFFERED, false);
	record_put_bool(r, FIELD_STARTTLS_REQUESTED, false);
	record_put_word(r, FIELD_TLS_MODE, "none");
	record_put_u64(r, FIELD_MESSAGES, 3);
	record_put_u64(r, FIELD_ENVELOPES, 3);
	record_put_word(r, FIELD_HELO, n == 0 ? "client.example.org" : "laptop.example.org");
	record_put_word(r, FIELD_GREETING,
	    n == 0 ? "mx1.example.net ESMTP Postfix (Debian/GNU)"
		   : "mx2.example.net ESMTP Postfix (Debian/GNU)");
	record_put_word(r, FIELD_VISIBILITY, "both");
	record_put_word(r, FIELD_CLOSED_BY, "fin");
	record_put_word(r, FIELD_LEVEL, "high");
	record_put_word(r, FIELD_ADVICE,
	    "Offer STARTTLS on the server: set smtpd_tls_security_level "
	    "to may and give it a certificate.");
}

static void
speed(void)
{
	enum { RECORDS = 1000000 };
	static struct record r[2];
	struct timespec a, b;
	char error[SINK_ERROR];
	put_typical(&r[0], 0);
	put_typical(&r[1], 1);
	FILE *f = fopen("/dev/null", "w");
	struct sink_config config = {.kind = "json", .out = f};
	struct sink *s = sink_open(&config, error);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (int i = 0; i < RECORDS; i++)
		(void)sink_push(s, &r[i % 2]);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	(void)sink_close(s);
	fclose(f);
	double t = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("%.0f records/s, %.2f us each\n", RECORDS / t, t * 1e6 / RECORDS);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_validator_can_say_no),
	    cmocka_unit_test(a_mail_whole),
	    cmocka_unit_test(a_mail_masked),
	    cmocka_unit_test(wire_octets),
	    cmocka_unit_test(odd_records),
	    cmocka_unit_test(every_field_at_once),
	    cmocka_unit_test(thousands_of_values),
	    cmocka_unit_test(random_records),
	    cmocka_unit_test(alike_records),
	    cmocka_unit_test(errors),
	};
	if (argc > 1 && strcmp(argv[1], "speed") == 0) {
		speed();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
