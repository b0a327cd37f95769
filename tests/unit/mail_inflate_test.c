/* Deflate streams: what goes in comes out, in whatever pieces, within bounds, and without malloc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/limits.h"
#include "mail/inflate.h"

#define TEXT_MAX 200000u

static uint8_t packed[TEXT_MAX + 1000], text[TEXT_MAX], out[TEXT_MAX];

/* `len` octets of text as raw deflate, ended by a sync flush. */
static size_t
pack(const void *s, size_t len)
{
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)s;
	z.avail_in = (uInt)len;
	z.next_out = packed;
	z.avail_out = sizeof packed;
	assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
	size_t n = sizeof packed - z.avail_out;
	assert_int_equal(deflateEnd(&z), Z_DATA_ERROR); /* it is not finished */
	return n;
}

/* Text that repeats itself in part. */
static void
make_text(size_t len)
{
	uint32_t x = 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 1103515245u + 12345u;
		text[i] = i > 40000 && x % 3 ? text[i - 32000] : (uint8_t)(' ' + (x >> 16) % 90);
	}
}

/* Inflates in pieces of `step` octets and `room` out; how many came out, *result the last answer.
 */
static size_t
unpack(struct pool *p, uint32_t id, size_t len, size_t step, size_t room,
    enum inflate_result *result)
{
	size_t total = 0;
	*result = INFLATE_NEED;
	for (size_t at = 0; at < len; at += step) {
		size_t left = len - at < step ? len - at : step, n;
		uint8_t *copy = malloc(left); /* exactly sized, and gone afterwards */
		memcpy(copy, packed + at, left);
		const uint8_t *data = copy;
		while (
		    (*result = inflate_next(p, id, 1, &data, &left, out + total,
			 sizeof out - total < room ? sizeof out - total : room, &n)) == INFLATE_OUT)
			total += n;
		free(copy);
		if (*result == INFLATE_OVER)
			break;
	}
	return total;
}

static void
round_trips(void **state)
{
	(void)state;
	struct pool p;
	enum inflate_result result;
	assert_true(inflate_pool_init(&p, 1));
	make_text(TEXT_MAX);
	size_t len = pack(text, TEXT_MAX);
	static const size_t steps[] = {1, 2, 3, 1000, TEXT_MAX + 1000};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		uint32_t id = inflate_open(&p);
		assert_int_not_equal(id, 0);
		assert_int_equal(inflate_open(&p), 0); /* there is one */
		assert_false(inflate_is_on(&p, id, 1));
		assert_true(inflate_begin(&p, id, 1));
		assert_true(inflate_is_on(&p, id, 1));
		assert_false(inflate_is_on(&p, id, 0));
		size_t n = unpack(&p, id, len, steps[i], i % 2 ? 7000 : TEXT_MAX, &result);
		assert_int_equal(result, INFLATE_NEED);
		assert_int_equal(n, TEXT_MAX);
		assert_memory_equal(out, text, TEXT_MAX);
		inflate_close(&p, id);
		assert_int_equal(p.used, 0);
	}
	pool_free_all(&p);
}

static void
splits(void **state)
{
	(void)state;
	static const char line[] = "* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Seen))\r\n";
	struct pool p;
	enum inflate_result result;
	assert_true(inflate_pool_init(&p, 2));
	size_t len = pack(line, sizeof line - 1);
	for (size_t at = 0; at <= len;
	     at++) { /* every prefix: what comes out is the text's start */
		uint32_t id = inflate_open(&p);
		assert_true(inflate_begin(&p, id, 1));
		size_t n = unpack(&p, id, at, len, TEXT_MAX, &result);
		assert_int_equal(result, INFLATE_NEED);
		assert_memory_equal(out, line, n);
		assert_true(at < len ? n < sizeof line : n == sizeof line - 1);
		inflate_close(&p, id);
	}
	pool_free_all(&p);
}

static void
damage_and_bombs(void **state)
{
	(void)state;
	struct pool p;
	enum inflate_result result;
	assert_true(inflate_pool_init(&p, 1));
	uint32_t id = inflate_open(&p);
	assert_true(inflate_begin(&p, id, 1));
	memcpy(packed, "* OK this is no deflate stream\r\n", 32);
	(void)unpack(&p, id, 32, 32, TEXT_MAX, &result);
	assert_int_equal(result, INFLATE_OVER);
	inflate_close(&p, id);

	id = inflate_open(&p);
	assert_true(inflate_begin(&p, id, 1));
	uint64_t total = 0;
	uint8_t zeros[1000] = {0};
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (unsigned i = 0; i < 20000; i++) { /* 20 MB of nothing */
		z.next_in = zeros;
		z.avail_in = sizeof zeros;
		z.next_out = packed;
		z.avail_out = sizeof packed;
		assert_int_equal(deflate(&z, i % 100 ? Z_NO_FLUSH : Z_SYNC_FLUSH), Z_OK);
		const uint8_t *data = packed;
		size_t left = sizeof packed - z.avail_out, n;
		while (
		    (result = inflate_next(&p, id, 1, &data, &left, out, 16384, &n)) == INFLATE_OUT)
			total += n;
		if (result == INFLATE_OVER)
			break;
	}
	assert_int_equal(result, INFLATE_OVER);
	assert_in_range(total, 16384, LIMIT_INFLATE_SLACK + 100000);
	(void)deflateEnd(&z);
	inflate_close(&p, id);

	/* a stream that ended, and octets behind its end */
	id = inflate_open(&p);
	assert_true(inflate_begin(&p, id, 1));
	memcpy(packed, "\x03\x00", 2);
	assert_int_equal(unpack(&p, id, 2, 2, TEXT_MAX, &result), 0);
	assert_int_equal(result, INFLATE_NEED);
	(void)unpack(&p, id, 2, 2, TEXT_MAX, &result);
	assert_int_equal(result, INFLATE_OVER);
	inflate_stop(&p, id, 1);
	assert_false(inflate_is_on(&p, id, 1));
	(void)unpack(&p, id, 2, 2, TEXT_MAX, &result);
	assert_int_equal(result, INFLATE_OVER);
	inflate_close(&p, id);
	pool_free_all(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trips),
	    cmocka_unit_test(splits),
	    cmocka_unit_test(damage_and_bombs),
	};
	return cmocka_run_group_tests_name("mail/inflate", tests, NULL, NULL);
}
