/*
 * Is a text a PGP message and nothing else?  Each text is pushed whole, in every split in two and
 * octet by octet; no prefix of one that is sealed may be told as such, and with a loss at any place
 * none may.
 */
#include "mail/armour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
push(struct armour *a, const char *s, size_t len)
{
	uint8_t *in = malloc(len + (len == 0));
	if (len > 0)
		memcpy(in, s, len);
	(void)armour_push(a, in, len);
	free(in);
}

static void
check(const char *s, enum armour_verdict want)
{
	size_t len = strlen(s);
	for (size_t first = 0; first <= len; first++) {
		struct armour a = {0};
		push(&a, s, first);
		push(&a, s + first, len - first);
		assert_int_equal(armour_end(&a), want);
		memset(&a, 0, sizeof a);
		push(&a, s, first);
		armour_gap(&a);
		push(&a, s + first, len - first);
		assert_int_not_equal(armour_end(&a), ARMOUR_SEALED);
	}
	struct armour a = {0};
	for (size_t i = 0; i < len; i++)
		push(&a, s + i, 1);
	assert_int_equal(armour_end(&a), want);
}

#define BEGIN "-----BEGIN PGP MESSAGE-----\n"
#define END   "-----END PGP MESSAGE-----\n"
#define DATA  "hQEMA4v0pXdYIuAAAQf/\nX+/a\n=njUN\n"

static void
test_sealed(void **state)
{
	(void)state;
	check(BEGIN "\n" DATA END, ARMOUR_SEALED);
	check("\n \t\n" BEGIN "Version: GnuPG v2\nComment: any text here\nX:\n \n" DATA END "\n \n",
	    ARMOUR_SEALED);
	check("-----BEGIN PGP MESSAGE-----  \r\n\r\nhQEM\r\n=njUN\r\n-----END PGP MESSAGE----- "
	      "\r\n",
	    ARMOUR_SEALED);
	check(BEGIN "\njA0E\n" END, ARMOUR_SEALED); /* for a password */
	check(BEGIN "\nwcBM\n" END, ARMOUR_SEALED); /* the new format */
	check(BEGIN "\n0sAC\n" END, ARMOUR_SEALED); /* 18 */
	static const char whole[] = BEGIN "\n" DATA END;
	for (size_t n = 0; n + 2 < sizeof whole; n++) { /* the last LF may be missing */
		struct armour a = {0};
		push(&a, whole, n);
		assert_int_not_equal(armour_end(&a), ARMOUR_SEALED);
	}
}

static void
test_readable(void **state)
{
	(void)state;
	check("", ARMOUR_EMPTY);
	check(" \r\n\t\n", ARMOUR_EMPTY);
	check("x", ARMOUR_NONE);
	check("Dear Ann\n" BEGIN "\n" DATA END, ARMOUR_NONE);
	check(BEGIN "\n" DATA END "yours, Bob", ARMOUR_NONE);
	check(BEGIN "\n" DATA "and this is text\n" DATA END, ARMOUR_NONE);
	check(BEGIN "\n" DATA END BEGIN "\n" DATA END, ARMOUR_NONE);
	check(BEGIN DATA END, ARMOUR_NONE); /* no empty line: the data may be text */
	check(BEGIN "Dear Ann\n\n" DATA END, ARMOUR_NONE);
	check("> " BEGIN "\n" DATA END, ARMOUR_NONE);
	check("-----BEGIN PGP MESSAGE----\n\n" DATA END, ARMOUR_NONE);
	check("-----BEGIN PGP MESSAGE-----x\n\n" DATA END, ARMOUR_NONE);
	check("-----BEGIN PGP MESSAGE, PART 1/2-----\n\n" DATA END, ARMOUR_NONE);
	check("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n", ARMOUR_NONE);
	check("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nDear Ann\n", ARMOUR_SIGNED);
	/* what gpg --sign --armor writes: compressed, signed, data */
	check(BEGIN "\nowEB\n" END, ARMOUR_SIGNED);
	check(BEGIN "\nkA0D\n" END, ARMOUR_SIGNED);
	check(BEGIN "\nyxFi\n" END, ARMOUR_SIGNED);
	check(BEGIN "\niQEz\n" END, ARMOUR_SIGNED); /* the signature comes first; the new format: */
	check(BEGIN "\nwsBc\n" END, ARMOUR_SIGNED);
}

static void
test_unknown(void **state)
{
	(void)state;
	check(BEGIN, ARMOUR_UNKNOWN);
	check(BEGIN "\n" DATA, ARMOUR_UNKNOWN);
	check(BEGIN "\n" END, ARMOUR_UNKNOWN);
	check(BEGIN "\nAAAA\n" END, ARMOUR_UNKNOWN); /* no packet */
	check(BEGIN "\nqA1Q\n" END, ARMOUR_UNKNOWN); /* a marker: what follows? */
}

static void
test_long_lines(void **state)
{
	(void)state;
	static const char *const heads[] = {"", "-----BEGIN", BEGIN, BEGIN "\nhQEM"};
	for (size_t k = 0; k < sizeof heads / sizeof *heads; k++) {
		struct armour a = {0};
		bool more = true;
		push(&a, heads[k], strlen(heads[k]));
		for (int i = 0; i < 100000 && more; i++)
			more = armour_push(&a, (const uint8_t *)"-AA", 3);
		assert_true(k == 2 || !more); /* only headers are waited for */
		push(&a, "\n" END, sizeof END);
		assert_int_not_equal(armour_end(&a), ARMOUR_SEALED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sealed),
	    cmocka_unit_test(test_readable),
	    cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_long_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
