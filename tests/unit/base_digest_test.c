/* Digests, by the vectors of RFC 1321 and FIPS 180-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digest.h"

static void
expect(enum digest_kind kind, const char *text, size_t len, const char *want)
{
	uint8_t out[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1] = "";
	size_t n = digest(kind, text, len, out);
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", out[i]);
	assert_string_equal(hex, want);
}

static void
vectors(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		expect(DIGEST_MD5, "abc", 3, "900150983cd24fb0d6963f7d28e17f72");
		expect(DIGEST_SHA1, "abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
		expect(DIGEST_SHA256, "abc", 3,
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		expect(DIGEST_SHA256, "", 0,
		    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(vectors)};
	return cmocka_run_group_tests_name("base/digest", tests, NULL, NULL);
}
