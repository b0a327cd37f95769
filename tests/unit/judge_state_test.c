/* The state file: what it keeps, whom it refuses, kill -9, a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "judge/memory_internal.h"
#include "judge/state.h"
#include "record_build.h"

static struct record record, out;
static char path[128], error[STATE_ERROR];
static struct rule rule = {.kind = RULE_DETECTION,
    .level = LEVEL_HIGH,
    .id = "x",
    .name = "",
    .title = "readable"};

/* All that outlives a process. */
struct kept {
	struct memory *memory;
	struct alerts *alerts;
	struct state *state;
};

/* An event, from first to last. */
static struct alert_report
push_event(struct alerts *a, const struct rule *which, enum level level, const struct record *r,
    int64_t now_ns)
{
	const struct alert_place at = alerts_expect(a, which, r);
	return alerts_event(a, &at, which, level, r, now_ns);
}

static int
make_place(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	snprintf(path, sizeof path, "%s/state.db", folder);
	return 0;
}

static struct kept
open_kept(void)
{
	struct kept k = {memory_new(), alerts_new(), NULL};
	assert_true(k.memory != NULL && k.alerts != NULL);
	error[0] = '\0';
	k.state = state_open(path, k.memory, k.alerts, NULL, error);
	return k;
}

static void
close_kept(struct kept *k)
{
	state_close(k->state);
	memory_free(k->memory);
	alerts_free(k->alerts);
}

static void
save(struct kept *k)
{
	if (!state_save(k->state, k->memory, k->alerts, NULL, error))
		fail_msg("%s", error);
}

/* The i-th record of a made-up history: failures, retries, offers that come and go. */
static void
history(unsigned i)
{
	static const char *const kinds[] = {
	    "postcard.outcome: tls-failed, postcard.starttls.offered: true",
	    "postcard.outcome: cleartext, postcard.reason: not-requested, "
	    "postcard.starttls.offered: true",
	    "postcard.outcome: encrypted, postcard.starttls.offered: true,"
	    " postcard.capabilities: [STARTTLS, SIZE]",
	    "postcard.outcome: cleartext, postcard.reason: not-offered, postcard.starttls.offered: "
	    "false,"
	    " postcard.capabilities: [SIZE]",
	};
	char line[700], domain[64] = "";
	unsigned r = i * 2654435761u, kind = r >> 4 & 3;
	if (kind == 1)
		snprintf(domain, sizeof domain, ", postcard.to_domain: [d%u.example]", r >> 7 & 7);
	snprintf(line, sizeof line,
	    "{kind: %s, at: %u, network.community_id: '1:%u', source.ip: 192.0.2.%u,"
	    " destination.ip: 198.51.100.%u, destination.port: 25, postcard.greeting: "
	    "mx%u.example.org,"
	    " %s%s}",
	    r >> 12 & 1 && kind == 1 ? "message" : "session", i * 10, i, r >> 20 & 3, r >> 23 & 3,
	    r >> 23 & 3, kinds[kind], domain);
	build_record_of(&record, line);
	record_put_time(&record, FIELD_EVENT_START, BUILD_EPOCH_NS + i * 10000000000ll - 1);
}

static void
live(struct kept *k, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		history(i);
		memory_apply(k->memory, &record);
		if (i % 7 == 0) {
			struct alert_report report = push_event(k->alerts, &rule, LEVEL_HIGH,
			    &record, BUILD_EPOCH_NS + i * 10000000000ll);
			if (report.state != ALERT_SILENT)
				alerts_keep(k->alerts, report.alert, &record);
		}
	}
}

/* Do both say the same of what comes next? */
static void
expect_same(struct kept *a, struct kept *b, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		history(i);
		out = record;
		memory_apply(a->memory, &record);
		memory_apply(b->memory, &out);
		assert_int_equal(record.len, out.len);
		assert_memory_equal(record.data, out.data, record.len);
		int64_t now = BUILD_EPOCH_NS + i * 10000000000ll;
		assert_int_equal(push_event(a->alerts, &rule, LEVEL_HIGH, &record, now).state,
		    push_event(b->alerts, &rule, LEVEL_HIGH, &record, now).state);
	}
}

static void
a_second_run_goes_on_where_the_first_ended(void **state)
{
	(void)state;
	struct kept first = open_kept();
	assert_non_null(first.state);
	live(&first, 0, 300);
	save(&first);
	live(&first, 300, 500);
	save(&first);
	state_close(first.state);
	first.state = NULL;
	struct kept second = open_kept();
	if (second.state == NULL)
		fail_msg("%s", error);
	assert_int_equal(state_damaged(second.state), 0);
	expect_same(&first, &second, 500, 1000);
	close_kept(&first);
	close_kept(&second);
}

static void
only_its_owner_reads_it(void **state)
{
	(void)state;
	struct stat st;
	mode_t old = umask(0);
	struct kept k = open_kept();
	live(&k, 0, 50);
	save(&k);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	close_kept(&k);
}

static void
one_at_a_time(void **state)
{
	(void)state;
	struct kept k = open_kept(), other = open_kept();
	assert_null(other.state);
	assert_non_null(strstr(error, path));
	assert_non_null(strstr(error, "in use by another postcard"));
	close_kept(&k);
	close_kept(&other);
	k = open_kept();
	assert_non_null(k.state);
	close_kept(&k);
}

static void
sql(const char *text)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void
expect_refused(const char *says)
{
	struct stat before, after;
	assert_int_equal(stat(path, &before), 0);
	struct kept k = open_kept();
	assert_null(k.state);
	if (strstr(error, says) == NULL || strncmp(error, path, strlen(path)) != 0)
		fail_msg("%s, not: %s", error, says);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	close_kept(&k);
}

static void
files_of_others_are_left_alone(void **state)
{
	(void)state;
	char text[8192];
	memset(text, 'x', sizeof text);
	write_octets("state.db", text, sizeof text);
	expect_refused("not a state file");
	unlink(path);
	sql("CREATE TABLE passwords (a); INSERT INTO passwords VALUES (1)");
	expect_refused("another program's database");
	unlink(path);
	sql("PRAGMA application_id = 1885565540; PRAGMA user_version = 99; CREATE TABLE meta (a)");
	expect_refused("another version");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	struct kept k = open_kept();
	assert_null(k.state);
	close_kept(&k);
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused("not a regular file");
	unlink(path);
	assert_int_equal(symlink("/tmp/postcard-nowhere", path), 0);
	k = open_kept();
	assert_null(k.state);
	close_kept(&k);
	unlink(path);
}

/* Rows that somebody changed: left out and counted, and no harm done. */
static void
damaged_rows_are_left_out(void **state)
{
	(void)state;
	struct kept k = open_kept();
	live(&k, 0, 300);
	save(&k);
	close_kept(&k);
	sql("INSERT INTO failure VALUES (zeroblob(160), 'x', 5, '', zeroblob(8)); "
	    "INSERT INTO server VALUES (x'00', 'x', 5, '', x'00');"
	    "INSERT INTO alert VALUES (zeroblob(16), 'x', 5, '', randomblob(3104));"
	    "UPDATE client SET value = 'text'; UPDATE domain SET value = NULL WHERE 0;"
	    "UPDATE network SET key = randomblob(17)");
	k = open_kept();
	if (k.state == NULL)
		fail_msg("%s", error);
	assert_true(state_damaged(k.state) > 3);
	live(&k, 300, 600);
	save(&k);
	close_kept(&k);
}

/* Not when what was learned is to be saved. */
static void
damaged_pages_are_found_at_the_start(void **state)
{
	(void)state;
	uint8_t page[4096];
	struct kept k = open_kept();
	live(&k, 0, 300);
	save(&k);
	close_kept(&k);
	memset(page, 0xa5, sizeof page);
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, -(long)sizeof page, SEEK_END), 0);
	assert_int_equal(fwrite(page, 1, sizeof page, f), sizeof page);
	assert_int_equal(fclose(f), 0);
	expect_refused("damaged: move it away");
	unlink(path);
}

/* The day from which on something is new is learned anew where the file has an absurd one. */
static void
an_absurd_beginning_is_forgotten(void **state)
{
	(void)state;
	static const char *const times[] = {"-5", "9223372036854775807"};
	for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
		char text[100];
		struct kept k = open_kept();
		live(&k, 0, 20);
		assert_true(k.memory->first_ns > 0);
		save(&k);
		close_kept(&k);
		snprintf(text, sizeof text, "UPDATE meta SET value = %s WHERE key = 'first_ns'",
		    times[i]);
		sql(text);
		k = open_kept();
		assert_non_null(k.state);
		assert_int_equal(k.memory->first_ns, 0);
		live(&k, 20, 21);
		assert_int_equal(k.memory->first_ns, BUILD_EPOCH_NS + 20 * 10000000000ll);
		close_kept(&k);
	}
}

/* Whatever octets stand in a value: it is loaded or left out, and never read beyond. */
static void
random_values_do_no_harm(void **state)
{
	(void)state;
	struct kept k = open_kept();
	live(&k, 0, 200);
	save(&k);
	close_kept(&k);
	for (unsigned round = 0; round < 20; round++) {
		sql("UPDATE failure SET value = substr(value, 1, 8) || randomblob(length(value) - "
		    "8)"
		    " WHERE random() % 3 = 0;"
		    "UPDATE server SET value = substr(value, 1, 8) || randomblob(length(value) - 8)"
		    " WHERE random() % 3 = 0;"
		    "UPDATE network SET value = substr(value, 1, 8) || randomblob(length(value) - "
		    "8);"
		    "UPDATE alert SET value = substr(value, 1, 80) || randomblob(length(value) - "
		    "80);");
		k = open_kept();
		if (k.state == NULL)
			fail_msg("%s", error);
		live(&k, 200 + round * 50, 250 + round * 50);
		while (alerts_due(k.alerts, INT64_MAX / 4, true, &out)) {
		}
		save(&k);
		close_kept(&k);
	}
}

static void
kill_9_loses_only_the_last(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 8; round++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			struct kept k = open_kept();
			for (unsigned i = 0; k.state != NULL; i++) {
				live(&k, i * 50, i * 50 + 50);
				state_save(k.state, k.memory, k.alerts, NULL, error);
			}
			_exit(1);
		}
		usleep(20000 + round * 7000);
		kill(child, SIGKILL);
		int status;
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		struct kept k = open_kept();
		if (k.state == NULL)
			fail_msg("%s", error);
		assert_int_equal(state_damaged(k.state), 0);
		close_kept(&k);
	}
}

/* A file that may not grow, as on a full disk: said, and made up for later. */
static void
a_full_disk_is_survived(void **state)
{
	(void)state;
	struct rlimit old, low = {0};
	struct kept k = open_kept();
	assert_non_null(k.state);
	live(&k, 0, 20);
	save(&k);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_cur = 65536;
	low.rlim_max = old.rlim_max;
	live(&k, 20, 3000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	bool saved = state_save(k.state, k.memory, k.alerts, NULL, error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(saved);
	assert_non_null(strstr(error, path));
	save(&k);
	state_close(k.state);
	k.state = NULL;
	struct kept again = open_kept();
	if (again.state == NULL)
		fail_msg("%s", error);
	expect_same(&k, &again, 3000, 3200);
	close_kept(&k);
	close_kept(&again);
}

static int64_t
count_rows(const char *table)
{
	sqlite3 *db;
	sqlite3_stmt *q;
	char text[64];
	snprintf(text, sizeof text, "SELECT count(*) FROM %s", table);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

/* What the maps gave up leaves the file, too: the oldest of too many rows. */
static void
the_file_is_bounded(void **state)
{
	(void)state;
	struct kept k = open_kept();
	live(&k, 0, 300);
	save(&k);
	close_kept(&k);
	int64_t clients = count_rows("client");
	assert_true(clients > 0);
	char text[400];
	snprintf(text, sizeof text,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
	    "INSERT INTO client SELECT randomblob(16) || x'06', 'x', last_ns - 60 * 1000000000, '',"
	    " value FROM n, (SELECT * FROM client LIMIT 1)",
	    LIMIT_FIRST_SEEN);
	sql(text);
	assert_int_equal(count_rows("client"), LIMIT_FIRST_SEEN + clients);
	k = open_kept();
	assert_non_null(k.state);
	save(&k);
	close_kept(&k);
	assert_int_equal(count_rows("client"), LIMIT_FIRST_SEEN);
	snprintf(text, sizeof text, "DELETE FROM client WHERE name = 'x'");
	sql(text);
	assert_int_equal(count_rows("client"), clients); /* the newest ones stayed */
}

/* Three sealed connections in a row resolve an alert, whatever run saw each of them. */
static void
sealed_connections_count_across_runs(void **state)
{
	(void)state;
	static const char line[] =
	    "{kind: session, at: %u, source.ip: 192.0.2.1, destination.ip: 198.51.100.1, "
	    "destination.port: 25, postcard.outcome: %s}";
	char text[300];
	struct kept k = open_kept();
	snprintf(text, sizeof text, line, 0u, "cleartext, postcard.reason: not-offered");
	int64_t now = build_record_of(&record, text);
	struct alert_report report = push_event(k.alerts, &rule, LEVEL_HIGH, &record, now);
	alerts_keep(k.alerts, report.alert, &record);
	for (unsigned run = 1; run <= LIMIT_ALERT_SEALED; run++) {
		assert_false(alerts_due(k.alerts, now, false, &out));
		save(&k);
		close_kept(&k);
		k = open_kept();
		snprintf(text, sizeof text, line, run, "encrypted");
		now = build_record_of(&record, text);
		alerts_sealed(k.alerts, &record, now);
	}
	assert_true(alerts_due(k.alerts, now, false, &out));
	assert_true(record_is(&out, FIELD_ALERT_STATE, "resolved"));
	close_kept(&k);
}

static struct rules *
count_of_three(unsigned timespan_s)
{
	char text[600];
	snprintf(text, sizeof text,
	    "title: e\nname: e\ntaxonomy: ecs\nlogsource: {product: postcard}\nlevel: low\n"
	    "detection: {s: {postcard.outcome: cleartext}, condition: s}\n"
	    "---\ntitle: c\nname: c\ncorrelation: {type: event_count, rules: [e], "
	    "group-by: [source.ip], timespan: %us, condition: {gte: 3}}\n",
	    timespan_s);
	struct rules *s = rules_new(NULL, 0);
	assert_true(rules_read(s, text, strlen(text), "x.yml", false, error));
	assert_true(rules_link(s, error));
	return s;
}

/* Is the correlation complete with a readable connection of that second? */
static bool
completes(struct rules *s, unsigned at)
{
	char text[200];
	struct rule_hit hits[RULE_HITS];
	snprintf(text, sizeof text,
	    "{kind: session, at: %u, source.ip: 192.0.2.1, postcard.outcome: cleartext}", at);
	int64_t now = build_record_of(&record, text);
	return rules_correlate(s, now, hits, rules_match(s, &record, now, hits)) > 0;
}

static void
correlations_count_across_runs(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 3; run++) {
		struct rules *s = count_of_three(600);
		struct kept k = {memory_new(), alerts_new(), NULL};
		k.state = state_open(path, k.memory, k.alerts, s, error);
		assert_non_null(k.state);
		assert_int_equal(state_damaged(k.state), 0);
		assert_int_equal(completes(s, run * 100), run == 2);
		if (!state_save(k.state, k.memory, k.alerts, s, error))
			fail_msg("%s", error);
		close_kept(&k);
		rules_free(s);
	}
	assert_int_equal(count_rows("window"), 1);
	/* another correlation takes nothing of it, and damaged octets are left out */
	struct rules *other = count_of_three(601), *same = count_of_three(600);
	struct kept k = {memory_new(), alerts_new(), NULL};
	k.state = state_open(path, k.memory, k.alerts, other, error);
	assert_non_null(k.state);
	assert_int_equal(state_damaged(k.state), 0);
	assert_false(completes(other, 250));
	close_kept(&k);
	sql("UPDATE window SET value = substr(value, 1, 16) || x'ffffffff' || substr(value, 21)");
	k = (struct kept){memory_new(), alerts_new(), NULL};
	k.state = state_open(path, k.memory, k.alerts, same, error);
	assert_non_null(k.state);
	assert_int_equal(state_damaged(k.state), 1);
	assert_false(completes(same, 250));
	if (!state_save(k.state, k.memory, k.alerts, same, error))
		fail_msg("%s", error);
	close_kept(&k);
	/* whatever octets stand there: taken or left out, and never read beyond */
	for (unsigned round = 0; round < 64; round++) {
		sql("UPDATE window SET value = CASE random() % 3 "
		    "WHEN 0 THEN randomblob(length(value)) "
		    "WHEN 1 THEN substr(value, 1, 16) || randomblob(8) || substr(value, 25) "
		    "ELSE randomblob(length(value) - 1) END");
		struct rules *s = count_of_three(600);
		k = (struct kept){memory_new(), alerts_new(), NULL};
		k.state = state_open(path, k.memory, k.alerts, s, error);
		assert_non_null(k.state);
		for (unsigned i = 0; i < 4; i++)
			completes(s, 300 + i);
		if (!state_save(k.state, k.memory, k.alerts, s, error))
			fail_msg("%s", error);
		close_kept(&k);
		rules_free(s);
	}
	rules_free(other);
	rules_free(same);
}

static void
no_person_is_in_it(void **state)
{
	(void)state;
	static char octets[1 << 20];
	struct kept k = open_kept();
	build_record_of(&record,
	    "{kind: message, source.ip: 192.0.2.1, destination.ip: 198.51.100.1, destination.port: "
	    "25,"
	    " postcard.outcome: cleartext, postcard.reason: not-requested, email.from.address: "
	    "secretname@a.example,"
	    " email.to.address: hiddenname@b.example, postcard.to_domain: b.example, "
	    "email.subject: confidential}");
	memory_apply(k.memory, &record);
	struct alert_report report =
	    push_event(k.alerts, &rule, LEVEL_HIGH, &record, BUILD_EPOCH_NS);
	alerts_keep(k.alerts, report.alert, &record);
	save(&k);
	close_kept(&k);
	FILE *f = fopen(path, "r");
	size_t n = fread(octets, 1, sizeof octets, f);
	fclose(f);
	assert_non_null(memmem(octets, n, "b.example", 9));
	assert_null(memmem(octets, n, "secretname", 10));
	assert_null(memmem(octets, n, "hiddenname", 10));
	assert_null(memmem(octets, n, "confidential", 12));
}

#define STATE_TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STATE_TEST(a_second_run_goes_on_where_the_first_ended),
	    STATE_TEST(only_its_owner_reads_it),
	    STATE_TEST(one_at_a_time),
	    STATE_TEST(files_of_others_are_left_alone),
	    STATE_TEST(damaged_rows_are_left_out),
	    STATE_TEST(damaged_pages_are_found_at_the_start),
	    STATE_TEST(an_absurd_beginning_is_forgotten),
	    STATE_TEST(random_values_do_no_harm),
	    STATE_TEST(kill_9_loses_only_the_last),
	    STATE_TEST(a_full_disk_is_survived),
	    STATE_TEST(the_file_is_bounded),
	    STATE_TEST(sealed_connections_count_across_runs),
	    STATE_TEST(correlations_count_across_runs),
	    STATE_TEST(no_person_is_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
