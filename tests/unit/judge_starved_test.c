/*
 * Where memory is refused: at each place of the set-up of the judge, and while records come.
 *
 * malloc and its kin, and mmap, are these here: they count what is handed out, and refuse the n-th
 * request and all behind it.  Whatever is refused, there is a message, nothing is lost that was
 * loaded before, and all that was taken is given back.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "judge/judge.h"
#include "record_build.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#endif

#ifndef SANITIZED /* a sanitizer has its own */

static long left = -1;	/* requests that are granted still; -1: all */
static bool refused;	/* one was not */
static long live, maps; /* pieces of the heap, and mappings, that were not given back */

void *__libc_malloc(size_t octets);
void *__libc_calloc(size_t n, size_t octets);
void *__libc_realloc(void *old, size_t octets);
void __libc_free(void *old);

static bool
refuse(void)
{
	if (left == 0) {
		refused = true;
		errno = ENOMEM;
		return true;
	}
	left -= left > 0;
	return false;
}

/* Counts what was granted. */
static void *
grant(void *mem)
{
	live += mem != NULL;
	return mem;
}

void *
malloc(size_t octets)
{
	return refuse() ? NULL : grant(__libc_malloc(octets));
}

void *
calloc(size_t n, size_t octets)
{
	return refuse() ? NULL : grant(__libc_calloc(n, octets));
}

void *
realloc(void *old, size_t octets)
{
	if (refuse())
		return NULL;
	void *mem = __libc_realloc(old, octets);
	live += old == NULL && mem != NULL;
	return mem;
}

void
free(void *old)
{
	live -= old != NULL;
	__libc_free(old);
}

void *
mmap(void *at, size_t octets, int protection, int flags, int fd, off_t offset)
{
	if (refuse())
		return MAP_FAILED;
	void *mem = (void *)syscall(SYS_mmap, at, octets, protection, flags, fd, offset);
	maps += mem != MAP_FAILED;
	return mem;
}

int
munmap(void *at, size_t octets)
{
	maps--;
	return (int)syscall(SYS_munmap, at, octets);
}

/* ---- what is set up ---- */

static const char rules_text[] =
    "title: a\nname: a\nid: 5f5e1f0e-6d29-4d3a-9f0c-6d2f1e0a7b01\nlevel: high\n"
    "taxonomy: ecs\nlogsource: {product: postcard}\n"
    "description: \"{client} and {because} and %mine%\"\n"
    "detection:\n"
    "  s: {postcard.outcome: [cleartext, tls-failed], destination.port|gte: 25}\n"
    "  t: {source.ip|cidr: [10.0.0.0/8, '2001:db8::/32'], email.subject|re: 'in[vw]oice+'}\n"
    "  u: {postcard.helo|contains: [mx, mail], email.subject|startswith: 'a*b'}\n"
    "  v: {postcard.helo|expand: '%mine%', source.ip|fieldref: destination.ip}\n"
    "  condition: s and not (t or 1 of u*) or v\n"
    "---\ntitle: b\nlevel: high\ntaxonomy: ecs\nlogsource: {product: postcard}\n"
    "detection: {s: {postcard.outcome: cleartext}, condition: s}\n"
    "---\ntitle: c\nname: c\nlevel: medium\n"
    "correlation:\n  type: event_count\n  rules: [a]\n  group-by: [source.ip]\n"
    "  timespan: 1m\n  condition: {gte: 2}\n"
    "---\ntitle: d\nname: d\nlevel: low\n"
    "correlation:\n  type: value_count\n  rules: [a]\n  group-by: [source.ip]\n"
    "  timespan: 1m\n  condition: {gte: 1, field: destination.port}\n";

static const char exception_text[] =
    "title: x\nlogsource: {product: postcard}\n"
    "filter:\n  rules: any\n  s: {source.ip: 10.0.0.77}\n  condition: not s\n"
    "postcard: {owner: Ann, reason: no TLS in it, expires: 2099-06-30}\n";

static const char policies_text[] = "policies:\n"
				    "  - {domain: example.org, tls: verify}\n"
				    "  - {domain: [example.net, .example.com], tls: encrypt}\n"
				    "  - {peer: 10.0.0.0/8, tls: encrypt}\n";

static const char *const placeholder_values[] = {"one", "two", "three*"};

static struct record record, alert;
static char state_path[128];

static int
make_files(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	if (mkdir(path_of("rules"), 0700) != 0 || mkdir(path_of("rules/exceptions"), 0700) != 0)
		return -1;
	write_text("rules/r.yml", rules_text);
	write_text("rules/exceptions/x.yml", exception_text);
	snprintf(state_path, sizeof state_path, "%s/state.db", folder);
	return 0;
}

static struct policies *
read_policies(char error[YAML_ERROR])
{
	struct policies *p = policies_new();
	struct yaml *y = yaml_open(policies_text, sizeof policies_text - 1, "c.yml", error);
	bool good = p != NULL && y != NULL && yaml_next(y) &&
	    policies_read(p, y, yaml_get(y, yaml_root(y), "policies"), folder);
	yaml_close(y);
	if (good)
		return p;
	if (p == NULL)
		strcpy(error, "no memory");
	policies_free(p);
	return NULL;
}

/* Loads rules, ours or those that the program carries, and policies. */
static bool
load(struct judge *j, bool shipped, char error[JUDGE_ERROR])
{
	char rules[128];
	const char *ours[] = {rules};
	const struct placeholder mine = {"mine", placeholder_values, 3};
	struct judge_config c = {.placeholders = &mine, .placeholder_count = 1};
	snprintf(rules, sizeof rules, "%s/rules", folder);
	if (!shipped)
		c.from = (struct rule_sources){.rules = ours, .rules_count = 1};
	c.policies = read_policies(error);
	if (c.policies == NULL)
		return false;
	if (judge_load(j, &c, error))
		return true;
	policies_free(c.policies);
	return false;
}

/* A few records; how many alerts they led to. */
static unsigned
push_some(struct judge *j)
{
	unsigned alerts = 0;
	for (unsigned i = 0; i < 6; i++) {
		record_begin(&record, RECORD_SESSION);
		record_put_time(&record, FIELD_TIMESTAMP, BUILD_EPOCH_NS + i * 1000000000ll);
		record_put_word(&record, FIELD_NETWORK_PROTOCOL, "smtp");
		record_put_word(&record, FIELD_NETWORK_DIRECTION, "outbound");
		record_put_ip(&record, FIELD_SOURCE_IP, &(struct addr){4, {10, 0, (uint8_t)i, 9}});
		record_put_ip(&record, FIELD_DESTINATION_IP, &(struct addr){4, {192, 0, 2, 1}});
		record_put_u64(&record, FIELD_DESTINATION_PORT, 25);
		record_put_word(&record, FIELD_OUTCOME, "cleartext");
		record_put_word(&record, FIELD_REASON, "not-offered");
		record_put_word(&record, FIELD_EXPOSED, "envelope");
		judge_expect(j, &record);
		judge_push(j, &record);
		while (judge_next(j, &alert))
			alerts++;
	}
	judge_finish(j);
	while (judge_next(j, &alert))
		alerts++;
	return alerts;
}

/* ---- the tests ---- */

/* Pieces of the heap, and mappings, that were not given back in all those runs: libyaml loses two,
 * at the begin of a document and at its end, OpenSSL keeps one, and so does PCRE2's translator. */
static long lost, lost_maps;

/* A judge is made and loaded with `n` requests granted.  False once none is refused. */
static bool
set_up_with(long n, bool shipped)
{
	char error[JUDGE_ERROR] = "";
	const long live_before = live, maps_before = maps;
	refused = false;
	left = n;
	struct judge *j = judge_new();
	bool good = j != NULL && load(j, shipped, error);
	left = -1;
	if (refused && good) /* what could do without it did */
		assert_true(push_some(j) > 0);
	if (!good) {
		if (!refused)
			fail_msg("%s", error);
		assert_true(j == NULL || error[0] != '\0');
	}
	judge_free(j);
	lost += live - live_before;
	lost_maps += maps - maps_before;
	return refused;
}

static void
set_up(void **state)
{
	(void)state;
	char error[JUDGE_ERROR];
	struct judge *j = judge_new(); /* what libraries keep for good */
	assert_true(load(j, true, error));
	judge_free(j);
	long n = 0;
	for (; n < 1000; n++) /* the first, then as many in each thousandth of what it takes */
		assert_true(set_up_with(n, false));
	for (; set_up_with(n, false); n += 1 + n / 400)
		;
	assert_true(n > 5000);
	for (n = 0; set_up_with(n, true); n += 1 + n / 100)
		;
	assert_in_range(lost + 1, 0, 4);
	assert_in_range(lost_maps + 1, 0, 2);
}

/* Loaded anew: where it fails all is as it was. */
static void
reload(void **state)
{
	(void)state;
	char error[JUDGE_ERROR] = "";
	struct judge *j = judge_new();
	assert_non_null(j);
	if (!load(j, false, error))
		fail_msg("%s", error);
	const unsigned alerts = push_some(j);
	assert_true(alerts > 0);
	refused = true;
	for (long n = 0; refused; n += 1 + n / 64) {
		error[0] = '\0';
		refused = false;
		left = n;
		bool good = load(j, false, error);
		left = -1;
		assert_true(good || error[0] != '\0');
		assert_int_equal(judge_policies(j), 3);
		(void)push_some(j);
		assert_true(record_is(&record, FIELD_LEVEL, "high"));
	}
	judge_free(j);
}

/* The state file: read, and written. */
static void
state_file(void **state)
{
	(void)state;
	char error[JUDGE_ERROR];
	bool again = true;
	for (long n = 0; again; n += 1 + n / 32) {
		struct judge *j = judge_new();
		assert_non_null(j);
		if (!load(j, false, error))
			fail_msg("%s", error);
		error[0] = '\0';
		refused = false;
		left = n;
		bool good = judge_remember(j, state_path, error);
		left = -1;
		assert_true(good || (refused && error[0] != '\0'));
		again = refused;
		if (good) {
			(void)push_some(j);
			error[0] = '\0';
			refused = false;
			left = n / 2;
			good = judge_save(j, error);
			left = -1;
			assert_true(good || (refused && error[0] != '\0'));
			again |= refused;
			assert_true(judge_save(j, error)); /* nothing is lost */
		}
		judge_free(j);
	}
}

/* Tables that cannot grow: records are judged all the same. */
static void
records(void **state)
{
	(void)state;
	char error[JUDGE_ERROR];
	bool again = true;
	for (long n = 0; again; n++) {
		struct judge *j = judge_new();
		assert_non_null(j);
		if (!load(j, true, error))
			fail_msg("%s", error);
		refused = false;
		left = n;
		(void)push_some(j);
		left = -1;
		again = refused;
		assert_true(record_has(&record, FIELD_LEVEL));
		judge_free(j);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(set_up, make_files, remove_folder),
	    cmocka_unit_test_setup_teardown(reload, make_files, remove_folder),
	    cmocka_unit_test_setup_teardown(state_file, make_files, remove_folder),
	    cmocka_unit_test_setup_teardown(records, make_files, remove_folder),
	};
	return cmocka_run_group_tests_name("judge/starved", tests, NULL, NULL);
}

#else

static void
starved(void **state)
{
	(void)state;
	skip();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(starved)};
	return cmocka_run_group_tests_name("judge/starved", tests, NULL, NULL);
}

#endif
