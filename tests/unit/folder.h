/* For the tests: a folder of their own and files in it. */
#ifndef POSTCARD_TESTS_FOLDER_H
#define POSTCARD_TESTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

/* Set up and tear down of a test or of a group of them; not 0 where that fails. */
static inline int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/postcard-unit-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static inline int
remove_folder(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

/* The path of what has that name in the folder; the last sixteen are kept. */
static inline const char *
path_of(const char *name)
{
	static char path[16][512];
	static unsigned next;
	char *p = path[next++ % 16];
	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

static inline void
write_octets(const char *name, const void *octets, size_t len)
{
	FILE *f = fopen(path_of(name), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline void
write_text(const char *name, const char *text)
{
	write_octets(name, text, strlen(text));
}

static inline void
make_dir(const char *name)
{
	assert_int_equal(mkdir(path_of(name), 0700), 0);
}

#endif
