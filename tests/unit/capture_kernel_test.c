/* The kernel filter over packets made by hand; what decode makes of packets is compared with it in
 * engine_kernel_test.c. */
#include "capture_packets.h"

#include <pcap/pcap.h>

#include "base/limits.h"
#include "capture/kernel.h"
#include "capture/share.h"

static struct bpf_program
build(const struct kernel_filter *k)
{
	char said[256];
	struct text why = text_in(said, sizeof said);
	struct bpf_program p;
	assert_true(kernel_filter_build(k, &p, &why));
	assert_string_equal(said, "");
	assert_true(p.bf_len > 0 && p.bf_len <= KERNEL_LENGTH);
	assert_true(bpf_validate(p.bf_insns, (int)p.bf_len));
	return p;
}

static bool
runs(const struct bpf_program *program, const struct packet *p)
{
	const struct pcap_pkthdr header = {.caplen = p->len, .len = p->len};
	return pcap_offline_filter(program, &header, p->b) != 0;
}

static bool
passes(const struct kernel_filter *k, const struct packet *p)
{
	struct bpf_program program = build(k);
	bool passed = runs(&program, p);
	free(program.bf_insns);
	return passed;
}

static bool
passes_by_default(const struct packet *p)
{
	return passes(&(struct kernel_filter){.link_type = p->link_type, .shares = 1}, p);
}

/* TCP between two ports, over each link, with tags and options, in both versions of IP. */
static void
expect_tcp(const struct kernel_filter *want, unsigned from, unsigned to, bool passed)
{
	struct kernel_filter k = *want;
	struct packet p;
	for (size_t i = 0; i < LINKS; i++) {
		k.link_type = all_links[i];
		struct bpf_program program = build(&k);
		for (unsigned tags = 0; tags <= SHARE_TAGS; tags++) {
			if (tags > 0 && !has_type(k.link_type))
				continue;
			for (unsigned options = 0; options <= 40; options += 4) {
				add_link(&p, k.link_type, 0x0800, tags);
				add_ip4(&p, options, 0x4000, 6, 1, 2);
				add_ports(&p, from, to);
				assert_int_equal(runs(&program, &p),
				    passed || (tags > 0 && k.link_type != ETHERNET));
			}
			add_link(&p, k.link_type, 0x86dd, tags);
			add_ip6(&p, 6, 1, 2);
			add_ports(&p, from, to);
			assert_int_equal(runs(&program, &p),
			    passed || (tags > 0 && k.link_type != ETHERNET));
		}
		free(program.bf_insns);
	}
}

static void
mail_ports_pass(void **state)
{
	(void)state;
	const struct kernel_filter k = {.shares = 1};
	size_t n = 0;
	for (; kernel_usual_ports[n] != 0; n++) {
		expect_tcp(&k, 40000, kernel_usual_ports[n], true);
		expect_tcp(&k, kernel_usual_ports[n], 40000, true);
	}
	assert_int_equal(n, 9);
	expect_tcp(&k, 40000, 80, false);
	expect_tcp(&k, 443, 65535, false);
	expect_tcp(&k, 0, 0, false);
}

/* Every port, with as many more as may be named: those and no other. */
static void
named_ports_pass_too(void **state)
{
	(void)state;
	uint16_t ports[LIMIT_PORTS];
	uint32_t seed = 7;
	static bool mail[65536];
	for (size_t count = 0; count <= LIMIT_PORTS; count += count < 4 ? 1 : 15) {
		memset(mail, 0, sizeof mail);
		for (size_t i = 0; i < count; i++)
			mail[ports[i] = (uint16_t)next_number(&seed)] = true;
		for (size_t i = 0; kernel_usual_ports[i] != 0; i++)
			mail[kernel_usual_ports[i]] = true;
		const struct kernel_filter k = {.link_type = ETHERNET,
		    .ports = ports,
		    .port_count = count,
		    .shares = 1};
		struct bpf_program program = build(&k);
		for (unsigned port = 0; port < 65536; port++) {
			struct packet p;
			add_link(&p, ETHERNET, 0x0800, 0);
			add_ip4(&p, 0, 0, 6, 1, 2);
			add_ports(&p, port % 2 ? port : 3, port % 2 ? 3 : port);
			assert_int_equal(runs(&program, &p), mail[port] || mail[3]);
		}
		free(program.bf_insns);
	}
}

static void
every_port_passes_where_that_is_asked(void **state)
{
	(void)state;
	struct packet p;
	const struct kernel_filter k = {.link_type = ETHERNET, .all_ports = true, .shares = 1};
	expect_tcp(&k, 80, 40000, true);
	add_link(&p, ETHERNET, 0x0800, 0);
	add_ip4(&p, 0, 0, 17, 1, 2);
	add_ports(&p, 53, 40000);
	assert_false(passes(&k, &p));
}

static void
what_may_hide_mail_passes(void **state)
{
	(void)state;
	static const uint8_t protos[] = {4, 41, 47, 51, 97, 137};
	static const uint8_t extensions[] = {0, 43, 44, 51, 60, 135, 139, 140};
	static const unsigned types[] = {0x8847, 0x8848, 0x8864, 0x880b, 0x8870, 0x6558};
	static const unsigned fragments[] = {0x2000, 0x2001, 1, 0x1fff, 0x3fff};
	static const unsigned udp[] = {2152, 3544, 4789, 4790, 6081, 6635, 8472};
	struct packet p;
	for (unsigned i = 0; i < sizeof protos; i++) {
		add_link(&p, ETHERNET, 0x0800, i % 3);
		add_ip4(&p, 0, 0, protos[i], 1, 2);
		assert_true(passes_by_default(&p));
		add_link(&p, ETHERNET, 0x86dd, i % 3);
		add_ip6(&p, protos[i], 1, 2);
		assert_true(passes_by_default(&p));
	}
	for (size_t i = 0; i < sizeof extensions; i++) {
		add_link(&p, SLL, 0x86dd, 0);
		add_ip6(&p, extensions[i], 1, 2);
		assert_true(passes_by_default(&p));
	}
	for (size_t i = 0; i < sizeof fragments / sizeof fragments[0]; i++) {
		add_link(&p, RAW, 0, 0);
		add_ip4(&p, 0, fragments[i], 17, 1, 2);
		assert_true(passes_by_default(&p));
	}
	for (size_t i = 0; i < sizeof udp / sizeof udp[0]; i++) {
		add_link(&p, ETHERNET, 0x0800, 1);
		add_ip4(&p, 8, 0, 17, 1, 2);
		add_ports(&p, 40000, udp[i]);
		assert_true(passes_by_default(&p));
		add_link(&p, ETHERNET, 0x0800, 1);
		add_ip4(&p, 8, 0, 17, 1, 2);
		add_ports(&p, udp[i], 40000);
		assert_int_equal(passes_by_default(&p), udp[i] == 3544);
	}
	for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
		add_link(&p, ETHERNET, types[i], i % 4);
		assert_true(passes_by_default(&p));
	}
	add_link(&p, ETHERNET, 0x0800, SHARE_TAGS + 1);
	assert_true(passes_by_default(&p));
	add_link(&p, ETHERNET, 46, 0);
	add(&p, "\xaa\xaa\3\0\0\0\x08\0", 8);
	assert_true(passes_by_default(&p));
	p.link_type = 105; /* of which it knows nothing */
	assert_true(passes_by_default(&p));
}

static void
what_is_no_mail_does_not(void **state)
{
	(void)state;
	static const uint8_t protos[] = {1, 2, 58, 50, 89, 132, 59};
	static const unsigned types[] = {0x0806, 0x88cc, 0x8863, 0x888e, 1501};
	struct packet p;
	for (unsigned i = 0; i < sizeof protos; i++) {
		add_link(&p, ETHERNET, 0x0800, 0);
		add_ip4(&p, 0, 0, protos[i], 1, 2);
		add_ports(&p, 25, 25);
		assert_false(passes_by_default(&p));
		add_link(&p, SLL2, 0x86dd, 0);
		add_ip6(&p, protos[i], 1, 2);
		add_ports(&p, 25, 25);
		assert_false(passes_by_default(&p));
	}
	for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
		add_link(&p, ETHERNET, types[i], 0);
		add_ip4(&p, 0, 0, 6, 1, 2);
		add_ports(&p, 25, 25);
		assert_false(passes_by_default(&p));
	}
	add_link(&p, ETHERNET, 0x0800, 0);
	add_ip4(&p, 0, 0, 17, 1, 2);
	add_ports(&p, 25, 53);
	assert_false(passes_by_default(&p));
	add_link(&p, ETHERNET, 38, 0); /* spanning tree */
	add(&p, "\x42\x42\3\0\0\0\0\0", 8);
	assert_false(passes_by_default(&p));
}

/* --- shares --- */

/* Some frame, of which more than by chance is something that passes. */
static void
random_frame(struct packet *p, uint32_t link_type, uint32_t *seed)
{
	static const unsigned types[] = {0x0800, 0x0800, 0x86dd, 0x86dd, 0x8847, 0x0806, 46};
	uint32_t r = next_number(seed);
	unsigned type = types[r % 7], tags = r >> 8 & 7;
	add_link(p, link_type, type, tags < 6 && link_type == ETHERNET ? tags : 0);
	uint32_t at = p->len;
	if (r & 0x100000)
		add_ip4(p, (r >> 12 & 7) * 4, r & 0x1000000 ? 0x2000 : 0, r & 0x2000000 ? 6 : 47, 1,
		    2);
	else
		add_ip6(p, r & 0x2000000 ? 6 : 44, 1, 2);
	for (uint32_t i = at + 8; i < at + 40 && i < p->len; i++)
		if (i != at + 9) /* the protocol of IPv4 */
			p->b[i] = (uint8_t)next_number(seed);
	add_ports(p, 25, 40000);
	uint32_t cut = next_number(seed);
	if (cut % 8 == 0)
		p->len = cut / 8 % p->len;
	if (cut % 16 == 1 && p->len > 0)
		p->b[cut / 16 % p->len] ^= (uint8_t)(1u << (cut >> 28 & 7));
}

/* What passes is taken by one worker, the one that share_of says; the rest by none. */
static void
workers_take_what_share_of_says(void **state)
{
	(void)state;
	uint32_t seed = 99;
	unsigned shared[5] = {0};
	for (size_t i = 0; i < LINKS; i++) {
		struct bpf_program one, of_five[5];
		struct kernel_filter k = {.link_type = all_links[i], .shares = 1};
		one = build(&k);
		k.shares = 5;
		for (k.share = 0; k.share < 5; k.share++)
			of_five[k.share] = build(&k);
		for (unsigned n = 0; n < 20000; n++) {
			struct packet p;
			random_frame(&p, all_links[i], &seed);
			struct frame f = frame_of(&p);
			bool passed = runs(&one, &p);
			unsigned share = share_of(&f, 5);
			shared[share] += passed;
			for (unsigned w = 0; w < 5; w++)
				assert_int_equal(runs(&of_five[w], &p), passed && w == share);
		}
		free(one.bf_insns);
		for (unsigned w = 0; w < 5; w++)
			free(of_five[w].bf_insns);
	}
	for (unsigned w = 0; w < 5; w++)
		assert_true(shared[w] > 5000);
}

static void
unknown_links_are_the_first_workers(void **state)
{
	(void)state;
	struct packet p;
	for (unsigned w = 0; w < 3; w++) { /* and tags of cooked ones */
		add_link(&p, SLL2, 0x0800, 1);
		add_ip4(&p, 0, 0, 6, 1, 2);
		assert_int_equal(passes(&(struct kernel_filter){.link_type = SLL2,
					    .share = w,
					    .shares = 3},
				     &p),
		    w == 0);
	}
	add_link(&p, RAW, 0, 0);
	add_ip4(&p, 0, 0, 6, 1, 2);
	for (unsigned w = 0; w < 3; w++)
		assert_int_equal(passes(&(struct kernel_filter){.link_type = 105,
					    .share = w,
					    .shares = 3},
				     &p),
		    w == 0);
}

/* --- the user's expression --- */

static void
expressions_are_meant_with_and(void **state)
{
	(void)state;
	static const struct {
		uint32_t link_type;
		int dlt;
	} links[] = {{ETHERNET, DLT_EN10MB}, {RAW, DLT_RAW}, {105, DLT_IEEE802_11}};
	for (size_t i = 0; i < 3; i++) {
		struct bpf_program expression;
		struct packet p;
		pcap_t *dead = pcap_open_dead(links[i].dlt, 262144);
		assert_int_equal(pcap_compile(dead, &expression,
				     i < 2 ? "host 192.0.2.7" : "type mgt", 1, 0),
		    0);
		struct kernel_filter k = {.link_type = links[i].link_type,
		    .expression = &expression,
		    .shares = 1};
		add_link(&p, links[i].link_type, 0x0800, 0);
		add_ip4(&p, 0, 0, 6, 7, 2);
		add_ports(&p, 25, 40000);
		assert_int_equal(passes(&k, &p), i < 2);
		add_link(&p, links[i].link_type, 0x0800, 0);
		add_ip4(&p, 0, 0, 6, 8, 2);
		add_ports(&p, 25, 40000);
		assert_false(passes(&k, &p));
		add_link(&p, links[i].link_type, 0x0800, 0);
		add_ip4(&p, 0, 0, 6, 7, 2);
		add_ports(&p, 80, 40000);
		assert_false(passes(&k, &p));
		memset(p.b, 0, sizeof p.b);
		assert_int_equal(passes(&k, &p), i == 2); /* a management frame */
		pcap_freecode(&expression);
		pcap_close(dead);
	}
}

static void
programs_are_bounded(void **state)
{
	(void)state;
	static struct bpf_insn many[KERNEL_LENGTH];
	uint16_t ports[LIMIT_PORTS];
	char said[256];
	for (unsigned i = 0; i < KERNEL_LENGTH; i++)
		many[i] = (struct bpf_insn){.code = BPF_LD | BPF_IMM};
	for (unsigned i = 0; i < LIMIT_PORTS; i++)
		ports[i] = (uint16_t)(50000 + 7 * i);
	const struct bpf_program long_one = {.bf_len = KERNEL_LENGTH, .bf_insns = many};
	struct kernel_filter k = {.link_type = ETHERNET,
	    .ports = ports,
	    .port_count = LIMIT_PORTS,
	    .share = 1,
	    .shares = 2};
	struct bpf_program p = build(&k);
	assert_true(p.bf_len < 700);
	unsigned own = p.bf_len;
	free(p.bf_insns);
	struct text why = text_in(said, sizeof said);
	k.expression = &long_one;
	assert_false(kernel_filter_build(&k, &p, &why));
	assert_non_null(strstr(said, " instructions, and the kernel takes 4096"));
	/* the longest one that fits, behind jumps that are longer than a conditional one */
	struct bpf_program fits = {.bf_len = KERNEL_LENGTH - own - 2, .bf_insns = many};
	many[fits.bf_len - 1] = (struct bpf_insn){.code = BPF_RET | BPF_K, .k = 1};
	k.expression = &fits;
	p = build(&k);
	assert_int_equal(p.bf_len, KERNEL_LENGTH);
	free(p.bf_insns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mail_ports_pass),
	    cmocka_unit_test(named_ports_pass_too),
	    cmocka_unit_test(every_port_passes_where_that_is_asked),
	    cmocka_unit_test(what_may_hide_mail_passes),
	    cmocka_unit_test(what_is_no_mail_does_not),
	    cmocka_unit_test(workers_take_what_share_of_says),
	    cmocka_unit_test(unknown_links_are_the_first_workers),
	    cmocka_unit_test(expressions_are_meant_with_and),
	    cmocka_unit_test(programs_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
