/*
 * Syslog messages: golden lines of each format, and what hostile octets make of them.
 *
 * `sink_syslog_format_test speed` prints how many messages a second one core formats.
 */
#include "sink/syslog_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"

static struct record record;
static char out[LIMIT_SYSLOG_MESSAGE + 1];

static struct syslog_format *
format_of(const char *url, bool reveal)
{
	struct syslog_url u;
	char error[SINK_ERROR];
	if (!syslog_url_parse(&u, url, error))
		fail_msg("%s", error);
	struct syslog_format *f = syslog_format_new(&u, reveal, "sensor.example.com", 4711);
	assert_non_null(f);
	return f;
}

static const char *
written(const char *url, bool reveal)
{
	struct syslog_format *f = format_of(url, reveal);
	size_t n = syslog_format_write(f, &record, out);
	assert_true(n <= LIMIT_SYSLOG_MESSAGE);
	assert_int_equal(strlen(out), n);
	syslog_format_free(f);
	return out;
}

static void
put_alert(const char *source)
{
	struct addr a, b;
	assert_true(addr_parse(source, &a) && addr_parse("198.51.100.25", &b));
	record_begin(&record, RECORD_ALERT);
	record_put_time(&record, FIELD_TIMESTAMP, 1795444267061910123);
	record_put_word(&record, FIELD_MESSAGE, "192.0.2.31 sent 1 mail in the clear.");
	record_put_word(&record, FIELD_EVENT_ACTION, "mail-readable");
	record_put_word(&record, FIELD_LEVEL, "high");
	record_put_word(&record, FIELD_OUTCOME, "cleartext");
	record_put_word(&record, FIELD_REASON, "not-offered");
	record_put_word(&record, FIELD_NETWORK_PROTOCOL, "smtp");
	record_put_ip(&record, FIELD_SOURCE_IP, &a);
	record_put_u64(&record, FIELD_SOURCE_PORT, 36878);
	record_put_ip(&record, FIELD_DESTINATION_IP, &b);
	record_put_u64(&record, FIELD_DESTINATION_PORT, 25);
	record_put_word(&record, FIELD_EXPOSED, "envelope");
	record_put_word(&record, FIELD_EXPOSED, "body");
	record_put_word(&record, FIELD_EMAIL_FROM, "alice@example.com");
	record_put_word(&record, FIELD_EMAIL_SUBJECT, "Dinner on Friday");
	record_put_word(&record, FIELD_HELO, "a=b|c\\d\"e]f");
	record_put_word(&record, FIELD_ALERT_STATE, "new");
	record_put_u64(&record, FIELD_COUNT, 3);
	record_put_word(&record, FIELD_RULE_ID, "f7cc3fa4-020b-4fc3-acf2-295f4839223a");
	record_put_word(&record, FIELD_RULE_NAME, "Mail readable | no TLS");
}

static void
rfc5424(void **state)
{
	(void)state;
	put_alert("192.0.2.31");
	assert_string_equal(written("udp://h", false),
	    "<19>1 2026-11-23T14:31:07.061910Z sensor.example.com postcard 4711 alert "
	    "[postcard@32473 level=\"high\" rule=\"Mail readable | no TLS\" "
	    "rule_id=\"f7cc3fa4-020b-4fc3-acf2-295f4839223a\" state=\"new\" count=\"3\" "
	    "action=\"mail-readable\" outcome=\"cleartext\" reason=\"not-offered\" "
	    "protocol=\"smtp\" src=\"192.0.2.31\" spt=\"36878\" dst=\"198.51.100.25\" dpt=\"25\" "
	    "exposed=\"envelope,body\" from=\"a***@example.com\" "
	    "subject=\"Di*** (16 characters)\" helo=\"a=b|c\\\\d\\\"e\\]f\"]"
	    "[meta sequenceId=\"1\"] 192.0.2.31 sent 1 mail in the clear.");
	assert_non_null(strstr(written("udp://h", true), " subject=\"Dinner on Friday\""));
	/* a byte order mark where the text is more than ASCII */
	record_remove(&record, FIELD_MESSAGE);
	record_put_word(&record, FIELD_MESSAGE, "M\xc3\xbcller");
	assert_non_null(strstr(written("udp://h", false), "\"1\"] \xef\xbb\xbfM\xc3\xbcller"));
	record_begin(&record, RECORD_SESSION);
	record_put_word(&record, FIELD_OUTCOME, "no-mail");
	record_put_time(&record, FIELD_TIMESTAMP, -1);
	assert_string_equal(written("udp://h?records=sessions&facility=local7", false),
	    "<190>1 1969-12-31T23:59:59.999999Z sensor.example.com postcard 4711 session "
	    "[postcard@32473 outcome=\"no-mail\"][meta sequenceId=\"1\"] session: no-mail");
}

static void
rfc3164(void **state)
{
	(void)state;
	put_alert("192.0.2.31");
	record_remove(&record, FIELD_TIMESTAMP);
	record_put_time(&record, FIELD_TIMESTAMP, 1796130067061910123);
	assert_string_equal(written("udp://h?format=rfc3164", false),
	    "<19>Dec  1 13:01:07 sensor postcard[4711]: 192.0.2.31 sent 1 mail in the clear. "
	    "[postcard level=\"high\" rule=\"Mail readable | no TLS\" "
	    "rule_id=\"f7cc3fa4-020b-4fc3-acf2-295f4839223a\" state=\"new\" count=\"3\" "
	    "action=\"mail-readable\" outcome=\"cleartext\" reason=\"not-offered\" "
	    "protocol=\"smtp\" src=\"192.0.2.31\" spt=\"36878\" dst=\"198.51.100.25\" dpt=\"25\" "
	    "exposed=\"envelope,body\" from=\"a***@example.com\" "
	    "subject=\"Di*** (16 characters)\" helo=\"a=b|c\\\\d\\\"e\\]f\"]");
	/* a local daemon knows the host */
	assert_non_null(strstr(written("unix:///dev/log", false),
	    "<19>Dec  1 13:01:07 postcard[4711]: 192.0.2.31 sent"));
}

static void
cef(void **state)
{
	(void)state;
	put_alert("192.0.2.31");
	assert_string_equal(written("udp://h?format=cef", false),
	    "<19>Nov 23 14:31:07 sensor CEF:0|postcard|postcard|" POSTCARD_VERSION
	    "|f7cc3fa4-020b-4fc3-acf2-295f4839223a|Mail readable \\| no TLS|7|rt=1795444267061 "
	    "cat=alert proto=TCP dvchost=sensor.example.com "
	    "msg=192.0.2.31 sent 1 mail in the clear. deviceAction=new cnt=3 act=mail-readable "
	    "outcome=cleartext reason=not-offered app=smtp src=192.0.2.31 spt=36878 "
	    "dst=198.51.100.25 dpt=25 cs1Label=Readable cs1=envelope,body "
	    "suser=a***@example.com cs2Label=Subject cs2=Di*** (16 characters) "
	    "cs3Label=HELO cs3=a\\=b|c\\\\d\"e]f");
	put_alert("2001:db8::31");
	assert_non_null(strstr(written("udp://h?format=cef", false),
	    " c6a2Label=Source IPv6 Address c6a2=2001:db8::31 spt=36878 dst=198.51.100.25 "));
}

static void
leef(void **state)
{
	(void)state;
	put_alert("192.0.2.31");
	assert_string_equal(written("udp://h?format=leef", false),
	    "<19>Nov 23 14:31:07 sensor LEEF:2.0|postcard|postcard|" POSTCARD_VERSION
	    "|f7cc3fa4-020b-4fc3-acf2-295f4839223a|x09|cat=alert\tdevTime=1795444267061\tsev=7"
	    "\tproto=TCP\tlevel=high\trule=Mail readable | no TLS\tstate=new\tcount=3"
	    "\taction=mail-readable\toutcome=cleartext\treason=not-offered\tprotocol=smtp"
	    "\tsrc=192.0.2.31\tsrcPort=36878\tdst=198.51.100.25\tdstPort=25"
	    "\texposed=envelope,body\tusrName=a***@example.com\tsubject=Di*** (16 characters)"
	    "\thelo=a=b|c\\d\"e]f\tmsg=192.0.2.31 sent 1 mail in the clear.");
}

static void
objects(void **state)
{
	(void)state;
	record_begin(&record, RECORD_ALERT);
	record_put_time(&record, FIELD_TIMESTAMP, 1795444267061910123);
	record_put_word(&record, FIELD_HELO, "a\"b\n");
	static const char head[] =
	    "<22>1 2026-11-23T14:31:07.061910Z sensor.example.com postcard 4711 alert "
	    "[meta sequenceId=\"1\"] ";
	static const char object[] = "{\"@timestamp\":\"2026-11-23T14:31:07.061910123Z\","
				     "\"postcard\":{\"helo\":\"a\\\"b\\\\x0a\"}}";
	char want[600];
	snprintf(want, sizeof want, "%s%s", head, object);
	assert_string_equal(written("udp://h?format=json", false), want);
	snprintf(want, sizeof want, "%s@cee: %s", head, object);
	assert_string_equal(written("udp://h?format=cee", false), want);
}

static void
what_is_wanted(void **state)
{
	(void)state;
	static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};
	static const char *const pri[] = {"<22>", "<21>", "<20>", "<19>", "<18>"};
	for (int i = 0; i < 5; i++) {
		char url[64];
		snprintf(url, sizeof url, "udp://h?level=%s", levels[i]);
		struct syslog_format *f = format_of(url, false);
		for (int k = 0; k < 5; k++) {
			record_begin(&record, RECORD_ALERT);
			record_put_word(&record, FIELD_LEVEL, levels[k]);
			assert_int_equal(syslog_format_wants(f, &record), k >= i);
			(void)syslog_format_write(f, &record, out);
			assert_memory_equal(out, pri[k], 4);
		}
		syslog_format_free(f);
	}
	struct syslog_format *alerts = format_of("udp://h", false);
	struct syslog_format *all = format_of("udp://h?records=sessions", false);
	for (uint16_t kind = RECORD_SESSION; kind <= RECORD_SUMMARY; kind++) {
		record_begin(&record, (enum record_kind)kind);
		assert_int_equal(syslog_format_wants(alerts, &record), kind == RECORD_ALERT);
		assert_int_equal(syslog_format_wants(all, &record), kind != RECORD_SUMMARY);
	}
	syslog_format_free(alerts);
	syslog_format_free(all);
}

static void
odd_hosts(void **state)
{
	(void)state;
	struct syslog_url u;
	char error[SINK_ERROR];
	assert_true(syslog_url_parse(&u, "udp://h", error));
	record_begin(&record, RECORD_ALERT);
	record_put_time(&record, FIELD_TIMESTAMP, 0);
	static const char *const hosts[][2] = {{"", " - postcard "},
	    {"a b\n\xc3\xa4<", " a_b___< postcard "}};
	for (size_t i = 0; i < 2; i++) {
		struct syslog_format *f = syslog_format_new(&u, false, hosts[i][0], 1);
		(void)syslog_format_write(f, &record, out);
		assert_non_null(strstr(out, hosts[i][1]));
		syslog_format_free(f);
	}
}

/* --- readers of each format, strict, and what they make of hostile octets ----------------------
 */

static const char *const urls[] = {"udp://h?records=sessions", "tcp://h?records=sessions",
    "udp://h?records=sessions&format=rfc3164", "unix:///x?records=sessions",
    "udp://h?records=sessions&format=cef", "udp://h?records=sessions&format=leef",
    "udp://h?records=sessions&format=json", "udp://h?records=sessions&format=cee"};

/* One line of printable characters; a tab in LEEF only. */
static void
check_line(const char *s, size_t len, bool tabs)
{
	const uint8_t *p = (const uint8_t *)s;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_char(p + i, len - i);
		if (n == 0 || (p[i] < 0x20 && !(tabs && p[i] == '\t')) || p[i] == 0x7f ||
		    (n == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0))
			fail_msg("octet %u at %zu of: %s", p[i], i, s);
		i += n;
	}
}

/* Structured data; returns what stands behind it. */
static const char *
check_sd(const char *s)
{
	while (*s == '[') {
		s += strcspn(s, " ]\"\\=");
		while (*s == ' ') {
			size_t name = strspn(++s, "abcdefghijklmnopqrstuvwxyzI_");
			assert_true(name > 0 && name <= 32);
			s += name;
			assert_int_equal(*s++, '=');
			assert_int_equal(*s++, '"');
			for (; *s != '"'; s++) {
				assert_true(*s != '\0' && *s != ']');
				if (*s == '\\') {
					s++;
					assert_true(*s == '"' || *s == '\\' || *s == ']');
				}
			}
			s++;
		}
		assert_int_equal(*s, ']');
		s++;
	}
	return s;
}

static void
check_5424(const char *s, bool object)
{
	unsigned pri, pid;
	int at = 0;
	assert_int_equal(sscanf(s, "<%u>1 %*[0-9T:.-]Z sensor.example.com postcard %u %*[a-z] %n",
			     &pri, &pid, &at),
	    2);
	s = check_sd(s + at);
	assert_int_equal(*s, ' ');
	if (object)
		assert_true(strstr(s, "{") - s <= 8 && s[strlen(s) - 1] == '}');
}

/* CEF: seven bars end the header, and every = that is not escaped follows a known kind of key. */
static void
check_cef(const char *s)
{
	unsigned bars = 0;
	s = strstr(s, "CEF:0|");
	assert_non_null(s);
	for (; *s != '\0' && bars < 7; s++) {
		if (*s == '\\')
			s++;
		else if (*s == '|')
			bars++;
	}
	assert_int_equal(bars, 7);
	for (const char *p = s; *p != '\0'; p++) {
		if (*p == '\\') {
			p++;
			assert_true(*p == '\\' || *p == '=');
		} else if (*p == '=') {
			const char *key = p;
			while (key > s && key[-1] != ' ')
				key--;
			assert_true(p > key);
			for (; key < p; key++)
				assert_true((*key >= 'a' && *key <= 'z') ||
				    (*key >= 'A' && *key <= 'Z') || (*key >= '0' && *key <= '9'));
		}
	}
}

static void
check_leef(const char *s)
{
	unsigned bars = 0;
	s = strstr(s, "LEEF:2.0|");
	assert_non_null(s);
	for (; *s != '\0' && bars < 6; s++)
		bars += *s == '|';
	assert_memory_equal(s - 4, "x09|", 4);
	while (*s != '\0') {
		size_t key = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		assert_true(key > 0 && s[key] == '=');
		s += strcspn(s, "\t");
		s += *s == '\t';
	}
}

static void
check(size_t i, size_t len)
{
	static const size_t most[] = {2048, 8000, 1024, 1024, 8000, 8000, 8000, 8000};
	assert_true(len <= most[i]);
	assert_int_equal(strlen(out), len);
	check_line(out, len, i == 5);
	if (i < 2 || i > 5)
		check_5424(out, i > 5);
	else if (i == 4)
		check_cef(out);
	else if (i == 5)
		check_leef(out);
	else
		assert_string_equal(check_sd(strstr(out, " [postcard") + 1), "");
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* Every field that has text gets octets, many where there may be many. */
static void
put_everywhere(const char *octets, size_t len, unsigned many)
{
	record_begin(&record, RECORD_ALERT);
	record_put_time(&record, FIELD_TIMESTAMP, 1795444267061910123);
	for (int f = 0; f < FIELDS; f++) {
		if (field_table[f].type == TYPE_ITEM)
			record_put_item(&record, (enum field)f);
		if (field_table[f].type != TYPE_STR)
			continue;
		for (unsigned n = field_table[f].number == NUMBER_MANY ? many : 1; n > 0; n--)
			record_put_str(&record, (enum field)f, octets, len);
	}
}

static void
injection(void **state)
{
	(void)state;
	static const char *const evil[] = {"x\n<0>1 - - - - - - root", "\r\n",
	    "\x1b]0;title\a\x1b[2J", "a\"] [evil@1 x=\"y\"", "\\\"]", "\\",
	    "a|b|CEF:0|x|y|z|1|2|10|src=6.6.6.6", "a=b src=6.6.6.6", "a\tsrc=6.6.6.6",
	    "\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80", "\xed\xa0\x80\xff\xfe",
	    "\xe2\x80\xae"
	    "evil",
	    "\xc2\x85\xc2\x9b", "@cee: {\"a\":1}", "{\"a\":\"", "\xef\xbb\xbf", "\xc3",
	    "<13>Jan  1 00:00:00 h t: m"};
	for (size_t e = 0; e <= sizeof evil / sizeof *evil; e++) {
		bool nul = e == sizeof evil / sizeof *evil;
		put_everywhere(nul ? "a\0b\0" : evil[e], nul ? 4 : strlen(evil[e]), 3);
		for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
			for (int reveal = 0; reveal < 2; reveal++) {
				const char *s = written(urls[i], reveal != 0);
				check(i, strlen(s));
			}
		}
	}
}

static void
long_values(void **state)
{
	(void)state;
	static char big[4000];
	static const char *const fill[] = {"\x01", "\"", "]", "\\", "=", "|", "\xc3\xa4",
	    "\xf0\x9f\x93\xae", "\xff", "a"};
	for (size_t f = 0; f < sizeof fill / sizeof *fill; f++) {
		size_t unit = strlen(fill[f]);
		for (unsigned many = 1; many < 20; many += 9) {
			for (size_t n = 0; n + unit <= sizeof big; n += unit)
				memcpy(big + n, fill[f], unit);
			put_everywhere(big, many > 1 ? 200 : sizeof big - sizeof big % unit, many);
			for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
				const char *s = written(urls[i], true);
				check(i, strlen(s));
				assert_true(strlen(s) > 500);
			}
		}
	}
	/* what matters most is there whatever else is */
	put_alert("192.0.2.31");
	memset(big, '=', sizeof big);
	for (int i = 0; i < 12; i++)
		record_put_str(&record, FIELD_GREETING, big, sizeof big);
	for (int i = 0; i < 30; i++)
		record_put_str(&record, FIELD_EMAIL_TO, big, 200);
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		assert_non_null(
		    strstr(written(urls[i], true), "192.0.2.31 sent 1 mail in the clear."));
	assert_non_null(strstr(written("tcp://h", true), "..."));
	assert_non_null(strstr(written("tcp://h?format=json", true), "..."));
}

static void
random_octets(void **state)
{
	(void)state;
	uint64_t seed = 20261130;
	char octets[700];
	for (int round = 0; round < 1500; round++) {
		record_begin(&record, (enum record_kind)(next_random(&seed) % 4));
		for (unsigned n = next_random(&seed) % 60; n > 0; n--) {
			enum field f = (enum field)(next_random(&seed) % FIELDS);
			size_t len = next_random(&seed) % (n % 8 == 0 ? sizeof octets : 30);
			uint32_t mask = next_random(&seed) % 2 ? 0xff : 0x7f;
			for (size_t i = 0; i < len; i++)
				octets[i] = (char)(next_random(&seed) & mask);
			if (field_table[f].type == TYPE_STR)
				record_put_str(&record, f, octets, len);
			else if (field_table[f].type == TYPE_U64)
				record_put_u64(&record, f, next_random(&seed));
			else if (field_table[f].type == TYPE_TIME)
				record_put_time(&record, f, (int64_t)next_random(&seed) << 32);
		}
		for (uint32_t k = round % 4 == 0 ? 8 : 0; k > 0 && record.len > 0; k--)
			record.data[next_random(&seed) % record.len] = (uint8_t)next_random(&seed);
		size_t i = (size_t)round % (sizeof urls / sizeof *urls);
		struct syslog_format *f = format_of(urls[i], round % 3 == 0);
		check(i, syslog_format_write(f, &record, out));
		syslog_format_free(f);
	}
}

static void
masked(void **state)
{
	(void)state;
	static const char *const secret[] = {"alice", "Dinner", "plan-b", "bob"};
	put_alert("192.0.2.31");
	record_put_word(&record, FIELD_EMAIL_TO, "bob@example.net");
	record_put_item(&record, FIELD_EMAIL_ATTACHMENT);
	record_put_word(&record, FIELD_EMAIL_ATTACHMENT_NAME, "plan-b.pdf");
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		const char *s = written(urls[i], false);
		for (size_t k = 0; k < sizeof secret / sizeof *secret; k++)
			assert_null(strstr(s, secret[k]));
		assert_non_null(strstr(s, "a***@example.com"));
	}
}

static void
speed(void)
{
	enum { MESSAGES = 200000 };
	put_alert("192.0.2.31");
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct timespec a, b;
		struct syslog_format *f = format_of(urls[i], false);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		for (int n = 0; n < MESSAGES; n++)
			(void)syslog_format_write(f, &record, out);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		double t = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
		printf("%-45s %.0f messages/s, %.2f us each\n", urls[i], MESSAGES / t,
		    t * 1e6 / MESSAGES);
		syslog_format_free(f);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc5424),
	    cmocka_unit_test(rfc3164),
	    cmocka_unit_test(cef),
	    cmocka_unit_test(leef),
	    cmocka_unit_test(objects),
	    cmocka_unit_test(what_is_wanted),
	    cmocka_unit_test(odd_hosts),
	    cmocka_unit_test(injection),
	    cmocka_unit_test(long_values),
	    cmocka_unit_test(random_octets),
	    cmocka_unit_test(masked),
	};
	setenv("TZ", "UTC", 1);
	if (argc > 1 && strcmp(argv[1], "speed") == 0) {
		speed();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
