/*
 * The scans against a naive loop, at every alignment and every short length, in buffers that end
 * where the input ends.  `base_scan_test speed` prints gigabytes a second instead of testing.
 */
#include "base/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static size_t
naive_line_mark(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] != '\n')
			continue;
		if (i + 1 == len || p[i + 1] == '.' || p[i + 1] == '-')
			return i;
	}
	return len;
}

static size_t
naive_line_mark_or(const uint8_t *p, size_t len, uint8_t c)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\n' &&
		    (i + 1 == len || p[i + 1] == '.' || p[i + 1] == '-' || p[i + 1] == c))
			return i;
	}
	return len;
}

static size_t
naive_lf(const uint8_t *p, size_t len)
{
	size_t i = 0;
	while (i < len && p[i] != '\n')
		i++;
	return i;
}

static size_t
naive_either(const uint8_t *p, size_t len, char a, char b)
{
	size_t i = 0;
	while (i < len && p[i] != (uint8_t)a && p[i] != (uint8_t)b)
		i++;
	return i;
}

static uint32_t
draw(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void
compare(const uint8_t *p, size_t len)
{
	assert_int_equal(scan_line_mark(p, len), naive_line_mark(p, len));
	assert_int_equal(scan_line_mark_or(p, len, 'x'), naive_line_mark_or(p, len, 'x'));
	assert_int_equal(scan_lf(p, len), naive_lf(p, len));
	assert_int_equal(scan_either(p, len, '-', '\n'), naive_either(p, len, '-', '\n'));
	assert_int_equal(scan_either(p, len, '\xae', ','), naive_either(p, len, '\xae', ','));
}

/* One mark (an LF and what follows) at each place, for each alignment and length. */
static void
test_each_place(void **state)
{
	(void)state;
	static const char after[] = {'.', '-', 'x', '\n', '\r', ',', '/', (char)0xae};
	for (size_t align = 0; align < 16; align++) {
		for (size_t len = 0; len <= 100; len++) {
			uint8_t *mem = malloc(align + len + (align + len == 0));
			uint8_t *p = mem + align;
			memset(mem, '.', align + len);
			compare(p, len);
			for (size_t at = 0; at < len; at++) {
				for (size_t k = 0; k < sizeof after; k++) {
					memset(p, 'A', len);
					p[at] = '\n';
					if (at + 1 < len)
						p[at + 1] = (uint8_t)after[k];
					compare(p, len);
				}
			}
			free(mem);
		}
	}
}

/* Random octets of a small alphabet, so that marks, near-marks and runs of them all occur. */
static void
test_random(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (int round = 0; round < 40000; round++) {
		size_t len = draw(&seed) % 300;
		uint32_t rare = 1 + draw(&seed) % 60;
		uint8_t *p = malloc(len + (len == 0));
		for (size_t i = 0; i < len; i++)
			p[i] = draw(&seed) % rare == 0 ? (uint8_t) "\n\n.-\r"[draw(&seed) % 5]
						       : (uint8_t)draw(&seed);
		compare(p, len);
		free(p);
	}
}

static void
test_nothing(void **state)
{
	(void)state;
	assert_int_equal(scan_line_mark(NULL, 0), 0);
	assert_int_equal(scan_lf(NULL, 0), 0);
}

static double
now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
speed(void)
{
	static const size_t sizes[] = {1460, 64u << 10, 100u << 20};
	for (size_t k = 0; k < 3; k++) {
		size_t len = sizes[k], rounds = (400u << 20) / len, sum = 0;
		uint8_t *p = malloc(len);
		uint32_t seed = 7;
		for (size_t i = 0; i < len; i++)
			p[i] = (uint8_t)('A' + draw(&seed) % 26);
		for (size_t i = 76; i + 2 < len; i += 78)
			memcpy(p + i, "\r\n", 2);
		double from = now_s();
		for (size_t r = 0; r < rounds; r++)
			sum += scan_line_mark(p, len);
		double took = now_s() - from;
		printf("scan_line_mark, %zu octets of lines of 76: %.1f GB/s (%zu)\n", len,
		    (double)(rounds * len) / took / 1e9, sum % 10);
		free(p);
	}
	return 0;
}

static size_t
naive_plain(const uint8_t *p, size_t len, bool quotes)
{
	size_t i = 0;
	while (i < len && p[i] >= 0x20 && p[i] < 0x7f && (quotes || (p[i] != '"' && p[i] != '\\')))
		i++;
	return i;
}

/* One octet of each kind at each place of texts of each short length, with just the slack that is
 * asked for on both sides. */
static void
test_plain(void **state)
{
	(void)state;
	for (size_t len = 0; len < 50; len++) {
		uint8_t *exact = malloc(len + (len == 0)), *slack = malloc(len + SCAN_SLACK);
		char *to = malloc(len + SCAN_SLACK);
		for (size_t at = 0; at < len + (len == 0); at++) {
			for (unsigned c = 0; c < 256; c++) {
				memset(slack, 'a', len);
				memset(slack + len, '"', SCAN_SLACK);
				if (len > 0)
					slack[at] = (uint8_t)c;
				memcpy(exact, slack, len);
				assert_int_equal(scan_printable(exact, len),
				    naive_plain(exact, len, true));
				size_t n = scan_copy_unquoted(to, slack, len);
				assert_int_equal(n, naive_plain(exact, len, false));
				assert_memory_equal(to, exact, n);
			}
		}
		free(exact);
		free(slack);
		free(to);
	}
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "speed") == 0)
		return speed();
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_place),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
