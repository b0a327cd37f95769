/*
 * Makers of network cards: see vendor.h.
 *
 * A row is "MA-L,00000C,Cisco Systems, Inc,address": the second field has 6, 7 or 9 hexadecimal
 * digits; fields may stand in quotation marks, with commas, doubled marks and line ends in them.
 * Rows that are none are left out; a file without a single one is no table.
 */
#include "enrich/vendor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"

#define VENDOR_PATH 4096 /* octets of a file's name */
#define USUAL_PLACE "/usr/share/ieee-data"

struct vendors {
	/* block -> where its name begins in `names`; a block is its prefix in the upper 48 bits of
	 * 64, and its length in bits below */
	struct map blocks;
	char *names; /* one behind the other, each with its NUL */
	size_t names_len, names_room;
};

/* ---------------------------------------------------------------------------------- reading */

/* Room for one more name of any length. */
static bool
make_room(struct vendors *v)
{
	if (v->names_room - v->names_len < LIMIT_VENDOR_NAME + 1) {
		size_t room = v->names_room == 0 ? 1u << 20 : 2 * v->names_room;
		char *names = realloc(v->names, room);
		if (names == NULL)
			return false;
		v->names = names;
		v->names_room = room;
	}
	return true;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The block of 24, 28 or 36 bits that the digits name; 0 where they name none. */
static uint64_t
block_bits(const char *s, size_t len)
{
	uint64_t bits = 0;
	if (len != 6 && len != 7 && len != 9)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (hex_digit(s[i]) < 0)
			return 0;
		bits = bits << 4 | (uint64_t)hex_digit(s[i]);
	}
	return bits << (64 - 4 * len) | 4 * len;
}

/* What follows a field that begins at `s`: its comma or line end.  *from and *to: the field without
 * its quotation marks. */
static const char *
field_end(const char *s, const char *end, const char **from, const char **to)
{
	*from = s;
	if (s < end && *s == '"') {
		*from = ++s;
		while (
		    (s = memchr(s, '"', (size_t)(end - s))) != NULL && s + 1 < end && s[1] == '"')
			s += 2;
		*to = s != NULL ? s : end;
		return s != NULL ? s + 1 : end;
	}
	while (s < end && *s != ',' && *s != '\n')
		s++;
	*to = s > *from && s[-1] == '\r' ? s - 1 : s;
	return s;
}

/* Appends a name, safe to show, its white space and doubled quotation marks made single. */
static void
add_name(struct vendors *v, const char *s, const char *end)
{
	char raw[LIMIT_VENDOR_NAME], last = ' ';
	size_t n = 0;
	for (; s < end && n < sizeof raw; s++) {
		char c = *s == '\t' || *s == '\r' || *s == '\n' ? ' ' : *s;
		if ((c == ' ' || c == '"') && c == last)
			continue;
		raw[n++] = last = c;
	}
	while (n > 0 && raw[n - 1] == ' ')
		n--;
	struct text t = text_in(v->names + v->names_len, LIMIT_VENDOR_NAME + 1);
	text_add_wire(&t, raw, n);
	v->names_len += t.len + 1;
}

/* Blocks that stand for nobody: kept secret, or given out in smaller ones. */
static bool
is_nobody(const char *s, size_t len)
{
	return len == 0 || ascii_is(s, len, "Private") ||
	    ascii_is(s, len, "IEEE Registration Authority");
}

/* Takes the rows of a table.  False where there is no memory for them. */
static bool
take_rows(struct vendors *v, const char *s, const char *end)
{
	while (s < end) {
		const char *from[3], *to[3];
		unsigned n = 0;
		for (;;) { /* to the end of the row */
			const char *f, *t;
			if (n >= 3) { /* the address: where no mark opens, its line end */
				const char *lf = memchr(s, '\n', (size_t)(end - s));
				lf = lf != NULL ? lf : end;
				if (memchr(s, '"', (size_t)(lf - s)) == NULL) {
					s = lf < end ? lf + 1 : end;
					break;
				}
			}
			s = field_end(s, end, &f, &t);
			if (n < 3) {
				from[n] = f;
				to[n] = t;
			}
			n++;
			while (s < end && *s != ',' && *s != '\n') /* behind a quotation mark */
				s++;
			if (s == end || *s++ == '\n')
				break;
		}
		uint64_t bits = n < 3 ? 0 : block_bits(from[1], (size_t)(to[1] - from[1]));
		bool fresh = false;
		uint32_t *name = bits != 0 ? map_put(&v->blocks, &bits, &fresh) : NULL;
		if (!fresh) /* of several rows the first one counts */
			continue;
		if (!make_room(v))
			return false;
		*name = (uint32_t)v->names_len;
		if (is_nobody(from[2], (size_t)(to[2] - from[2])))
			to[2] = from[2];
		add_name(v, from[2], to[2]);
	}
	return true;
}

/* "path: why", with what a file name may hold made safe to show.  Always false. */
static bool
refuse(char error[ENRICH_ERROR], const char *path, const char *why)
{
	struct text t = text_in(error, ENRICH_ERROR);
	text_add_wire(&t, path, strlen(path) < ENRICH_ERROR / 2 ? strlen(path) : ENRICH_ERROR / 2);
	text_printf(&t, ": %s", why);
	return false;
}

static bool
read_all(int fd, char *buf, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, buf + at, len - at);
		if (n <= 0)
			return false; /* it became shorter: the next start reads it whole */
		at += (size_t)n;
	}
	return true;
}

static bool
read_table(struct vendors *v, const char *path, char error[ENRICH_ERROR])
{
	struct stat st;
	size_t before = vendors_count(v);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold it up */
	if (fd < 0)
		return refuse(error, path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > LIMIT_VENDOR_FILE) {
		close(fd);
		return refuse(error, path, "not a file, or one that is far too long");
	}
	size_t len = (size_t)st.st_size;
	char *buf = malloc(len + 1);
	bool good = buf != NULL && read_all(fd, buf, len);
	if (!good)
		refuse(error, path, buf == NULL ? "no memory" : "it cannot be read");
	else if (!take_rows(v, buf, buf + len))
		good = refuse(error, path, "no memory");
	else if (vendors_count(v) == before)
		good = refuse(error, path, "no table of the IEEE (oui.csv) is in it");
	free(buf);
	close(fd);
	return good;
}

/* The tables of a folder.  Where `must` is not set, what cannot be read is said and left out. */
static bool
read_folder(struct vendors *v, const char *dir, bool must, char error[ENRICH_ERROR])
{
	static const char *const names[] = {"oui.csv", "mam.csv", "oui36.csv", "iab.csv"};
	char path[VENDOR_PATH];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int n = snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK) != 0 ||
		    read_table(v, path, error))
			continue;
		if (must)
			return false;
		log_say("%s; it is left out", error);
	}
	return !must || vendors_count(v) > 0 ||
	    refuse(error, dir, "has no table of the IEEE (oui.csv) in it");
}

struct vendors *
vendors_open_none(void)
{
	struct vendors *v = calloc(1, sizeof *v);
	if (v != NULL &&
	    map_init(&v->blocks, "makers", sizeof(uint64_t), sizeof(uint32_t), LIMIT_VENDORS))
		return v;
	free(v);
	return NULL;
}

struct vendors *
vendors_open(const char *path, char error[ENRICH_ERROR])
{
	struct stat st;
	struct vendors *v = vendors_open_none();
	if (v == NULL) {
		snprintf(error, ENRICH_ERROR, "no memory for the makers of network cards");
		return NULL;
	}
	bool good = path == NULL ? read_folder(v, USUAL_PLACE, false, error)
	    : stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? read_folder(v, path, true, error)
							  : read_table(v, path, error);
	if (!good) {
		vendors_close(v);
		return NULL;
	}
	return v;
}

void
vendors_close(struct vendors *v)
{
	if (v == NULL)
		return;
	map_free_all(&v->blocks);
	free(v->names);
	free(v);
}

size_t
vendors_count(const struct vendors *v)
{
	return map_count(&v->blocks);
}

/* ---------------------------------------------------------------------------------- look-ups */

const char *
vendors_look_up(const struct vendors *v, const uint8_t mac[6])
{
	static const unsigned lengths[] = {36, 28, 24};
	uint64_t address = 0;
	for (unsigned i = 0; i < 6; i++)
		address = address << 8 | mac[i];
	if (address == 0 || mac[0] & 3) /* 1: a group; 2: locally administered */
		return NULL;
	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		unsigned cut = 48 - lengths[i];
		uint64_t bits = address >> cut << (cut + 16) | lengths[i];
		const uint32_t *name = map_find(&v->blocks, &bits);
		if (name != NULL)
			return v->names[*name] != '\0' ? v->names + *name : NULL;
	}
	return NULL;
}
