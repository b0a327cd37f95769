/*
 * The text sink: what the report says, that nothing is wider than its page, and that masked values
 * stay masked.
 *
 * `sink_text_test demo [colour] [ascii] [reveal] [verbose] [COLUMNS]` prints a report of made-up
 * records, to look at.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sink/card.h"
#include "sink/page.h"
#include "sink/sink.h"
#include "sink/words.h"
#include "sink_text_made.h"

static const struct made scan = {.client = "10.1.20.31",
    .server = "10.1.0.25",
    .helo = "MFP-Hallway-3",
    .port = 25,
    .greeting = "relay.example.org ESMTP Postfix (Debian/GNU)",
    .outcome = "cleartext",
    .reason = "not-asked",
    .level = "medium",
    .from = "scanner@example.org",
    .to = "alice@example.org",
    .subject = "Scan from MFP-Hallway-3",
    .file = "scan_0017.pdf",
    .mails = 1,
    .at_s = 100,
    .client_port = 40000,
    .message = "MFP-Hallway-3 sends its mail with HELO and never asks relay.example.org for TLS.",
    .advice =
	"Turn on STARTTLS (\"SMTP over TLS\") in the printer's network settings, or let it send "
	"to a relay on its own network segment."};

static const struct made login = {.client = "192.168.7.15",
    .server = "203.0.113.25",
    .helo = "laptop.example.org",
    .port = 587,
    .greeting = "220 mail.example.net ESMTP",
    .outcome = "cleartext",
    .reason = "stripped",
    .level = "critical",
    .auth = "PLAIN",
    .from = "alice@example.org",
    .to = "bob@partner.example.com",
    .subject = "Offer \"Friday\", final",
    .mails = 1,
    .at_s = 720,
    .client_port = 51544,
    .message = "alice@ex\xe2\x80\xa6 logged in to mail.example.net and sent a mail readable by "
	       "anyone on the "
	       "way: the offer of STARTTLS was overwritten (250-XXXXXXXA).",
    .advice =
	"Look for a firewall between 192.168.7.15 and 203.0.113.25 that inspects SMTP (Cisco ASA: "
	"\"allow-tls\" in the ESMTP inspection map); let the client require TLS."};

static const struct made inbound = {.client = "2001:db8:1234:5678:9abc:def0:1234:5678",
    .server = "2001:db8::25",
    .port = 25,
    .helo = "a-very-long-host-name-of-a-mail-server-in-a-data-centre.rack-17.example.com",
    .greeting = "mx.example.org ESMTP",
    .outcome = "cleartext",
    .reason = "not-requested",
    .level = "low",
    .from = "",
    .to = "bob@example.org",
    .subject = "Undelivered Mail",
    .mails = 2,
    .at_s = 1500,
    .client_port = 40001,
    .advice = OFFER};

static const struct made imap = {.client = "192.168.7.77",
    .server = "198.51.100.143",
    .port = 143,
    .protocol = "imap",
    .greeting = "* OK imap.example.net Dovecot ready.",
    .outcome = "cleartext",
    .reason = "not-offered",
    .level = "high",
    .auth = "LOGIN-COMMAND",
    .at_s = 1600,
    .client_port = 40002,
    .advice = OFFER};

static const struct made sealed = {.client = "10.1.0.25",
    .server = "203.0.113.99",
    .port = 25,
    .outcome = "encrypted",
    .client_port = 50000};
static const struct made failed = {.client = "10.1.0.25",
    .server = "203.0.113.98",
    .port = 25,
    .outcome = "tls-failed",
    .client_port = 50001};
static const struct made unknown = {.client = "10.1.0.26",
    .server = "203.0.113.98",
    .port = 25,
    .outcome = "unknown",
    .client_port = 50002,
    .visibility = "server-only"};

static struct sink *
open_sink(const struct sink_config *base, FILE *out)
{
	char error[SINK_ERROR];
	struct sink_config config = *base;
	config.kind = "text";
	config.out = out;
	struct sink *s = sink_open(&config, error);
	assert_non_null(s);
	return s;
}

static void
push_everything(struct sink *s)
{
	char helo[32], to[64], from[64];
	struct made m = scan;
	for (unsigned i = 0; i < 412; i++) {
		m = scan;
		m.client_port += i;
		m.at_s += i * 7;
		snprintf(to, sizeof to, "person%u@example.org", i % 37);
		m.to = to;
		push(s, &m);
	}
	push(s, &login);
	push(s, &inbound);
	push(s, &imap);
	for (unsigned i = 0; i < 8; i++) { /* the same but for the sender */
		m = inbound;
		m.client = "198.51.100.200";
		m.helo = "mta.example.com";
		snprintf(from, sizeof from, "sender%u@example.com", i);
		m.from = from;
		m.client_port = 41000 + i;
		push(s, &m);
	}
	for (unsigned i = 0; i < 14; i++) { /* many clients */
		m = scan;
		snprintf(helo, sizeof helo, "10.1.21.%u", i + 1);
		m.client = helo;
		m.helo = "printer";
		m.file = NULL;
		m.client_port = 42000 + i;
		push(s, &m);
	}
	for (unsigned i = 0; i < 250; i++) {
		m = sealed;
		m.client_port += i;
		push(s, &m);
	}
	push(s, &failed);
	push(s, &unknown);
}

static char *
report(const struct sink_config *config, void (*fill)(struct sink *), bool flawed)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_sink(config, f);
	fill(s);
	push_summary(s, flawed);
	assert_true(sink_close(s));
	fclose(f);
	return out;
}

/* Every line within the columns, no control characters, no blanks at a line's end. */
static void
check_page(const char *out, unsigned columns, bool unicode)
{
	while (*out != '\0') {
		size_t len = strcspn(out, "\n");
		assert_int_equal(out[len], '\n');
		if (page_width(out, len) > columns)
			print_error("%.*s\n", (int)len, out);
		assert_true(page_width(out, len) <= columns);
		assert_true(len == 0 || out[len - 1] != ' ');
		for (size_t i = 0; i < len; i++)
			assert_true((uint8_t)out[i] >= 0x20 && (unicode || (uint8_t)out[i] < 0x7f));
		out += len + 1;
	}
}

/* --- tests -------------------------------------------------------------------------------------
 */

static unsigned
times(const char *out, const char *what)
{
	unsigned n = 0;
	for (; (out = strstr(out, what)) != NULL; out += strlen(what))
		n++;
	return n;
}

static void
cards_are_rolled_up(void **state)
{
	(void)state;
	struct sink_config config = {.unicode = true};
	char *out = report(&config, push_everything, true);
	check_page(out, 80, true);
	assert_non_null(
	    strstr(out, "412 mails in 412 connections were readable: the client never"));
	assert_non_null(strstr(out, "p***@example.org and 36 more"));
	assert_int_equal(times(out, "mta.example.com\n"), 4); /* three senders, and the others */
	assert_int_equal(times(out, " of 22 "), 22);
	assert_non_null(strstr(out, "s***@example.com and 4 more"));
	assert_true(strstr(out, "CRITICAL") < strstr(out, "HIGH"));
	assert_true(strstr(out, "HIGH") < strstr(out, "MEDIUM"));
	assert_true(strstr(out, "MEDIUM") < strstr(out, "LOW"));
	assert_non_null(strstr(out, "437 of 689 mail connections"));
	free(out);
}

static void
nothing_is_wider_than_the_page(void **state)
{
	(void)state;
	for (unsigned columns = 40; columns <= 110; columns++) {
		for (unsigned how = 0; how < 4; how++) {
			struct sink_config config = {.columns = columns,
			    .unicode = how & 1,
			    .reveal = how >> 1,
			    .verbose = 1};
			char *out = report(&config, push_everything, true);
			check_page(out, columns, config.unicode);
			free(out);
		}
	}
}

static void
private_values_are_masked(void **state)
{
	(void)state;
	static const char *const secret[] = {"alice@example", "bob@", "person1", "scanner@",
	    "Offer \"", "scan_00", "Undelivered"};
	struct sink_config config = {.unicode = true};
	char *masked = report(&config, push_everything, true);
	config.reveal = true;
	char *whole = report(&config, push_everything, true);
	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++) {
		assert_null(strstr(masked, secret[i]));
		assert_non_null(strstr(whole, secret[i]));
	}
	free(masked);
	free(whole);
}

static void
push_nothing(struct sink *s)
{
	(void)s;
}

static void
push_sealed(struct sink *s)
{
	push(s, &sealed);
	push(s, &failed);
}

static void
nothing_in_clear(void **state)
{
	(void)state;
	struct sink_config config = {0};
	char *out = report(&config, push_nothing, false);
	assert_non_null(strstr(out, "No mail connection in this capture."));
	assert_non_null(strstr(out, "4,711 TCP connections"));
	assert_non_null(strstr(out, "nothing lost, cut or damaged"));
	assert_null(strstr(out, "\x1b"));
	free(out);
	out = report(&config, push_sealed, false);
	assert_non_null(strstr(out, "No readable mail or password in 2 mail connections."));
	assert_null(strstr(out, "Readable "));
	free(out);
}

static void
quiet_and_verbose(void **state)
{
	(void)state;
	struct sink_config config = {.quiet = true, .verbose = 1};
	char *out = report(&config, push_everything, true);
	assert_null(strstr(out, "CRITICAL"));
	assert_null(strstr(out, "\nEncrypted"));
	assert_non_null(strstr(out, " Summary "));
	free(out);
	config = (struct sink_config){.verbose = 1};
	out = report(&config, push_sealed, false);
	assert_non_null(strstr(out, "13:00:00 encrypted  10.1.0.25:50000"));
	free(out);
	config.colour = true;
	out = report(&config, push_everything, true);
	assert_non_null(strstr(out, "\x1b[1;97;41m"));
	free(out);
}

/* What a mail's record can say besides: sealed content, refusal of all recipients. */
static void
push_accepted(struct sink *s)
{
	struct made m = scan;
	m.owner = "ann@example.org";
	for (unsigned i = 0; i < 5; i++) {
		m.client_port++;
		push(s, &m);
	}
	m = login; /* credentials are never silenced */
	m.owner = "bob@example.org";
	push(s, &m);
	m = inbound;
	m.wants = "verify";
	push(s, &m);
}

/* What is accepted is counted, and has a card only with -v; what violates a policy says which. */
static void
accepted_and_violated(void **state)
{
	(void)state;
	struct sink_config config = {.columns = 80, .unicode = true, .reveal = true};
	char *out = report(&config, push_accepted, false);
	check_page(out, 80, true);
	assert_null(strstr(out, "Turn on STARTTLS"));
	assert_non_null(strstr(out, " 1 of 2 "));
	assert_non_null(strstr(out, "Accepted    Old printer\\x1b[2J (bob@example.org, until"));
	assert_non_null(
	    strstr(out, "Look for a firewall")); /* the password is known all the same */
	assert_non_null(strstr(out,
	    "Policy      violated: partner.example, example.net require "
	    "TLS with a"));
	assert_non_null(strstr(out, "bob@example.org, until 2026-12-31"));
	free(out);
	config.verbose = 1;
	out = report(&config, push_accepted, false);
	check_page(out, 80, true);
	assert_non_null(strstr(out, " 3 of 3 "));
	assert_non_null(strstr(out, "(ann@example.org,"));
	free(out);
}

static void
push_long_names(struct sink *s)
{
	struct made m = scan;
	m.file = "A report of which the beginning is long and ends like one.pdf"
		 "                                        .exe";
	m.subject = "A subject with more octets than the card has room for, which is one hundred, "
		    "and not a single one more: the end";
	push(s, &m);
}

/* What kind of file it is stands at the end of its name, however long that is; what was left out is
 * shown to be. */
static void
long_names(void **state)
{
	(void)state;
	struct sink_config config = {.columns = 120, .unicode = true};
	char *out = report(&config, push_long_names, false);
	assert_non_null(strstr(out, "Attached    A***.exe (application/pdf, "));
	assert_null(strstr(out, "A***.pdf"));
	free(out);
	config.reveal = true;
	out = report(&config, push_long_names, false);
	check_page(out, 110, true);
	assert_non_null(strstr(out, "A report of which the beginning is long and e... .exe"));
	assert_non_null(strstr(out, " on..."));
	free(out);
}

static void
odd_mails(void **state)
{
	(void)state;
	static struct record r;
	struct sink_config config = {0};
	struct made m = scan;
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_sink(&config, f);
	make_mail(&r, &m);
	record_put_word(&r, FIELD_EMAIL_ATTACHMENT_DETECTED,
	    "application/vnd.microsoft.portable-executable");
	record_put_word(&r, FIELD_BODY_PROTECTION, "smime");
	assert_true(sink_push(s, &r));
	make_session(&r, &m);
	assert_true(sink_push(s, &r));
	m = inbound;
	m.to = m.subject = NULL;
	record_begin(&r, RECORD_MESSAGE);
	put_connection(&r, &m);
	put_exposed(&r, &m);
	record_put_word(&r, FIELD_EMAIL_FROM, "alice@example.org");
	record_put_u64(&r, FIELD_RECIPIENTS, 3);
	record_put_word(&r, FIELD_DELIVERED, "rejected");
	assert_true(sink_push(s, &r));
	m.mails = 0;
	make_session(&r, &m);
	assert_true(sink_push(s, &r));
	assert_true(sink_close(s));
	fclose(f);
	assert_non_null(strstr(out, "sealed inside (S/MIME): addresses and subject readable\n"));
	assert_non_null(strstr(out, "= body sealed  = attachments sealed\n"));
	assert_non_null(strstr(out, "(declared PDF, is a Windows program, 1.2 MB)"));
	assert_non_null(strstr(out, "   To          3 recipients, all refused\n"));
	assert_non_null(strstr(out, "Envelope in clear"));
	assert_non_null(strstr(out, "not accepted by the server, but readable"));
	check_page(out, 80, false);
	free(out);
}

/* Mails whose session's record never comes (a worker died) are shown all the same; more open
 * connections than fit are, too. */
static void
mails_without_a_session(void **state)
{
	(void)state;
	static struct record r;
	struct sink_config config = {0};
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_sink(&config, f);
	for (unsigned i = 0; i < LIMIT_OPEN_CARDS + 1000; i++) {
		struct made m = scan;
		m.client_port = i;
		make_mail(&r, &m);
		assert_true(sink_push(s, &r));
	}
	assert_true(sink_close(s));
	fclose(f);
	assert_int_equal(times(out, "1 of 1"), 1);
	assert_non_null(strstr(out, "5,096 mails"));
	free(out);
}

static void
more_kinds_than_fit(void **state)
{
	(void)state;
	static struct record r;
	struct sink_config config = {.quiet = true};
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_sink(&config, f);
	for (unsigned i = 0; i < LIMIT_CARDS + 77; i++) {
		char client[32];
		struct made m = imap;
		snprintf(client, sizeof client, "10.0.%u.%u", i / 256, i % 256);
		m.client = client;
		make_session(&r, &m);
		assert_int_equal(sink_wants_details(s, &r), i < LIMIT_CARDS);
		assert_true(sink_push(s, &r));
	}
	struct made known = imap;
	known.client = "10.0.0.1";
	make_session(&r, &known);
	assert_true(sink_wants_details(s, &r));
	record_set_word(&r, FIELD_OUTCOME, "encrypted");
	assert_false(sink_wants_details(s, &r));
	assert_true(sink_close(s));
	fclose(f);
	assert_non_null(strstr(out, "77 connections of other kinds"));
	assert_non_null(strstr(out, "and more than 4,086 more"));
	check_page(out, 80, false);
	free(out);
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* The report of 300 cards, some of which change later; `idle`: with time to draw in between. */
static char *
report_of_many(bool idle)
{
	static struct record r;
	struct sink_config config = {.unicode = true, .colour = true};
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_sink(&config, f);
	struct sink_wait w;
	for (unsigned i = 0; i < 600; i++) {
		char client[32];
		struct made m = i % 3 == 0 ? scan : inbound;
		snprintf(client, sizeof client, "10.0.%u.%u", i % 300 / 256, i % 300 % 256);
		m.client = client;
		m.at_s = i;
		if (i >= 300 && i % 5 != 0)
			continue; /* of the second round each fifth */
		push(s, &m);
		for (unsigned n = 0; idle && n < i % 7; n++)
			assert_true(sink_tick(s));
	}
	for (unsigned n = 0; idle && n < 100; n++)
		assert_true(sink_tick(s));
	sink_wait(s, &w);
	assert_int_equal(w.timeout_ms, idle ? -1 : 0); /* nothing is left to draw */
	make_session(&r, &imap);
	assert_true(sink_push(s, &r));
	push_summary(s, false);
	assert_true(sink_close(s));
	fclose(f);
	return out;
}

static void
cards_drawn_before_the_end(void **state)
{
	(void)state;
	char *late = report_of_many(false), *early = report_of_many(true);
	assert_non_null(strstr(late, "301 of 301"));
	assert_string_equal(early, late);
	free(late);
	free(early);
}

static void
random_records(void **state)
{
	(void)state;
	static const enum record_kind kinds[] = {RECORD_SESSION, RECORD_MESSAGE, RECORD_SUMMARY,
	    RECORD_ALERT};
	static struct record r;
	uint64_t seed = 4711;
	for (unsigned round = 0; round < 60; round++) {
		struct sink_config config = {.columns = 40 + next_random(&seed) % 80,
		    .verbose = 1,
		    .unicode = round & 1,
		    .reveal = round & 2};
		char *out = NULL;
		size_t len;
		FILE *f = open_memstream(&out, &len);
		struct sink *s = open_sink(&config, f);
		for (unsigned i = 0; i < 40; i++) {
			record_begin(&r, kinds[next_random(&seed) % 4]);
			record_put_word(&r, FIELD_OUTCOME, "cleartext");
			for (unsigned n = next_random(&seed) % 150; n > 0; n--) {
				char octets[200];
				size_t size = next_random(&seed) % sizeof octets;
				struct addr a = {.family = 6};
				enum field field = (enum field)(next_random(&seed) % FIELDS);
				for (size_t k = 0; k < size; k++)
					octets[k] =
					    (char)(a.b[k % 16] = (uint8_t)next_random(&seed));
				switch (field_table[field].type) {
				case TYPE_STR: record_put_str(&r, field, octets, size); break;
				case TYPE_U64:
					record_put_u64(&r, field,
					    next_random(&seed) * (uint64_t)size * size);
					break;
				case TYPE_BOOL: record_put_bool(&r, field, size & 1); break;
				case TYPE_TIME:
					record_put_time(&r, field,
					    (int64_t)((uint64_t)next_random(&seed) << 33));
					break;
				case TYPE_IP: record_put_ip(&r, field, &a); break;
				default: record_put_item(&r, field); break;
				}
			}
			assert_true(sink_push(s, &r));
		}
		assert_true(sink_close(s));
		fclose(f);
		check_page(out, config.columns > 110 ? 110 : config.columns, config.unicode);
		free(out);
	}
}

static void
counts_of_different_values(void **state)
{
	(void)state;
	static struct distinct d;
	uint64_t seed = 1;
	memset(&d, 0, sizeof d);
	for (unsigned i = 1; i <= 64; i++) {
		uint64_t h = (uint64_t)next_random(&seed) << 32 | next_random(&seed);
		assert_true(distinct_add(&d, h));
		assert_false(distinct_add(&d, h));
		assert_int_equal(distinct_count(&d), i);
	}
	for (unsigned i = 65; i <= 10000; i++) {
		(void)distinct_add(&d, (uint64_t)next_random(&seed) << 32 | next_random(&seed));
		uint64_t n = distinct_count(&d);
		assert_true(n * 10 > i * 9 && n * 10 < i * 11);
	}
}

static void
expect_words(const char *got, const char *want)
{
	assert_string_equal(got, want);
}

static void
numbers_for_people(void **state)
{
	(void)state;
	static const struct {
		uint64_t octets;
		const char *want;
	} sizes[] = {{0, "0 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {12345, "12 kB"},
	    {999499, "999 kB"}, {999999, "1.0 MB"}, {1250000, "1.2 MB"}, {UINT64_MAX, "18 EB"}};
	char buf[64];
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct text t = text_in(buf, sizeof buf);
		words_size(&t, sizes[i].octets);
		expect_words(buf, sizes[i].want);
	}
	struct text t = text_in(buf, sizeof buf);
	words_duration(&t, 90000 * 1000000000ull);
	text_putc(&t, ' ');
	words_percent(&t, 1, 1000);
	text_putc(&t, ' ');
	words_percent(&t, 999, 1000);
	text_putc(&t, ' ');
	words_percent(&t, 0, 0);
	expect_words(buf, "1 d 1 h <1% >99% 0%");
}

static void
write_errors(void **state)
{
	(void)state;
	FILE *full = fopen("/dev/full", "w");
	if (full == NULL)
		skip();
	struct sink_config config = {.verbose = 1};
	struct sink *s = open_sink(&config, full);
	static struct record r;
	make_session(&r, &scan);
	assert_true(sink_push(s, &r));
	assert_false(sink_flush(s));
	assert_int_equal(errno, ENOSPC);
	assert_false(sink_close(s));
	assert_int_equal(errno, ENOSPC);
	fclose(full);
}

static int
demo(int argc, char **argv)
{
	struct sink_config config = {.unicode = true};
	for (int i = 0; i < argc; i++) {
		config.colour = config.colour || strcmp(argv[i], "colour") == 0;
		config.unicode = config.unicode && strcmp(argv[i], "ascii") != 0;
		config.reveal = config.reveal || strcmp(argv[i], "reveal") == 0;
		config.verbose += strcmp(argv[i], "verbose") == 0;
		if (argv[i][0] >= '0' && argv[i][0] <= '9')
			config.columns = (unsigned)atoi(argv[i]);
	}
	struct sink *s = open_sink(&config, stdout);
	push_everything(s);
	push_summary(s, true);
	return sink_close(s) ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cards_are_rolled_up),
	    cmocka_unit_test(nothing_is_wider_than_the_page),
	    cmocka_unit_test(private_values_are_masked),
	    cmocka_unit_test(nothing_in_clear),
	    cmocka_unit_test(quiet_and_verbose),
	    cmocka_unit_test(accepted_and_violated),
	    cmocka_unit_test(long_names),
	    cmocka_unit_test(odd_mails),
	    cmocka_unit_test(mails_without_a_session),
	    cmocka_unit_test(more_kinds_than_fit),
	    cmocka_unit_test(cards_drawn_before_the_end),
	    cmocka_unit_test(random_records),
	    cmocka_unit_test(counts_of_different_values),
	    cmocka_unit_test(numbers_for_people),
	    cmocka_unit_test(write_errors),
	};
	if (argc > 1 && strcmp(argv[1], "demo") == 0)
		return demo(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
