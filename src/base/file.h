/* Reading a small file whole: rules, texts, configuration, policies. */
#ifndef POSTCARD_BASE_FILE_H
#define POSTCARD_BASE_FILE_H

#include <stddef.h>

/*
 * The octets of the regular file at `path`, and a NUL behind them; *len does not count it.  NULL
 * and "path: cause" in `error` (of `cap` octets) where it cannot be read or has more than `max`
 * octets.  The caller frees it.
 */
char *file_read(const char *path, size_t max, size_t *len, char *error, size_t cap);

#endif
