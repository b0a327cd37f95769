/* Octets of files, gzip and pipes: contiguous records across buffers, and how each kind ends. */
#include "capture_read.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "capture/source.h"

/* About 4 MiB of packets of many sizes, each filled with its own octet. */
static void
long_capture(struct octets *o)
{
	pcap_header(o, MICRO, 4, 1);
	for (uint32_t i = 0; i < 1000; i++)
		pcap_packet(o, i, 0, i * 7919 % 8192, 9000, (int)(i % 251));
}

static void
assert_long_capture(const struct reading *r)
{
	assert_string_equal(r->error, "");
	assert_string_equal(r->fault[0], "");
	assert_int_equal(r->count, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(r->seen[i].ts_ns, (int64_t)i * 1000000000);
		assert_int_equal(r->seen[i].caplen, i * 7919 % 8192);
		assert_true(r->seen[i].caplen == 0 || r->seen[i].first == (int)(i % 251));
		assert_true(r->seen[i].even);
	}
}

static void
gives_records_across_buffers(void **state)
{
	(void)state;
	struct octets o = {0};
	long_capture(&o);
	assert_true(o.len > 3 * LIMIT_READ_BUFFER);
	struct reading *r = read_octets(o.p, o.len, NULL);
	assert_long_capture(r);
	assert_int_equal(r->octets_total, o.len);
	assert_int_equal(r->octets_read, o.len);
	free(r);
	octets_free(&o);
}

static void
unpacks_gzip(void **state)
{
	(void)state;
	struct octets o = {0}, gz = {0};
	long_capture(&o);
	put_gzip(&gz, o.p, 1000000);
	put_gzip(&gz, NULL, 0);
	put_gzip(&gz, o.p + 1000000, o.len - 1000000);
	put_fill(&gz, 0, 70000); /* padding is no damage */
	struct reading *r = read_octets(gz.p, gz.len, NULL);
	assert_long_capture(r);
	assert_int_equal(r->octets_total, gz.len);
	assert_int_equal(r->octets_read, gz.len);
	free(r);
	octets_free(&o);
	octets_free(&gz);
}

/* A small capture of two packets whose gzip form is in two members. */
static void
small_gzip(struct octets *gz)
{
	struct octets o = {0};
	pcap_header(&o, MICRO, 4, 1);
	pcap_packet(&o, 1, 0, 40, 40, 'a');
	pcap_packet(&o, 2, 0, 40, 40, 'b');
	put_gzip(gz, o.p, 50);
	put_gzip(gz, o.p + 50, o.len - 50);
	octets_free(&o);
}

static void
reads_every_prefix_of_gzip(void **state)
{
	(void)state;
	struct octets gz = {0};
	small_gzip(&gz);
	size_t whole = 0, refused = 0;
	for (size_t len = 1; len <= gz.len; len++) {
		struct reading *r = read_octets(gz.p, len, NULL);
		if (r->error[0] != '\0') {
			assert_int_equal(whole, 0); /* only while the file header is not there */
			refused++;
		} else {
			assert_true(r->count >= whole); /* more octets never give fewer packets */
			whole = r->count;
			assert_int_equal(r->faults, len < gz.len);
		}
		free(r);
	}
	assert_int_equal(whole, 2);
	assert_true(refused < gz.len / 2);
	assert_splits(&gz);
	octets_free(&gz);
}

static void
tells_how_gzip_ended(void **state)
{
	(void)state;
	struct octets o = {0}, gz = {0};
	pcap_header(&o, MICRO, 4, 1);
	for (int i = 0; i < 8; i++) /* stored or not, zlib hands on what came before a cut */
		pcap_packet(&o, 1, 0, 40, 40, 'a' + i);

	put_gzip(&gz, o.p, o.len);
	put(&gz, "rest", 4);
	struct reading *r = read_octets(gz.p, gz.len, NULL);
	assert_int_equal(r->count, 8);
	assert_string_equal(r->fault[0],
	    "FILE: damaged gzip data after octet 472 of the unpacked "
	    "data (other data follows it), after packet 8");
	free(r);

	r = read_octets(gz.p, gz.len - 4 - 3, NULL); /* the checksum at the end is cut */
	assert_int_equal(r->count, 8);
	assert_string_equal(r->fault[0],
	    "FILE: gzip data cut short at octet 472 of the unpacked "
	    "data, after packet 8");
	free(r);

	gz.p[gz.len - 4 - 8] ^= 1; /* the checksum is wrong */
	r = read_octets(gz.p, gz.len - 4, NULL);
	assert_string_equal(r->fault[0],
	    "FILE: damaged gzip data after octet 472 of the unpacked "
	    "data (incorrect data check), after packet 8");
	free(r);

	octets_free(&gz);
	put_gzip(&gz, o.p, 24 + 56 + 20); /* whole gzip of a capture that was cut */
	r = read_octets(gz.p, gz.len, NULL);
	assert_int_equal(r->count, 1);
	assert_string_equal(r->fault[0],
	    "FILE: cut short at octet 100 of the unpacked data, in the "
	    "middle of packet 2");
	free(r);
	octets_free(&gz);
	octets_free(&o);
}

static void
refuses_gzip_of_other_things(void **state)
{
	(void)state;
	struct octets gz = {0};
	put_gzip(&gz, "Dear diary", 10);
	struct reading *r = read_octets(gz.p, gz.len, NULL);
	assert_string_equal(r->error, "FILE: not a pcap or pcapng capture inside the gzip file");
	free(r);
	octets_free(&gz);
	put_gzip(&gz, "", 0);
	r = read_octets(gz.p, gz.len, NULL);
	assert_string_equal(r->error, "FILE: not a pcap or pcapng capture inside the gzip file");
	free(r);
	r = read_octets(gz.p, 12, NULL);
	assert_string_equal(r->error,
	    "FILE: gzip data cut short at octet 0 of the unpacked data: "
	    "not a capture (any more)");
	free(r);
	r = read_octets("\x1f\x8b not packed", 13, NULL);
	assert_non_null(strstr(r->error, "damaged gzip data after octet 0 of the unpacked data"));
	free(r);
	octets_free(&gz);
}

static void
refuses_what_is_no_file(void **state)
{
	(void)state;
	struct reading *r = read_files((const char *const[]){"/nonexistent/a.pcap"}, 1, NULL);
	assert_string_equal(r->error, "/nonexistent/a.pcap: no such file; check the name");
	free(r);
	r = read_files((const char *const[]){"/tmp"}, 1, NULL);
	assert_string_equal(r->error, "/tmp: is a directory; name the capture files in it");
	free(r);
	r = read_octets("", 0, NULL);
	assert_string_equal(r->error,
	    "FILE: is empty (0 octets), so it is no capture; was it ever written?");
	free(r);
	r = read_octets("Dear diary\n", 11, NULL);
	assert_string_equal(r->error, "FILE: not a pcap or pcapng capture");
	free(r);
	r = read_octets("\x28\xb5\x2f\xfd....", 8, NULL);
	assert_string_equal(r->error, "FILE: is compressed with zstd; unpack it first (zstd -d)");
	free(r);
}

/* A name with control characters and one that is too long are made safe to show. */
static void
shows_odd_names_safely(void **state)
{
	(void)state;
	char name[700] = "/nonexistent/\x1b[2J\n";
	struct reading *r = read_files((const char *const[]){name}, 1, NULL);
	assert_null(strchr(r->error, '\x1b'));
	assert_null(strchr(r->error, '\n'));
	free(r);
	memset(name, 'x', sizeof name - 1);
	memcpy(name + sizeof name - 6, ".pcap", 6);
	r = read_files((const char *const[]){name}, 1, NULL);
	assert_memory_equal(r->error, "...xxx", 6);
	assert_non_null(strstr(r->error, "x.pcap: cannot be opened: File name too long"));
	free(r);
}

static void
reads_standard_input_from_a_file(void **state)
{
	(void)state;
	char path[sizeof TEMP_PATH];
	struct octets o = {0};
	put_fill(&o, 'x', 10); /* read by somebody before us */
	pcap_header(&o, MICRO, 4, 1);
	pcap_packet(&o, 1, 0, 4, 4, 1);
	temp_file(path, o.p, o.len);
	int saved = dup(STDIN_FILENO), fd = open(path, O_RDONLY);
	assert_int_equal(lseek(fd, 10, SEEK_SET), 10);
	dup2(fd, STDIN_FILENO);
	close(fd);
	struct reading *r = read_files((const char *const[]){"-"}, 1, NULL);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->octets_total, o.len - 10);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* it was not closed */
	free(r);
	r = read_files((const char *const[]){"-", "-"}, 2, NULL);
	assert_string_equal(r->error, "standard input: can be read once only; name it once");
	free(r);
	/* merged with a file, so it is parked in between */
	r = read_files((const char *const[]){"-", path}, 2, NULL);
	assert_non_null(strstr(r->error, "not a pcap or pcapng capture"));
	free(r);
	dup2(saved, STDIN_FILENO);
	close(saved);
	unlink(path);
	octets_free(&o);
}

static void
says_that_a_pipe_has_no_total(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, MICRO, 4, 1);
	pcap_packet(&o, 1, 0, 4, 4, 1);
	struct reading *r = read_pieces(o.p, o.len, NULL, 0);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->octets_total, 0);
	assert_int_equal(r->octets_read, o.len);
	free(r);
	r = read_pieces(o.p, 30, NULL, 0);
	assert_string_equal(r->fault[0],
	    "standard input: cut short at octet 30, in the header of packet 1");
	free(r);
	octets_free(&o);
}

/* The file is cut while it is read: no SIGBUS, an ordinary end. */
static void
bears_a_file_that_shrinks(void **state)
{
	(void)state;
	char path[sizeof TEMP_PATH];
	struct octets o = {0};
	struct capture_error err;
	struct frame f;
	long_capture(&o);
	temp_file(path, o.p, o.len);
	struct capture *c = capture_open_files((const char *const[]){path}, 1, NULL, &err);
	assert_non_null(c);
	assert_true(capture_is_forkable(c));
	assert_int_equal(capture_next(c, &f), CAPTURE_FRAME);
	assert_int_equal(truncate(path, 100), 0);
	while (capture_next(c, &f) == CAPTURE_FRAME)
		for (uint32_t i = 0; i < f.caplen; i++)
			assert_int_equal(f.data[i], f.data[0]);
	assert_int_equal(capture_faults(c), 1);
	assert_non_null(strstr(capture_fault(c, 0), "cut short at octet "));
	capture_close(c);
	unlink(path);
	octets_free(&o);
}

/* The functions themselves: offsets, skipping, growth, parking. */
static void
slides_skips_and_parks(void **state)
{
	(void)state;
	char path[sizeof TEMP_PATH], said[100];
	struct octets o = {0};
	struct source s;
	struct text why = text_in(said, sizeof said);
	for (uint32_t i = 0; i < 1u << 20; i++)
		put32(&o, i);
	temp_file(path, o.p, o.len);
	assert_true(source_open(&s, path, &why));
	struct ahead *ahead = ahead_start();
	assert_non_null(ahead);
	for (int round = 0; round < 6; round++) {
		source_hurry(&s, round % 2 == 0 ? NULL : ahead);
		assert_int_equal(s.ahead != NULL, round % 2);
		assert_true(source_need(&s, 4));
		assert_int_equal(source_offset(&s), 0);
		assert_int_equal(source_progress(&s), 0);
		assert_true(source_skip(&s, 12));
		assert_true(source_need(&s, 2u << 20)); /* longer than the buffer */
		assert_memory_equal(s.at, o.p + 12, 2u << 20);
		assert_true(source_skip(&s, (4u << 20) - 12 - 8));
		assert_int_equal(source_offset(&s), (4u << 20) - 8);
		assert_int_equal(source_progress(&s), (4u << 20) - 8);
		assert_true(source_need(&s, 8));
		assert_false(source_need(&s, 9));
		assert_int_equal(s.read.end, RAWFILE_DONE);
		assert_int_equal(source_left(&s), 8);
		assert_memory_equal(s.at, o.p + (4u << 20) - 8, 8);
		assert_false(source_skip(&s, 9));
		source_park(&s, round % 3 == 1);
		assert_int_equal(s.file.fd < 0, round % 3 == 1);
		assert_true(source_reopen(&s, path, &why));
	}
	source_park(&s, true);
	ahead_stop(ahead);
	unlink(path);
	assert_false(source_reopen(&s, path, &why));
	assert_string_equal(said, "no such file; check the name");
	octets_free(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_records_across_buffers),
	    cmocka_unit_test(unpacks_gzip),
	    cmocka_unit_test(reads_every_prefix_of_gzip),
	    cmocka_unit_test(tells_how_gzip_ended),
	    cmocka_unit_test(refuses_gzip_of_other_things),
	    cmocka_unit_test(refuses_what_is_no_file),
	    cmocka_unit_test(shows_odd_names_safely),
	    cmocka_unit_test(reads_standard_input_from_a_file),
	    cmocka_unit_test(says_that_a_pipe_has_no_total),
	    cmocka_unit_test(bears_a_file_that_shrinks),
	    cmocka_unit_test(slides_skips_and_parks),
	};
	return cmocka_run_group_tests_name("capture_source", tests, NULL, NULL);
}
