/* Countries and networks, from databases that the test writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "enrich/geoip.h"
#include "folder.h"
#include "mmdb_writer.h"

static struct mmdb_writer writer;
static uint8_t file[65536];

/* {"country": {"iso_code": code}}, as GeoLite2-Country has it */
static uint32_t
put_maxmind(const char *code)
{
	uint32_t place = mmdb_place(&writer);
	mmdb_map(&writer, 2);
	mmdb_string(&writer, "continent");
	mmdb_map(&writer, 0);
	mmdb_string(&writer, "country");
	mmdb_map(&writer, 1);
	mmdb_string(&writer, "iso_code");
	mmdb_string(&writer, code);
	return place;
}

/* {"country_code": code}, as ip-location-db has it */
static uint32_t
put_plain(const char *code)
{
	uint32_t place = mmdb_place(&writer);
	mmdb_map(&writer, 1);
	mmdb_string(&writer, "country_code");
	mmdb_string(&writer, code);
	return place;
}

static uint32_t
put_network(unsigned type, uint64_t number, const char *name)
{
	uint32_t place = mmdb_place(&writer);
	mmdb_map(&writer, 2);
	mmdb_string(&writer, "autonomous_system_number");
	mmdb_number(&writer, type, number);
	mmdb_string(&writer, "autonomous_system_organization");
	mmdb_string(&writer, name);
	return place;
}

static size_t
country_file(void)
{
	memset(&writer, 0, sizeof writer);
	mmdb_network(&writer, "198.51.100.0/24", put_maxmind("DE"));
	mmdb_network(&writer, "203.0.113.0/25", put_plain("nl"));
	mmdb_network(&writer, "203.0.113.128/25", put_plain("XYZ"));
	mmdb_network(&writer, "10.0.0.0/8", put_plain("US"));
	mmdb_network(&writer, "2001:db8::/32", put_maxmind("JP"));
	mmdb_network(&writer, "fd00::/8", put_plain("US"));
	mmdb_network(&writer, "192.0.2.0/24", put_network(5, 4242, "Both"));
	return mmdb_file(&writer, "Test-Country", file, sizeof file);
}

static void
write_asn(void)
{
	char longest[270];
	memset(longest, 'n', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	memset(&writer, 0, sizeof writer);
	mmdb_network(&writer, "198.51.100.0/24", put_network(6, 4200000001, "Example Networks"));
	mmdb_network(&writer, "203.0.113.0/24", put_network(6, 64500, longest));
	mmdb_network(&writer, "192.0.2.0/24", put_plain("FR"));
	write_octets("asn.mmdb", file, mmdb_file(&writer, "Test-ASN", file, sizeof file));
}

static struct geo
look_up(struct geoip *g, const char *ip)
{
	struct addr a;
	assert_true(addr_parse(ip, &a));
	return geoip_look_up(g, &a);
}

static void
expect_country(struct geoip *g, const char *ip, const char *code)
{
	struct geo geo = look_up(g, ip);
	assert_memory_equal(geo.country, code, 2);
}

static void
nothing(struct geoip *g, const char *ip)
{
	struct geo geo = look_up(g, ip);
	assert_memory_equal(geo.country, "\0\0", 2);
	assert_int_equal(geo.as_number, 0);
	assert_null(geo.as_name);
}

static struct geoip *
open_good(const char *dir)
{
	char error[ENRICH_ERROR] = "";
	struct geoip *g = geoip_open(dir, error);
	if (g == NULL)
		fail_msg("%s", error);
	return g;
}

static void
countries_are_told(void **state)
{
	(void)state;
	write_octets("country.mmdb", file, country_file());
	struct geoip *g = open_good(folder);
	assert_int_equal(geoip_databases(g), 1);
	for (int again = 0; again < 2; again++) { /* the second time from the cache */
		expect_country(g, "198.51.100.1", "DE");
		expect_country(g, "203.0.113.127", "NL");
		expect_country(g, "2001:db8::25", "JP");
		nothing(g, "203.0.113.128"); /* no code of two letters */
		nothing(g, "8.8.8.8");
		nothing(g, "2001:db9::1");
	}
	assert_int_equal(look_up(g, "192.0.2.1").as_number, 4242);
	geoip_close(g);
}

static void
private_addresses_have_no_country(void **state)
{
	(void)state;
	static const char *const private[] = {"10.0.0.1", "10.255.255.255", "fd00::1", "fe80::1",
	    "192.168.1.1", "172.16.0.1", "::1", "127.0.0.1", "100.64.0.1", "169.254.1.1", "0.0.0.0",
	    "::", "224.0.0.1", "ff02::1", "255.255.255.255"};
	memset(&writer, 0, sizeof writer);
	uint32_t place = put_plain("US"); /* a database that knows everybody */
	mmdb_network(&writer, "::/1", place);
	mmdb_network(&writer, "8000::/1", place);
	write_octets("all.mmdb", file, mmdb_file(&writer, "Test", file, sizeof file));
	struct geoip *g = open_good(folder);
	for (size_t i = 0; i < sizeof private / sizeof *private; i++)
		nothing(g, private[i]);
	expect_country(g, "172.32.0.1", "US");
	expect_country(g, "100.128.0.1", "US");
	expect_country(g, "2001:db8::1", "US");
	struct addr none = {0};
	assert_int_equal(geoip_look_up(g, &none).country[0], 0);
	geoip_close(g);
}

static void
several_databases_add_up(void **state)
{
	(void)state;
	write_octets("country.mmdb", file, country_file());
	write_asn();
	struct geoip *g = open_good(folder);
	assert_int_equal(geoip_databases(g), 2);
	struct geo geo = look_up(g, "198.51.100.1");
	assert_memory_equal(geo.country, "DE", 2);
	assert_int_equal(geo.as_number, 4200000001);
	assert_int_equal(geo.as_name_len, strlen("Example Networks"));
	assert_memory_equal(geo.as_name, "Example Networks", geo.as_name_len);
	geo = look_up(g, "203.0.113.1");
	assert_int_equal(geo.as_number, 64500);
	assert_int_equal(geo.as_name_len, LIMIT_TEXT);
	geo = look_up(g, "192.0.2.1"); /* each database has what the other's kind has */
	assert_memory_equal(geo.country, "FR", 2);
	assert_int_equal(geo.as_number, 4242);
	geoip_close(g);
}

/* More addresses than the cache has room for, in both orders. */
static void
the_cache_changes_nothing(void **state)
{
	(void)state;
	write_octets("country.mmdb", file, country_file());
	struct geoip *g = open_good(folder);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 4 * LIMIT_GEO_CACHE; i++) {
			unsigned n = round == 0 ? i : 4 * LIMIT_GEO_CACHE - 1 - i;
			uint8_t b[4] = {198, 51, (uint8_t)(n >> 8), (uint8_t)n};
			struct addr a = addr_v4(b);
			struct geo geo = geoip_look_up(g, &a);
			if (b[2] == 100)
				assert_memory_equal(geo.country, "DE", 2);
			else
				assert_int_equal(geo.country[0], 0);
		}
	}
	geoip_close(g);
}

static void
bad(const char *dir, const char *message)
{
	char error[ENRICH_ERROR] = "";
	assert_null(geoip_open(dir, error));
	assert_string_equal(error, message);
}

static void
each_error_names_the_file(void **state)
{
	(void)state;
	char message[512];
	bad("/no/such/folder", "/no/such/folder: No such file or directory");

	snprintf(message, sizeof message, "%s: has no database (*.mmdb) in it", folder);
	write_octets("readme.txt", "x", 1);
	bad(folder, message);
	snprintf(message, sizeof message, "%s: Not a directory", path_of("readme.txt"));
	bad(path_of("readme.txt"), message);

	write_octets("x.mmdb", "this is no database", 19);
	snprintf(message, sizeof message, "%s: not a MaxMind database, or a damaged one",
	    path_of("x.mmdb"));
	bad(folder, message);
	write_octets("x.mmdb", "", 0);
	char error[ENRICH_ERROR] = "";
	assert_null(geoip_open(folder, error));
	assert_int_equal(strncmp(error, path_of("x.mmdb"), strlen(path_of("x.mmdb"))), 0);

	unlink(path_of("x.mmdb"));
	make_dir("x.mmdb");
	snprintf(message, sizeof message, "%s: not a file", path_of("x.mmdb"));
	bad(folder, message);

	rmdir(path_of("x.mmdb"));
	assert_int_equal(symlink("/no/such/file", path_of("x.mmdb")), 0);
	snprintf(message, sizeof message, "%s: No such file or directory", path_of("x.mmdb"));
	bad(folder, message);

	unlink(path_of("x.mmdb"));
	write_octets("bad\x1b[2J.mmdb", "x", 1);
	snprintf(message, sizeof message,
	    "%s/bad\\x1b[2J.mmdb: not a MaxMind database, or a damaged one", folder);
	bad(folder, message);
}

static void
too_many_are_refused(void **state)
{
	(void)state;
	char name[32], error[ENRICH_ERROR];
	size_t len = country_file();
	for (unsigned i = 0; i <= LIMIT_GEO_DATABASES; i++) {
		snprintf(name, sizeof name, "%02u.mmdb", i);
		write_octets(name, file, len);
	}
	assert_null(geoip_open(folder, error));
	assert_non_null(strstr(error, "16.mmdb: too many databases"));
	unlink(path_of("16.mmdb"));
	assert_int_equal(symlink("15.mmdb", path_of("16.mmdb")), 0); /* the same file is no other */
	struct geoip *g = open_good(folder);
	assert_int_equal(geoip_databases(g), LIMIT_GEO_DATABASES);
	geoip_close(g);
}

/* Cut anywhere, any octet changed: refused, or look-ups that find something or nothing. */
static void
damage_does_no_harm(void **state)
{
	(void)state;
	static const char *const ips[] = {"198.51.100.1", "203.0.113.1", "192.0.2.1",
	    "2001:db8::1"};
	static uint8_t whole[sizeof file];
	size_t len = country_file();
	memcpy(whole, file, len);
	for (size_t n = 0; n < 2 * len; n += 5) {
		memcpy(file, whole, len);
		if (n >= len)
			file[n - len] ^= (uint8_t)(1 + n % 255);
		write_octets("damaged.mmdb", file, n < len ? n : len);
		char error[ENRICH_ERROR];
		struct geoip *g = geoip_open(folder, error);
		for (size_t i = 0; g != NULL && i < sizeof ips / sizeof *ips; i++) {
			struct geo geo = look_up(g, ips[i]);
			assert_true(geo.as_name_len <= LIMIT_TEXT);
		}
		if (n < len) /* the metadata are at the end: a cut file has none */
			assert_null(g);
		geoip_close(g);
	}
}

static void
usual_places_may_be_absent(void **state)
{
	(void)state;
	setenv("XDG_DATA_HOME", "/no/such/folder", 1);
	struct geoip *g = open_good(NULL);
	size_t elsewhere = geoip_databases(g); /* this machine may have some */
	geoip_close(g);

	make_dir("postcard");
	make_dir("postcard/geoip");
	write_octets("postcard/geoip/country.mmdb", file, country_file());
	setenv("XDG_DATA_HOME", folder, 1);
	g = open_good(NULL);
	assert_int_equal(geoip_databases(g), elsewhere + 1);
	expect_country(g, "198.51.100.1", "DE");
	geoip_close(g);

	/* what cannot be read there is left out */
	write_octets("postcard/geoip/country.mmdb", "x", 1);
	int screen = dup(STDERR_FILENO);
	assert_non_null(freopen("/dev/null", "w", stderr));
	g = open_good(NULL);
	fflush(stderr);
	assert_int_equal(dup2(screen, STDERR_FILENO), STDERR_FILENO);
	close(screen);
	assert_int_equal(geoip_databases(g), elsewhere);
	geoip_close(g);

	setenv("XDG_DATA_HOME", "relative", 1);
	setenv("HOME", "/no/such/home", 1);
	g = open_good(NULL);
	assert_int_equal(geoip_databases(g), elsewhere);
	geoip_close(g);
}

static void
without_databases_nothing_is_known(void **state)
{
	(void)state;
	struct geoip *g = geoip_open_none();
	assert_non_null(g);
	nothing(g, "198.51.100.1");
	geoip_close(g);
	geoip_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(countries_are_told),
	    FOLDER_TEST(private_addresses_have_no_country),
	    FOLDER_TEST(several_databases_add_up),
	    FOLDER_TEST(the_cache_changes_nothing),
	    FOLDER_TEST(each_error_names_the_file),
	    FOLDER_TEST(too_many_are_refused),
	    FOLDER_TEST(damage_does_no_harm),
	    FOLDER_TEST(without_databases_nothing_is_known),
	    FOLDER_TEST(usual_places_may_be_absent),
	};
	return cmocka_run_group_tests_name("enrich/geoip", tests, NULL, NULL);
}
