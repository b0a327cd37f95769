/* Messages: what reaches standard error, and that the hook comes first. */
#include "base/limits.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct caught {
	FILE *file; /* takes the place of standard error */
	int stderr_was;
};

static struct caught
catch_stderr(void)
{
	struct caught c = {tmpfile(), dup(STDERR_FILENO)};
	assert_true(c.file != NULL && c.stderr_was >= 0);
	fflush(stderr);
	assert_int_equal(dup2(fileno(c.file), STDERR_FILENO), STDERR_FILENO);
	return c;
}

static void
assert_caught(struct caught c, const char *want, size_t len)
{
	char got[20000];
	fflush(stderr);
	dup2(c.stderr_was, STDERR_FILENO);
	close(c.stderr_was);
	rewind(c.file);
	size_t n = fread(got, 1, sizeof got, c.file);
	fclose(c.file);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
}

static void
clear_line(void)
{
	fputs("[clear]", stderr);
}

static void
a_name_and_a_line_end(void **state)
{
	(void)state;
	static const char want[] = "postcard: \npostcard: 3 of a%s (100%)\n";
	struct caught c = catch_stderr();
	log_say("%s", "");
	log_say("%d of %s (100%%)", 3, "a%s");
	assert_caught(c, want, sizeof want - 1);
}

static void
the_hook_comes_first(void **state)
{
	(void)state;
	static const char want[] = "[clear]postcard: one\n[clear]postcard: two\npostcard: three\n";
	struct caught c = catch_stderr();
	log_before(clear_line);
	log_say("one");
	log_say("two");
	log_before(NULL);
	log_say("three");
	assert_caught(c, want, sizeof want - 1);
}

static void
a_long_message_is_whole(void **state)
{
	(void)state;
	char message[4000], want[4011];
	memset(message, 'm', sizeof message);
	snprintf(want, sizeof want, "postcard: ");
	memset(want + 10, 'm', sizeof message);
	want[4010] = '\n';
	struct caught c = catch_stderr();
	log_say("%.*s", (int)sizeof message, message);
	assert_caught(c, want, sizeof want);
}

/* Held messages come in their order when they may, the last one can be had before; what finds no
 * room is counted. */
static void
held_messages_wait(void **state)
{
	(void)state;
	static const char want[] = "postcard: one\npostcard: two\npostcard: three\n";
	struct caught c = catch_stderr();
	log_before(clear_line); /* there is no line to be cleared while messages wait */
	log_hold();
	assert_string_equal(log_held(), "");
	log_say("%s", "one");
	log_say("two");
	assert_string_equal(log_held(), "two");
	log_before(NULL);
	log_release();
	assert_string_equal(log_held(), "");
	log_release();
	log_say("three");
	assert_caught(c, want, sizeof want - 1);
}

static void
held_messages_are_bounded(void **state)
{
	(void)state;
	char want[LIMIT_LOG_HELD + 100];
	size_t len = 0;
	unsigned kept = LIMIT_LOG_HELD / 512; /* of lines of 512 octets less the last NUL's room */
	struct caught c = catch_stderr();
	log_hold();
	for (unsigned i = 0; i < 100; i++)
		log_say("%0501u", i); /* and "postcard: " before, a line end behind: 512 */
	log_release();
	for (unsigned i = 0; i < kept - 1; i++)
		len += (size_t)snprintf(want + len, sizeof want - len, "postcard: %0501u\n", i);
	len += (size_t)snprintf(want + len, sizeof want - len,
	    "postcard: and %u more messages that found no room\n", 100 - kept + 1);
	assert_caught(c, want, len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_and_a_line_end),
	    cmocka_unit_test(the_hook_comes_first),
	    cmocka_unit_test(a_long_message_is_whole),
	    cmocka_unit_test(held_messages_wait),
	    cmocka_unit_test(held_messages_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
