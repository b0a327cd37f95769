/* Names and classes of cipher suites, groups, versions and alerts. */
#include "mail/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The classes must be what the names say, for every number. */
static void
test_suites(void **state)
{
	unsigned named = 0;
	(void)state;
	for (unsigned n = 0; n <= 0xffff; n++) {
		uint16_t c = (uint16_t)n;
		const char *name = tls_cipher_name(c);
		named += name != NULL;
		bool null = name != NULL &&
		    (strstr(name, "NULL") != NULL || strcmp(name, "TLS_SHA256_SHA256") == 0 ||
			strcmp(name, "TLS_SHA384_SHA384") == 0);
		bool anonymous = name != NULL && strstr(name, "anon") != NULL;
		bool weak = null ||
		    (name != NULL &&
			(strstr(name, "EXPORT") != NULL || strstr(name, "RC4") != NULL ||
			    strstr(name, "RC2") != NULL || strstr(name, "DES") != NULL ||
			    strstr(name, "IDEA") != NULL));
		assert_int_equal(tls_cipher_is_null(c), null);
		assert_int_equal(tls_cipher_is_anonymous(c), anonymous);
		assert_int_equal(tls_cipher_is_weak(c), weak);
		assert_true((tls_cipher_mac(c) != 0) == (null && n != 0));
		if ((n & 0x0f0f) == 0x0a0a && n >> 8 == (n & 0xff))
			assert_null(name);
	}
	assert_int_equal(named, 387);
	assert_string_equal(tls_cipher_name(0x1302), "TLS_AES_256_GCM_SHA384");
	assert_string_equal(tls_cipher_name(0xc030), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
	assert_string_equal(tls_cipher_name(0xcca8), "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
	assert_string_equal(tls_cipher_name(0x0000), "TLS_NULL_WITH_NULL_NULL");
	assert_int_equal(tls_cipher_mac(0x0001), 16);
	assert_int_equal(tls_cipher_mac(0xc010), 20);
	assert_int_equal(tls_cipher_mac(0x003b), 32);
	assert_int_equal(tls_cipher_mac(0xc0b5), 48);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(tls_version_name(0x0300), "SSLv3");
	assert_string_equal(tls_version_name(0x0301), "1.0");
	assert_string_equal(tls_version_name(0x0304), "1.3");
	assert_null(tls_version_name(0x0305));
	assert_null(tls_version_name(0x0002));
	assert_string_equal(tls_group_name(0x001d), "x25519");
	assert_string_equal(tls_group_name(0x11ec), "X25519MLKEM768");
	assert_string_equal(tls_group_name(0x0200), "MLKEM512");
	assert_string_equal(tls_group_name(0x0202), "MLKEM1024");
	assert_string_equal(tls_group_name(0x11eb), "SecP256r1MLKEM768");
	assert_string_equal(tls_group_name(0x11ed), "SecP384r1MLKEM1024");
	assert_string_equal(tls_group_name(0x6399), "X25519Kyber768Draft00");
	assert_null(tls_group_name(0));
	assert_null(tls_group_name(0x1a1a));
	assert_string_equal(tls_alert_name(0), "close_notify");
	assert_string_equal(tls_alert_name(40), "handshake_failure");
	assert_string_equal(tls_alert_name(48), "unknown_ca");
	assert_string_equal(tls_alert_name(121), "ech_required");
	assert_null(tls_alert_name(255));
}

/* How keys are exchanged is what the suite's name says; weak curves are those of few bits. */
static void
test_exchanges(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 0xffff; n++) {
		bool psk;
		enum tls_exchange how = tls_cipher_exchange((uint16_t)n, &psk);
		const char *name = tls_cipher_name((uint16_t)n);
		bool curve = name != NULL &&
		    (strstr(name, "_ECDHE_") != NULL || strstr(name, "_ECDH_anon_") != NULL);
		bool prime = name != NULL &&
		    (strstr(name, "_DHE_") != NULL || strstr(name, "_DH_anon_") != NULL);
		assert_int_equal(how,
		    curve	? TLS_EXCHANGE_ECDHE
			: prime ? TLS_EXCHANGE_DHE
				: TLS_EXCHANGE_OTHER);
		assert_int_equal(psk, (curve || prime) && strstr(name, "_PSK_") != NULL);
		const char *group = tls_group_name((uint16_t)n);
		bool weak = group != NULL &&
		    (strstr(group, "ct16") != NULL || strstr(group, "ct19") != NULL ||
			strstr(group, "cp16") != NULL || strstr(group, "cp19") != NULL);
		assert_int_equal(tls_group_is_weak((uint16_t)n), weak);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_suites),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_exchanges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
