/* Reading a file whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "folder.h"

static char error[256];

static void
read_whole(void **state)
{
	(void)state;
	size_t len = 99;
	write_octets("some", "a\0b", 3);
	char *text = file_read(path_of("some"), 3, &len, error, sizeof error);
	assert_non_null(text);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4); /* and the NUL behind */
	free(text);
	write_text("empty", "");
	text = file_read(path_of("empty"), 0, &len, error, sizeof error);
	assert_non_null(text);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	free(text);
}

static void
refused(const char *name, const char *cause)
{
	char message[600];
	size_t len;
	assert_null(file_read(path_of(name), 3, &len, error, sizeof error));
	snprintf(message, sizeof message, "%s: %s", path_of(name), cause);
	assert_string_equal(error, message);
}

static void
refusals(void **state)
{
	(void)state;
	size_t len;
	write_text("long", "1234");
	refused("long", "more than 3 octets");
	refused("nothing", "No such file or directory");
	make_dir("folder");
	refused("folder", "is no regular file");
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	refused("pipe", "is no regular file"); /* and nothing waits for a writer */
	assert_int_equal(symlink("loop", path_of("loop")), 0);
	refused("loop", "Too many levels of symbolic links");

	write_text("a\x1b[2J", "1234");
	assert_null(file_read(path_of("a\x1b[2J"), 3, &len, error, sizeof error));
	assert_non_null(strstr(error, "/a\\x1b[2J: more than"));
	char small[8]; /* a message that does not fit is cut */
	assert_null(file_read(path_of("nothing"), 3, &len, small, sizeof small));
	assert_true(strlen(small) < sizeof small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(read_whole),
	    FOLDER_TEST(refusals),
	};
	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
