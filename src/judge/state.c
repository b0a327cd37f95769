/*
 * The state file: see state.h.
 *
 * Every table has a key, the time of its last use, a few columns for people, and the value as
 * octets (native, so the file belongs to one kind of machine; its version says so).  What is read
 * is checked: octets of another length or with impossible content are no row.  The database is
 * locked as long as it is open.
 */
#include "judge/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "judge/alerts_internal.h"
#include "judge/memory_internal.h"

#define APPLICATION 0x70637264 /* "pcrd" */
#define VERSION	    1
#define MAPS	    6u /* tables whose rows are those of maps, the first ones */
#define TABLES	    7u

enum {
	TABLE_FAILURE,
	TABLE_SERVER,
	TABLE_NETWORK,
	TABLE_CLIENT,
	TABLE_DOMAIN,
	TABLE_ALERT,
	TABLE_WINDOW
};

static const struct {
	const char *name;
	size_t key, value; /* octets; 0: as many as the row's correlation says */
	int64_t age_ns;	   /* after which a row is dropped */
	unsigned rows;	   /* the most that are kept: the newest */
} tables[TABLES] = {
    {"failure", sizeof(struct text_key), sizeof(struct failure), DAY_NS, LIMIT_FAILURES},
    {"server", sizeof(struct server_key), sizeof(struct server), LIMIT_SERVER_DAYS *DAY_NS,
	LIMIT_SERVERS},
    {"network", sizeof(struct addr), sizeof(struct network_row), 7 * DAY_NS, LIMIT_NETWORKS},
    {"client", sizeof(struct addr), sizeof(struct first_seen), LIMIT_FIRST_SEEN_DAYS *DAY_NS,
	LIMIT_FIRST_SEEN},
    {"domain", sizeof(struct text_key), sizeof(struct first_seen), LIMIT_FIRST_SEEN_DAYS *DAY_NS,
	LIMIT_FIRST_SEEN},
    {"alert", sizeof(struct fingerprint), sizeof(struct alert_row), LIMIT_ALERT_DAYS *DAY_NS,
	LIMIT_ALERTS},
    {"window", sizeof(struct window_key), 0, 0, LIMIT_GROUPS}, /* last_ns: when it is over */
};

struct state {
	sqlite3 *db;
	char *path;
	unsigned damaged; /* rows that were left out */
	sqlite3_stmt *put[TABLES];
	sqlite3_stmt *drop[TABLES];
};

#define DAMAGED "damaged: move it away, and a new one is made"

static void
say(char *error, const char *path, const char *cause)
{
	struct text t = text_in(error, STATE_ERROR);
	text_add_wire(&t, path, strlen(path));
	text_puts(&t, ": ");
	text_puts(&t, cause);
}

static bool
fail(struct state *s, char *error)
{
	int code = sqlite3_errcode(s->db);
	say(error, s->path,
	    code == SQLITE_BUSY		 ? "in use by another postcard"
		: code == SQLITE_NOTADB	 ? "not a state file of postcard (no SQLite database)"
		: code == SQLITE_CORRUPT ? DAMAGED
					 : sqlite3_errmsg(s->db));
	return false;
}

static bool
run(struct state *s, const char *sql, char *error)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(s, error);
}

/* The number that a statement gives; `none` where it gives none. */
static int64_t
number(struct state *s, const char *sql, int64_t none)
{
	sqlite3_stmt *q = NULL;
	int64_t n = none;
	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

/* ------------------------------------------------------------------------------ loading */

static bool
is_text(const char *s, size_t cap)
{
	size_t n = strnlen(s, cap);
	for (size_t i = n; i < cap; i++) {
		if (s[i] != '\0')
			return false;
	}
	return n < cap && n > 0;
}

static bool
is_bool(const bool *b)
{
	uint8_t octet;
	memcpy(&octet, b, 1);
	return octet <= 1;
}

static bool
is_addr(const struct addr *a)
{
	return a->family == 4 || a->family == 6;
}

/* A time that sums and differences do not overflow with; 0 stands for never. */
static bool
is_time(int64_t ns)
{
	return ns >= 0 && ns <= MEMORY_LATEST_NS;
}

static bool
is_server(const struct server *v)
{
	for (unsigned i = 0; i < VARIANTS; i++) {
		if (!is_time(v->variant[i].last_ns))
			return false;
	}
	return is_time(v->first_ns) && is_time(v->last_offered_ns) && is_time(v->since_ns);
}

/* Could these octets be a row of the table?  All that a reader relies on is looked at. */
static bool
is_row(unsigned table, const void *key, const void *value)
{
	const struct text_key *text = key;
	const struct failure *f = value;
	switch (table) {
	case TABLE_FAILURE:
		return is_text(text->s, sizeof text->s) && is_bool(&f->refused) &&
		    is_bool(&f->gone) && is_time(f->start_ns) &&
		    memchr(f->id, '\0', sizeof f->id) != NULL &&
		    memchr(f->alert, '\0', sizeof f->alert) != NULL;
	case TABLE_SERVER:
		return is_addr(&((const struct server_key *)key)->addr) && is_server(value);
	case TABLE_NETWORK: return is_addr(key);
	case TABLE_CLIENT:
		return is_addr(key) && is_time(((const struct first_seen *)value)->first_ns);
	case TABLE_DOMAIN:
		return is_text(text->s, sizeof text->s) &&
		    is_time(((const struct first_seen *)value)->first_ns);
	default: return alert_is_sound(value);
	}
}

/* Does `dirty` stand where the octets would not be a truth value?  It is ours to set. */
static void
mark(unsigned table, void *value, bool dirty)
{
	switch (table) {
	case TABLE_FAILURE: ((struct failure *)value)->dirty = dirty; break;
	case TABLE_SERVER: ((struct server *)value)->dirty = dirty; break;
	case TABLE_NETWORK: ((struct network_row *)value)->dirty = dirty; break;
	case TABLE_CLIENT:
	case TABLE_DOMAIN: ((struct first_seen *)value)->dirty = dirty; break;
	default: ((struct alert *)value)->dirty = dirty; break;
	}
}

static bool
is_dirty(unsigned table, const void *value)
{
	switch (table) {
	case TABLE_FAILURE: return ((const struct failure *)value)->dirty;
	case TABLE_SERVER: return ((const struct server *)value)->dirty;
	case TABLE_NETWORK: return ((const struct network_row *)value)->dirty;
	case TABLE_CLIENT:
	case TABLE_DOMAIN: return ((const struct first_seen *)value)->dirty;
	default: return ((const struct alert *)value)->dirty;
	}
}

static struct map *
map_of(unsigned table, struct memory *m, struct alerts *a)
{
	return table == TABLE_ALERT ? alerts_map(a) : memory_map(m, table);
}

/* One row into its map; false where it is none. */
static bool
take_row(unsigned table, struct memory *m, struct alerts *a, sqlite3_stmt *q)
{
	union {
		struct failure failure;
		struct server server;
		struct network_row network;
		struct first_seen first_seen;
		struct alert_row alert;
	} value;
	union {
		struct text_key text;
		struct server_key server;
		struct addr addr;
		struct fingerprint fingerprint;
	} key;
	const void *k = sqlite3_column_blob(q, 0), *v = sqlite3_column_blob(q, 1);
	if (k == NULL || v == NULL || (size_t)sqlite3_column_bytes(q, 0) != tables[table].key ||
	    (size_t)sqlite3_column_bytes(q, 1) != tables[table].value)
		return false;
	memset(&key, 0, sizeof key);
	memcpy(&key, k, tables[table].key);
	memcpy(&value, v, tables[table].value);
	int64_t last_ns;
	memcpy(&last_ns, &value, sizeof last_ns);
	if (!is_time(last_ns) || !is_row(table, &key, &value))
		return false;
	mark(table, &value, false);
	if (table == TABLE_ALERT)
		return alerts_take(a, &key.fingerprint, &value.alert);
	void *to = map_put(memory_map(m, table), &key, NULL);
	if (to != NULL) /* where there is no room, older ones stay out */
		memcpy(to, &value, tables[table].value);
	if (last_ns > m->now_ns)
		m->now_ns = last_ns;
	return true;
}

/* One window into its correlation; false where it is none. */
static bool
take_window(struct rules *rules, sqlite3_stmt *q)
{
	struct window_key key;
	const void *k = sqlite3_column_blob(q, 0), *v = sqlite3_column_blob(q, 1);
	if (k == NULL || v == NULL || (size_t)sqlite3_column_bytes(q, 0) != sizeof key)
		return false;
	memcpy(&key, k, sizeof key);
	return rules == NULL ||
	    rules_window_take(rules, &key, v, (size_t)sqlite3_column_bytes(q, 1));
}

/* The key that fingerprints and groups of the file were hashed with.  A file that has none is new,
 * or older than keys: its alerts and windows would not be known again. */
static bool
load_key(struct state *s, struct alerts *a, struct rules *rules, char *error)
{
	sqlite3_stmt *q = NULL;
	struct hash_key key = *alerts_key(a);
	if (sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key = 'hash_key'", -1, &q,
		NULL) != SQLITE_OK)
		return fail(s, error);
	bool had =
	    sqlite3_step(q) == SQLITE_ROW && (size_t)sqlite3_column_bytes(q, 0) == sizeof key;
	if (had)
		memcpy(&key, sqlite3_column_blob(q, 0), sizeof key);
	sqlite3_finalize(q);
	alerts_set_key(a, &key);
	if (rules != NULL)
		rules_set_key(rules, &key);
	return had || run(s, "DELETE FROM alert; DELETE FROM window", error);
}

static bool
save_key(struct state *s, const struct alerts *a, char *error)
{
	sqlite3_stmt *q = NULL;
	bool good = sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO meta VALUES ('hash_key', ?)",
			-1, &q, NULL) == SQLITE_OK &&
	    sqlite3_bind_blob(q, 1, alerts_key(a), sizeof(struct hash_key), SQLITE_STATIC) ==
		SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_DONE;
	sqlite3_finalize(q);
	return good || fail(s, error);
}

static bool
load(struct state *s, struct memory *m, struct alerts *a, struct rules *rules, char *error)
{
	for (unsigned t = 0; t < TABLES; t++) {
		char sql[160];
		sqlite3_stmt *q = NULL;
		struct text w = text_in(sql, sizeof sql);
		text_printf(&w, "SELECT key, value FROM %s ORDER BY last_ns DESC", tables[t].name);
		if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
			return fail(s, error);
		int rc;
		while ((rc = sqlite3_step(q)) == SQLITE_ROW)
			s->damaged +=
			    !(t == TABLE_WINDOW ? take_window(rules, q) : take_row(t, m, a, q));
		if (rc != SQLITE_DONE) {
			sqlite3_finalize(q);
			return fail(s, error);
		}
		sqlite3_finalize(q);
	}
	m->first_ns = number(s, "SELECT value FROM meta WHERE key = 'first_ns'", 0);
	if (!is_time(m->first_ns))
		m->first_ns = 0;
	return true;
}

/* ------------------------------------------------------------------------------ opening */

static bool
make_tables(struct state *s, char *error)
{
	if (!run(s, "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER)", error))
		return false;
	for (unsigned t = 0; t < TABLES; t++) {
		char sql[256];
		struct text w = text_in(sql, sizeof sql);
		text_printf(&w,
		    "CREATE TABLE IF NOT EXISTS %s (key BLOB PRIMARY KEY, name TEXT, last_ns "
		    "INTEGER NOT NULL, about TEXT, value BLOB NOT NULL) WITHOUT ROWID",
		    tables[t].name);
		if (!run(s, sql, error))
			return false;
	}
	char sql[96];
	struct text w = text_in(sql, sizeof sql);
	text_printf(&w, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION,
	    VERSION);
	return run(s, sql, error);
}

static bool
prepare(struct state *s, char *error)
{
	for (unsigned t = 0; t < TABLES; t++) {
		char sql[160];
		struct text w = text_in(sql, sizeof sql);
		text_printf(&w, "INSERT OR REPLACE INTO %s VALUES (?, ?, ?, ?, ?)", tables[t].name);
		if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->put[t],
			NULL) != SQLITE_OK)
			return fail(s, error);
		w = text_in(sql, sizeof sql);
		text_printf(&w, "DELETE FROM %s WHERE key = ?", tables[t].name);
		if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->drop[t],
			NULL) != SQLITE_OK)
			return fail(s, error);
	}
	return true;
}

/* Is it ours, or new and empty? */
static bool
check_owner(struct state *s, char *error)
{
	int64_t application = number(s, "PRAGMA application_id", -1);
	int64_t version = number(s, "PRAGMA user_version", -1);
	int64_t objects = number(s, "SELECT count(*) FROM sqlite_master", -1);
	if (application < 0 || version < 0 || objects < 0)
		return fail(s, error);
	if (objects == 0 && application == 0 && version == 0)
		return true;
	if (application != APPLICATION) {
		say(error, s->path, "not a state file of postcard (another program's database)");
		return false;
	}
	if (version != VERSION) {
		say(error, s->path, "written by another version of postcard: move it away");
		return false;
	}
	/* a view in the place of a table could have rows without end, a trigger do anything */
	if (number(s,
		"SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index') OR sql "
		"LIKE "
		"'%VIRTUAL%' OR sql LIKE '%GENERATED%'",
		1) != 0) {
		say(error, s->path, "holds views, triggers or tables that are not postcard's");
		return false;
	}
	return true;
}

/* Do the pages hang together?  Where they do not, it would be found when what was learned is to be
 * saved.  Rows that are none are load's affair. */
static bool
check_pages(struct state *s, char *error)
{
	sqlite3_stmt *q = NULL;
	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW) {
		sqlite3_finalize(q);
		return fail(s, error);
	}
	const char *said = (const char *)sqlite3_column_text(q, 0);
	bool good = said == NULL || strncmp(said, "***", 3) != 0;
	if (!good)
		say(error, s->path, DAMAGED);
	sqlite3_finalize(q);
	return good;
}

/* An empty file that only its owner reads, unless it is there; SQLite gives its journal the same
 * rights. */
static bool
make_file(const char *path, char *error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	struct stat st;
	bool good = fd >= 0 && fstat(fd, &st) == 0;
	if (!good)
		say(error, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		say(error, path, "not a regular file");
	good = good && S_ISREG(st.st_mode);
	if (fd >= 0)
		close(fd);
	return good;
}

static bool
open_database(struct state *s, struct memory *m, struct alerts *a, struct rules *rules, char *error)
{
	if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) !=
	    SQLITE_OK)
		return fail(s, error);
	sqlite3_busy_timeout(s->db, 500);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* the lock is held from the first write on, until the file is closed */
	if (!run(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON", error) ||
	    !check_owner(s, error) || !run(s, "BEGIN EXCLUSIVE", error) || !check_pages(s, error))
		return false;
	/* tables that came later are made in an older file, too */
	return make_tables(s, error) && load_key(s, a, rules, error) &&
	    load(s, m, a, rules, error) && run(s, "COMMIT", error) && prepare(s, error);
}

struct state *
state_open(const char *path, struct memory *m, struct alerts *a, struct rules *rules,
    char error[STATE_ERROR])
{
	struct state *s = calloc(1, sizeof *s);
	if (s == NULL || (s->path = strdup(path)) == NULL) {
		say(error, path, "no memory");
		free(s);
		return NULL;
	}
	if (make_file(path, error) && open_database(s, m, a, rules, error))
		return s;
	state_close(s);
	return NULL;
}

unsigned
state_damaged(const struct state *s)
{
	return s->damaged;
}

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	for (unsigned t = 0; t < TABLES; t++) {
		sqlite3_finalize(s->put[t]);
		sqlite3_finalize(s->drop[t]);
	}
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

/* ------------------------------------------------------------------------------- saving */

/* What people read of a row: its key, and a few words about the value. */
static void
describe(unsigned table, const void *key, const void *value, struct text *name, struct text *about)
{
	char ip[ADDR_TEXT];
	const struct text_key *text = key;
	const struct server_key *k = key;
	const struct server *v = value;
	const struct failure *f = value;
	switch (table) {
	case TABLE_FAILURE:
		text_puts(name, text->s);
		text_printf(about, "%s %s", f->refused ? "refused" : "failed", f->alert);
		break;
	case TABLE_SERVER:
		text_printf(name, "%s port %u", addr_print(&k->addr, ip), k->port);
		text_printf(about, "offered %u times, not offered %u times, missing %u times",
		    v->offered, v->not_offered, v->since);
		break;
	case TABLE_NETWORK:
	case TABLE_CLIENT: text_puts(name, addr_print(key, ip)); break;
	case TABLE_DOMAIN: text_puts(name, text->s); break;
	default: alert_describe(value, name, about); break;
	}
}

/* Runs a prepared statement whose parameters were bound; false where something failed. */
static bool
step(sqlite3_stmt *q, bool bound)
{
	bool good = bound && sqlite3_step(q) == SQLITE_DONE;
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return good;
}

static bool
drop_row(struct state *s, unsigned t, const void *key)
{
	sqlite3_stmt *q = s->drop[t];
	return step(q,
	    sqlite3_bind_blob(q, 1, key, (int)tables[t].key, SQLITE_STATIC) == SQLITE_OK);
}

static bool
put_row(struct state *s, unsigned t, const void *key, const void *value, size_t len,
    int64_t last_ns, const struct text *name, const struct text *about)
{
	sqlite3_stmt *q = s->put[t];
	return step(q,
	    sqlite3_bind_blob(q, 1, key, (int)tables[t].key, SQLITE_STATIC) == SQLITE_OK &&
		sqlite3_bind_text(q, 2, name->buf, (int)name->len, SQLITE_STATIC) == SQLITE_OK &&
		sqlite3_bind_int64(q, 3, last_ns) == SQLITE_OK &&
		sqlite3_bind_text(q, 4, about->buf, (int)about->len, SQLITE_STATIC) == SQLITE_OK &&
		sqlite3_bind_blob(q, 5, value, (int)len, SQLITE_STATIC) == SQLITE_OK);
}

static bool
save_row(struct state *s, const struct alerts *a, unsigned t, const void *key, const void *value)
{
	struct alert_row row;
	char name_buf[256], about_buf[256];
	struct text name = text_in(name_buf, sizeof name_buf);
	struct text about = text_in(about_buf, sizeof about_buf);
	const struct failure *f = value;
	int64_t last_ns;
	if (t == TABLE_FAILURE && f->gone)
		return drop_row(s, t, key);
	memcpy(&last_ns, value, sizeof last_ns);
	if (t == TABLE_ALERT) {
		alerts_row(a, value, &row);
		value = &row;
	}
	describe(t, key, value, &name, &about);
	return put_row(s, t, key, value, tables[t].value, last_ns, &name, &about);
}

static bool
save_table(struct state *s, const struct alerts *a, unsigned t, struct map *map)
{
	const void *key;
	void *value;
	for (uint32_t at = 0; map_next(map, &at, &key, &value);) {
		if (is_dirty(t, value) && !save_row(s, a, t, key, value))
			return false;
	}
	return true;
}

static bool
save_windows(struct state *s, const struct rules *rules)
{
	struct window_walk at = {0};
	struct window w;
	while (rules != NULL && rules_window_next(rules, &at, &w)) {
		char name_buf[256], about_buf[2];
		struct text name = text_in(name_buf, sizeof name_buf);
		struct text about = text_in(about_buf, sizeof about_buf);
		text_puts(&name, w.rule->title);
		if (w.dirty &&
		    !put_row(s, TABLE_WINDOW, &w.key, w.octets, w.len, w.end_ns, &name, &about))
			return false;
	}
	return true;
}

/* Rows that are too old, and of too many those that were used last the longest time ago: what the
 * maps gave up for want of room. */
static bool
prune(struct state *s, int64_t now_ns, char *error)
{
	for (unsigned t = 0; t < TABLES; t++) {
		char sql[256];
		const char *name = tables[t].name;
		struct text w = text_in(sql, sizeof sql);
		text_printf(&w, "DELETE FROM %s WHERE last_ns < %lld; ", name,
		    (long long)(now_ns - tables[t].age_ns));
		text_printf(&w,
		    "DELETE FROM %s WHERE key IN (SELECT key FROM %s ORDER BY last_ns LIMIT "
		    "max(0, (SELECT count(*) FROM %s) - %u))",
		    name, name, name, tables[t].rows);
		if (!run(s, sql, error))
			return false;
	}
	return true;
}

static bool
drop_closed_alerts(struct state *s, struct alerts *a)
{
	struct fingerprint f;
	for (uint32_t i = 0; alerts_closed(a, i, &f); i++) {
		if (!drop_row(s, TABLE_ALERT, &f))
			return false;
	}
	return true;
}

/* The file has it all now: what is in memory is clean, what was forgotten can go. */
static void
settle(struct memory *m, struct alerts *a, struct rules *rules)
{
	const void *key;
	void *value;
	if (rules != NULL)
		rules_windows_saved(rules);
	for (unsigned t = 0; t < MAPS; t++) {
		struct map *map = map_of(t, m, a);
		for (uint32_t at = 0; map_next(map, &at, &key, &value);) {
			const struct failure *f = value;
			mark(t, value, false);
			if (t == TABLE_FAILURE && f->gone)
				map_remove_value(map, value);
		}
	}
	alerts_closed_forget(a);
}

bool
state_save(struct state *s, struct memory *m, struct alerts *a, struct rules *rules,
    char error[STATE_ERROR])
{
	char sql[120];
	struct text w = text_in(sql, sizeof sql);
	text_printf(&w, "INSERT OR REPLACE INTO meta VALUES ('first_ns', %lld)",
	    (long long)m->first_ns);
	alerts_note_sealed(a);
	bool good = run(s, "BEGIN IMMEDIATE", error) && run(s, sql, error) && save_key(s, a, error);
	for (unsigned t = 0; good && t < MAPS; t++)
		good = save_table(s, a, t, map_of(t, m, a)) || fail(s, error);
	good = good && (save_windows(s, rules) || fail(s, error));
	good = good && (drop_closed_alerts(s, a) || fail(s, error));
	good = good && prune(s, m->now_ns, error) && run(s, "COMMIT", error);
	if (good)
		settle(m, a, rules);
	else if (sqlite3_get_autocommit(s->db) == 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return good;
}
