/*
 * MaxMind databases: see geoip.h.
 *
 * A database that is damaged within, so that a look-up fails, tells nothing about that address; the
 * library keeps its reads inside the file.  Of several databases the first that knows counts, in
 * the order of their names.
 */
#include "enrich/geoip.h"

#include <dirent.h>
#include <errno.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

#define PATH 4096 /* octets of a file's name */

struct database {
	MMDB_s mmdb;
	dev_t device; /* with inode: which file it is, for the usual places may be links */
	ino_t inode;
};

struct entry {
	struct addr addr; /* family 0: empty */
	struct geo geo;
};

struct geoip {
	size_t count; /* databases open */
	struct database databases[LIMIT_GEO_DATABASES];
	struct hash_key key;
	struct entry cache[LIMIT_GEO_CACHE]; /* direct-mapped by a keyed hash */
};

/* ------------------------------------------------------------------------------- opening files */

static int
ends_in_mmdb(const struct dirent *d)
{
	size_t len = strlen(d->d_name);
	return len > 5 && strcmp(d->d_name + len - 5, ".mmdb") == 0;
}

/* "path: why", with what a file name may hold made safe to show.  Always false. */
static bool
refuse(char error[ENRICH_ERROR], const char *path, const char *why)
{
	struct text t = text_in(error, ENRICH_ERROR);
	text_add_wire(&t, path, strlen(path) < ENRICH_ERROR / 2 ? strlen(path) : ENRICH_ERROR / 2);
	text_puts(&t, ": ");
	text_puts(&t, why);
	return false;
}

static bool
open_database(struct geoip *g, const char *path, char error[ENRICH_ERROR])
{
	struct stat st;
	if (stat(path, &st) != 0)
		return refuse(error, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(error, path, "not a file");
	for (size_t i = 0; i < g->count; i++) {
		if (g->databases[i].device == st.st_dev && g->databases[i].inode == st.st_ino)
			return true;
	}
	if (g->count == LIMIT_GEO_DATABASES)
		return refuse(error, path, "too many databases");
	struct database *d = &g->databases[g->count];
	int status = MMDB_open(path, MMDB_MODE_MMAP, &d->mmdb);
	if (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR)
		return refuse(error, path, strerror(errno));
	if (status != MMDB_SUCCESS)
		return refuse(error, path, "not a MaxMind database, or a damaged one");
	d->device = st.st_dev;
	d->inode = st.st_ino;
	g->count++;
	return true;
}

/* Opens the databases of a folder.  Where `must` is not set, what cannot be read is said and left
 * out. */
static bool
open_folder(struct geoip *g, const char *dir, bool must, char error[ENRICH_ERROR])
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, ends_in_mmdb, alphasort);
	if (n < 0)
		return !must || refuse(error, dir, strerror(errno));
	bool good = n > 0 || !must || refuse(error, dir, "has no database (*.mmdb) in it");
	for (int i = 0; i < n; i++) {
		char path[PATH];
		snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
		free(names[i]);
		if (!good || open_database(g, path, error))
			continue;
		if (must)
			good = false;
		else
			log_say("%s; it is left out", error);
	}
	free(names);
	return good;
}

/* The user's own come first. */
static bool
open_usual_places(struct geoip *g, char error[ENRICH_ERROR])
{
	static const char *const places[] = {"/usr/local/share/GeoIP", "/var/lib/GeoIP",
	    "/usr/share/GeoIP"};
	char own[PATH] = "";
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (data != NULL && data[0] == '/') /* a relative one is to be ignored */
		snprintf(own, sizeof own, "%s/postcard/geoip", data);
	else if (home != NULL && home[0] == '/')
		snprintf(own, sizeof own, "%s/.local/share/postcard/geoip", home);
	bool good = own[0] == '\0' || open_folder(g, own, false, error);
	for (size_t i = 0; good && i < sizeof places / sizeof *places; i++)
		good = open_folder(g, places[i], false, error);
	return good;
}

struct geoip *
geoip_open_none(void)
{
	struct geoip *g = calloc(1, sizeof *g);
	if (g != NULL)
		hash_key_draw(&g->key);
	return g;
}

struct geoip *
geoip_open(const char *dir, char error[ENRICH_ERROR])
{
	struct geoip *g = geoip_open_none();
	if (g == NULL) {
		snprintf(error, ENRICH_ERROR, "no memory for country databases");
		return NULL;
	}
	bool good = dir != NULL ? open_folder(g, dir, true, error) : open_usual_places(g, error);
	if (!good) {
		geoip_close(g);
		return NULL;
	}
	return g;
}

void
geoip_close(struct geoip *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++)
		MMDB_close(&g->databases[i].mmdb);
	free(g);
}

size_t
geoip_databases(const struct geoip *g)
{
	return g->count;
}

/* ----------------------------------------------------------------------------------- look-ups */

/* Not of the public Internet (RFC 6890), so that no database knows it, whatever it says. */
static bool
is_public(const struct addr *a)
{
	const uint8_t *b = a->b;
	if (a->family == 4)
		return b[0] != 0 && b[0] != 10 && b[0] != 127 && b[0] < 224 &&
		    !(b[0] == 100 && (b[1] & 0xc0) == 64) && !(b[0] == 169 && b[1] == 254) &&
		    !(b[0] == 172 && (b[1] & 0xf0) == 16) && !(b[0] == 192 && b[1] == 168);
	if (a->family == 6)
		return (b[0] & 0xe0) == 0x20; /* 2000::/3, all that was ever given out */
	return false;
}

static MMDB_lookup_result_s
find(const MMDB_s *mmdb, const struct addr *a, int *error)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	if (a->family == 4) {
		memcpy(&in4.sin_addr, a->b, 4);
		return MMDB_lookup_sockaddr(mmdb, (const struct sockaddr *)&in4, error);
	}
	memcpy(&in6.sin6_addr, a->b, 16);
	return MMDB_lookup_sockaddr(mmdb, (const struct sockaddr *)&in6, error);
}

static bool
get_string(MMDB_entry_s *entry, const char *const path[], MMDB_entry_data_s *v)
{
	return MMDB_aget_value(entry, v, path) == MMDB_SUCCESS && v->has_data &&
	    v->type == MMDB_DATA_TYPE_UTF8_STRING && v->data_size > 0;
}

static void
read_country(struct geo *geo, MMDB_entry_s *entry)
{
	static const char *const maxmind[] = {"country", "iso_code", NULL};
	static const char *const plain[] = {"country_code", NULL};
	MMDB_entry_data_s v;
	if (!get_string(entry, maxmind, &v) && !get_string(entry, plain, &v))
		return;
	char first = ascii_upper(v.utf8_string[0]);
	char second = v.data_size == 2 ? ascii_upper(v.utf8_string[1]) : '\0';
	if (first >= 'A' && first <= 'Z' && second >= 'A' && second <= 'Z') {
		geo->country[0] = first;
		geo->country[1] = second;
	}
}

static void
read_network(struct geo *geo, MMDB_entry_s *entry)
{
	static const char *const number[] = {"autonomous_system_number", NULL};
	static const char *const name[] = {"autonomous_system_organization", NULL};
	MMDB_entry_data_s v;
	if (MMDB_aget_value(entry, &v, number) != MMDB_SUCCESS || !v.has_data)
		return;
	if (v.type == MMDB_DATA_TYPE_UINT32)
		geo->as_number = v.uint32;
	else if (v.type == MMDB_DATA_TYPE_UINT16)
		geo->as_number = v.uint16;
	if (geo->as_number != 0 && get_string(entry, name, &v)) {
		geo->as_name = v.utf8_string;
		geo->as_name_len = v.data_size < LIMIT_TEXT ? v.data_size : LIMIT_TEXT;
	}
}

static struct geo
look_up(const struct geoip *g, const struct addr *a)
{
	struct geo geo = {0};
	for (size_t i = 0; i < g->count; i++) {
		int error = MMDB_SUCCESS;
		MMDB_lookup_result_s found = find(&g->databases[i].mmdb, a, &error);
		if (error != MMDB_SUCCESS || !found.found_entry)
			continue;
		if (geo.country[0] == '\0')
			read_country(&geo, &found.entry);
		if (geo.as_number == 0)
			read_network(&geo, &found.entry);
	}
	return geo;
}

struct geo
geoip_look_up(struct geoip *g, const struct addr *a)
{
	uint8_t key[40] = {0};
	if (g->count == 0 || !is_public(a))
		return (struct geo){0};
	memcpy(key, a, sizeof *a);
	struct entry *e = &g->cache[hash_40(&g->key, key) % LIMIT_GEO_CACHE];
	if (memcmp(&e->addr, a, sizeof *a) != 0) {
		e->geo = look_up(g, a);
		e->addr = *a;
	}
	return e->geo;
}
