/* Enrichment of records: direction by the home networks, country and network fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "enrich/enrich.h"
#include "folder.h"
#include "mmdb_writer.h"

static struct record record;

static struct enrich *
open_homes(const char *const *names, size_t count)
{
	struct network homes[8];
	char error[ENRICH_ERROR] = "x";
	for (size_t i = 0; i < count; i++)
		assert_true(network_parse(names[i], &homes[i]));
	struct enrich_config config = {.no_geoip = true, .home = homes, .homes = count};
	struct enrich *e = enrich_open(&config, error);
	assert_non_null(e);
	assert_string_equal(error, "");
	assert_int_equal(enrich_databases(e), 0);
	return e;
}

/* NULL: the record has no such address. */
static void
begin(const char *client, const char *server)
{
	struct addr a;
	record_begin(&record, RECORD_SESSION);
	if (client != NULL) {
		assert_true(addr_parse(client, &a));
		record_put_ip(&record, FIELD_SOURCE_IP, &a);
	}
	if (server != NULL) {
		assert_true(addr_parse(server, &a));
		record_put_ip(&record, FIELD_DESTINATION_IP, &a);
	}
}

struct direction_case {
	const char *client, *server, *direction;
};

static void
expect_directions(struct enrich *e, const struct direction_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		begin(cases[i].client, cases[i].server);
		enrich_apply(e, &record);
		if (!record_is(&record, FIELD_NETWORK_DIRECTION, cases[i].direction))
			fail_msg("%s to %s is not %s", cases[i].client, cases[i].server,
			    cases[i].direction);
	}
	enrich_close(e);
}

static void
private_networks_are_home(void **state)
{
	(void)state;
	static const struct direction_case cases[] = {
	    {"10.0.0.9", "192.168.1.1", "internal"},
	    {"172.16.0.1", "172.31.255.255", "internal"},
	    {"10.0.0.9", "192.0.2.1", "outbound"},
	    {"172.32.0.1", "10.0.0.1", "inbound"},
	    {"192.0.2.1", "198.51.100.1", "external"},
	    {"127.0.0.1", "127.0.0.1", "internal"},
	    {"::1", "::1", "internal"},
	    {"fd12::1", "2001:db8::1", "outbound"},
	    {"2001:db8::1", "fc00::1", "inbound"},
	    {"fe80::1", "fe80::2", "internal"},
	    {"169.254.1.1", "8.8.8.8", "outbound"},
	    {"100.64.0.1", "8.8.8.8", "external"},
	    {NULL, "10.0.0.1", "unknown"},
	    {"10.0.0.1", NULL, "unknown"},
	    {NULL, NULL, "unknown"},
	};
	expect_directions(open_homes(NULL, 0), cases, sizeof cases / sizeof *cases);
}

static void
named_networks_replace_them(void **state)
{
	(void)state;
	static const char *const homes[] = {"192.0.2.0/24", "2001:db8::/32"};
	static const struct direction_case cases[] = {
	    {"192.0.2.1", "2001:db8::1", "internal"},
	    {"192.0.2.1", "10.0.0.1", "outbound"},
	    {"10.0.0.1", "192.0.2.255", "inbound"},
	    {"10.0.0.1", "192.0.3.1", "external"},
	    {"127.0.0.1", "::1", "internal"},
	    {"fe80::1", "192.0.2.1", "internal"},
	};
	expect_directions(open_homes(homes, 2), cases, sizeof cases / sizeof *cases);
}

static void
what_is_there_stays(void **state)
{
	(void)state;
	struct enrich *e = open_homes(NULL, 0);
	begin("10.0.0.1", "10.0.0.2");
	record_put_word(&record, FIELD_NETWORK_DIRECTION, "external");
	uint32_t len = record.len;
	enrich_apply(e, &record);
	assert_int_equal(record.len, len);
	enrich_apply(e, &record);
	assert_int_equal(record.len, len);

	begin("10.0.0.1", "10.0.0.2");
	record.kind = RECORD_SUMMARY;
	len = record.len;
	enrich_apply(e, &record);
	assert_int_equal(record.len, len);
	enrich_close(e);
	enrich_close(NULL);
}

struct hop {
	const char *ip, *state; /* ip NULL: none is told */
};

static void
put_hops(const struct hop *hops)
{
	for (; hops->state != NULL; hops++) {
		struct addr a;
		record_put_item(&record, FIELD_HOP);
		record_put_word(&record, FIELD_HOP_FROM, "x");
		if (hops->ip != NULL) {
			assert_true(addr_parse(hops->ip, &a));
			record_put_ip(&record, FIELD_HOP_IP, &a);
		}
		record_put_word(&record, FIELD_HOP_STATE, hops->state);
	}
	record_put_word(&record, FIELD_DELIVERED, "accepted"); /* what stands behind them stays */
}

/* A letter for each hop, in their order: t trusted, f not, - not said. */
static void
expect_trust(struct enrich *e, const char *want)
{
	char got[64];
	size_t n = 0;
	struct record_value v;
	enrich_apply(e, &record);
	uint32_t len = record.len;
	enrich_apply(e, &record); /* again: nothing is said twice */
	assert_int_equal(record.len, len);
	for (uint32_t at = 0; record_next(&record, &at, &v) && n < sizeof got - 1;) {
		if (v.field == FIELD_HOP)
			got[n++] = '-';
		else if (v.field == FIELD_HOP_TRUSTED)
			got[n - 1] = v.u64 ? 't' : 'f';
	}
	got[n] = '\0';
	assert_string_equal(got, want);
	assert_true(record_is(&record, FIELD_DELIVERED, "accepted"));
}

static void
hops_that_hosts_of_ours_told(void **state)
{
	(void)state;
	static const struct {
		const char *protocol, *client, *server, *forwarded;
		struct hop hops[5];
		const char *trusted;
	} cases[] = {
	    {"smtp", "10.0.0.1", "192.0.2.1", NULL,
		{{"10.0.0.2", "sealed"}, {"203.0.113.1", "sealed"}, {"10.0.0.3", "readable"}},
		"ttf"},
	    {"smtp", "192.0.2.1", "10.0.0.1", NULL,
		{{"10.0.0.2", "sealed"}, {"10.0.0.3", "sealed"}}, "ff"},
	    {"smtp", "10.0.0.1", "192.0.2.1", NULL,
		{{"127.0.0.1", "local"}, {"::1", "local"}, {"10.0.0.2", "sealed"}}, "ttt"},
	    /* who handed it over is not told: by another program of the same machine, or it may be
	     * anybody */
	    {"smtp", "10.0.0.1", "192.0.2.1", NULL,
		{{NULL, "local"}, {NULL, "sealed"}, {NULL, "local"}}, "ttf"},
	    {"lmtp", "10.0.0.1", "10.0.0.2", NULL, {{NULL, "unknown"}, {"10.0.0.2", "sealed"}},
		"tf"},
	    {"imap", "203.0.113.1", "10.0.0.1", NULL, {{"10.0.0.2", "sealed"}, {NULL, "local"}},
		"tt"},
	    {"pop3", "10.0.0.1", "203.0.113.1", NULL, {{"10.0.0.2", "sealed"}}, "f"},
	    {"smtp", "10.0.0.1", "192.0.2.1", "203.0.113.1", {{"10.0.0.2", "sealed"}}, "f"},
	    {"smtp", "10.0.0.1", "192.0.2.1", "10.0.0.9", {{"10.0.0.2", "sealed"}}, "t"},
	    {"smtp", "203.0.113.1", "192.0.2.1", "10.0.0.9", {{"10.0.0.2", "sealed"}}, "f"},
	    {"smtp", NULL, "192.0.2.1", NULL, {{"10.0.0.2", "sealed"}}, "f"},
	    {"smtp", "10.0.0.1", "192.0.2.1", NULL, {{NULL, NULL}}, ""},
	};
	struct enrich *e = open_homes(NULL, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct addr a;
		begin(cases[i].client, cases[i].server);
		record.kind = RECORD_MESSAGE;
		record_put_word(&record, FIELD_NETWORK_PROTOCOL, cases[i].protocol);
		if (cases[i].forwarded != NULL) {
			assert_true(addr_parse(cases[i].forwarded, &a));
			record_put_ip(&record, FIELD_NETWORK_FORWARDED_IP, &a);
		}
		put_hops(cases[i].hops);
		expect_trust(e, cases[i].trusted);
	}
	/* more than a worker says, from one that was taken over */
	begin("10.0.0.1", "192.0.2.1");
	record.kind = RECORD_MESSAGE;
	for (unsigned i = 0; i < LIMIT_HOPS + 2; i++)
		record_put_item(&record, FIELD_HOP);
	record_put_word(&record, FIELD_DELIVERED, "accepted");
	expect_trust(e, "tfffffffffffffff--");
	enrich_close(e);
}

static void
fields_come_from_the_databases(void **state)
{
	(void)state;
	static struct mmdb_writer w;
	static uint8_t file[65536];
	char error[ENRICH_ERROR];
	uint32_t place = mmdb_place(&w);
	mmdb_map(&w, 3);
	mmdb_string(&w, "country_code");
	mmdb_string(&w, "SE");
	mmdb_string(&w, "autonomous_system_number");
	mmdb_number(&w, 6, 64496);
	mmdb_string(&w, "autonomous_system_organization");
	mmdb_string(&w, "Example AB");
	mmdb_network(&w, "192.0.2.0/24", place);
	write_octets("x.mmdb", file, mmdb_file(&w, "Test", file, sizeof file));

	struct enrich_config config = {.geoip_dir = folder};
	struct enrich *e = enrich_open(&config, error);
	assert_non_null(e);
	assert_int_equal(enrich_databases(e), 1);
	struct record_value v;
	begin("10.0.0.9", "192.0.2.25");
	enrich_apply(e, &record);
	assert_false(record_find(&record, FIELD_SOURCE_GEO_COUNTRY, &v));
	assert_false(record_find(&record, FIELD_SOURCE_AS_NUMBER, &v));
	assert_true(record_is(&record, FIELD_DESTINATION_GEO_COUNTRY, "SE"));
	assert_true(record_is(&record, FIELD_DESTINATION_AS_NAME, "Example AB"));
	assert_true(record_find(&record, FIELD_DESTINATION_AS_NUMBER, &v));
	assert_int_equal(v.u64, 64496);
	assert_true(record_is(&record, FIELD_NETWORK_DIRECTION, "outbound"));
	uint32_t before = record.len;
	enrich_apply(e, &record); /* again: nothing is said twice */
	assert_int_equal(record.len, before);

	begin("192.0.2.25", "10.0.0.9");
	record.kind = RECORD_MESSAGE;
	enrich_apply(e, &record);
	assert_true(record_is(&record, FIELD_SOURCE_GEO_COUNTRY, "SE"));
	assert_true(record_is(&record, FIELD_SOURCE_AS_NAME, "Example AB"));
	assert_false(record_find(&record, FIELD_DESTINATION_GEO_COUNTRY, &v));
	enrich_close(e);

	config.no_geoip = true;
	e = enrich_open(&config, error);
	begin("192.0.2.25", "10.0.0.9");
	enrich_apply(e, &record);
	assert_false(record_find(&record, FIELD_SOURCE_GEO_COUNTRY, &v));
	enrich_close(e);

	config = (struct enrich_config){.geoip_dir = "/no/such/folder"};
	assert_null(enrich_open(&config, error));
	assert_string_equal(error, "/no/such/folder: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(private_networks_are_home),
	    cmocka_unit_test(named_networks_replace_them),
	    cmocka_unit_test(what_is_there_stays),
	    cmocka_unit_test(hops_that_hosts_of_ours_told),
	    FOLDER_TEST(fields_come_from_the_databases),
	};
	return cmocka_run_group_tests_name("enrich/enrich", tests, NULL, NULL);
}
