/*
 * Runs a fuzz target over files: replay_NAME FILE-OR-FOLDER...
 *
 * The plain twin of libFuzzer, so that `make test` gives every target its corpus under the
 * sanitizers.  Each file is placed in a buffer of exactly its size, so that reading one octet too
 * far is seen, and is given whole, then cut short at a few places.  Ends by a sanitizer's report,
 * or says how many inputs it ran.  Folders are not walked deeper than one step.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (16L << 20) /* octets of one file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run_octets(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		abort();
	if (size > 0)
		memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static long
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	uint8_t *data = malloc((size_t)INPUT_MAX);
	if (data == NULL)
		abort();
	size_t size = fread(data, 1, (size_t)INPUT_MAX, f);
	fclose(f);
	/* a crash must leave the name of its input behind */
	fprintf(stderr, "%s\n", path);
	run_octets(data, size);
	for (size_t part = 1; part < 8; part++)
		run_octets(data, size * part / 8);
	free(data);
	return 1;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static long
run_folder(const char *path)
{
	struct dirent **entries = NULL;
	long done = 0;
	int n = scandir(path, &entries, NULL, by_name);
	for (int i = 0; i < n; i++) {
		char name[4096];
		struct stat st;
		snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
			done += run_file(name);
		free(entries[i]);
	}
	free(entries);
	return done;
}

int
main(int argc, char **argv)
{
	long done = 0;
	run_octets(NULL, 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;
		bool folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		done += folder ? run_folder(argv[i]) : run_file(argv[i]);
	}
	printf("%ld inputs\n", done);
	return done > 0 ? 0 : 1;
}
