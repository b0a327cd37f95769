/* Looks ahead: what capture_peek shows comes, in that order, and decode_hint says what decode_frame
 * finds, over the captures in pcaps/ as they are and as pcapng; every cut of a frame stays inside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <glob.h>

#include <cmocka.h>

#include "capture/capture.h"
#include "decode/decode.h"
#include "decode/hint.h"

#define SHOWN 64u

/* Reads a file with a look of `depth` frames ahead; returns how many were shown and came. */
static unsigned
read_ahead(const char *path, unsigned depth)
{
	struct capture_error error;
	struct capture *c = capture_open_files(&path, 1, NULL, &error);
	struct frame f, ahead;
	uint32_t sum[SHOWN];
	unsigned first = 0, shown = 0, agreed = 0;
	assert_non_null(c);
	while (capture_next(c, &f) == CAPTURE_FRAME) {
		uint32_t now = f.caplen;
		for (uint32_t i = 0; i < f.caplen; i++)
			now = now * 31 + f.data[i];
		if (shown > first) { /* nothing was left out, nothing is shown twice */
			assert_int_equal(sum[first++ % SHOWN], now);
			agreed++;
		}
		while (shown < first + depth && capture_peek(c, &ahead)) {
			uint32_t s = ahead.caplen;
			for (uint32_t i = 0; i < ahead.caplen; i++)
				s = s * 31 + ahead.data[i];
			sum[shown++ % SHOWN] = s;
		}
	}
	capture_close(c);
	return agreed;
}

static void
what_is_shown_comes(void **state)
{
	glob_t g;
	unsigned agreed = 0;
	(void)state;
	assert_int_equal(glob("pcaps/*.pcap*", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		for (unsigned depth = 1; depth < SHOWN; depth += 11)
			agreed += read_ahead(g.gl_pathv[i], depth);
	}
	globfree(&g);
	assert_true(agreed > 10000);
}

static void
the_hint_is_right(void **state)
{
	glob_t g;
	unsigned right = 0, none = 0;
	(void)state;
	assert_int_equal(glob("pcaps/*.pcap*", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct capture_error error;
		const char *path = g.gl_pathv[i];
		struct capture *c = capture_open_files(&path, 1, NULL, &error);
		struct frame f;
		assert_non_null(c);
		while (capture_next(c, &f) == CAPTURE_FRAME) {
			struct ends ends;
			struct segment seg;
			bool tcp = decode_frame(NULL, f.link_type, f.data, f.caplen, f.wirelen,
				       &seg) == DECODE_TCP;
			if (!decode_hint(f.link_type, f.data, f.caplen, &ends)) {
				none += tcp;
				continue;
			}
			assert_true(!tcp || memcmp(&ends, &seg.ends, sizeof ends) == 0);
			right++;
		}
		capture_close(c);
	}
	globfree(&g);
	assert_true(right > 1000);
	assert_true(none * 50 < right); /* tunnels, and what else it leaves to the decoder */
}

/* Every prefix of a frame, at the end of its memory. */
static void
cut_frames(void **state)
{
	static const uint8_t v4[] = "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x81\0\0\x07\x08\0"
				    "\x4f\0\0\x40\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02";
	(void)state;
	for (size_t n = 0; n < 120; n++) {
		uint8_t *exact = malloc(n + 1);
		memset(exact, 0, n + 1);
		memcpy(exact + 1, v4, n < sizeof v4 - 1 ? n : sizeof v4 - 1);
		struct ends ends;
		bool said = decode_hint(1, exact + 1, (uint32_t)n, &ends);
		assert_int_equal(said, n >= 18 + 60 + 4);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_shown_comes),
	    cmocka_unit_test(the_hint_is_right),
	    cmocka_unit_test(cut_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
