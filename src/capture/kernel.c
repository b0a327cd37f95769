/*
 * The kernel filter's program: see kernel.h.
 *
 * First a small assembler (labels, jumps forward), then the program from the link inwards.  X holds
 * the octets between the link's header and what is read, so that every load has the link's length
 * in its constant: libpcap takes that length off again for cooked links.  A load behind the end of
 * the packet rejects it, by the rules of BPF.
 *
 * The numbers of protocols and ports are those of src/decode, which is on the same floor; a test
 * above both (tests/unit/engine_kernel_test.c) holds them together.
 */
#include "capture/kernel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "capture/share.h"

#define LINKTYPE_ETHERNET 1u

#define PASS	262144u /* octets of the packet that are wanted; libpcap puts its own number there */
#define LABELS	512u
#define USUAL	9u
#define LEAF	4u		    /* ports that are compared one by one */
#define ADD	(BPF_ALU | BPF_ADD) /* of a constant: BPF_K is 0, as BPF_ADD is */
#define FAR	0xffu		    /* instructions that a conditional jump can skip */
#define MAX_LEN 1500u		    /* an ethertype up to here is an IEEE 802.3 length */

enum memory { MEMORY_X, MEMORY_WORD, MEMORY_FOLD }; /* BPF's scratch memory */

const uint16_t kernel_usual_ports[USUAL + 1] = {24, 25, 110, 143, 465, 587, 993, 995, 2525, 0};

/* --- the assembler --- */

#define NEXT 0u /* the label of the instruction that follows */

struct line {
	uint16_t yes, no; /* labels of a jump */
};

struct program {
	struct bpf_insn code[KERNEL_LENGTH];
	struct line lines[KERNEL_LENGTH];
	uint32_t at[LABELS]; /* where a label stands */
	uint32_t len;	     /* instructions; beyond KERNEL_LENGTH they are counted only */
	uint16_t labels;     /* in use; NEXT is the first */
	uint16_t expression; /* where the user's expression begins; NEXT: there is none */
};

static uint16_t
label(struct program *p)
{
	assert(p->labels < LABELS);
	return p->labels++;
}

static void
place(struct program *p, uint16_t l)
{
	p->at[l] = p->len;
}

static void
jump(struct program *p, unsigned code, uint32_t k, uint16_t yes, uint16_t no)
{
	if (p->len < KERNEL_LENGTH) {
		p->code[p->len].code = (uint16_t)code;
		p->code[p->len].k = k;
		p->lines[p->len] = (struct line){yes, no};
	}
	p->len++;
}

static void
put(struct program *p, unsigned code, uint32_t k)
{
	jump(p, code, k, NEXT, NEXT);
}

static void
jump_equal(struct program *p, uint32_t k, uint16_t yes, uint16_t no)
{
	jump(p, BPF_JMP | BPF_JEQ | BPF_K, k, yes, no);
}

/* Octets of the packet, `at` behind the link's header and X, into A. */
static void
load(struct program *p, unsigned size, uint32_t at)
{
	put(p, BPF_LD | size | BPF_IND, at);
}

static void
put_pass(struct program *p)
{
	if (p->expression != NEXT)
		jump(p, BPF_JMP | BPF_JA, 0, p->expression, NEXT);
	else
		put(p, BPF_RET | BPF_K, PASS);
}

/* Both ends of a part of the program, close to their jumps. */
static void
put_ends(struct program *p, uint16_t pass, uint16_t reject)
{
	place(p, pass);
	put_pass(p);
	place(p, reject);
	put(p, BPF_RET | BPF_K, 0);
}

/* Labels become distances. */
static void
link_jumps(struct program *p)
{
	for (uint32_t i = 0; i < p->len; i++) {
		struct bpf_insn *c = &p->code[i];
		struct line l = p->lines[i];
		uint32_t yes = l.yes != NEXT ? p->at[l.yes] - i - 1 : 0;
		uint32_t no = l.no != NEXT ? p->at[l.no] - i - 1 : 0;
		if (BPF_CLASS(c->code) != BPF_JMP || (l.yes == NEXT && l.no == NEXT))
			continue;
		if (BPF_OP(c->code) == BPF_JA) {
			c->k = yes;
			continue;
		}
		assert(yes <= FAR && no <= FAR);
		c->jt = (uint8_t)yes;
		c->jf = (uint8_t)no;
	}
}

/* --- the parts --- */

/* A = A ^ A >> shift */
static void
put_shift(struct program *p, uint32_t shift)
{
	put(p, BPF_MISC | BPF_TAX, 0);
	put(p, BPF_ALU | BPF_RSH | BPF_K, shift);
	put(p, BPF_ALU | BPF_XOR | BPF_X, 0);
}

/* Goes on with the packets of the worker: exclusive-or of `words` words from `at` on, mixed. */
static void
put_share(struct program *p, const struct kernel_filter *k, uint32_t at, uint32_t words)
{
	if (k->shares <= 1)
		return;
	put(p, BPF_STX, MEMORY_X);
	load(p, BPF_W, at);
	for (uint32_t i = 1; i < words; i++) {
		put(p, BPF_ST, MEMORY_FOLD);
		load(p, BPF_W, at + 4 * i);
		put(p, BPF_LDX | BPF_MEM, MEMORY_FOLD);
		put(p, BPF_ALU | BPF_XOR | BPF_X, 0);
		if (i + 1 < words) {
			put(p, BPF_ST, MEMORY_WORD);
			put(p, BPF_LDX | BPF_MEM, MEMORY_X);
			put(p, BPF_LD | BPF_MEM, MEMORY_WORD);
		}
	}
	put_shift(p, SHARE_SHIFT_1);
	put(p, BPF_ALU | BPF_MUL | BPF_K, SHARE_FACTOR);
	put_shift(p, SHARE_SHIFT_2);
	put(p, BPF_ALU | BPF_MUL | BPF_K, SHARE_FACTOR);
	put_shift(p, SHARE_SHIFT_1);
	put(p, BPF_ALU | BPF_MOD | BPF_K, k->shares);
	uint16_t mine = label(p);
	jump_equal(p, k->share, mine, NEXT);
	put(p, BPF_RET | BPF_K, 0);
	place(p, mine);
	put(p, BPF_LDX | BPF_MEM, MEMORY_X);
}

/* To `yes` where A is one of the ports, which are in order; else to `no`. */
static void
put_search(struct program *p, const uint16_t *ports, size_t n, uint16_t yes, uint16_t no)
{
	if (n > LEAF) {
		size_t half = n / 2;
		uint16_t upper = label(p);
		jump(p, BPF_JMP | BPF_JGE | BPF_K, ports[half], upper, NEXT);
		put_search(p, ports, half, yes, no);
		place(p, upper);
		put_search(p, ports + half, n - half, yes, no);
		return;
	}
	for (size_t i = 0; i < n; i++)
		jump_equal(p, ports[i], yes, i + 1 < n ? NEXT : no);
}

static int
compare_ports(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* X stands at a TCP header. */
static void
put_tcp(struct program *p, const struct kernel_filter *k, uint32_t link)
{
	uint16_t ports[USUAL + LIMIT_PORTS];
	size_t n = USUAL, given = k->port_count < LIMIT_PORTS ? k->port_count : LIMIT_PORTS;
	if (k->all_ports) {
		put_pass(p);
		return;
	}
	memcpy(ports, kernel_usual_ports, USUAL * sizeof *ports);
	if (given > 0)
		memcpy(ports + n, k->ports, given * sizeof *ports);
	n += given;
	qsort(ports, n, sizeof *ports, compare_ports);
	for (uint32_t side = 0; side < 2; side++) {
		uint16_t pass = label(p), other = label(p);
		load(p, BPF_H, link + 2 * side);
		put_search(p, ports, n, pass, other);
		place(p, pass);
		put_pass(p);
		place(p, other);
	}
	put(p, BPF_RET | BPF_K, 0);
}

/* X stands at a UDP header: tunnels are known by the port they go to, Teredo by either. */
static void
put_udp(struct program *p, uint32_t link)
{
	static const uint16_t tunnels[] = {2152, 3544, 4789, 4790, 6081, 6635, 8472};
	uint16_t pass = label(p), source = label(p), reject = label(p);
	load(p, BPF_H, link + 2);
	put_search(p, tunnels, sizeof tunnels / sizeof tunnels[0], pass, source);
	place(p, source);
	load(p, BPF_H, link);
	jump_equal(p, 3544, pass, reject);
	put_ends(p, pass, reject);
}

/* A is what IP says comes next, X stands there. */
static void
put_transport(struct program *p, const struct kernel_filter *k, uint32_t link)
{
	/* IP in IP, IPv6, GRE, AH, EtherIP, MPLS; the extension headers of IPv6: hop by hop,
	 * routing, fragment, destination, mobility, HIP, shim6 */
	static const uint8_t hiding[] = {4, 41, 47, 51, 97, 137, 0, 43, 44, 60, 135, 139, 140};
	uint16_t tcp = label(p), udp = label(p), pass = label(p), reject = label(p);
	jump_equal(p, 6, tcp, NEXT);
	jump_equal(p, 17, udp, NEXT);
	for (size_t i = 0; i < sizeof hiding; i++)
		jump_equal(p, hiding[i], pass, i + 1 < sizeof hiding ? NEXT : reject);
	put_ends(p, pass, reject);
	place(p, udp);
	put_udp(p, link);
	place(p, tcp);
	put_tcp(p, k, link);
}

/* X stands at an IP header, as its version says it and not the ethertype. */
static void
put_ip(struct program *p, const struct kernel_filter *k, uint32_t link)
{
	uint16_t four = label(p), six = label(p), six_or_none = label(p);
	uint16_t pass = label(p), reject = label(p), whole = label(p), transport = label(p);
	load(p, BPF_B, link);
	put(p, BPF_ALU | BPF_AND | BPF_K, 0xf0);
	jump_equal(p, 0x40, four, six_or_none);
	place(p, six_or_none);
	jump_equal(p, 0x60, six, reject);

	place(p, four);
	load(p, BPF_W, link + 16); /* is it whole? */
	put_share(p, k, link + 12, 2);
	load(p, BPF_H, link + 6);
	jump(p, BPF_JMP | BPF_JSET | BPF_K, 0x3fff, pass, whole);
	put_ends(p, pass, reject);
	place(p, whole);
	load(p, BPF_B, link + 9);
	put(p, BPF_ST, MEMORY_WORD);
	load(p, BPF_B, link);
	put(p, BPF_ALU | BPF_AND | BPF_K, 0x0f);
	put(p, BPF_ALU | BPF_LSH | BPF_K, 2);
	put(p, BPF_ALU | BPF_ADD | BPF_X, 0);
	jump(p, BPF_JMP | BPF_JA, 0, transport, NEXT);

	place(p, six);
	load(p, BPF_W, link + 36);
	put_share(p, k, link + 8, 8);
	load(p, BPF_B, link + 6);
	put(p, BPF_ST, MEMORY_WORD);
	put(p, BPF_MISC | BPF_TXA, 0);
	put(p, ADD, 40);

	place(p, transport);
	put(p, BPF_MISC | BPF_TAX, 0);
	put(p, BPF_LD | BPF_MEM, MEMORY_WORD);
	put_transport(p, k, link);
}

/* A is an ethertype, X stands behind it and its tags, and it is not one of IP. */
static void
put_other_types(struct program *p, const struct kernel_filter *k, uint32_t link)
{
	/* too many tags; MPLS, PPPoE's session, PPP, LLC in jumbo frames, bridged Ethernet */
	static const uint16_t hiding[] = {0x8100, 0x88a8, 0x9100, 0x9200, 0x8847, 0x8848, 0x8864,
	    0x880b, 0x8870, 0x6558};
	uint16_t pass = label(p), reject = label(p);
	if (k->shares > 1 && k->share != 0) {
		put(p, BPF_RET | BPF_K, 0);
		return;
	}
	for (size_t i = 0; i < sizeof hiding / sizeof hiding[0]; i++)
		jump_equal(p, hiding[i], pass, NEXT);
	jump(p, BPF_JMP | BPF_JGT | BPF_K, MAX_LEN, reject, NEXT);
	load(p, BPF_B, link); /* LLC's destination: SNAP or IP */
	jump_equal(p, 0xaa, pass, NEXT);
	jump_equal(p, 0x06, pass, reject);
	put_ends(p, pass, reject);
}

static void
put_tags(struct program *p, uint32_t link, uint16_t done)
{
	for (unsigned i = 0; i < SHARE_TAGS; i++) {
		uint16_t tag = label(p);
		jump_equal(p, 0x8100, tag, NEXT);
		jump_equal(p, 0x88a8, tag, NEXT);
		jump_equal(p, 0x9100, tag, NEXT);
		jump_equal(p, 0x9200, tag, done);
		place(p, tag);
		load(p, BPF_H, link + 2);
		put(p, BPF_ST, MEMORY_WORD);
		put(p, BPF_MISC | BPF_TXA, 0);
		put(p, ADD, 4);
		put(p, BPF_MISC | BPF_TAX, 0);
		put(p, BPF_LD | BPF_MEM, MEMORY_WORD);
	}
}

/*
 * Tags are walked on Ethernet alone.  Of a cooked link the kernel has taken off the outermost one;
 * where another is left, or the packet goes out, its types and octets do not fit each other (Linux
 * 6.18: the protocol is the tag's, and the octets may begin behind all tags).  So they pass whole,
 * and are worker 0's.
 */
static void
put_link(struct program *p, const struct kernel_filter *k, const struct share_link *link)
{
	put(p, BPF_LDX | BPF_IMM, 0);
	if (link->type_at != SHARE_NO_TYPE) {
		uint16_t typed = label(p), ip = label(p), not_four = label(p), other = label(p);
		put(p, BPF_LD | BPF_H | BPF_ABS, link->type_at);
		if (k->link_type == LINKTYPE_ETHERNET)
			put_tags(p, link->len, typed);
		place(p, typed);
		jump_equal(p, 0x0800, ip, not_four);
		place(p, not_four);
		jump_equal(p, 0x86dd, ip, other);
		place(p, other);
		put_other_types(p, k, link->len);
		place(p, ip);
	}
	put_ip(p, k, link->len);
}

static void
put_expression(struct program *p, const struct bpf_program *e)
{
	place(p, p->expression);
	put(p, BPF_LD | BPF_IMM, 0); /* as every program begins */
	put(p, BPF_LDX | BPF_IMM, 0);
	for (unsigned i = 0; i < e->bf_len; i++) {
		if (p->len < KERNEL_LENGTH)
			p->code[p->len] = e->bf_insns[i];
		p->len++;
	}
}

/* --- the whole --- */

bool
kernel_filter_build(const struct kernel_filter *k, struct bpf_program *out, struct text *why)
{
	struct program *p = calloc(1, sizeof *p);
	if (p == NULL) {
		text_puts(why, "no memory for it");
		return false;
	}
	p->labels = NEXT + 1;
	if (k->expression != NULL)
		p->expression = label(p);
	const struct share_link *link = share_link_find(k->link_type);
	if (link != NULL)
		put_link(p, k, link);
	else if (k->shares > 1 && k->share != 0)
		put(p, BPF_RET | BPF_K, 0);
	else
		put_pass(p);
	if (k->expression != NULL)
		put_expression(p, k->expression);
	bool good = p->len <= KERNEL_LENGTH;
	if (!good) {
		text_printf(why, "it takes %u instructions, and the kernel takes %u", p->len,
		    KERNEL_LENGTH);
	} else {
		link_jumps(p);
		out->bf_len = p->len;
		out->bf_insns = malloc(p->len * sizeof *out->bf_insns);
		good = out->bf_insns != NULL;
		if (good)
			memcpy(out->bf_insns, p->code, p->len * sizeof *out->bf_insns);
		else
			text_puts(why, "no memory for it");
	}
	free(p);
	return good;
}
