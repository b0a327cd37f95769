/* Several files as one stream: order, rotation, damage of one of them; and all captures at hand
 * against libpcap. */
#include "capture_read.h"

#include <dirent.h>
#include <pcap/pcap.h>
#include <sys/wait.h>

#include "base/limits.h"

#define FILES 200 /* more than may be open at once */

struct files {
	char path[FILES][sizeof TEMP_PATH];
	const char *paths[FILES];
	size_t count;
};

/* Adds a file of nanosecond pcap with frames at these times, all octets of which are `mark`. */
static void
add(struct files *f, const uint32_t *times_ns, size_t count, int mark)
{
	struct octets o = {0};
	pcap_header(&o, NANO, 4, 1);
	for (size_t i = 0; i < count; i++)
		pcap_packet(&o, 0, times_ns[i], 8, 8, mark);
	temp_file(f->path[f->count], o.p, o.len);
	f->paths[f->count] = f->path[f->count];
	f->count++;
	octets_free(&o);
}

static void
drop(struct files *f)
{
	for (size_t i = 0; i < f->count; i++)
		unlink(f->path[i]);
	f->count = 0;
}

#define ADD(f, mark, ...)                       \
	add(f, (const uint32_t[]){__VA_ARGS__}, \
	    sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), mark)

/* The marks of all frames in the order in which they came. */
static void
assert_marks(const struct files *f, const char *marks)
{
	char seen[READ_MAX + 1] = "";
	struct reading *r = read_files(f->paths, f->count, NULL);
	assert_string_equal(r->error, "");
	assert_string_equal(r->failure, "");
	for (size_t i = 0; i < r->count; i++) {
		assert_int_equal(r->seen[i].number, i + 1);
		assert_true(r->seen[i].even);
		seen[i] = (char)r->seen[i].first;
	}
	assert_string_equal(seen, marks);
	assert_int_equal(r->octets_read, r->octets_total);
	assert_int_equal(r->stats.files, f->count);
	free(r);
}

static void
merges_by_time(void **state)
{
	(void)state;
	struct files f = {0};
	ADD(&f, 'a', 10, 20, 30, 40);
	ADD(&f, 'b', 15, 25, 26, 27, 100);
	ADD(&f, 'c', 5, 50);
	assert_marks(&f, "cababbbaacb");
	drop(&f);
}

static void
breaks_ties_by_first_frame_then_by_name(void **state)
{
	(void)state;
	struct files f = {0};
	ADD(&f, 'a', 10, 20, 30);
	ADD(&f, 'b', 10, 20, 30);
	ADD(&f, 'c', 9, 20, 30);
	assert_marks(&f, "cabcabcab");
	drop(&f);
}

static void
puts_rotated_files_in_order(void **state)
{
	(void)state;
	struct files f = {0};
	ADD(&f, 'c', 7, 8, 9);
	ADD(&f, 'a', 1, 2, 3);
	ADD(&f, 'b', 3, 5, 7);
	assert_marks(&f, "aaabbbccc");
	drop(&f);
}

static void
keeps_the_order_within_a_file(void **state)
{
	(void)state;
	struct files f = {0};
	ADD(&f, 'a', 10, 20, 12, 13, 40);
	ADD(&f, 'b', 15, 25);
	/* 12 and 13 come at once after 20, which comes after 15 */
	assert_marks(&f, "abaaaba");
	struct reading *r = read_files(f.paths, f.count, NULL);
	assert_int_equal(r->stats.steps_back, 1);
	assert_int_equal(r->stats.first_ns, 10);
	assert_int_equal(r->stats.last_ns, 40);
	free(r);
	drop(&f);
}

static void
merges_a_pipe_with_files(void **state)
{
	(void)state;
	struct files f = {0};
	struct octets o = {0};
	int ends[2], saved = dup(STDIN_FILENO);
	ADD(&f, 'a', 10, 30);
	ADD(&f, 'c', 5, 50);
	pcap_header(&o, NANO, 4, 1);
	pcap_packet(&o, 0, 20, 8, 8, 'p');
	pcap_packet(&o, 0, 40, 8, 8, 'p');
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], o.p, o.len), (ssize_t)o.len);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	struct reading *r = read_files((const char *const[]){f.paths[0], "-", f.paths[1]}, 3, NULL);
	char seen[8] = "";
	for (size_t i = 0; i < r->count && i < 7; i++)
		seen[i] = (char)r->seen[i].first;
	assert_string_equal(seen, "capapc");
	assert_int_equal(r->octets_total, 0);
	free(r);
	dup2(saved, STDIN_FILENO);
	close(saved);
	octets_free(&o);
	drop(&f);
}

/* One file is empty of frames, one cut in its first packet, one in its last. */
static void
goes_on_after_damage(void **state)
{
	(void)state;
	struct files f = {0};
	char said[CAPTURE_TEXT];
	ADD(&f, 'a', 10, 20, 30);
	add(&f, NULL, 0, 'n');
	ADD(&f, 'c', 15);
	ADD(&f, 'd', 16, 25);
	assert_int_equal(truncate(f.path[2], 24 + 16 + 3), 0);
	assert_int_equal(truncate(f.path[3], 24 + 24 + 5), 0);
	struct reading *r = read_files(f.paths, f.count, NULL);
	assert_string_equal(r->error, "");
	assert_int_equal(r->count, 4);
	assert_int_equal(r->faults, 2);
	assert_int_equal(r->stats.files_damaged, 2);
	snprintf(said, sizeof said, "%s: cut short at octet 43, in the middle of packet 1",
	    f.path[2]);
	assert_string_equal(r->fault[0], said);
	snprintf(said, sizeof said, "%s: cut short at octet 53, in the header of packet 2",
	    f.path[3]);
	assert_string_equal(r->fault[1], said);
	free(r);
	drop(&f);
}

static void
refuses_all_where_one_is_bad(void **state)
{
	(void)state;
	struct files f = {0};
	ADD(&f, 'a', 10, 20, 30);
	const char *paths[] = {f.paths[0], "/nonexistent"};
	struct reading *r = read_files(paths, 2, NULL);
	assert_string_equal(r->error, "/nonexistent: no such file; check the name");
	free(r);
	r = read_files(NULL, 0, NULL);
	assert_string_equal(r->error, "no capture file was named");
	free(r);
	drop(&f);
}

static size_t
open_descriptors(void)
{
	size_t count = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count;
}

static void
reads_many_rotated_files_with_few_descriptors(void **state)
{
	(void)state;
	struct files f = {0};
	struct capture_error err;
	struct frame frame;
	for (uint32_t i = 0; i < FILES; i++) { /* each overlaps the one before; the last first */
		uint32_t t = (FILES - i) * 10;
		ADD(&f, (int)(FILES - i), t, t + 5, t + 10, t + 12);
	}
	size_t before = open_descriptors();
	struct capture *c = capture_open_files(f.paths, f.count, NULL, &err);
	assert_non_null(c);
	assert_int_equal(open_descriptors(), before);
	int64_t last_ns = 0;
	size_t count = 0;
	while (capture_next(c, &frame) == CAPTURE_FRAME) {
		assert_true(frame.ts_ns >= last_ns);
		assert_true(open_descriptors() <= before + 3);
		last_ns = frame.ts_ns;
		count++;
	}
	assert_int_equal(count, FILES * 4);
	assert_int_equal(capture_faults(c), 0);
	capture_close(c);

	/* one vanishes before its time comes */
	c = capture_open_files(f.paths, f.count, NULL, &err);
	assert_non_null(c);
	unlink(f.path[50]);
	for (count = 0; capture_next(c, &frame) == CAPTURE_FRAME;)
		count++;
	assert_int_equal(count, (FILES - 1) * 4);
	assert_int_equal(capture_faults(c), 1);
	assert_non_null(strstr(capture_fault(c, 0), ": no such file"));
	capture_close(c);
	drop(&f);
}

static void
bounds_the_files_that_overlap(void **state)
{
	(void)state;
	struct files f = {0};
	for (uint32_t i = 0; i < LIMIT_OPEN_FILES; i++)
		ADD(&f, 'x', i + 1, 100000 - i);
	struct reading *r = read_files(f.paths, f.count, NULL);
	assert_int_equal(r->count, 2 * LIMIT_OPEN_FILES);
	for (size_t i = 1; i < r->count; i++)
		assert_true(r->seen[i].ts_ns > r->seen[i - 1].ts_ns);
	free(r);
	ADD(&f, 'y', 99000);
	r = read_files(f.paths, f.count, NULL);
	assert_int_equal(r->count, LIMIT_OPEN_FILES);
	assert_non_null(strstr(r->failure, ": more than 128 capture files overlap in time here; "));
	free(r);
	drop(&f);
}

static void
keeps_a_bounded_number_of_faults(void **state)
{
	(void)state;
	struct files f = {0};
	struct capture_error err;
	struct frame frame;
	for (uint32_t i = 0; i < LIMIT_FAULTS + 9; i++) {
		ADD(&f, 'x', i + 1, i + 2);
		assert_int_equal(truncate(f.path[i], 24 + 24 + 17), 0);
	}
	struct capture *c = capture_open_files(f.paths, f.count, NULL, &err);
	assert_non_null(c);
	while (capture_next(c, &frame) == CAPTURE_FRAME)
		;
	assert_int_equal(capture_faults(c), LIMIT_FAULTS + 9);
	assert_non_null(strstr(capture_fault(c, LIMIT_FAULTS - 1), "cut short at octet 65"));
	assert_string_equal(capture_fault(c, LIMIT_FAULTS), "one more damaged file");
	capture_close(c);
	drop(&f);
}

/* After fork() both processes read all of it, though they share the descriptors. */
static void
can_be_read_by_forked_processes(void **state)
{
	(void)state;
	struct files f = {0};
	struct octets o = {0};
	struct capture_error err;
	struct frame frame;
	pcap_header(&o, NANO, 4, 1);
	for (uint32_t i = 0; i < 3000; i++)
		pcap_packet(&o, 0, i, 1000, 1000, 'x');
	temp_file(f.path[0], o.p, o.len);
	f.paths[0] = f.path[0];
	f.count = 1;
	ADD(&f, 'y', 1, 2000);
	struct capture *c = capture_open_files(f.paths, f.count, NULL, &err);
	assert_non_null(c);
	assert_true(capture_is_forkable(c));
	drop(&f); /* nothing is opened any more */
	pid_t child = fork();
	assert_true(child >= 0);
	size_t count = 0;
	while (capture_next(c, &frame) == CAPTURE_FRAME)
		count++;
	capture_close(c);
	if (child == 0)
		_exit(count == 3002 ? 0 : 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(count, 3002);
	assert_int_equal(status, 0);
	octets_free(&o);
}

/* --- all captures at hand --- */

/* The frames of `path` as libpcap reads them, against ours; libpcap may give up earlier. */
static void
compare_with_libpcap(const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	struct capture_error err;
	struct pcap_pkthdr *header;
	const uint8_t *data;
	struct frame f;
	int rc = PCAP_ERROR;
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	struct capture *c = capture_open_files((const char *const[]){path}, 1, NULL, &err);
	if (c == NULL) {
		assert_null(p); /* what libpcap opens, we open */
		return;
	}
	while (p != NULL && (rc = pcap_next_ex(p, &header, &data)) == 1) {
		assert_int_equal(capture_next(c, &f), CAPTURE_FRAME);
		/* it takes a pcap file's 32 bits as signed, and a Simple Packet's time as 0 */
		if (header->ts.tv_sec >= 0 && header->ts.tv_usec >= 0 &&
		    (header->ts.tv_sec != 0 || header->ts.tv_usec != 0))
			assert_int_equal(f.ts_ns,
			    (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec);
		assert_true(f.caplen >= header->caplen); /* it cuts at the snap length */
		assert_true(f.wirelen >= header->len);
		assert_memory_equal(f.data, data, header->caplen);
	}
	if (rc == PCAP_ERROR_BREAK) { /* it read to the end */
		assert_int_equal(capture_next(c, &f), CAPTURE_END);
		assert_int_equal(capture_faults(c), 0);
	}
	while (capture_next(c, &f) == CAPTURE_FRAME)
		;
	capture_close(c);
	if (p != NULL)
		pcap_close(p);
}

static size_t
compare_folder(const char *folder)
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
		compare_with_libpcap(path);
		count++;
	}
	if (d != NULL)
		closedir(d);
	return count;
}

static void
reads_what_libpcap_reads(void **state)
{
	(void)state;
	const char *shared = getenv("POSTCARD_SHARED");
	char folder[512];
	size_t count = compare_folder("pcaps");
	snprintf(folder, sizeof folder, "%s/captures", shared != NULL ? shared : "../shared");
	count += compare_folder(folder);
	snprintf(folder, sizeof folder, "%s/captures/nasty", shared != NULL ? shared : "../shared");
	count += compare_folder(folder);
	if (count == 0)
		skip();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(merges_by_time),
	    cmocka_unit_test(breaks_ties_by_first_frame_then_by_name),
	    cmocka_unit_test(puts_rotated_files_in_order),
	    cmocka_unit_test(keeps_the_order_within_a_file),
	    cmocka_unit_test(merges_a_pipe_with_files),
	    cmocka_unit_test(goes_on_after_damage),
	    cmocka_unit_test(refuses_all_where_one_is_bad),
	    cmocka_unit_test(reads_many_rotated_files_with_few_descriptors),
	    cmocka_unit_test(bounds_the_files_that_overlap),
	    cmocka_unit_test(keeps_a_bounded_number_of_faults),
	    cmocka_unit_test(can_be_read_by_forked_processes),
	    cmocka_unit_test(reads_what_libpcap_reads),
	};
	return cmocka_run_group_tests_name("capture_capture", tests, NULL, NULL);
}
