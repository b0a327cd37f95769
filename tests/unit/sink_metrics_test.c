/*
 * Metrics: what the file says, that promtool takes it (where Debian's prometheus is installed), and
 * that nobody ever sees a part of it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "folder.h"
#include "sink_made.h"

#define FILE_NAME "postcard.prom"
#define OCTETS	  (1u << 20)

static char content[OCTETS];

static struct sink *
open_at(const char *path, char error[SINK_ERROR])
{
	struct sink_config config = {.kind = "metrics", .path = path};
	error[0] = '\0';
	return sink_open(&config, error);
}

static struct sink *
open_metrics(void)
{
	char error[SINK_ERROR];
	struct sink *s = open_at(path_of(FILE_NAME), error);
	if (s == NULL)
		fail_msg("%s", error);
	return s;
}

/* A series, `postcard_name{label="value",...} number`: octets up to the blank before its number.  0
 * where it is none of the metric `name`. */
static size_t
series(const char *s, const char *name, size_t name_len)
{
	const char *at = s + name_len;
	if (strncmp(s, name, name_len) != 0)
		return 0;
	bool more = *at == '{';
	while (more) {
		size_t len = strspn(++at, "abcdefghijklmnopqrstuvwxyz_");
		if (len == 0 || strncmp(at + len, "=\"", 2) != 0)
			return 0;
		for (at += len + 2; *at != '"'; at++) {
			if (*at == '\n' || *at == '\0')
				return 0;
			if (*at == '\\' && (*++at == '\0' || strchr("\\\"n", *at) == NULL))
				return 0;
		}
		more = *++at == ',';
		if (!more && *at++ != '}')
			return 0;
	}
	size_t digits = strspn(at + 1, "-.0123456789");
	return *at == ' ' && digits > 0 && at[1 + digits] == '\n' ? (size_t)(at - s) : 0;
}

/* The format's rules, for machines without promtool: HELP, TYPE and all series of a metric in one
 * place, no metric and no series twice. */
static void
check_format(void)
{
	char name[100] = "", seen[8000] = " ", word[110];
	const char *start = content; /* of the series of this metric */
	for (const char *s = content; *s != '\0'; s += strcspn(s, "\n") + 1) {
		char type[10];
		size_t len;
		if (sscanf(s, "# HELP %99s", name) == 1) {
			snprintf(word, sizeof word, " %s ", name);
			assert_null(strstr(seen, word));
			strncat(seen, word + 1, sizeof seen - strlen(seen) - 1);
			s += strcspn(s, "\n") + 1;
			assert_int_equal(sscanf(s, "# TYPE %109s %9s", word, type), 2);
			assert_string_equal(word, name);
			len = strlen(name);
			bool total = len > 6 && strcmp(name + len - 6, "_total") == 0;
			assert_string_equal(type, total ? "counter" : "gauge");
			start = s + strcspn(s, "\n") + 1;
			continue;
		}
		len = series(s, name, strlen(name));
		if (len == 0)
			print_error("%.*s\n", (int)strcspn(s, "\n"), s);
		assert_true(len > 0);
		for (const char *b = start; b < s; b += strcspn(b, "\n") + 1)
			assert_false(memcmp(b, s, len + 1) == 0);
	}
}

/* The file as it is now; false where there is none. */
static bool
load(void)
{
	FILE *f = fopen(path_of(FILE_NAME), "r");
	if (f == NULL)
		return false;
	size_t n = fread(content, 1, sizeof content - 1, f);
	content[n] = '\0';
	fclose(f);
	check_format();
	return true;
}

static bool
has(const char *line)
{
	const char *at = strstr(content, line);
	while (at != NULL &&
	    !((at == content || at[-1] == '\n') && strchr("\n", at[strlen(line)]) != NULL))
		at = strstr(at + 1, line);
	return at != NULL;
}

#define HAS(line)                                                           \
	do {                                                                \
		if (!has(line))                                             \
			print_error("%s\nhas no line %s\n", content, line); \
		assert_true(has(line));                                     \
	} while (0)

static unsigned
files(void)
{
	unsigned n = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
push_everything(struct sink *s)
{
	static const char *const alerts[] = {made_login, made_printer, made_printer, made_six,
	    made_repeated, made_worse, made_resolved, made_worker, made_interface};
	for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
		assert_true(sink_push(s, make_record(RECORD_ALERT, alerts[i])));
	assert_true(sink_push(s, make_clear(1, 3, "host.example")));
	assert_true(sink_push(s,
	    make_record(RECORD_SESSION,
		"{postcard.outcome: cleartext, postcard.reason: stripped, postcard.messages: 1, "
		"postcard.exposed: [envelope, credentials]}")));
	assert_true(sink_push(s,
	    make_record(RECORD_SESSION, "{postcard.outcome: cleartext, postcard.reason: magic}")));
	assert_true(sink_push(s, make_record(RECORD_SESSION, "{postcard.outcome: encrypted}")));
	assert_true(sink_push(s, make_record(RECORD_SESSION, "{postcard.outcome: new-word}")));
	assert_true(sink_push(s, make_record(RECORD_MESSAGE, "{postcard.outcome: cleartext}")));
	const struct record *state = make_state(100, true);
	record_remove(&made, FIELD_TIMESTAMP); /* a sensor's is the clock, which says nothing of
						  packets */
	sink_status(s, state);
}

static void
what_it_says(void **state)
{
	(void)state;
	struct sink *s = open_metrics();
	assert_true(load()); /* there is a file at once, and each series begins with 0 */
	HAS("postcard_sessions_total{outcome=\"tls-failed\"} 0");
	HAS("postcard_readable_sessions_total{reason=\"not-asked\"} 0");
	HAS("postcard_build_info{version=\"" POSTCARD_VERSION "\"} 1");
	assert_null(strstr(content, "postcard_packets_total")); /* not known yet */
	push_everything(s);
	assert_true(sink_close(s));
	assert_true(load());
	HAS("# TYPE postcard_packets_total counter");
	HAS("postcard_packets_total 1234500");
	HAS("postcard_octets_total 123456700");
	HAS("postcard_kernel_drops_total 120");
	HAS("postcard_interface_drops_total 3");
	HAS("postcard_workers 2");
	HAS("postcard_worker_restarts_total 1");
	HAS("postcard_lag_seconds 0.001500000");
	HAS("postcard_last_packet_time_seconds 1700000100.000000000");
	HAS("postcard_sessions_total{outcome=\"cleartext\"} 3");
	HAS("postcard_sessions_total{outcome=\"encrypted\"} 1");
	HAS("postcard_sessions_total{outcome=\"unknown\"} 1");
	HAS("postcard_readable_sessions_total{reason=\"not-offered\"} 1");
	HAS("postcard_readable_sessions_total{reason=\"stripped\"} 1");
	HAS("postcard_readable_sessions_total{reason=\"other\"} 1");
	HAS("postcard_messages_readable_total 4");
	HAS("postcard_credentials_readable_total 1");
	HAS("postcard_alerts_total{rule=\"86908824-e17d-4af8-aa15-f402e391b796\","
	    "name=\"Mail readable: the server offered no TLS\",level=\"medium\"} 2");
	HAS("postcard_alert_events_total{rule=\"86908824-e17d-4af8-aa15-f402e391b796\","
	    "name=\"Mail readable: the server offered no TLS\",level=\"medium\"} 1235");
	HAS("postcard_alerts_total{rule=\"86908824-e17d-4af8-aa15-f402e391b796\","
	    "name=\"Mail readable: the server offered no TLS\",level=\"high\"} 2");
	HAS("postcard_alerts_total{rule=\"Interface down\",name=\"Interface down\","
	    "level=\"critical\"} 1");
	HAS("postcard_alerts_resolved_total 1");
	HAS("postcard_pool_used{pool=\"flows\"} 17");
	HAS("postcard_pool_peak{pool=\"flows\"} 170");
	HAS("postcard_pool_max{pool=\"flows\"} 8388608");
	HAS("postcard_pool_full_total{pool=\"flows\"} 0");
	HAS("postcard_output_up{output=\"tls://logs.example.org\"} 0");
	HAS("postcard_output_waiting{output=\"tls://logs.example.org\"} 12");
	HAS("postcard_output_up{output=\"/var/log/\\\"post\\\\card\\\".json\"} 1");
	HAS("postcard_output_sent_total{output=\"/var/log/\\\"post\\\\card\\\".json\"} 101");
	struct stat st;
	assert_int_equal(stat(path_of(FILE_NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(files(), 1);
}

/* Prometheus' own judge; its lint too. */
static void
promtool_takes_it(void **state)
{
	(void)state;
	char command[600];
	if (system("command -v promtool >/dev/null 2>&1") != 0) {
		print_message("promtool is not installed (Debian: prometheus)\n");
		skip();
	}
	struct sink *s = open_metrics();
	push_everything(s);
	record_begin(&made, RECORD_ALERT);
	record_put_str(&made, FIELD_RULE_NAME, "a\"b\\c\n\x01\xff{}=,# ", 15);
	assert_true(sink_push(s, &made));
	assert_true(sink_close(s));
	snprintf(command, sizeof command, "promtool check metrics < %s", path_of(FILE_NAME));
	assert_int_equal(system(command), 0);
}

/* Octets from outside stay inside of their labels, and no two series are one. */
static void
hostile_names(void **state)
{
	(void)state;
	static const char evil[] = "\"} 1\npostcard_up 1\n\\\x1b[2J\xff\x00z";
	struct sink *s = open_metrics();
	record_begin(&made, RECORD_ALERT);
	record_put_str(&made, FIELD_RULE_ID, evil, sizeof evil - 1);
	record_put_str(&made, FIELD_RULE_NAME, evil, sizeof evil - 1);
	record_put_str(&made, FIELD_LEVEL, evil, sizeof evil - 1);
	assert_true(sink_push(s, &made));
	record_begin(&made, RECORD_SESSION);
	record_put_str(&made, FIELD_OUTCOME, "cleartext", 9);
	record_put_str(&made, FIELD_REASON, evil, sizeof evil - 1);
	record_put_u64(&made, FIELD_MESSAGES, UINT64_MAX);
	assert_true(sink_push(s, &made));
	assert_true(sink_push(s, &made));
	record_begin(&made, RECORD_SUMMARY);
	record_put_time(&made, FIELD_EVENT_END, INT64_MIN);
	record_put_u64(&made, FIELD_SUM_LAG, UINT64_MAX);
	for (unsigned i = 0; i < 2 * LIMIT_METRIC_ITEMS; i++) {
		char name[40];
		record_put_item(&made, FIELD_SUM_POOL);
		record_put_u64(&made, FIELD_SUM_POOL_USED, 1); /* of none yet */
		snprintf(name, sizeof name, "pool %u", i / 2);
		record_put_word(&made, FIELD_SUM_POOL_NAME, name);
		record_put_u64(&made, FIELD_SUM_POOL_USED, i);
		record_put_item(&made, FIELD_SUM_OUTPUT);
		record_put_str(&made, FIELD_SUM_OUTPUT_NAME, evil, sizeof evil - 1);
		record_put_bool(&made, FIELD_SUM_OUTPUT_UP, true);
	}
	sink_status(s, &made);
	assert_true(sink_close(s));
	assert_true(load());
	HAS("postcard_messages_readable_total 18446744073709551615");
	HAS("postcard_last_packet_time_seconds -9223372036.854775808");
	HAS("postcard_pool_used{pool=\"pool 3\"} 13"); /* 6 and 7 */
	HAS("postcard_output_up{output=\"\\\"} 1\\\\x0apostcard_up "
	    "1\\\\x0a\\\\\\\\x1b[2J\xc3\xbf\\\\x00z\"} "
	    "1");
	assert_null(strstr(content, "\npostcard_up"));
	for (const char *c = content; *c != '\0'; c++)
		assert_true((uint8_t)*c >= 0x20 || *c == '\n');
}

static void
more_rules_than_fit(void **state)
{
	(void)state;
	struct sink *s = open_metrics();
	for (unsigned i = 0; i < LIMIT_METRIC_RULES + 10; i++) {
		char line[100];
		snprintf(line, sizeof line, "{rule.name: rule %u, postcard.level: low}", i);
		assert_true(sink_push(s, make_record(RECORD_ALERT, line)));
		assert_true(sink_push(s, make_record(RECORD_ALERT, line)));
	}
	assert_true(sink_close(s));
	assert_true(load());
	HAS("postcard_alerts_total{rule=\"rule 511\",name=\"rule 511\",level=\"low\"} 2");
	HAS("postcard_alerts_total{rule=\"other\",name=\"other\",level=\"\"} 20");
	assert_null(strstr(content, "rule 512"));
}

static atomic_bool over;
static atomic_uint reads;

/* Reads the file again and again: it is always whole. */
static void *
reader(void *arg)
{
	static char got[OCTETS];
	bool *whole = arg;
	*whole = true;
	while (!atomic_load(&over)) {
		FILE *f = fopen(path_of(FILE_NAME), "r");
		size_t n = f != NULL ? fread(got, 1, sizeof got - 1, f) : 0;
		got[n] = '\0';
		if (f != NULL)
			fclose(f);
		*whole = *whole && n > 0 && got[n - 1] == '\n' && strncmp(got, "# HELP ", 7) == 0 &&
		    strstr(got, "\npostcard_output_dropped_total{output=\"/var") != NULL;
		atomic_fetch_add(&reads, 1);
	}
	return NULL;
}

static void
never_a_part(void **state)
{
	(void)state;
	pthread_t thread;
	bool whole = false;
	struct sink *s = open_metrics();
	push_everything(s);
	for (unsigned i = 0; i < LIMIT_METRIC_RULES; i++) { /* more than one write(2) */
		char line[100];
		snprintf(line, sizeof line, "{rule.name: rule %u, postcard.level: low}", i);
		assert_true(sink_push(s, make_record(RECORD_ALERT, line)));
	}
	sink_reopen(s); /* writes at once */
	atomic_store(&over, false);
	assert_int_equal(pthread_create(&thread, NULL, reader, &whole), 0);
	for (unsigned i = 0; i < 200 || atomic_load(&reads) < 50; i++)
		sink_reopen(s);
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	assert_true(whole);
	assert_true(sink_close(s));
}

/* Standard error goes to a file of the folder while `f` runs; what came. */
static const char *
said_by(void (*f)(struct sink *), struct sink *s)
{
	static char said[4000];
	int was = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	f(s);
	fflush(stderr);
	dup2(was, STDERR_FILENO);
	close(was);
	rewind(file);
	said[fread(said, 1, sizeof said - 1, file)] = '\0';
	fclose(file);
	return said;
}

static void
write_twice(struct sink *s)
{
	sink_reopen(s);
	sink_reopen(s);
}

static unsigned
times(const char *out, const char *what)
{
	unsigned n = 0;
	for (; (out = strstr(out, what)) != NULL; out += strlen(what))
		n++;
	return n;
}

/* A disk without room: what was there stays, it is told once, and goes on when there is room. */
static void
full_disk(void **state)
{
	(void)state;
	struct rlimit was, none;
	struct sink *s = open_metrics();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	push_everything(s);
	none = was;
	none.rlim_cur = 1000; /* less than the file needs */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	const char *said = said_by(write_twice, s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(times(said, "postcard: "), 1);
	assert_non_null(strstr(said, FILE_NAME ": File too large"));
	assert_true(load());
	HAS("postcard_sessions_total{outcome=\"cleartext\"} 0"); /* the file before */
	assert_int_equal(files(), 1);
	assert_string_equal(said_by(write_twice, s), "");
	assert_true(load());
	HAS("postcard_sessions_total{outcome=\"cleartext\"} 3");
	assert_true(sink_close(s));
}

static void
folder_goes_away(void **state)
{
	(void)state;
	struct sink *s = open_metrics();
	assert_int_equal(remove_folder(state), 0);
	assert_int_equal(times(said_by(write_twice, s), "No such file or directory"), 1);
	assert_true(sink_tick(s)); /* no reason to stop */
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_string_equal(said_by(write_twice, s), "");
	assert_true(load());
	assert_int_equal(remove_folder(state), 0);
	assert_string_not_equal(said_by(write_twice, s), ""); /* told again */
	assert_false(sink_close(s));
	assert_int_equal(errno, ENOENT);
}

static void
set_up_that_is_wrong(void **state)
{
	(void)state;
	char error[SINK_ERROR];
	assert_null(open_at(NULL, error));
	assert_null(open_at("", error));
	assert_null(open_at(path_of("none/" FILE_NAME), error));
	assert_non_null(strstr(error, "/none: No such file or directory"));
	assert_null(open_at("/dev/null", error));
	assert_string_equal(error, "/dev/null: metrics need a regular file");
	assert_null(open_at(folder, error));
	assert_non_null(strstr(error, "regular file"));
	struct sink *s = open_metrics();
	assert_true(sink_close(s));
	assert_null(open_at(path_of(FILE_NAME "/x"), error));
	assert_non_null(strstr(error, FILE_NAME " is no folder"));
	/* a folder that is not ours; root may write anywhere */
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (chmod(folder, 0755) != 0 || seteuid(65534) != 0))
			_exit(3);
		if (geteuid() != 65534 && chmod(folder, 0500) != 0)
			_exit(3);
		bool denied = open_at(path_of("other.prom"), error) == NULL &&
		    strstr(error, "Permission denied") != NULL;
		_exit(denied ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Who put a link in the way does not get anything written through it. */
static void
links_are_not_followed(void **state)
{
	(void)state;
	FILE *f = fopen(path_of("victim"), "w");
	fputs("untouched", f);
	fclose(f);
	assert_int_equal(symlink(path_of("victim"), path_of(FILE_NAME ".tmp")), 0);
	struct sink *s = open_metrics();
	assert_true(sink_close(s));
	f = fopen(path_of("victim"), "r");
	assert_int_equal(fread(content, 1, sizeof content, f), 9);
	fclose(f);
}

/* It writes every 5 s, not more often, and says when. */
static void
every_five_seconds(void **state)
{
	(void)state;
	struct sink_wait w;
	struct stat first, now;
	struct sink *s = open_metrics();
	assert_int_equal(stat(path_of(FILE_NAME), &first), 0);
	push_everything(s);
	assert_true(sink_tick(s) && sink_flush(s));
	assert_int_equal(stat(path_of(FILE_NAME), &now), 0);
	assert_int_equal(first.st_ino, now.st_ino);
	sink_wait(s, &w);
	assert_int_equal(w.fd, -1);
	assert_in_range(w.timeout_ms, 3000, 5001);
	struct timespec t = {.tv_sec = w.timeout_ms / 1000,
	    .tv_nsec = w.timeout_ms % 1000 * 1000000};
	while (nanosleep(&t, &t) != 0)
		;
	assert_true(sink_tick(s));
	assert_true(load());
	HAS("postcard_sessions_total{outcome=\"cleartext\"} 3");
	sink_wait(s, &w);
	assert_in_range(w.timeout_ms, 3000, 5001);
	assert_true(sink_close(s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(what_it_says),
	    FOLDER_TEST(promtool_takes_it),
	    FOLDER_TEST(hostile_names),
	    FOLDER_TEST(more_rules_than_fit),
	    FOLDER_TEST(never_a_part),
	    FOLDER_TEST(full_disk),
	    FOLDER_TEST(folder_goes_away),
	    FOLDER_TEST(set_up_that_is_wrong),
	    FOLDER_TEST(links_are_not_followed),
	    FOLDER_TEST(every_five_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
