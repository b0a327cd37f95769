/* Reading a small file whole: see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static char *
fail(FILE *f, char *buf, const char *path, const char *cause, char *error, size_t cap)
{
	struct text t = text_in(error, cap);
	text_add_wire(&t, path, strlen(path));
	text_puts(&t, ": ");
	text_puts(&t, cause);
	if (f != NULL)
		fclose(f);
	free(buf);
	return NULL;
}

/* Without waiting for the writer of a pipe: it is no regular file, which is found next. */
static FILE *
open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (f == NULL && fd >= 0)
		close(fd);
	return f;
}

char *
file_read(const char *path, size_t max, size_t *len, char *error, size_t cap)
{
	struct stat st;
	char cause[64];
	FILE *f = open_file(path);
	if (f == NULL || fstat(fileno(f), &st) != 0)
		return fail(f, NULL, path, strerror(errno), error, cap);
	if (!S_ISREG(st.st_mode))
		return fail(f, NULL, path, "is no regular file", error, cap);
	char *buf = malloc(max + 2);
	if (buf == NULL)
		return fail(f, NULL, path, "no memory", error, cap);
	size_t n = fread(buf, 1, max + 1, f);
	if (ferror(f))
		return fail(f, buf, path, strerror(errno), error, cap);
	if (n > max) {
		snprintf(cause, sizeof cause, "more than %zu octets", max);
		return fail(f, buf, path, cause, error, cap);
	}
	fclose(f);
	buf[n] = '\0';
	*len = n;
	char *fitted = realloc(buf, n + 1);
	if (fitted == NULL) /* it is none the worse for being too large */
		return buf;
	return fitted;
}
