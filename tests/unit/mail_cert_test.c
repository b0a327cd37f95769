/*
 * Certificates are made here by OpenSSL, so that they can say anything; names are compared with
 * what X509_check_host says of the same certificate.  Broken DER must be refused or read, never
 * crash.
 */
#include "base/limits.h"
#include "mail/cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cert_made.h"

static void
parse(const struct wish *w, struct cert_info *c)
{
	struct der d = der_of(make(w));
	assert_true(cert_parse(d.b, d.len, c));
	free(d.b);
}

static void
test_cache(void **state)
{
	(void)state;
	struct cert_cache cache;
	char names[300][40];
	assert_true(cert_cache_init(&cache));
	/* more than are remembered, twice over: each is always itself */
	for (int i = 0; i < 300; i++)
		snprintf(names[i], sizeof names[i], "mx%d.example.org", i);
	for (int i = 0; i < 600; i += i < 300 ? 1 : 7) {
		struct wish w = {.cn = names[i % 300], .org = "o", .issuer = "i"};
		struct der d = der_of(make(&w));
		const struct cert_info *c = cert_read(&cache, d.b, d.len);
		assert_non_null(c);
		assert_true(cert_matches(c, names[i % 300]));
		assert_ptr_equal(cert_read(&cache, d.b, d.len), c);
		assert_true(cert_matches(c, names[i % 300]));
		free(d.b);
	}
	assert_null(cert_read(&cache, (const uint8_t *)"no certificate", 14));
	assert_null(cert_read(&cache, (const uint8_t *)"no certificate", 14));
	cert_cache_free(&cache);
}

static void
test_facts(void **state)
{
	struct cert_info c;
	struct wish w = {.cn = "mx.example.org", .org = "Gr\u00fc\u00dfe, Co", .issuer = "Some CA"};
	uint8_t digest[32];
	char hex[65];
	(void)state;
	struct der d = der_of(make(&w));
	assert_true(cert_parse(d.b, d.len, &c));
	assert_string_equal(c.subject, "CN=mx.example.org,O=Gr\u00fc\u00dfe\\, Co");
	assert_string_equal(c.issuer, "CN=Some CA");
	assert_int_equal(c.not_before_ns, 1735689600 * INT64_C(1000000000));
	assert_int_equal(c.not_after_ns, 2051222400 * INT64_C(1000000000));
	assert_false(c.self_signed);
	assert_string_equal(c.key_type, "EC");
	assert_int_equal(c.key_bits, 256);
	assert_memory_equal(c.names, "mx.example.org\0", 16);
	assert_int_equal(EVP_Digest(d.b, d.len, digest, NULL, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(c.sha256, hex);
	/* octets behind the certificate are not its own */
	d.b = realloc(d.b, d.len + 3);
	memcpy(d.b + d.len, "abc", 3);
	assert_true(cert_parse(d.b, d.len + 3, &c));
	assert_string_equal(c.sha256, hex);
	free(d.b);

	w.issuer = NULL;
	w.key = EVP_RSA_gen(1024);
	w.names = "IP:192.0.2.1,email:a@b.c";
	w.from = "19490101000000Z";
	w.end = "99991231235959Z"; /* RFC 5280 section 4.1.2.5: it does not end */
	parse(&w, &c);
	assert_true(c.self_signed);
	assert_string_equal(c.key_type, "RSA");
	assert_int_equal(c.key_bits, 1024);
	assert_int_equal(c.not_before_ns, 1);
	assert_true(c.not_after_ns == INT64_MAX);
	assert_memory_equal(c.names, "mx.example.org\0", 16);
	EVP_PKEY_free(w.key);

	w = (struct wish){.names = "DNS:a.example"}; /* no subject at all */
	parse(&w, &c);
	assert_string_equal(c.subject, "");
	assert_memory_equal(c.names, "a.example\0", 11);
}

/* What would break a line or turn its direction is escaped; what is too long is cut. */
static void
test_hostile_text(void **state)
{
	struct cert_info c;
	char names[9000] = "", name[64];
	struct wish w = {.cn = "a\nb\x1b[31m\u202egro.elpmaxe"};
	(void)state;
	parse(&w, &c);
	assert_null(strpbrk(c.subject, "\n\x1b"));
	assert_null(strstr(c.subject, "\u202e"));
	assert_memory_equal(c.subject, "CN=a", 4);

	X509 *x = make(&(struct wish){.cn = "a"});
	X509_NAME *n = X509_get_subject_name(x);
	for (int i = 0; i < 12; i++)
		X509_NAME_add_entry_by_txt(n, "OU", MBSTRING_UTF8,
		    (const unsigned char *)"0123456789012345678901234567890"
					   "12345678901234567890123456789",
		    -1, -1, 0);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_sign(x, key, EVP_sha256());
	EVP_PKEY_free(key);
	struct der d = der_of(x);
	assert_true(cert_parse(d.b, d.len, &c));
	assert_int_equal(strlen(c.subject), sizeof c.subject - 1);
	free(d.b);

	/* more names than are kept: that one is not there is not certain, and said */
	names[0] = '\0';
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "%sDNS:n%03d.example.org", i > 0 ? "," : "", i);
		strcat(names, name);
	}
	w = (struct wish){.cn = "a", .names = names};
	parse(&w, &c);
	assert_true(c.names_cut);
	assert_true(cert_matches(&c, "n000.example.org"));
	assert_false(cert_matches(&c, "n299.example.org"));

	/* a NUL in a name: the certificate is for no host, and its common name is not asked */
	x = make(
	    &(struct wish){.cn = "cn.example.org", .names = "DNS:ok.example.orgXevil.example"});
	d = der_of(x);
	for (size_t i = 0; i + 5 < d.len; i++) {
		if (memcmp(d.b + i, "Xevil", 5) == 0)
			d.b[i] = '\0';
	}
	assert_true(cert_parse(d.b, d.len, &c));
	assert_string_equal(c.names, "");
	assert_false(cert_matches(&c, "ok.example.org"));
	assert_false(cert_matches(&c, "cn.example.org"));
	free(d.b);
}

static void
test_matches(void **state)
{
	static const char *const names[] = {
	    NULL,
	    "DNS:mx.example.org",
	    "DNS:*.example.org",
	    "DNS:MX.Example.ORG,DNS:other.example",
	    "DNS:*.org",
	    "DNS:*",
	    "DNS:*.*.org",
	    "DNS:mx.*.org",
	    "DNS:m*.example.org",
	    "DNS:.example.org",
	    "IP:192.0.2.1",
	    "DNS:*.0.2.1",
	    "DNS:mx.example.org.",
	    "DNS:xn--bcher-kva.example.org",
	    "DNS:xn--*.example.org",
	    "DNS:*.xn--bcher-kva.example",
	};
	static const char *const hosts[] = {
	    "mx.example.org",
	    "MX.EXAMPLE.ORG",
	    "a.mx.example.org",
	    "example.org",
	    "other.example",
	    "mx.example.com",
	    "xmx.example.org",
	    "cn.example.org",
	    "a.cn.example.org",
	    ".example.org",
	    "example",
	    "org",
	    "xn--bcher-kva.example.org",
	    "XN--bcher-KVA.example.org",
	    "mx.xn--bcher-kva.example",
	};
	struct cert_info c;
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		X509 *x = make(&(struct wish){.cn = "cn.example.org", .names = names[i]});
		X509_up_ref(x);
		struct der d = der_of(x);
		assert_true(cert_parse(d.b, d.len, &c));
		free(d.b);
		for (size_t k = 0; k < sizeof hosts / sizeof hosts[0]; k++) {
			int want = hosts[k][0] == '.' /* there it means "any below" */
			    ? 0
			    : X509_check_host(x, hosts[k], 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
				  NULL);
			if (cert_matches(&c, hosts[k]) != (want == 1))
				fail_msg("%s for %s: not %d", names[i], hosts[k], want);
		}
		X509_free(x);
	}
	parse(&(struct wish){.cn = "a", .names = "DNS:mx.example.org"}, &c);
	assert_true(cert_matches(&c, "mx.example.org."));
	assert_false(cert_matches(&c, ""));
	assert_false(cert_matches(&c, "."));
}

/* The names that are shown: in their order, escaped, of a bounded number; the rest is left out. */
static void
test_shown(void **state)
{
	char names[9000] = "", one[300];
	struct cert_info c;
	(void)state;
	parse(&(struct wish){.cn = "a.example",
		  .names = "IP:192.0.2.1,email:a@b.c,DNS:*.example.org,URI:https://x.example,"
			   "IP:2001:db8::1,DNS:xn--grn-hoa.example"},
	    &c);
	static const char want[] = "192.0.2.1\0*.example.org\0"
				   "2001:db8::1\0xn--grn-hoa.example";
	assert_int_equal(c.shown_len, sizeof want);
	assert_memory_equal(c.shown, want, sizeof want);
	parse(&(struct wish){.cn = "a.example"}, &c); /* the common name is no alternative */
	assert_int_equal(c.shown_len, 0);

	struct wish w = {.cn = "a", .names = names};
	for (unsigned i = 0; i < LIMIT_ALT_NAMES + 3; i++) {
		snprintf(one, sizeof one, "%sDNS:n%02u.example", i > 0 ? "," : "", i);
		strcat(names, one);
	}
	parse(&w, &c);
	assert_int_equal(c.shown_len, LIMIT_ALT_NAMES * sizeof "n00.example");
	assert_string_equal(c.shown + 15 * sizeof "n15.example", "n15.example");

	/* what does not fit whole is left out, and what comes behind it and fits is not */
	names[0] = '\0';
	for (unsigned i = 0; i < 9; i++) {
		snprintf(one, sizeof one, "%sDNS:%0230u.example", i > 0 ? "," : "", i);
		strcat(names, one);
	}
	strcat(names, ",DNS:last.example");
	parse(&w, &c);
	assert_int_equal(c.shown_len, 8 * 239 + sizeof "last.example");

	/* controls and NULs of a hostile name */
	struct der d = der_of(make(&(struct wish){.cn = "a", .names = "DNS:okXevilYexample"}));
	for (size_t i = 0; i < d.len; i++) {
		if (memcmp(d.b + i, "Xevil", 5) == 0) {
			d.b[i] = '\0';
			d.b[i + 5] = 0x1b;
			break;
		}
	}
	assert_true(cert_parse(d.b, d.len, &c));
	assert_string_equal(c.shown, "ok\\x00evil\\x1bexample");
	free(d.b);
}

/* RFC 9325 section 4.5: keys and signatures that are too weak. */
static void
test_weak(void **state)
{
	EVP_PKEY *const keys[] = {EVP_RSA_gen(1024), EVP_RSA_gen(2048), EVP_EC_gen("P-192"),
	    EVP_EC_gen("P-224"), EVP_EC_gen("P-256")};
	static const bool weak[] = {true, false, true, false, false};
	struct cert_info c;
	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct wish w = {.cn = "a", .issuer = "b", .key = keys[i]};
		parse(&w, &c);
		assert_int_equal(c.weak, weak[i]);
		assert_string_equal(c.signature,
		    i < 2 ? "sha256WithRSAEncryption" : "ecdsa-with-SHA256");
		w.hash = EVP_sha1();
		parse(&w, &c);
		assert_true(c.weak);
		assert_string_equal(c.signature,
		    i < 2 ? "sha1WithRSAEncryption" : "ecdsa-with-SHA1");
		w.issuer = NULL; /* what it signs itself with does not matter */
		parse(&w, &c);
		assert_int_equal(c.weak, weak[i]);
	}
	struct wish md5 = {.cn = "a", .issuer = "b", .key = keys[1], .hash = EVP_md5()};
	parse(&md5, &c);
	assert_true(c.weak);
	assert_string_equal(c.signature, "md5WithRSAEncryption");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		EVP_PKEY_free(keys[i]);
}

/* Every prefix is refused; every octet set to others is refused or read. */
static void
test_broken(void **state)
{
	static const uint8_t other[] = {0x00, 0x01, 0x7f, 0x80, 0x84, 0xff};
	struct cert_info c;
	(void)state;
	struct der d = der_of(make(&(struct wish){.cn = "mx.example.org",
	    .issuer = "CA",
	    .names = "DNS:a.example,DNS:*.b.example"}));
	for (size_t len = 0; len < d.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		memcpy(copy, d.b, len);
		assert_false(cert_parse(copy, len, &c));
		free(copy);
	}
	for (size_t i = 0; i < d.len; i++) {
		uint8_t was = d.b[i];
		for (size_t k = 0; k < sizeof other; k++) {
			d.b[i] = other[k];
			if (cert_parse(d.b, d.len, &c)) {
				assert_int_equal(strlen(c.sha256), 64);
				(void)cert_matches(&c, "a.example");
			}
		}
		d.b[i] = was;
	}
	assert_true(cert_parse(d.b, d.len, &c));
	uint8_t *big = calloc(1, LIMIT_TLS_HANDSHAKE + 1);
	memcpy(big, d.b, d.len);
	assert_true(cert_parse(big, LIMIT_TLS_HANDSHAKE, &c));
	assert_false(cert_parse(big, LIMIT_TLS_HANDSHAKE + 1, &c));
	free(big);
	free(d.b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cache),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_hostile_text),
	    cmocka_unit_test(test_matches),
	    cmocka_unit_test(test_shown),
	    cmocka_unit_test(test_weak),
	    cmocka_unit_test(test_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
