/* COMPRESS=DEFLATE under a session: the same events in whatever pieces, and none that are guessed.
 */
#include <zlib.h>

#include "mail_script.h"

#define OPEN_T "greeting(OK hi) sure used:COMPRESS"
#define SECRET "hunter2Secret"

/* Text as raw deflate, ended by a sync flush. */
static size_t
pack(z_stream *z, const char *text, uint8_t *out, size_t cap)
{
	z->next_in = (uint8_t *)(uintptr_t)text;
	z->avail_in = (uInt)strlen(text);
	z->next_out = out;
	z->avail_out = (uInt)cap;
	assert_int_equal(deflate(z, Z_SYNC_FLUSH), Z_OK);
	return cap - z->avail_out;
}

/* Is nothing more read of either side? */
static bool
is_off(const struct mail_session *s)
{
	return s->mode[0] == MAIL_MODE_OFF && s->mode[1] == MAIL_MODE_OFF;
}

static void
start(struct script_run *r, uint32_t inflates)
{
	memset(r, 0, sizeof *r);
	r->secret = SECRET;
	assert_true(mail_init(&r->m, &(struct mail_sizes){8, 8, 8, 8, inflates, 8}));
	mail_begin(&r->m, &r->s, MAIL_IMAP, 0);
}

static void
say(struct script_run *r, enum mail_side side, const char *text)
{
	script_push(r, side, text, strlen(text), 1000);
}

static const char *
finish(struct script_run *r)
{
	mail_end(&r->m, &r->s);
	script_take(r);
	mail_release(&r->m, &r->s);
	assert_int_equal(r->m.inflates.used, 0);
	assert_int_equal(r->m.lines.used, 0);
	mail_free(&r->m);
	return r->len > 0 ? r->out + 1 : r->out;
}

static void
open_dialogue(struct script_run *r)
{
	say(r, MAIL_SERVER, "* OK hi\r\n");
	say(r, MAIL_CLIENT, "a COMPRESS DEFLATE\r\n");
}

static void
deflate_begin(z_stream z[2])
{
	memset(z, 0, 2 * sizeof *z);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(deflateInit2(&z[i], 9, Z_DEFLATED, -MAX_WBITS, 8,
				     Z_DEFAULT_STRATEGY),
		    Z_OK);
}

static void
deflate_over(z_stream z[2])
{
	(void)deflateEnd(&z[0]);
	(void)deflateEnd(&z[1]);
}

static void
every_cut(void **state)
{
	(void)state;
	static const char client[] = "b LOGIN joe " SECRET "\r\nc FETCH 1 BODY[]\r\n";
	static const char server[] = "b NO\r\n* 1 FETCH (BODY[] {5}\r\nhello)\r\nc OK\r\n";
	static struct script_run r;
	for (size_t step = 1; step < 200; step++) {
		uint8_t packed[2][512];
		z_stream z[2];
		deflate_begin(z);
		size_t c = pack(&z[0], client, packed[0], sizeof packed[0]);
		size_t s = pack(&z[1], server, packed[1], sizeof packed[1]);
		deflate_over(z);
		start(&r, 1);
		open_dialogue(&r);
		say(&r, MAIL_SERVER, "a OK go\r\n");
		size_t how = step < 100 ? step : SCRIPT_TWO + step - 100 + 1;
		script_push(&r, MAIL_CLIENT, (char *)packed[0], c, how);
		script_push(&r, MAIL_SERVER, (char *)packed[1], s, how);
		assert_string_equal(finish(&r),
		    OPEN_T " auth(LOGIN-COMMAND) secret secret auth-reply "
			   "begin [hello] end+ result:0");
	}
}

/* The server's compressed octets stand in the segment that says OK. */
static void
behind_ok(void **state)
{
	(void)state;
	static struct script_run r;
	uint8_t octets[512] = "a OK go\r\n";
	z_stream z[2];
	deflate_begin(z);
	size_t n =
	    9 + pack(&z[1], "* 1 FETCH (BODY[TEXT] {1}\r\nx)\r\n", octets + 9, sizeof octets - 9);
	deflate_over(z);
	for (size_t step = 1; step <= n; step++) {
		start(&r, 1);
		open_dialogue(&r);
		script_push(&r, MAIL_SERVER, (char *)octets, n, step);
		assert_string_equal(finish(&r), OPEN_T " exposed:2");
	}
}

static void
not_followed(void **state)
{
	(void)state;
	static struct script_run r;
	/* no state is left */
	start(&r, 1);
	assert_int_not_equal(pool_take(&r.m.inflates), 0);
	open_dialogue(&r);
	say(&r, MAIL_SERVER, "a OK go\r\n* 1 EXISTS\r\n");
	say(&r, MAIL_CLIENT, "b LOGIN joe " SECRET "\r\n");
	assert_true(is_off(&r.s));
	pool_give(&r.m.inflates, 1);
	assert_string_equal(finish(&r), OPEN_T " lost odd:11 lost odd:11");

	/* what comes is not compressed; the other side is read on */
	start(&r, 1);
	open_dialogue(&r);
	say(&r, MAIL_SERVER, "a OK go\r\n* OK plain\r\n");
	assert_false(is_off(&r.s));
	say(&r, MAIL_CLIENT, "b NOOP\r\n");
	assert_true(is_off(&r.s));
	assert_string_equal(finish(&r), OPEN_T " lost odd:11 wrapped lost odd:11");

	/* octets of the client are lost before it begins: of it no more is read */
	uint8_t packed[512];
	z_stream z[2];
	deflate_begin(z);
	start(&r, 1);
	open_dialogue(&r);
	mail_gap(&r.m, &r.s, MAIL_CLIENT, 10);
	script_take(&r);
	say(&r, MAIL_SERVER, "a OK go\r\n");
	assert_int_equal(r.s.mode[MAIL_CLIENT], MAIL_MODE_OFF);
	size_t first = pack(&z[1], "* 1 FETCH (BODY[TEXT] {1}\r\nx)\r\n", packed, sizeof packed);
	script_push(&r, MAIL_SERVER, (char *)packed, first, first);
	say(&r, MAIL_CLIENT, "b LOGIN joe " SECRET "\r\n");
	deflate_over(z);
	assert_string_equal(finish(&r),
	    "greeting(OK hi) sure lost used:COMPRESS lost odd:11 exposed:2");

	/* octets of one side are lost, in the midst of a message */
	deflate_begin(z);
	start(&r, 1);
	open_dialogue(&r);
	say(&r, MAIL_SERVER, "a OK go\r\n");
	size_t n = pack(&z[1], "* 1 FETCH (BODY[] {9}\r\nhello", packed, sizeof packed);
	script_push(&r, MAIL_SERVER, (char *)packed, n, n);
	mail_gap(&r.m, &r.s, MAIL_SERVER, 10);
	script_take(&r);
	n = pack(&z[0], "b LOGIN joe " SECRET "\r\n", packed, sizeof packed);
	script_push(&r, MAIL_CLIENT, (char *)packed, n, n);
	assert_string_equal(finish(&r),
	    OPEN_T " begin [hello] end result:4 lost odd:11 "
		   "auth(LOGIN-COMMAND) secret secret");

	/* compression of what is compressed: one of the two lies */
	deflate_over(z);
	deflate_begin(z);
	start(&r, 2);
	open_dialogue(&r);
	say(&r, MAIL_SERVER, "a OK go\r\n");
	n = pack(&z[0], "b COMPRESS DEFLATE\r\n", packed, sizeof packed);
	script_push(&r, MAIL_CLIENT, (char *)packed, n, n);
	n = pack(&z[1], "b OK go\r\n* 1 FETCH (BODY[TEXT] {1}\r\nx)\r\n", packed, sizeof packed);
	script_push(&r, MAIL_SERVER, (char *)packed, n, n);
	assert_string_equal(finish(&r), OPEN_T " used:COMPRESS lost odd:11 lost odd:11");
	deflate_over(z);
}

static void
refused(void **state)
{
	(void)state;
	script_expect_of(MAIL_IMAP, 0,
	    "S * OK hi\nC a COMPRESS DEFLATE\nS a NO\nC b LOGIN joe " SECRET "\nS b OK\n", SECRET,
	    "greeting(OK hi) sure auth(LOGIN-COMMAND) secret secret auth-reply+");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refused),
	    cmocka_unit_test(every_cut),
	    cmocka_unit_test(behind_ok),
	    cmocka_unit_test(not_followed),
	};
	return cmocka_run_group_tests_name("mail/compress", tests, NULL, NULL);
}
