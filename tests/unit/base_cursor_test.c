/* The cursor: values, the sticky error, and no octet read outside a buffer of just the size. */
#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t sample[] = {0xfe, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89};

static void
values(void **state)
{
	(void)state;
	struct cursor c = cursor_of(sample, sizeof sample);
	assert_int_equal(cursor_left(&c), 10);
	assert_int_equal(cursor_u8(&c), 0xfe);
	assert_int_equal(cursor_be16(&c), 0x8182);
	assert_int_equal(cursor_be24(&c), 0x838485);
	assert_true(cursor_be32(&c) == 0x86878889u);
	assert_int_equal(cursor_left(&c), 0);
	assert_false(c.bad);
	assert_int_equal(load_be16(sample), 0xfe81);
	assert_int_equal(load_le16(sample), 0x81fe);
	assert_true(load_be32(sample) == 0xfe818283u);
	assert_true(load_le32(sample) == 0x838281feu);
}

static uint32_t
read_one(struct cursor *c, int width)
{
	return width == 1 ? cursor_u8(c)
	    : width == 2  ? cursor_be16(c)
	    : width == 3  ? cursor_be24(c)
			  : cursor_be32(c);
}

/* Each width on each length: the value where it is all there, else zero and bad, nothing moved. */
static void
each_width_on_each_length(void **state)
{
	(void)state;
	for (int width = 1; width <= 4; width++) {
		for (int len = 0; len <= 5; len++) {
			uint8_t *mem = malloc((size_t)(len + (len == 0)));
			memcpy(mem, sample, (size_t)len);
			struct cursor c = cursor_of(mem, (size_t)len);
			uint32_t got = read_one(&c, width), want = 0;
			for (int i = 0; i < width && width <= len; i++)
				want = want << 8 | sample[i];
			assert_true(got == want);
			assert_true(c.bad == (width > len));
			assert_ptr_equal(c.p, mem + (width > len ? 0 : width));
			free(mem);
		}
	}
}

static void
the_error_sticks(void **state)
{
	(void)state;
	struct cursor c = cursor_of(sample, 3);
	assert_int_equal(cursor_u8(&c), 0xfe);
	assert_int_equal(cursor_be32(&c), 0);
	assert_true(c.bad);
	assert_int_equal(cursor_u8(&c), 0); /* it would be there */
	assert_null(cursor_take(&c, 0));
	cursor_skip(&c, 1);
	struct cursor sub = cursor_sub(&c, 1);
	assert_true(sub.bad && cursor_left(&sub) == 0);
	assert_true(c.bad);
	assert_ptr_equal(c.p, sample + 1);
	assert_ptr_equal(c.end, sample + 3);
}

static void
take_and_skip(void **state)
{
	(void)state;
	static const size_t beyond[] = {11, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
	struct cursor c;
	for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
		c = cursor_of(sample, sizeof sample);
		assert_null(cursor_take(&c, beyond[i]));
		assert_true(c.bad && c.p == sample);
		c = cursor_of(sample, sizeof sample);
		cursor_skip(&c, beyond[i]);
		assert_true(c.bad && c.p == sample);
	}
	c = cursor_of(sample, sizeof sample);
	assert_ptr_equal(cursor_take(&c, 0), sample);
	cursor_skip(&c, 4);
	assert_ptr_equal(cursor_take(&c, 6), sample + 4);
	assert_ptr_equal(cursor_take(&c, 0), sample + 10); /* nothing at the end is no error */
	assert_false(c.bad);
	assert_null(cursor_take(&c, 1));
	assert_true(c.bad);
}

static void
a_part_keeps_to_itself(void **state)
{
	(void)state;
	struct cursor c = cursor_of(sample, sizeof sample);
	struct cursor sub = cursor_sub(&c, 3);
	assert_int_equal(cursor_left(&sub), 3);
	assert_int_equal(cursor_left(&c), 7);
	assert_int_equal(cursor_be16(&sub), 0xfe81);
	assert_int_equal(cursor_be16(&sub), 0); /* the whole goes on, the part does not */
	assert_true(sub.bad);
	assert_false(c.bad);
	assert_int_equal(cursor_u8(&c), 0x83);
	sub = cursor_sub(&c, 0);
	assert_true(!sub.bad && cursor_left(&sub) == 0);
	sub = cursor_sub(&c, 7);
	assert_true(sub.bad && cursor_left(&sub) == 0 && c.bad);
	assert_int_equal(cursor_u8(&sub), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values),
	    cmocka_unit_test(each_width_on_each_length),
	    cmocka_unit_test(the_error_sticks),
	    cmocka_unit_test(take_and_skip),
	    cmocka_unit_test(a_part_keeps_to_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
