/*
 * The screens of the live view: what they say at sizes of terminals, and that hostile octets stay
 * inside of their lines.  The same records and times give the same screen.
 *
 * `sink_view_draw_test demo COLUMNS ROWS [ascii] [flawed] [empty] [colour] [paused]` prints one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/view_draw.h"
#include "sink_made.h"

#define SECOND_NS 1000000000ll

static struct view_model *model;

static int
begin(void **state)
{
	(void)state;
	model = malloc(sizeof *model);
	return model != NULL && view_model_init(model, true) ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	view_model_free_all(model);
	free(model);
	return 0;
}

static void
take(enum record_kind kind, const char *line)
{
	view_model_take(model, make_record(kind, line), 0);
}

static void
take_alerts(void)
{
	static const char *const alerts[] = {made_login, made_printer, made_six, made_repeated,
	    made_worse, made_worker};
	for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
		take(RECORD_ALERT, alerts[i]);
}

static void
take_all(bool flawed)
{
	take_alerts();
	for (unsigned i = 0; i < 30; i++)
		view_model_take(model, make_clear(i % 7 + i % 3, i % 4, "printer.example.org"), 0);
	for (unsigned s = 1; s <= 30; s++)
		view_model_take(model, make_state(s, flawed), s * SECOND_NS);
}

static char *
screen(unsigned columns, unsigned rows, struct page style)
{
	char *out = NULL;
	size_t len;
	struct page p = style;
	struct view_look look = {.rows = rows,
	    .now_ns = BUILD_EPOCH_NS + 8000 * SECOND_NS,
	    .run_ns = (uint64_t)(8000 * SECOND_NS),
	    .keys = true,
	    .paused = style.lines != 0,
	    .notice = ""};
	p.lines = 0;
	p.out = open_memstream(&out, &len);
	p.columns = columns;
	view_draw(&p, model, &look);
	page_write(&p);
	fclose(p.out);
	return out;
}

static const struct page plain = {.unicode = true}, ascii = {.unicode = false};

static void
drawn(unsigned columns, unsigned rows, struct page style, const char *want)
{
	char *out = screen(columns, rows, style);
	if (strcmp(out, want) != 0)
		print_error("%s", out);
	assert_string_equal(out, want);
	free(out);
}

/* clang-format off */

/* The usual screen. */
static void
usual_screen(void **state)
{
	(void)state;
	take_all(true);
	drawn(79, 24, plain,
	    " postcard 0.1.0 on eth0                           for 2 h 13 min   00:26:40 UTC\n"
	    "\n"
	    " Sealed          1,210   97%  ████████████████▍   Packets/s              12,345\n"
	    " In clear           42    3%  ▋                   Octets/s               1.2 MB\n"
	    " TLS failed          3                            Mail connections/min       60\n"
	    " No mail             5                            Packets lost              123\n"
	    " Not known           7                            Workers        2, 1 restarted\n"
	    "\n"
	    " ! 120 packets lost by the kernel (<1%)\n"
	    " ! 3 packets lost by the network interface\n"
	    " ! 1 restart of workers that died or hung                               +4 more\n"
	    "\n"
	    " Last alerts                                                           5 so far\n"
	    " 00:16:40 HIGH      worker 2                       A worker died\n"
	    " 11-14    HIGH      10.1.20.31 → 10.1.0.25         worse: Mail readable… ×1,235\n"
	    " 11-14    HIGH      2001:d…34:5678 → 2001:db8::25  Mail readable: the server o…\n"
	    " 11-14    CRITICAL  192.168.7.15 → 203.0.113.25    Password or token readable\n"
	    "\n"
	    " Top senders in clear                                   conns    mails   logins\n"
	    " 10.0.0.3  printer.example.org                              5        4        0\n"
	    " 10.0.0.6  printer.example.org                              4       11        0\n"
	    " 10.0.0.4  printer.example.org                              4        9        0\n"
	    "\n"
	    " q quit   p pause   ^L redraw\n"	);
}

/* A small one, of a terminal that shows ASCII only. */
static void
small_ascii_screen(void **state)
{
	(void)state;
	model->unicode = false;
	take_all(true);
	drawn(49, 12, ascii,
	    " postcard 0.1.0 on eth0              00:26:40 UTC\n"
	    " Sealed       1,210   97%  #####################\n"
	    " In clear        42    3%  #\n"
	    " 7 not known, 3 TLS failed, 5 no mail\n"
	    " 12,345 packets/s, 1.2 MB/s, 60 conn./min\n"
	    " ! 120 packets lost by the kernel (<1%)   +6 more\n"
	    " Last alerts                             5 so far\n"
	    " 00:16:40 HIGH      worker 2  A worker died\n"
	    " 11-14    HIGH      10.1.20.31 -> 10.1.0.25  wo..\n"
	    " 11-14    HIGH      2001..4:5678 -> 2001:db8::25\n"
	    " 11-14    CRITICAL  192.168.7.15 -> 203.0.113.25\n"
	    " q quit   p pause   ^L redraw\n"	);
}

/* A large one: alerts say what happened. */
static void
high_screen(void **state)
{
	(void)state;
	take_all(false);
	drawn(99, 36, plain,
	    " postcard 0.1.0 on eth0                                               for 2 h 13 min   00:26:40 UTC\n"
	    "\n"
	    " Sealed          1,210   97%  ███████████████████████████████████▊    Packets/s              12,345\n"
	    " In clear           42    3%  █▎                                      Octets/s               1.2 MB\n"
	    " TLS failed          3                                                Mail connections/min       60\n"
	    " No mail             5                                                Packets lost                0\n"
	    " Not known           7                                                Workers                     2\n"
	    "\n"
	    " Nothing lost, cut or damaged\n"
	    "\n"
	    " Last alerts                                                                               5 so far\n"
	    " 00:16:40 HIGH      worker 2                                 A worker died\n"
	    "                    Worker 2 died of signal 11 (Segmentation fault) and was started anew.\n"
	    " 11-14    HIGH      10.1.20.31 → 10.1.0.25                   worse: Mail readable: the serv… ×1,235\n"
	    "                    It went out of the country.\n"
	    " 11-14    HIGH      2001:db8:12…f0:1234:5678 → 2001:db8::25  Mail readable: the server offered no …\n"
	    "                    A mail crossed readable.\n"
	    " 11-14    CRITICAL  192.168.7.15 → 203.0.113.25              Password or token readable\n"
	    "                    192.168.7.15 (laptop.example.org) sent a password (PLAIN) and 1 mail to 203.0.…\n"
	    "\n"
	    " Top senders in clear                                                       conns    mails   logins\n"
	    " 10.0.0.3  printer.example.org                                                  5        4        0\n"
	    " 10.0.0.6  printer.example.org                                                  4       11        0\n"
	    " 10.0.0.4  printer.example.org                                                  4        9        0\n"
	    " 10.0.0.2  printer.example.org                                                  4        6        0\n"
	    " 10.0.0.5  printer.example.org                                                  4        2        0\n"
	    " 10.0.0.1  printer.example.org                                                  3        6        0\n"
	    " 10.0.0.7  printer.example.org                                                  3        4        0\n"
	    " 10.0.0.0  printer.example.org                                                  2        1        0\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    " q quit   p pause   ^L redraw\n"	);
}

/* Before anything came. */
static void
nothing_yet(void **state)
{
	(void)state;
	drawn(79, 20, plain,
	    " postcard                                         for 2 h 13 min   00:26:40 UTC\n"
	    "\n"
	    " Sealed              0                            Packets/s                   -\n"
	    " In clear            0                            Octets/s                    -\n"
	    " TLS failed          0                            Mail connections/min        -\n"
	    " No mail             0                            Packets lost                0\n"
	    " Not known           0                            Workers                     1\n"
	    "\n"
	    " Nothing read yet\n"
	    "\n"
	    " Last alerts                                                        none so far\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    "\n"
	    " q quit   p pause   ^L redraw\n"	);
}

/* clang-format on */

/* Lines that fit, as many as there are rows, no controls; at any size. */
static void
check(const char *out, unsigned columns, unsigned rows, bool unicode)
{
	unsigned lines = 0;
	for (; *out != '\0'; lines++) {
		size_t len = strcspn(out, "\n");
		assert_int_equal(out[len], '\n');
		assert_true(page_width(out, len) <= columns);
		for (size_t i = 0; i < len; i++)
			assert_true((uint8_t)out[i] >= 0x20 && (unicode || (uint8_t)out[i] < 0x7f));
		out += len + 1;
	}
	if (rows >= 10)
		assert_int_equal(lines, rows);
}

static void
every_size(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned columns = 1; columns <= 130; columns += columns < 90 ? 1 : 7) {
			for (unsigned rows = 1; rows <= 60; rows += rows < 30 ? 1 : 5) {
				char *out = screen(columns, rows, round ? plain : ascii);
				check(out, columns, rows, round);
				free(out);
			}
		}
		if (round == 0)
			take_all(true);
	}
}

/* What a worker that an attacker owns may send. */
static void
hostile_octets(void **state)
{
	(void)state;
	static const char evil[] = "\x1b[2J\x1b]0;x\x07\r\n\x9b"
				   "5n\xff\xe2\x80\xae\t%s%n";
	static const enum field fields[] = {FIELD_RULE_NAME, FIELD_MESSAGE, FIELD_ADVICE,
	    FIELD_HELO, FIELD_GREETING, FIELD_SENSOR_INTERFACE, FIELD_SENSOR_CAUSE,
	    FIELD_SENSOR_OUTPUT, FIELD_OBSERVER_VERSION, FIELD_SUM_FAULTS, FIELD_SUM_OUTPUT_NAME,
	    FIELD_EMAIL_FROM, FIELD_EMAIL_SUBJECT, FIELD_TLS_ALERT, FIELD_REASON, FIELD_LEVEL};
	static const enum record_kind kinds[] = {RECORD_SESSION, RECORD_MESSAGE, RECORD_ALERT,
	    RECORD_SENSOR, RECORD_SUMMARY};
	static struct record r;
	for (unsigned k = 0; k < 5; k++) {
		for (unsigned with = 0; with < 2; with++) {
			struct addr a = {.family = 4, .b = {1, 2, 3, (uint8_t)k}};
			record_begin(&r, kinds[k]);
			record_put_word(&r, FIELD_OUTCOME, "cleartext");
			record_put_u64(&r, FIELD_MESSAGES, UINT64_MAX);
			record_put_u64(&r, FIELD_COUNT, UINT64_MAX);
			record_put_u64(&r, FIELD_SUM_FRAMES, UINT64_MAX * with);
			record_put_u64(&r, FIELD_SUM_DROPS, UINT64_MAX);
			record_put_u64(&r, FIELD_SUM_ENCRYPTED, UINT64_MAX);
			record_put_u64(&r, FIELD_SUM_CLEARTEXT, UINT64_MAX);
			record_put_u64(&r, FIELD_SUM_LAG, UINT64_MAX);
			record_put_time(&r, FIELD_TIMESTAMP, INT64_MIN);
			if (with != 0)
				record_put_ip(&r, FIELD_SOURCE_IP, &a);
			record_put_item(&r, FIELD_SUM_OUTPUT);
			record_put_bool(&r, FIELD_SUM_OUTPUT_UP, false);
			for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
				record_put_str(&r, fields[i], evil, sizeof evil - 1);
			view_model_take(model, &r, with * SECOND_NS);
			view_model_take(model, &r, with * SECOND_NS);
		}
	}
	for (unsigned columns = 20; columns <= 120; columns += 10) {
		char *out = screen(columns, 40, plain);
		check(out, columns, 40, true);
		free(out);
	}
	char *out = screen(120, 40, plain);
	assert_non_null(strstr(out, "\\x1b[2J"));
	free(out);
}

/* Nothing private shows: no mail addresses, no subjects. */
static void
nothing_private(void **state)
{
	(void)state;
	take_all(true);
	char *out = screen(120, 60, plain);
	assert_null(strchr(out, '@'));
	assert_null(strstr(out, "alice"));
	free(out);
}

/* Colour says nothing that words do not; the same screen without it has no escape. */
static void
colour(void **state)
{
	(void)state;
	take_all(true);
	char *out = screen(80, 24, (struct page){.colour = true, .unicode = true});
	assert_non_null(strstr(out, "\x1b[32mSealed"));
	assert_non_null(strstr(out, "\x1b[1;31mIn clear"));
	assert_non_null(strstr(out, "\x1b[33m!"));
	free(out);
	out = screen(80, 24, plain);
	assert_null(strchr(out, '\x1b'));
	free(out);
}

/* Repeats of an alert are its count, not rows; what is resolved stays, once. */
static void
alerts_are_rolled_up(void **state)
{
	(void)state;
	take(RECORD_ALERT, made_printer);
	take(RECORD_ALERT, made_login);
	take(RECORD_ALERT, made_repeated);
	take(RECORD_ALERT, made_repeated);
	assert_int_equal(model->alerts, 2);
	assert_int_equal(model->raised, 2);
	assert_int_equal(model->alert[0].count, 2467);
	assert_string_equal(model->alert[0].about, "10.1.20.31 \xe2\x86\x92 10.1.0.25");
	take(RECORD_ALERT, made_resolved);
	assert_int_equal(model->alerts, 2);
	assert_int_equal(model->alert[0].state, VIEW_RESOLVED);
	char *out = screen(120, 24, plain);
	assert_non_null(strstr(out, "RESOLVED"));
	assert_non_null(strstr(out,
	    "\xc3\x97"
	    "2,467"));
	free(out);
	for (unsigned i = 0; i < 3 * LIMIT_VIEW_ALERTS; i++) {
		char line[200];
		snprintf(line, sizeof line, "{rule.name: rule %u, postcard.level: low}", i);
		take(RECORD_ALERT, line);
	}
	assert_int_equal(model->alerts, LIMIT_VIEW_ALERTS);
	assert_string_equal(model->alert[0].title, "rule 191");
	assert_string_equal(model->alert[LIMIT_VIEW_ALERTS - 1].title, "rule 128");
}

/* Who sends often is found among ever so many who send once. */
static void
top_senders(void **state)
{
	(void)state;
	const struct view_sender *best[LIMIT_TOP];
	struct addr a;
	for (unsigned i = 0; i < 20000; i++) {
		view_model_take(model, make_clear(1000 + i % 30000, 1, "once"), 0);
		if (i % 40 == 0)
			view_model_take(model, make_clear(7, 2, "\"often\\x1b\""), 0);
		if (i % 80 == 0)
			view_model_take(model, make_clear(8, 3, "half"), 0);
	}
	assert_int_equal(model->top.n, LIMIT_VIEW_SENDERS);
	assert_int_equal(view_top_best(&model->top, best), LIMIT_TOP);
	assert_true(addr_parse("10.0.0.7", &a));
	assert_memory_equal(&best[0]->addr, &a, sizeof a);
	assert_true(best[0]->connections >= 500 && best[0]->connections - best[0]->error <= 500);
	assert_true(best[0]->connections - best[0]->error > 400);
	assert_true(best[0]->mails <= 1000 && best[0]->mails > 800);
	assert_true(addr_parse("10.0.0.8", &a));
	assert_memory_equal(&best[1]->addr, &a, sizeof a);
}

static void
rates(void **state)
{
	(void)state;
	struct view_rates r;
	assert_false(view_model_rates(model, &r));
	view_model_take(model, make_state(1, false), SECOND_NS);
	assert_false(view_model_rates(model, &r));
	view_model_take(model, make_state(1, false), SECOND_NS); /* no time passed */
	assert_false(view_model_rates(model, &r));
	for (unsigned s = 2; s <= 100; s++)
		view_model_take(model, make_state(s, false), s * SECOND_NS);
	assert_true(view_model_rates(model, &r));
	assert_true(r.packets > 12344 && r.packets < 12346);
	assert_true(r.octets > 1234566 && r.octets < 1234568);
	assert_true(r.sessions > 59 && r.sessions < 61);
	/* a burst is forgotten after a few seconds by packets, after a minute by connections */
	for (unsigned s = 101; s <= 120; s++)
		view_model_take(model, make_state(100, false), s * SECOND_NS);
	assert_true(view_model_rates(model, &r));
	assert_true(r.packets == 0 && r.octets == 0 && r.sessions > 39 && r.sessions < 41);
	/* counts that go back give no huge rates */
	view_model_take(model, make_state(1, false), 121 * SECOND_NS);
	assert_true(view_model_rates(model, &r));
	assert_true(r.packets == 0);
}

static int
demo(int argc, char **argv)
{
	struct page style = {.unicode = true};
	bool flawed = false, empty = false;
	void *none = NULL;
	if (begin(&none) != 0)
		return 1;
	model->unicode = argc <= 4 || strcmp(argv[4], "ascii") != 0;
	for (int i = 4; i < argc; i++) {
		style.colour = style.colour || strcmp(argv[i], "colour") == 0;
		style.unicode = style.unicode && strcmp(argv[i], "ascii") != 0;
		style.lines += strcmp(argv[i], "paused") == 0;
		flawed = flawed || strcmp(argv[i], "flawed") == 0;
		empty = empty || strcmp(argv[i], "empty") == 0;
	}
	if (!empty)
		take_all(flawed);
	char *out = screen((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), style);
	fputs(out, stdout);
	free(out);
	return end(&none);
}

#define VIEW_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    VIEW_TEST(usual_screen),
	    VIEW_TEST(small_ascii_screen),
	    VIEW_TEST(high_screen),
	    VIEW_TEST(nothing_yet),
	    VIEW_TEST(every_size),
	    VIEW_TEST(hostile_octets),
	    VIEW_TEST(nothing_private),
	    VIEW_TEST(colour),
	    VIEW_TEST(alerts_are_rolled_up),
	    VIEW_TEST(top_senders),
	    VIEW_TEST(rates),
	};
	if (argc > 3 && strcmp(argv[1], "demo") == 0)
		return demo(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
