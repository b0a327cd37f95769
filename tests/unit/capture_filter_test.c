/* Filter expressions: by link type, and what is said of bad ones. */
#include "capture_read.h"

#include "base/limits.h"

/* An IPv4 header and a TCP header, to `port`, after `link` octets of link header. */
static void
tcp_frame(struct octets *o, uint32_t link_len, uint8_t port)
{
	uint8_t b[80] = {0};
	uint8_t *ip = b + link_len;
	if (link_len == 14)
		b[12] = 8;
	ip[0] = 0x45;
	ip[3] = 40;
	ip[9] = 6;
	ip[20 + 3] = port;
	put(o, b, link_len + 40);
}

static void
packet(struct octets *o, uint32_t id, uint32_t link_len, uint8_t port)
{
	struct octets b = {0};
	put32(&b, id);
	put32(&b, 0);
	put32(&b, 7);
	put32(&b, link_len + 40);
	put32(&b, link_len + 40);
	tcp_frame(&b, link_len, port);
	block(o, 6, &b);
	octets_free(&b);
}

/* Ethernet (interface 0), raw IP (1), raw IPv4 (2) and one that has no filters (3). */
static void
mixed_capture(struct octets *o)
{
	section(o, false);
	interface(o, 1, 0, 9, 0);
	interface(o, 101, 0, 9, 0);
	interface(o, 228, 0, 9, 0);
	interface(o, 190, 0, 9, 0);
	for (uint8_t port = 24; port < 27; port++) {
		packet(o, 0, 14, port);
		packet(o, 1, 0, port);
		packet(o, 2, 0, port);
		packet(o, 3, 0, port);
	}
}

static void
filters_each_link_type(void **state)
{
	(void)state;
	struct octets o = {0};
	mixed_capture(&o);
	struct reading *r = read_octets(o.p, o.len, "tcp port 25");
	assert_string_equal(r->error, "");
	assert_int_equal(r->count, 3);
	static const struct {
		uint32_t link_type;
		uint64_t number;
	} rows[] = {{1, 5}, {101, 6}, {228, 7}};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(r->seen[i].link_type, rows[i].link_type);
		assert_int_equal(r->seen[i].number, rows[i].number);
	}
	assert_int_equal(r->stats.filtered, 9);
	assert_int_equal(r->stats.unfilterable, 3);
	assert_int_equal(r->stats.files_damaged, 0);
	assert_int_equal(r->faults, 1);
	assert_non_null(strstr(r->fault[0],
	    "FILE: frames of link type 190 are left out, since the "
	    "filter cannot be used for them: "));
	free(r);
	octets_free(&o);
}

static void
takes_expressions_of_the_files_link_type_alone(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, MICRO, 4, 105); /* 802.11, and no frame */
	struct reading *r = read_octets(o.p, o.len, "type mgt subtype beacon");
	assert_string_equal(r->error, "");
	free(r);
	octets_free(&o);
	pcap_header(&o, MICRO, 4, 1);
	r = read_octets(o.p, o.len, "type mgt subtype beacon");
	assert_string_equal(r->error,
	    "the capture filter cannot be used: 802.11 link-layer types "
	    "supported only on 802.11 (see pcap-filter(7))");
	free(r);
	octets_free(&o);
}

static void
refuses_bad_expressions(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, MICRO, 4, 1);
	struct reading *r = read_octets(o.p, o.len, "tcp prot 25");
	assert_non_null(strstr(r->error, "the capture filter cannot be used: "));
	assert_non_null(strstr(r->error, "syntax error"));
	free(r);
	r = read_octets(o.p, o.len, ""); /* all frames */
	assert_string_equal(r->error, "");
	free(r);
	octets_free(&o);
}

/* More link types than programs are kept for: their frames are left out, and counted. */
static void
bounds_its_programs(void **state)
{
	(void)state;
	struct octets o = {0};
	section(&o, false);
	for (uint32_t i = 0; i < LIMIT_LINK_FILTERS + 4; i++) {
		interface(&o, i == 0 ? 1 : 0x8000 + i, 0, 9, 0);
		packet(&o, i, 0, 25);
	}
	packet(&o, 0, 14, 25); /* Ethernet, still known */
	struct reading *r = read_octets(o.p, o.len, "tcp port 25");
	assert_int_equal(r->count, 1);
	assert_int_equal(r->stats.unfilterable, LIMIT_LINK_FILTERS + 3);
	assert_int_equal(r->faults, LIMIT_LINK_FILTERS - 1);
	free(r);
	octets_free(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filters_each_link_type),
	    cmocka_unit_test(takes_expressions_of_the_files_link_type_alone),
	    cmocka_unit_test(refuses_bad_expressions),
	    cmocka_unit_test(bounds_its_programs),
	};
	return cmocka_run_group_tests_name("capture_filter", tests, NULL, NULL);
}
