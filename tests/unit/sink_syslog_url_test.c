/* The URL of a syslog server: what it may say, and what is said where it is wrong. */
#include "sink/syslog_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "sink/syslog.h"
#include "sink/words.h"

static struct syslog_url
parsed(const char *url)
{
	struct syslog_url u;
	char error[SINK_ERROR];
	if (!syslog_url_parse(&u, url, error))
		fail_msg("%s: %s", url, error);
	return u;
}

static void
expect_error(const char *url, const char *want)
{
	struct syslog_url u;
	char error[SINK_ERROR] = "";
	if (syslog_url_parse(&u, url, error))
		fail_msg("%s was taken", url);
	assert_string_equal(error, want);
}

static void
transports(void **state)
{
	(void)state;
	struct syslog_url u = parsed("unix:///dev/log");
	assert_int_equal(u.transport, SYSLOG_UNIX);
	assert_string_equal(u.socket, "/dev/log");
	assert_string_equal(u.shown, "unix:///dev/log");
	assert_int_equal(u.format, FORMAT_RFC3164);
	u = parsed("udp://loghost");
	assert_int_equal(u.transport, SYSLOG_UDP);
	assert_string_equal(u.host, "loghost");
	assert_int_equal(u.port, 514);
	assert_int_equal(u.format, FORMAT_RFC5424);
	assert_int_equal(u.facility, 2);
	assert_int_equal(u.level, LEVEL_INFORMATIONAL);
	assert_false(u.sessions);
	u = parsed("tcp://[2001:db8::1]:601/?framing=lf");
	assert_int_equal(u.transport, SYSLOG_TCP);
	assert_string_equal(u.host, "2001:db8::1");
	assert_int_equal(u.port, 601);
	assert_true(u.lines);
	assert_string_equal(u.shown, "tcp://[2001:db8::1]:601");
	assert_int_equal(parsed("tcp://192.0.2.1").port, 514);
	u = parsed("tls://log.example.com");
	assert_int_equal(u.transport, SYSLOG_TLS);
	assert_int_equal(u.port, 6514);
	assert_false(u.lines);
	assert_true(u.verify);
	assert_string_equal(u.name, "log.example.com");
	assert_string_equal(u.shown, "tls://log.example.com:6514");
}

static void
parameters(void **state)
{
	(void)state;
	struct syslog_url u =
	    parsed("tls://h:1?format=cee&facility=local7&level=high&records=sessions"
		   "&ca=/a%20b&cert=/c&key=/k&verify=no&name=x.example&framing=octets");
	assert_int_equal(u.format, FORMAT_CEE);
	assert_int_equal(u.facility, 23);
	assert_int_equal(u.level, LEVEL_HIGH);
	assert_true(u.sessions);
	assert_string_equal(u.ca, "/a b");
	assert_string_equal(u.cert, "/c");
	assert_string_equal(u.key, "/k");
	assert_string_equal(u.name, "x.example");
	assert_false(u.verify);
	static const struct {
		const char *word;
		enum syslog_form form;
	} forms[] = {{"rfc5424", FORMAT_RFC5424}, {"rfc3164", FORMAT_RFC3164}, {"cef", FORMAT_CEF},
	    {"leef", FORMAT_LEEF}, {"json", FORMAT_JSON}, {"cee", FORMAT_CEE}};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		char url[64];
		snprintf(url, sizeof url, "unix:///x?format=%s", forms[i].word);
		assert_int_equal(parsed(url).format, forms[i].form);
	}
	assert_int_equal(parsed("udp://h?").port, 514);
	assert_string_equal(parsed("unix:///a%2fb").socket, "/a/b");
}

static void
mistakes(void **state)
{
	(void)state;
	expect_error("loghost",
	    "syslog URL: it begins with unix://, udp://, tcp:// or tls://: tls://loghost");
	expect_error("tsl://h", "syslog URL: 'tsl' is no transport; 'tls' is");
	expect_error("syslog://h",
	    "syslog URL: 'syslog' is no transport, which may be unix, udp, tcp or tls");
	expect_error("udp://", "syslog URL: the host is missing");
	expect_error("udp://:514", "syslog URL: the host is missing");
	expect_error("udp://a b", "syslog URL: 'a b' is no host name or address");
	expect_error("udp://h\nx", "syslog URL: 'h\\x0ax' is no host name or address");
	expect_error("udp://h:0", "syslog URL: '0' is no port (1 to 65535)");
	expect_error("udp://h:65536", "syslog URL: '65536' is no port (1 to 65535)");
	expect_error("udp://h:", "syslog URL: '' is no port (1 to 65535)");
	expect_error("udp://h:syslog", "syslog URL: 'syslog' is no port (1 to 65535)");
	expect_error("udp://2001:db8::1",
	    "syslog URL: '2001:db8::1' is no host: an IPv6 address stands in brackets");
	expect_error("udp://[2001:db8::1",
	    "syslog URL: '[2001:db8::1' is no IPv6 address in brackets");
	expect_error("udp://[::1]x", "syslog URL: '[::1]x' is no IPv6 address in brackets");
	expect_error("udp://[host]", "syslog URL: 'host' is no host name or address");
	expect_error("udp://h/x",
	    "syslog URL: '/x' has no meaning behind a host: parameters stand behind a '?'");
	expect_error("udp://h#x", "syslog URL: a '#' has no meaning in it");
	expect_error("unix://dev/log",
	    "syslog URL: 'dev/log' is no absolute path: unix:///dev/log is one");
	expect_error("udp://h?format=rfc5242", "syslog URL: 'rfc5242' is no format; 'rfc5424' is");
	expect_error("udp://h?format=xml",
	    "syslog URL: 'xml' is no format, which may be rfc5424, rfc3164, cef, leef, json or "
	    "cee");
	expect_error("udp://h?formt=cef", "syslog URL: 'formt' is no parameter; 'format' is");
	expect_error("udp://h?facility=local8", "syslog URL: 'local8' is no facility; 'local0' is");
	expect_error("udp://h?facility=zzzzzzzz",
	    "syslog URL: 'zzzzzzzz' is no facility, which may be that of syslog.conf");
	expect_error("udp://h?level=hihg", "syslog URL: 'hihg' is no level; 'high' is");
	assert_int_equal(parsed("udp://h").heartbeat_s, SYSLOG_HEARTBEAT_S);
	assert_int_equal(parsed("udp://h?heartbeat=0").heartbeat_s, 0);
	assert_int_equal(parsed("udp://h?heartbeat=86400").heartbeat_s, 86400);
	expect_error("udp://h?heartbeat=5m", "syslog URL: '5m' is no number of seconds");
	expect_error("udp://h?heartbeat=1234567", "syslog URL: '1234567' is no number of seconds");
	expect_error("udp://h?records=all",
	    "syslog URL: 'all' is no kind of records, which may be alerts or sessions");
	expect_error("tls://h?verify=maybe",
	    "syslog URL: 'maybe' is no answer to 'verify', which may be no or yes");
	expect_error("udp://h?framing=lf", "syslog URL: 'framing' is for tcp:// and tls:// only");
	expect_error("tcp://h?ca=/x", "syslog URL: 'ca' is for tls:// only");
	expect_error("tls://h?ca=", "syslog URL: 'ca' has no value");
	expect_error("tls://h?ca", "syslog URL: 'ca' has no value");
	expect_error("tls://h?ca=%zz",
	    "syslog URL: 'ca' has a value that is too long, or a bad %XX in it");
	expect_error("tls://h?ca=%00",
	    "syslog URL: 'ca' has a value that is too long, or a bad %XX in it");
	expect_error("tls://h?key=/k", "syslog URL: 'key' is given, but no 'cert'");
	expect_error("tls://h?name=a/b", "syslog URL: 'a/b' is no host name or address");
	expect_error("udp://h?level=low&level=high", "syslog URL: 'level' is given twice");
}

static void
secrets_are_not_repeated(void **state)
{
	(void)state;
	static const char *const urls[] = {"tls://user:hunter2@h", "tls://hunter2@h:x",
	    "hunter2@h://x", "tls://user:hunter2@[::1", "unix:/user:hunter2@h"};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct syslog_url u;
		char error[SINK_ERROR] = "";
		assert_false(syslog_url_parse(&u, urls[i], error));
		assert_null(strstr(error, "hunter2"));
		assert_true(strlen(error) > 20);
	}
}

static void
long_and_random_ones(void **state)
{
	(void)state;
	static const char alphabet[] = "utcpdlsnix:/@[]?&=%#.0f-\n\xff";
	struct syslog_url u;
	char error[SINK_ERROR], url[2000];
	uint32_t seed = 7;
	memset(url, 'a', sizeof url - 1);
	url[sizeof url - 1] = '\0';
	memcpy(url, "tls://", 6);
	assert_false(syslog_url_parse(&u, url, error));
	memcpy(url, "unix:///", 8);
	assert_false(syslog_url_parse(&u, url, error));
	memcpy(url, "tls://h?ca=", 11);
	assert_false(syslog_url_parse(&u, url, error));
	memcpy(url, "tls://h?aaa", 11);
	assert_false(syslog_url_parse(&u, url, error));
	for (int round = 0; round < 20000; round++) {
		size_t n = 0, len = (seed >> 8) % 60;
		if (round % 2 == 0)
			n = (size_t)sprintf(url, "tls://h?");
		for (; n < len; n++) {
			seed = seed * 1664525u + 1013904223u;
			url[n] = alphabet[(seed >> 10) % (sizeof alphabet - 1)];
		}
		url[n] = '\0';
		seed = seed * 1664525u + 1013904223u;
		if (!syslog_url_parse(&u, url, error))
			assert_true(
			    strncmp(error, "syslog URL: ", 12) == 0 && !strchr(error, '\n'));
	}
}

static void
checked_without_connecting(void **state)
{
	(void)state;
	char error[SINK_ERROR], url[1200];
	assert_true(syslog_check("udp://nowhere.invalid", error));
	assert_true(syslog_check("tls://nowhere.invalid", error));
	assert_false(syslog_check("tls://h?levle=low", error));
	snprintf(url, sizeof url, "tls://h?ca=%s", path_of("none.pem"));
	assert_false(syslog_check(url, error));
	assert_non_null(
	    strstr(error, "none.pem: no certificates of an authority: No such file or directory"));
	write_text("bad.pem", "-----BEGIN NOTHING-----\n");
	snprintf(url, sizeof url, "tls://h?cert=%s", path_of("bad.pem"));
	assert_false(syslog_check(url, error));
	assert_non_null(strstr(error, "bad.pem: no certificate: "));
	struct sink_config config = {.kind = "syslog"};
	assert_null(sink_open(&config, error));
	assert_string_equal(error, "syslog: no URL is given");
	config.url = "upd://h";
	assert_null(sink_open(&config, error));
	assert_string_equal(error, "syslog URL: 'upd' is no transport; 'udp' is");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(transports),
	    cmocka_unit_test(parameters),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(secrets_are_not_repeated),
	    cmocka_unit_test(long_and_random_ones),
	    FOLDER_TEST(checked_without_connecting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
