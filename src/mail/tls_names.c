/*
 * Names and classes of what TLS numbers: the IANA registries "TLS Cipher Suites", "TLS Supported
 * Groups" and "TLS Alerts", without what is reserved (GREASE, RFC 8701) or private.
 */
#include "mail/tls.h"

#include <string.h>

#define N 1u /* encrypts nothing */
#define A 2u /* does not authenticate the server */
#define W 4u /* weak */

static const struct suite {
	uint16_t number;
	uint16_t class;
	const char *name;
} suites[] = {
#define SUITE(number, name, class) {number, class, name},
#include "mail/tls_suites.def"
#undef SUITE
};

struct name {
	uint16_t number;
	const char *name;
};

static const struct name groups[] = {
    {0x0001, "sect163k1"},
    {0x0002, "sect163r1"},
    {0x0003, "sect163r2"},
    {0x0004, "sect193r1"},
    {0x0005, "sect193r2"},
    {0x0006, "sect233k1"},
    {0x0007, "sect233r1"},
    {0x0008, "sect239k1"},
    {0x0009, "sect283k1"},
    {0x000a, "sect283r1"},
    {0x000b, "sect409k1"},
    {0x000c, "sect409r1"},
    {0x000d, "sect571k1"},
    {0x000e, "sect571r1"},
    {0x000f, "secp160k1"},
    {0x0010, "secp160r1"},
    {0x0011, "secp160r2"},
    {0x0012, "secp192k1"},
    {0x0013, "secp192r1"},
    {0x0014, "secp224k1"},
    {0x0015, "secp224r1"},
    {0x0016, "secp256k1"},
    {0x0017, "secp256r1"},
    {0x0018, "secp384r1"},
    {0x0019, "secp521r1"},
    {0x001a, "brainpoolP256r1"},
    {0x001b, "brainpoolP384r1"},
    {0x001c, "brainpoolP512r1"},
    {0x001d, "x25519"},
    {0x001e, "x448"},
    {0x001f, "brainpoolP256r1tls13"},
    {0x0020, "brainpoolP384r1tls13"},
    {0x0021, "brainpoolP512r1tls13"},
    {0x0022, "GC256A"},
    {0x0023, "GC256B"},
    {0x0024, "GC256C"},
    {0x0025, "GC256D"},
    {0x0026, "GC512A"},
    {0x0027, "GC512B"},
    {0x0028, "GC512C"},
    {0x0029, "curveSM2"},
    {0x0100, "ffdhe2048"},
    {0x0101, "ffdhe3072"},
    {0x0102, "ffdhe4096"},
    {0x0103, "ffdhe6144"},
    {0x0104, "ffdhe8192"},
    {0x0200, "MLKEM512"},
    {0x0201, "MLKEM768"},
    {0x0202, "MLKEM1024"},
    {0x11eb, "SecP256r1MLKEM768"},
    {0x11ec, "X25519MLKEM768"},
    {0x11ed, "SecP384r1MLKEM1024"},
    {0x11ee, "curveSM2MLKEM768"},
    {0x6399, "X25519Kyber768Draft00"},
    {0x639a, "SecP256r1Kyber768Draft00"},
};

static const struct name alerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {52, "too_many_cids_requested"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
};

static const char *
find(const struct name *t, size_t n, uint16_t number)
{
	for (size_t i = 0; i < n; i++) {
		if (t[i].number == number)
			return t[i].name;
	}
	return NULL;
}

/* By bisection: the table is in order of the numbers. */
static const struct suite *
suite_of(uint16_t number)
{
	size_t low = 0, high = sizeof suites / sizeof suites[0];
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (suites[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < sizeof suites / sizeof suites[0] && suites[low].number == number ? &suites[low]
										      : NULL;
}

static bool
suite_is(uint16_t number, unsigned class)
{
	const struct suite *s = suite_of(number);
	return s != NULL && (s->class & class) != 0;
}

const char *
tls_version_name(uint16_t version)
{
	static const char *const name[] = {"SSLv3", "1.0", "1.1", "1.2", "1.3"};
	return version >= 0x0300 && version <= 0x0304 ? name[version - 0x0300] : NULL;
}

const char *
tls_cipher_name(uint16_t cipher)
{
	const struct suite *s = suite_of(cipher);
	return s != NULL ? s->name : NULL;
}

const char *
tls_group_name(uint16_t group)
{
	return find(groups, sizeof groups / sizeof groups[0], group);
}

bool
tls_group_is_weak(uint16_t group)
{
	/* sect163k1 to sect193r2, secp160k1 to secp192r1 */
	return (group >= 0x0001 && group <= 0x0005) || (group >= 0x000f && group <= 0x0013);
}

const char *
tls_alert_name(uint8_t description)
{
	return find(alerts, sizeof alerts / sizeof alerts[0], description);
}

bool
tls_cipher_is_null(uint16_t cipher)
{
	return suite_is(cipher, N);
}

bool
tls_cipher_is_anonymous(uint16_t cipher)
{
	return suite_is(cipher, A);
}

bool
tls_cipher_is_weak(uint16_t cipher)
{
	return suite_is(cipher, W);
}

enum tls_exchange
tls_cipher_exchange(uint16_t cipher, bool *psk)
{
	static const struct {
		const char *beginning;
		enum tls_exchange how;
		bool psk;
	} kinds[] = {
	    {"TLS_ECDHE_PSK_", TLS_EXCHANGE_ECDHE, true},
	    {"TLS_ECDHE_", TLS_EXCHANGE_ECDHE, false},
	    {"TLS_ECDH_anon_", TLS_EXCHANGE_ECDHE, false},
	    {"TLS_DHE_PSK_", TLS_EXCHANGE_DHE, true},
	    {"TLS_PSK_DHE_", TLS_EXCHANGE_DHE, true}, /* RFC 6655 calls two of them so */
	    {"TLS_DHE_", TLS_EXCHANGE_DHE, false},
	    {"TLS_DH_anon_", TLS_EXCHANGE_DHE, false},
	};
	const char *name = tls_cipher_name(cipher);
	*psk = false;
	for (size_t i = 0; name != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strncmp(name, kinds[i].beginning, strlen(kinds[i].beginning)) == 0) {
			*psk = kinds[i].psk;
			return kinds[i].how;
		}
	}
	return TLS_EXCHANGE_OTHER;
}

unsigned
tls_cipher_mac(uint16_t cipher)
{
	static const struct {
		const char *ending;
		unsigned octets;
	} macs[] = {{"_MD5", 16}, {"_SHA", 20}, {"_SHA256", 32}, {"_SHA384", 48},
	    {"_GOSTR3411", 32}};
	const char *name = tls_cipher_is_null(cipher) ? tls_cipher_name(cipher) : NULL;
	const char *ending = name != NULL ? strrchr(name, '_') : NULL;
	for (size_t i = 0; ending != NULL && i < sizeof macs / sizeof macs[0]; i++) {
		if (strcmp(ending, macs[i].ending) == 0)
			return macs[i].octets;
	}
	return 0;
}
