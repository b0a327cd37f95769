/*
 * The kernel filter against what is behind it: no frame is lost that decode makes a segment of mail
 * of, and the records of all captures at hand are the same with the filter and without.
 *
 * What differs by design: mail on a port that is none of the usual ones is seen where the port is
 * named (--ports) or all are asked for (--all-ports).  So the ports of the records without a filter
 * are named to the filter; a second round asks for all.  And time is packet time: of a frame that
 * is rejected its time is told all the same (an empty frame), since otherwise silence would end
 * connections later.  POSTCARD_CAPTURES names another folder.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/capture.h"
#include "capture/kernel.h"
#include "capture/share.h"
#include "decode/decode.h"
#include "engine/engine.h"
#include "flow/flow.h"
#include "record_text.h"

#define PROGRAMS 8
#define WORKERS	 3

/* Filters by link type, made when they are needed. */
struct filters {
	struct kernel_filter want;
	size_t count;
	uint32_t link_type[PROGRAMS];
	struct bpf_program program[PROGRAMS];
};

static bool
passes(struct filters *f, const struct frame *frame)
{
	size_t i = 0;
	while (i < f->count && f->link_type[i] != frame->link_type)
		i++;
	if (i == f->count) {
		char said[256];
		struct text why = text_in(said, sizeof said);
		assert_true(f->count < PROGRAMS);
		struct kernel_filter k = f->want;
		k.link_type = f->link_type[f->count++] = frame->link_type;
		assert_true(kernel_filter_build(&k, &f->program[i], &why));
	}
	const struct pcap_pkthdr header = {.caplen = frame->caplen, .len = frame->wirelen};
	return pcap_offline_filter(&f->program[i], &header, frame->data) != 0;
}

static void
filters_free(struct filters *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->program[i].bf_insns);
}

/* --- all captures at hand --- */

static size_t
each_of_folder(const char *folder, void (*check)(const char *path))
{
	size_t count = 0;
	DIR *d = opendir(folder);
	struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		char path[1024];
		size_t len = strlen(e->d_name);
		if ((len < 5 || strcmp(e->d_name + len - 5, ".pcap") != 0) &&
		    (len < 7 || strcmp(e->d_name + len - 7, ".pcapng") != 0))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		check(path);
		count++;
	}
	if (d != NULL)
		closedir(d);
	return count;
}

static void
each_capture(void (*check)(const char *path))
{
	const char *more = getenv("POSTCARD_CAPTURES"), *shared = getenv("POSTCARD_SHARED");
	char folder[512];
	if (more != NULL) {
		assert_true(each_of_folder(more, check) > 0);
		return;
	}
	size_t count = each_of_folder("pcaps", check);
	snprintf(folder, sizeof folder, "%s/captures", shared != NULL ? shared : "../shared");
	count += each_of_folder(folder, check);
	snprintf(folder, sizeof folder, "%s/captures/nasty", shared != NULL ? shared : "../shared");
	count += each_of_folder(folder, check);
	if (count == 0)
		skip();
}

/* --- decode --- */

/* May the frame be mail, for decode?  Pieces of datagrams may be anything. */
static bool
may_be_mail(const struct frame *f, bool all_ports)
{
	struct segment seg;
	memset(&seg, 0, sizeof seg);
	switch (decode_frame(NULL, f->link_type, f->data, f->caplen, f->wirelen, &seg)) {
	case DECODE_TCP:
		return all_ports || port_is_mail(seg.ends.port[0]) ||
		    port_is_mail(seg.ends.port[1]);
	case DECODE_FRAGMENT: return true;
	default: return false;
	}
}

static void
check_decode(const char *path)
{
	struct filters usual = {.want = {.shares = 1}};
	struct filters all = {.want = {.shares = 1, .all_ports = true}};
	struct filters worker[WORKERS];
	struct capture_error err;
	struct frame f;
	for (unsigned i = 0; i < WORKERS; i++)
		worker[i] = (struct filters){.want = {.share = i, .shares = WORKERS}};
	struct capture *c = capture_open_files((const char *const[]){path}, 1, NULL, &err);
	while (c != NULL && capture_next(c, &f) == CAPTURE_FRAME) {
		bool passed = passes(&usual, &f);
		if (!passed && may_be_mail(&f, false))
			fail_msg("%s: frame %llu is rejected", path, (unsigned long long)f.number);
		if (!passes(&all, &f) && may_be_mail(&f, true))
			fail_msg("%s: frame %llu is rejected with all ports", path,
			    (unsigned long long)f.number);
		unsigned share = share_of(&f, WORKERS);
		for (unsigned i = 0; i < WORKERS; i++)
			if (passes(&worker[i], &f) != (passed && i == share))
				fail_msg("%s: frame %llu is not worker %u's", path,
				    (unsigned long long)f.number, share);
	}
	capture_close(c);
	filters_free(&usual);
	filters_free(&all);
	for (unsigned i = 0; i < WORKERS; i++)
		filters_free(&worker[i]);
}

static void
passes_what_decode_finds(void **state)
{
	(void)state;
	each_capture(check_decode);
}

static void
knows_the_usual_ports(void **state)
{
	(void)state;
	size_t n = 0;
	for (unsigned port = 1; port < 65536; port++)
		if (port_is_mail((uint16_t)port))
			assert_int_equal(kernel_usual_ports[n++], port);
	assert_int_equal(kernel_usual_ports[n], 0);
}

/* --- records --- */

struct outcome {
	char **records; /* as text */
	size_t count;
	uint16_t ports[LIMIT_PORTS]; /* of servers, not the usual ones */
	size_t port_count;
};

static void
note_port(struct outcome *o, const struct record *r)
{
	struct record_value v;
	if (!record_find(r, FIELD_DESTINATION_PORT, &v) || port_is_mail((uint16_t)v.u64))
		return;
	for (size_t i = 0; i < o->port_count; i++)
		if (o->ports[i] == v.u64)
			return;
	assert_true(o->port_count < LIMIT_PORTS);
	o->ports[o->port_count++] = (uint16_t)v.u64;
}

static void
take(struct engine *e, struct outcome *o)
{
	static struct record r;
	while (engine_next(e, &r)) {
		o->records = realloc(o->records, (o->count + 1) * sizeof *o->records);
		assert_non_null(o->records);
		o->records[o->count++] = strdup(record_text(&r));
		note_port(o, &r);
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The records of a capture, of those frames that the filters (NULL: none) let pass. */
static struct outcome
run(const char *path, struct filters *filters)
{
	struct outcome o = {0};
	struct capture_error err;
	struct frame f;
	char error[256];
	struct capture *c = capture_open_files((const char *const[]){path}, 1, NULL, &err);
	if (c == NULL)
		return o;
	struct engine *e =
	    engine_new(&(struct engine_config){.memory = 4 * ENGINE_MEMORY_MIN}, error);
	assert_non_null(e);
	while (capture_next(c, &f) == CAPTURE_FRAME) {
		if (filters != NULL && !passes(filters, &f))
			f.caplen = f.wirelen = 0;
		engine_push(e, &f);
		take(e, &o);
	}
	engine_finish(e);
	take(e, &o);
	engine_free(e);
	capture_close(c);
	if (o.count > 0)
		qsort(o.records, o.count, sizeof *o.records, compare);
	return o;
}

static void
outcome_free(struct outcome *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->records[i]);
	free(o->records);
}

/* The line of a text in which `at` stands. */
static const char *
line_at(const char *text, size_t at)
{
	static char line[2][256];
	static unsigned next;
	while (at > 0 && text[at - 1] != '\n')
		at--;
	next = !next;
	snprintf(line[next], sizeof line[next], "%.*s", (int)strcspn(text + at, "\n"), text + at);
	return line[next];
}

static void
expect_same(const char *path, const struct outcome *want, const struct outcome *got)
{
	for (size_t i = 0; i < want->count && i < got->count; i++) {
		const char *a = want->records[i], *b = got->records[i];
		size_t at = 0;
		while (a[at] != '\0' && a[at] == b[at])
			at++;
		if (a[at] != b[at])
			fail_msg("%s: record %zu: \"%s\", with the filter \"%s\"", path, i,
			    line_at(a, at), line_at(b, at));
	}
	if (want->count != got->count)
		fail_msg("%s: %zu records, with the filter %zu", path, want->count, got->count);
}

static void
check_records(const char *path)
{
	struct outcome want = run(path, NULL);
	for (unsigned all = 0; all < 2; all++) {
		struct filters f = {.want = {.shares = 1}};
		f.want.all_ports = all != 0;
		f.want.ports = want.ports;
		f.want.port_count = all ? 0 : want.port_count;
		struct outcome got = run(path, &f);
		expect_same(path, &want, &got);
		outcome_free(&got);
		filters_free(&f);
	}
	outcome_free(&want);
}

static void
records_are_the_same_with_the_filter(void **state)
{
	(void)state;
	each_capture(check_records);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_the_usual_ports),
	    cmocka_unit_test(passes_what_decode_finds),
	    cmocka_unit_test(records_are_the_same_with_the_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
