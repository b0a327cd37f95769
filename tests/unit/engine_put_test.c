/* The Community ID, by the vectors of its specification, the protocol by port, and the distance by
 * TTL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "engine/conn.h"

static void
expect(const char *src, uint16_t sport, const char *dst, uint16_t dport, const char *want)
{
	struct flow_table t;
	struct ends e = {.port = {sport, dport}};
	struct addr a, b;
	struct flow_key k;
	bool fresh;
	char id[COMMUNITY_ID_TEXT];
	assert_true(addr_parse(src, &a) && addr_parse(dst, &b));
	e.family = a.family;
	memcpy(e.ip[0], a.b, sizeof a.b);
	memcpy(e.ip[1], b.b, sizeof b.b);
	assert_true(flow_table_init(&t, 4));
	flow_clock(&t, 0);
	flow_key_of(&t, &e, &k);
	community_id(flow_get(&t, &k, &fresh), id);
	assert_string_equal(id, want);
	flow_table_free(&t);
}

static void
community_ids(void **state)
{
	(void)state;
	expect("128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	expect("66.35.250.204", 80, "128.232.110.120", 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	expect("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25,
	    "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
}

static void
protocols(void **state)
{
	(void)state;
	assert_int_equal(conn_protocol_by_port(110), MAIL_POP3);
	assert_int_equal(conn_protocol_by_port(993), MAIL_IMAP);
	assert_int_equal(conn_protocol_by_port(25), MAIL_SMTP);
	assert_int_equal(conn_protocol_by_port(40000), MAIL_SMTP);
}

static void
distances(void **state)
{
	(void)state;
	static const struct {
		uint8_t ttl;
		int distance;
	} cases[] = {{64, 0}, {63, 1}, {33, 31}, {32, 0}, {31, 1}, {1, 31}, {0, -1}, {128, 0},
	    {127, 1}, {96, 32}, {95, -1}, {65, -1}, {255, 0}, {254, 1}, {223, 32}, {222, -1},
	    {129, -1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(conn_distance(cases[i].ttl), cases[i].distance);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(community_ids),
	    cmocka_unit_test(protocols),
	    cmocka_unit_test(distances),
	};
	return cmocka_run_group_tests_name("engine/put", tests, NULL, NULL);
}
