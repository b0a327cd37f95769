/* The floods: what an enemy may send.  A new one is a row of the table at the end. */
#include <stdio.h>
#include <string.h>

#include "flood.h"

#define OPEN                                              \
	{0, SYN, 0, 0, NULL}, {1, SYN | ACK, 0, 0, NULL}, \
	{                                                 \
		0, ACK, 0, 0, NULL                        \
	}
#define SAY PSH | ACK, 0, 0
#define GREET                               \
	OPEN, {1, SAY, "220 mx ESMTP\r\n"}, \
	{                                   \
		0, SAY, "EHLO me\r\n"       \
	}
#define END                       \
	{                         \
		-1, 0, 0, 0, NULL \
	}

static const struct step syn[] = {{0, SYN, 0, 0, NULL}, END};
static const struct step half_open[] = {{0, SYN, 0, 0, NULL}, {1, SYN | ACK, 0, 0, NULL}, END};
static const struct step one_octet[] = {OPEN, {0, SAY, "E"}, END};
static const struct step greeted[] = {GREET, {1, SAY, "250 mx\r\n"}, END};
static const struct step half_lines[] = {OPEN, {0, PSH | ACK, 0, 200, NULL}, END};
static const struct step envelopes[] = {GREET, {1, SAY, "250 mx\r\n"},
    {0, SAY, "MAIL FROM:<someone@example.com>\r\nRCPT TO:<someone.else@example.org>\r\n"}, END};
static const struct step contents[] = {GREET, {1, SAY, "250 mx\r\n"},
    {0, SAY, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
    {1, SAY, "250 Ok\r\n250 Ok\r\n354 Go\r\n"},
    {0, SAY, "Content-Type: multipart/mixed; boundary=bbbb\r\n\r\n--bbbb\r\nContent-Ty"}, END};
static const struct step hellos[] = {GREET, {1, SAY, "250-mx\r\n250 STARTTLS\r\n"},
    {0, SAY, "STARTTLS\r\n"}, {1, SAY, "220 Go\r\n"},
    {0, SAY, "\x16\x03\x01\x3f\xf0\x01\x01\x3f\xec\x03\x03zzzzzzzzzzzzzzzzzzzzzzzz"}, END};

#define NOOP                         \
	{0, SAY, "NOOP\r\n"},        \
	{                            \
		1, SAY, "250 Ok\r\n" \
	}
#define NOOP5 NOOP, NOOP, NOOP, NOOP, NOOP
static const struct step turns[] = {GREET, {1, SAY, "250 mx\r\n"}, NOOP5, NOOP5, NOOP5, NOOP5, END};

#define HOLE                          \
	{                             \
		0, ACK, 0, 1456, NULL \
	}
#define HOLE5 HOLE, HOLE, HOLE, HOLE, HOLE
/* 45 segments of 1,456 octets behind one that never comes: 64 KiB of each connection */
static const struct step out_of_order[] = {GREET, {0, ACK, 1456, 1456, NULL}, HOLE5, HOLE5, HOLE5,
    HOLE5, HOLE5, HOLE5, HOLE5, HOLE5, HOLE, HOLE, HOLE, HOLE, END};

static const struct step to_command[] = {GREET, {1, SAY, "250 mx\r\n"}, {0, SAY, "NOOP "}, END};
static const struct step to_mail[] = {GREET, {1, SAY, "250 mx\r\n"},
    {0, SAY, "MAIL FROM:<a@b>\r\n"}, {1, SAY, "250 Ok\r\n"}, END};
static const struct step to_content[] = {GREET, {1, SAY, "250 mx\r\n"},
    {0, SAY, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
    {1, SAY, "250 Ok\r\n250 Ok\r\n354 Go\r\n"}, END};
static const struct step to_header[] = {GREET, {1, SAY, "250 mx\r\n"},
    {0, SAY, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
    {1, SAY, "250 Ok\r\n250 Ok\r\n354 Go\r\n"}, {0, SAY, "Subject: "}, END};
static const struct step to_body[] = {GREET, {1, SAY, "250 mx\r\n"},
    {0, SAY, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
    {1, SAY, "250 Ok\r\n250 Ok\r\n354 Go\r\n"},
    {0, SAY, "Content-Type: multipart/mixed; boundary=xx\r\n\r\n"}, END};
static const struct step to_reply[] = {GREET, {1, SAY, "250-"}, END};
static const struct step to_imap[] = {OPEN, {1, SAY, "* OK hello\r\n"},
    {0, SAY, "a FETCH 1 BODY[]\r\n"}, {1, SAY, "* 1 FETCH (FLAGS (\\Seen) ENVELOPE (\""}, END};
static const struct step to_pop3[] = {OPEN, {1, SAY, "+OK hello\r\n"}, {0, SAY, "USER "}, END};

static const struct step mail_ends[] = {{0, SAY, "DATA\r\n"}, {1, SAY, "354 Go\r\n"},
    {0, SAY, "Subject: x\r\n\r\nbody\r\n.\r\n"}, {1, SAY, "250 Ok\r\n"}, {0, FIN | SAY, "QUIT\r\n"},
    {1, FIN | SAY, "221 Bye\r\n"}, {0, ACK, 0, 0, NULL}, END};
static const struct step content_ends[] = {{0, SAY, "\r\n.\r\n"}, {1, SAY, "250 Ok\r\n"},
    {0, FIN | SAY, "QUIT\r\n"}, {1, FIN | SAY, "221 Bye\r\n"}, {0, ACK, 0, 0, NULL}, END};

static void
make_recipient(struct octets *f, uint64_t i)
{
	char line[80];
	int n = snprintf(line, sizeof line, "RCPT TO:<user%07llu@example.com>\r\n",
	    (unsigned long long)i);
	add(f, line, (uint32_t)n);
}

/* Of each multipart, the first part is a multipart. */
static void
make_multipart(struct octets *f, uint64_t i)
{
	char part[160];
	int n = snprintf(part, sizeof part,
	    "Content-Type: multipart/mixed; boundary=\"b%07llu\"\r\n\r\n--b%07llu\r\n",
	    (unsigned long long)i, (unsigned long long)i);
	add(f, part, (uint32_t)n);
}

static void
make_attached(struct octets *f, uint64_t i)
{
	(void)i;
	add(f, "Content-Type: message/rfc822\r\n\r\n", 32);
}

/* Header fields of every kind that is read, each over two lines. */
static void
make_header(struct octets *f, uint64_t i)
{
	static const char *const fields[] =
	    {"Received: from a (b [192.0.2.1])\r\n by c with ESMTP; now\r\n",
		"Subject: =?utf-8?B?w6TDtsO8?=\r\n =?utf-8?Q?=C3=A4?=\r\n",
		"From: a@b,\r\n c@d\r\n",
		"Content-Type: multipart/mixed;\r\n boundary*0=a; boundary*1=b\r\n",
		"Content-Disposition: attachment;\r\n filename*0*=utf-8''%C3%A4\r\n",
		"Message-ID:\r\n <x@y>\r\n", "X-Whatever: y\r\n z\r\n"};
	const char *s = fields[i % (sizeof fields / sizeof fields[0])];
	add(f, s, (uint32_t)strlen(s));
}

/* A SYN between two ends that differ from those of `i` - 1. */
static void
frame_syn(struct octets *f, uint32_t a, uint32_t b, uint32_t sport, uint32_t dport)
{
	wire_begin(f, a, b, 6);
	wire_tcp(f, sport, dport, 1, 0, SYN);
	wire_end(f);
}

/* Spread as chance would: what the chosen ones are compared with. */
static void
frame_any(struct octets *f, uint64_t i)
{
	uint64_t r = (i + 1) * 0x9e3779b97f4a7c15ull;
	frame_syn(f, (uint32_t)(r >> 32), SERVER_IP, 1024 + (uint32_t)(r & 0x7fff), 25);
}

/* The exclusive or of both addresses, and of both ports, is always the same. */
static void
frame_xor(struct octets *f, uint64_t i)
{
	uint32_t k = (uint32_t)i;
	frame_syn(f, 0x0b000000 ^ k, SERVER_IP ^ k, 25 ^ 0x4000, 25);
}

/* The sum is: one grows as the other shrinks. */
static void
frame_sum(struct octets *f, uint64_t i)
{
	uint32_t k = (uint32_t)i;
	frame_syn(f, 0x0b000000 + k, SERVER_IP - k, 2000 + (k & 0x3ff), 25);
}

/* All ports between few addresses, mail at either end. */
static void
frame_ports(struct octets *f, uint64_t i)
{
	frame_syn(f, 0x0b000000 + (uint32_t)(i / 65535), SERVER_IP, 1 + (uint32_t)(i % 65535), 25);
}

/* Low bits never change: what a table of 2^n rows by them would make one row of. */
static void
frame_stride(struct octets *f, uint64_t i)
{
	frame_syn(f, (uint32_t)(i << 16) | (uint32_t)(i >> 16), SERVER_IP, 0x8000, 25);
}

/* First, middle or last fragments, of which the others never come. */
static void
frame_fragment(struct octets *f, uint64_t i)
{
	wire_begin(f, 0x0b000000 + (uint32_t)(i >> 16), SERVER_IP, 6);
	put16(f->at + 18, (uint32_t)i);
	put16(f->at + 20, i % 3 == 0 ? 0x2000 : i % 3 == 1 ? 0x2000 + 125 : 125);
	wire_tcp(f, 40000, 25, 1, 1, PSH | ACK);
	memset(f->at + f->len, 'x', 980);
	f->len += 980;
	wire_end(f);
}

/* IPv6: the same, of 8 octets each, at growing offsets of datagrams that grow for ever. */
static void
frame_fragment6(struct octets *f, uint64_t i)
{
	uint8_t h[14 + 40 + 8 + 8] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60};
	h[19] = 16;
	h[20] = 44;
	h[21] = 64;
	h[22] = h[38] = 0x20;
	put32(h + 34, (uint32_t)(i % 4096));
	h[53] = 25;
	h[54] = 6;
	put16(h + 56, (uint32_t)(i / 4096 * 16 % 65528) | 1);
	put32(h + 58, (uint32_t)(i % 4096));
	f->len = 0;
	add(f, h, sizeof h);
}

/* The headers of one tunnel, 20 to 50 octets, around what comes next. */
static uint32_t
tunnel(struct octets *f, int which, uint32_t room, bool more)
{
	uint8_t h[54] = {0x45};
	uint32_t n = which == 0 ? 20 : which == 1 ? 24 : 50; /* IP in IP, GRE, VXLAN */
	put16(h + 2, room);
	h[8] = 64;
	h[9] = (uint8_t)(which == 0 ? (more ? 4 : 6) : which == 1 ? 47 : 17);
	put32(h + 12, 0x0a000001);
	put32(h + 16, 0x0a000002);
	if (which == 1) {
		put16(h + 22, 0x0800);
	} else if (which == 2) {
		put16(h + 20, 50000);
		put16(h + 22, 4789);
		put16(h + 24, room - 20);
		h[28] = 8;
		put16(h + 48, 0x0800);
	}
	add(f, h, n);
	return n;
}

/* A frame full of tunnels: 28 to 70 of them, of one kind or of all. */
static void
frame_tunnels(struct octets *f, uint64_t i)
{
	uint32_t room = 1480, which = 0;
	wire_begin(f, 0x0b000000 + (uint32_t)i, SERVER_IP, 4);
	for (uint32_t k = 0; room > 60; k++) {
		which = i % 4 == 3 ? k % 3 : (uint32_t)(i % 4);
		uint32_t n = which == 0 ? 20 : which == 1 ? 24 : 50;
		(void)tunnel(f, (int)which, room, room - n > 60);
		room -= n;
	}
	wire_tcp(f, 40000, 25, 1, 0, SYN);
	wire_end(f);
}

/* Tags and labels to the end of the frame. */
static void
frame_labels(struct octets *f, uint64_t i)
{
	uint8_t h[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
	f->len = 0;
	add(f, h, sizeof h);
	if (i % 2 == 0) {
		while (f->len < 1500)
			add(f, "\x81\x00\x00\x01", 4);
	} else {
		add(f, "\x88\x47", 2);
		while (f->len < 1500)
			add(f, "\x00\x01\x00\x40", 4);
	}
}

#define MANY(s, r)    .port = 25, .steps = s, .rounds = r
#define ENDLESS(s, t) .port = 25, .steps = s, .text = t
#define MADE(s, m, e) .port = 25, .steps = s, .make = m, .end = e
#define X50	      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

const struct kind flood_kinds[] = {
    {"syn", "SYNs of many clients", MANY(syn, false)},
    {"half-open", "connections that are answered and never opened", MANY(half_open, false)},
    {"one-octet", "connections that say one octet", MANY(one_octet, false)},
    {"greeted", "connections that greet, and stay", MANY(greeted, false)},
    {"half-lines", "connections that begin a line", MANY(half_lines, false)},
    {"envelopes", "connections that begin a mail", MANY(envelopes, false)},
    {"contents", "connections that begin a mail's content", MANY(contents, false)},
    {"hellos", "connections that begin a handshake", MANY(hellos, false)},
    {"turns", "connections that stay alive, all in turn", MANY(turns, true)},
    {"out-of-order", "64 KiB behind a hole, of all at once", MANY(out_of_order, true)},
    {"long-command", "a command line without end", ENDLESS(to_command, X50)},
    {"long-header", "a header line without end", ENDLESS(to_header, X50), .end = content_ends},
    {"long-body", "a body line without end", ENDLESS(to_body, X50), .end = content_ends},
    {"long-boundary", "dashes without end", ENDLESS(to_body, "----------"), .end = content_ends},
    {"long-reply", "a reply line without end", .port = 25, .steps = to_reply, .side = 1,
	.text = X50},
    {"long-imap", "a line of an IMAP server without end", .port = 143, .steps = to_imap, .side = 1,
	.text = X50},
    {"long-pop3", "a line of a POP3 client without end", .port = 110, .steps = to_pop3,
	.text = X50},
    {"headers", "header fields without end", MADE(to_content, make_header, content_ends)},
    {"recipients", "recipients of one mail", MADE(to_mail, make_recipient, mail_ends),
	.answer = "250 Ok\r\n"},
    {"multiparts", "multiparts in multiparts", MADE(to_content, make_multipart, content_ends)},
    {"attached", "mails attached to mails", MADE(to_content, make_attached, content_ends)},
    {"any", "SYNs between random ends", .frame = frame_any},
    {"hash-xor", "ends chosen for a table of their exclusive or", .frame = frame_xor},
    {"hash-sum", "ends chosen for a table of their sum", .frame = frame_sum},
    {"hash-ports", "all ports", .frame = frame_ports},
    {"hash-stride", "addresses that differ in high bits", .frame = frame_stride},
    {"fragments", "fragments that are never completed", .frame = frame_fragment},
    {"fragments6", "small ones of IPv6 that grow for ever", .frame = frame_fragment6},
    {"tunnels", "frames full of tunnels", .frame = frame_tunnels},
    {"labels", "frames full of tags or labels", .frame = frame_labels},
    {.name = NULL},
};
