/*
 * Makers of network cards: see vendor.h.
 *
 * A row is "MA-L,00000C,Cisco Systems, Inc,address": the second field has 6, 7 or 9 hexadecimal
 * digits; fields may stand in quotation marks, with commas, doubled marks and line ends in them.
 * Rows that are none are left out; a file without a single one is no table.
 *
 * The text stays as it was read; an array says where in it the name of each block stands.  Names
 * are made safe to show when they are asked for: of 46,000 a run asks for a few dozen.
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
#include "base/text.h"

#define VENDOR_PATH 4096 /* octets of a file's name */
#define USUAL_PLACE "/usr/share/ieee-data"
#define DIGIT_BITS  12u /* of a block's 36 that are sorted by at a time */
#define DIGITS	    3u

static const char *const table_names[] = {"oui.csv", "mam.csv", "oui36.csv", "iab.csv"};

#define TABLES (sizeof table_names / sizeof *table_names)

struct row {
	uint64_t block; /* its prefix in the upper 48 bits of 64, and its length in bits below */
	uint32_t at;	/* where in the text its name stands ... */
	uint32_t len;	/* ... as the file has it */
};

struct vendors {
	int waiting[TABLES]; /* tables that were opened and not read yet; -1: none */
	char *text;	     /* all that was read */
	size_t text_len;
	struct row *row; /* LIMIT_VENDORS at most; sorted once all is read */
	uint32_t rows, room;
	bool sorted;			  /* by prefix, those of one prefix as they were read */
	char name[LIMIT_VENDOR_NAME + 1]; /* that was looked up last */
};

/* ---------------------------------------------------------------------------------- reading */

/* Room for one more row. */
static bool
make_room(struct vendors *v)
{
	if (v->rows < v->room)
		return true;
	uint32_t room = v->room == 0 ? 65536 : 2 * v->room;
	struct row *row = realloc(v->row, room * sizeof *row);
	if (row == NULL)
		return false;
	v->row = row;
	v->room = room;
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

/* A name, safe to show, its white space and doubled quotation marks made single. */
static void
make_name(struct text *t, const char *s, const char *end)
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
	text_add_wire(t, raw, n);
}

/* Blocks that stand for nobody: kept secret, or given out in smaller ones. */
static bool
is_nobody(const char *s, size_t len)
{
	return len == 0 || ascii_is(s, len, "Private") ||
	    ascii_is(s, len, "IEEE Registration Authority");
}

/* Takes the rows of a table, which is the text from `s` to `end`.  False where there is no memory
 * for them. */
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
		uint64_t block = n < 3 ? 0 : block_bits(from[1], (size_t)(to[1] - from[1]));
		if (block == 0 || v->rows == LIMIT_VENDORS)
			continue;
		if (!make_room(v))
			return false;
		v->row[v->rows++] =
		    (struct row){block, (uint32_t)(from[2] - v->text), (uint32_t)(to[2] - from[2])};
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

/* Opens a table; -1 and a message where there is none. */
static int
open_table(const char *path, char error[ENRICH_ERROR])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold it up */
	if (fd < 0) {
		refuse(error, path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= LIMIT_VENDOR_FILE)
		return fd;
	close(fd);
	refuse(error, path, "not a file, or one that is far too long");
	return -1;
}

/* Reads the table, behind those that were read before, and closes it. */
static bool
read_table(struct vendors *v, int fd, const char *path, char error[ENRICH_ERROR])
{
	struct stat st;
	uint32_t before = v->rows;
	size_t len =
	    fstat(fd, &st) == 0 && st.st_size <= LIMIT_VENDOR_FILE ? (size_t)st.st_size : 0;
	char *text = realloc(v->text, v->text_len + len + 1);
	if (text == NULL) {
		close(fd);
		return refuse(error, path, "no memory");
	}
	v->text = text;
	bool good = read_all(fd, text + v->text_len, len);
	close(fd);
	if (!good)
		return refuse(error, path, "it cannot be read");
	char *from = text + v->text_len;
	v->text_len += len;
	v->sorted = false;
	if (!take_rows(v, from, from + len))
		return refuse(error, path, "no memory");
	return v->rows > before || refuse(error, path, "no table of the IEEE (oui.csv) is in it");
}

static bool
read_file(struct vendors *v, const char *path, char error[ENRICH_ERROR])
{
	int fd = open_table(path, error);
	return fd >= 0 && read_table(v, fd, path, error);
}

/* The tables of a folder. */
static bool
read_folder(struct vendors *v, const char *dir, char error[ENRICH_ERROR])
{
	char path[VENDOR_PATH];
	for (size_t i = 0; i < TABLES; i++) {
		int n = snprintf(path, sizeof path, "%s/%s", dir, table_names[i]);
		if (n >= 0 && (size_t)n < sizeof path && access(path, F_OK) == 0 &&
		    !read_file(v, path, error))
			return false;
	}
	return v->rows > 0 || refuse(error, dir, "has no table of the IEEE (oui.csv) in it");
}

/* Those of the usual place are opened while that is still allowed.  They are read when the first
 * card is to be named, which many a run never asks for: 13 ms, and 4 MB. */
static void
open_usual(struct vendors *v, char error[ENRICH_ERROR])
{
	char path[VENDOR_PATH];
	for (size_t i = 0; i < TABLES; i++) {
		snprintf(path, sizeof path, USUAL_PLACE "/%s", table_names[i]);
		if (access(path, F_OK) != 0)
			continue;
		v->waiting[i] = open_table(path, error);
		if (v->waiting[i] < 0)
			log_say("%s; it is left out", error);
	}
}

static void
read_waiting(struct vendors *v)
{
	char path[VENDOR_PATH], error[ENRICH_ERROR];
	for (size_t i = 0; i < TABLES; i++) {
		if (v->waiting[i] < 0)
			continue;
		snprintf(path, sizeof path, USUAL_PLACE "/%s", table_names[i]);
		if (!read_table(v, v->waiting[i], path, error))
			log_say("%s; it is left out", error);
		v->waiting[i] = -1;
	}
}

static uint64_t
prefix_of(uint64_t block)
{
	return block >> (64 - DIGITS * DIGIT_BITS);
}

/* Sorts from one array to the other by one digit of the prefixes; equal ones keep their order. */
static void
sort_by(struct row *to, const struct row *from, uint32_t rows, unsigned digit)
{
	uint32_t place[1u << DIGIT_BITS] = {0}, sum = 0;
	const unsigned shift = digit * DIGIT_BITS, mask = (1u << DIGIT_BITS) - 1;
	for (uint32_t i = 0; i < rows; i++)
		place[prefix_of(from[i].block) >> shift & mask]++;
	for (uint32_t i = 0; i <= mask; i++) {
		uint32_t n = place[i];
		place[i] = sum;
		sum += n;
	}
	for (uint32_t i = 0; i < rows; i++)
		to[place[prefix_of(from[i].block) >> shift & mask]++] = from[i];
}

/* Reads what waits, and puts all in order.  Without memory for it nothing is known. */
static void
make_ready(struct vendors *v)
{
	if (v->sorted)
		return;
	read_waiting(v);
	struct row *other = malloc((v->rows + 1) * sizeof *other), *row = v->row;
	for (unsigned digit = 0; digit < DIGITS && other != NULL && v->rows > 0; digit++) {
		struct row *to = other;
		sort_by(to, row, v->rows, digit);
		other = row;
		row = to;
	}
	if (other == NULL) {
		v->rows = 0;
		log_say("no memory for the makers of network cards; none is named");
	} else if (v->rows > 0) {
		v->row = row;
		v->room = v->rows;
	}
	free(other);
	v->sorted = true;
}

struct vendors *
vendors_open_none(void)
{
	struct vendors *v = calloc(1, sizeof *v);
	for (size_t i = 0; v != NULL && i < TABLES; i++)
		v->waiting[i] = -1;
	return v;
}

struct vendors *
vendors_open(const char *path, char error[ENRICH_ERROR])
{
	struct stat st;
	struct vendors *v = vendors_open_none();
	bool good = v != NULL;
	if (v == NULL)
		snprintf(error, ENRICH_ERROR, "no memory for the makers of network cards");
	else if (path == NULL)
		open_usual(v, error);
	else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		good = read_folder(v, path, error);
	else
		good = read_file(v, path, error);
	if (good)
		return v;
	vendors_close(v);
	return NULL;
}

void
vendors_close(struct vendors *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < TABLES; i++) {
		if (v->waiting[i] >= 0)
			close(v->waiting[i]);
	}
	free(v->text);
	free(v->row);
	free(v);
}

/* ---------------------------------------------------------------------------------- look-ups */

/* The first row of the block; NULL where there is none. */
static const struct row *
find_row(const struct vendors *v, uint64_t block)
{
	uint32_t low = 0, high = v->rows;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (prefix_of(v->row[mid].block) < prefix_of(block))
			low = mid + 1;
		else
			high = mid;
	}
	/* a prefix of zeros at its end is that of a longer block, too */
	for (; low < v->rows && prefix_of(v->row[low].block) == prefix_of(block); low++) {
		if (v->row[low].block == block)
			return &v->row[low];
	}
	return NULL;
}

size_t
vendors_count(struct vendors *v)
{
	size_t n = 0;
	make_ready(v);
	for (uint32_t i = 0; i < v->rows; i++) /* of several rows the first one counts */
		n += find_row(v, v->row[i].block) == &v->row[i];
	return n;
}

const char *
vendors_look_up(struct vendors *v, const uint8_t mac[6])
{
	static const unsigned lengths[] = {36, 28, 24};
	uint64_t address = 0;
	for (unsigned i = 0; i < 6; i++)
		address = address << 8 | mac[i];
	if (address == 0 || mac[0] & 3) /* 1: a group; 2: locally administered */
		return NULL;
	make_ready(v);
	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		unsigned cut = 48 - lengths[i];
		const struct row *row = find_row(v, address >> cut << (cut + 16) | lengths[i]);
		if (row == NULL)
			continue;
		const char *name = v->text + row->at;
		struct text t = text_in(v->name, sizeof v->name);
		if (!is_nobody(name, row->len))
			make_name(&t, name, name + row->len);
		return t.len > 0 ? v->name : NULL;
	}
	return NULL;
}
