/*
 * Writes a flood as a capture to standard output, while it is read, with honest connections in it.
 *
 *	flood KIND [-n COUNT] [-r FRAMES-A-SECOND] [-h HONEST] [-d SECONDS] [-p PARTS]
 *[FILE.pcap...]
 *
 * A kind is a row of flood_kinds.c.  COUNT is connections, or frames, or, where one connection has
 * no end, pieces of it.  The honest connections are copies of those in the files (classic pcap,
 * little-endian, one IPv4 connection each, of 10.0.0.9, its 40000 changed to 40000 + the number of
 * the file): HONEST of them, each from an address of its own in 10.200.0.0/16, take SECONDS each,
 * in packet time, and begin evenly spread over the flood.  With -p, it stops itself (SIGSTOP)
 * behind each of PARTS equal parts of the flood, so that who reads can be looked at meanwhile.
 * Time begins at EPOCH; nothing is random.  Says frames and octets at the end, on standard error.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flood.h"

#define EPOCH_NS      1767607200000000000ull
#define FLOOD_IP      0x0b000000u /* of the first client */
#define HONEST_IP     0x0ac80000u /* the same of the honest */
#define DIALOGUE_IP   0x0a000009u /* and as the files have it */
#define DIALOGUE_PORT 40000u
#define SEGMENT	      1448u /* octets of one frame of a connection without end */
#define HONEST_FRAMES 256u
#define DIALOGUES     8u

struct dialogue {
	struct octets *frames;
	uint32_t count;
};

/* When a frame of an honest connection is due. */
struct due {
	uint64_t at_ns;
	uint32_t who, frame;
};

static struct dialogue dialogues[DIALOGUES];
static uint32_t dialogue_count;
static struct due *dues;
static size_t due_count, due_next;
static uint64_t now_ns = EPOCH_NS, gap_ns = 2000;
static uint64_t frames_out, octets_out;
static uint64_t stop_every, until_stop;
static struct octets frame;

static void *
need(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "flood: out of memory\n");
		exit(2);
	}
	return p;
}

static void
put_le32(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void
write_octets(const void *p, size_t n)
{
	if (fwrite_unlocked(p, 1, n, stdout) != n) {
		fprintf(stderr, "flood: %s\n", strerror(errno));
		exit(1);
	}
}

static void
write_frame(const uint8_t *at, uint32_t len, uint64_t at_ns)
{
	uint8_t head[16];
	put_le32(head, at_ns / 1000000000u);
	put_le32(head + 4, at_ns % 1000000000u);
	put_le32(head + 8, len);
	put_le32(head + 12, len);
	write_octets(head, sizeof head);
	write_octets(at, len);
	frames_out++;
	octets_out += len + 16;
}

static void
write_honest(const struct due *d)
{
	const struct dialogue *from = &dialogues[d->who % dialogue_count];
	struct octets *f = &from->frames[d->frame];
	uint32_t port = DIALOGUE_PORT + d->who % dialogue_count;
	bool client = f->at[26] == 10;
	put32(f->at + (client ? 26 : 30), HONEST_IP + d->who);
	put16(f->at + (client ? 34 : 36), port);
	write_frame(f->at, f->len, d->at_ns);
}

/* The next frame of the flood is written, and the honest ones that are due. */
static void
out(void)
{
	now_ns += gap_ns;
	while (due_next < due_count && dues[due_next].at_ns <= now_ns)
		write_honest(&dues[due_next++]);
	write_frame(frame.at, frame.len, now_ns);
	if (stop_every > 0 && --until_stop == 0) {
		until_stop = stop_every;
		(void)fflush(stdout);
		(void)raise(SIGSTOP);
	}
}

static void
read_dialogue(const char *path)
{
	struct dialogue *d = &dialogues[dialogue_count++];
	uint8_t head[24];
	FILE *f = fopen(path, "rb");
	if (f == NULL || fread(head, 1, 24, f) != 24 || dialogue_count == DIALOGUES) {
		fprintf(stderr, "flood: %s: cannot be read\n", path);
		exit(2);
	}
	d->frames = need(calloc(HONEST_FRAMES, sizeof *d->frames));
	while (fread(head, 1, 16, f) == 16 && d->count < HONEST_FRAMES) {
		struct octets *o = &d->frames[d->count++];
		o->len = head[8] | (uint32_t)head[9] << 8;
		if (fread(o->at, 1, o->len, f) != o->len)
			exit(2);
	}
	(void)fclose(f);
}

static int
by_time(const void *a, const void *b)
{
	const struct due *x = a, *y = b;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->who != y->who)
		return x->who < y->who ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* Spreads the honest connections over the time of the flood. */
static void
plan_honest(uint32_t honest, double seconds, uint64_t frames)
{
	uint64_t all_ns = frames * gap_ns, each_ns = (uint64_t)(seconds * 1e9);
	if (honest == 0 || dialogue_count == 0)
		return;
	each_ns = each_ns < all_ns / 2 ? each_ns : all_ns / 2;
	dues = need(calloc((size_t)honest * HONEST_FRAMES, sizeof *dues));
	for (uint32_t who = 0; who < honest; who++) {
		uint32_t n = dialogues[who % dialogue_count].count;
		for (uint32_t k = 0; k < n; k++) {
			dues[due_count++] = (struct due){.who = who,
			    .frame = k,
			    .at_ns =
				EPOCH_NS + (all_ns - each_ns) / honest * who + each_ns / n * k};
		}
	}
	qsort(dues, due_count, sizeof *dues, by_time);
}

/* A connection as its two sides have spoken so far. */
struct line {
	uint32_t client, port, next[2];
};

static void
say_begin(const struct line *l, uint16_t server_port, int side, int flags, uint32_t skip)
{
	uint32_t ack = flags & ACK ? l->next[1 - side] : 0;
	if (side == 0) {
		wire_begin(&frame, l->client, SERVER_IP, 6);
		wire_tcp(&frame, l->port, server_port, l->next[0] + skip, ack, flags);
	} else {
		wire_begin(&frame, SERVER_IP, l->client, 6);
		wire_tcp(&frame, server_port, l->port, l->next[1] + skip, ack, flags);
	}
}

static void
say_end(struct line *l, int side)
{
	l->next[side] += frame.len - 54 + ((frame.at[47] & (SYN | FIN)) != 0);
	wire_end(&frame);
	out();
}

static void
say(struct line *l, uint16_t server_port, const struct step *s)
{
	say_begin(l, server_port, s->side, s->flags, s->skip);
	l->next[s->side] += s->skip;
	if (s->text != NULL) {
		add(&frame, s->text, (uint32_t)strlen(s->text));
	} else {
		memset(frame.at + frame.len, 'x', s->fill);
		frame.len += s->fill;
	}
	say_end(l, s->side);
}

static uint32_t
steps_of(const struct step *s)
{
	uint32_t n = 0;
	while (s != NULL && s[n].side >= 0)
		n++;
	return n;
}

static void
flood_many(const struct kind *k, uint64_t count)
{
	uint32_t n = steps_of(k->steps);
	struct line *lines = need(calloc(k->rounds ? count : 1, sizeof *lines));
	for (uint32_t round = 0; round < (k->rounds ? n : 1); round++) {
		for (uint64_t i = 0; i < count; i++) {
			struct line *l = &lines[k->rounds ? i : 0];
			if (round == 0)
				*l = (struct line){FLOOD_IP + (uint32_t)i, 40000, {1000, 9000}};
			for (uint32_t at = round; at < (k->rounds ? round + 1 : n); at++)
				say(l, k->port, &k->steps[at]);
		}
	}
	free(lines);
}

static void
flood_endless(const struct kind *k, uint64_t count)
{
	struct line l = {FLOOD_IP, 40000, {1000, 9000}};
	for (uint32_t i = 0; i < steps_of(k->steps); i++)
		say(&l, k->port, &k->steps[i]);
	for (uint64_t i = 0; i < count;) {
		uint32_t pieces = 0;
		say_begin(&l, k->port, k->side, PSH | ACK, 0);
		for (; i < count && frame.len < 54 + SEGMENT - 100; i++, pieces++) {
			if (k->make != NULL)
				k->make(&frame, i);
			else
				add(&frame, k->text, (uint32_t)strlen(k->text));
		}
		say_end(&l, k->side);
		if (k->answer != NULL) {
			say_begin(&l, k->port, 1 - k->side, PSH | ACK, 0);
			while (pieces-- > 0)
				add(&frame, k->answer, (uint32_t)strlen(k->answer));
			say_end(&l, 1 - k->side);
		}
	}
	for (uint32_t i = 0; i < steps_of(k->end); i++)
		say(&l, k->port, &k->end[i]);
}

/* Frames of a flood, without the steps before and behind what has no end. */
static uint64_t
frames_of(const struct kind *k, uint64_t count)
{
	uint64_t frames = 0;
	if (k->frame != NULL)
		return count;
	if (k->text == NULL && k->make == NULL)
		return count * steps_of(k->steps);
	for (uint64_t i = 0; i < count; frames++) {
		for (frame.len = 54; i < count && frame.len < 54 + SEGMENT - 100; i++) {
			if (k->make != NULL)
				k->make(&frame, i);
			else
				add(&frame, k->text, (uint32_t)strlen(k->text));
		}
	}
	return frames * (k->answer != NULL ? 2 : 1);
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: flood KIND [-n COUNT] [-r FRAMES-A-SECOND] [-h HONEST] [-d SECONDS] "
	    "[-p PARTS] [FILE.pcap...]\n");
	for (const struct kind *k = flood_kinds; k->name != NULL; k++)
		fprintf(stderr, "  %-14s %s\n", k->name, k->what);
	return 2;
}

int
main(int argc, char **argv)
{
	static const uint8_t head[24] = {0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, [16] = 0, 0, 4, 0, 1};
	uint64_t count = 1000, parts = 0;
	uint32_t honest = 0;
	double seconds = 2;
	const struct kind *k = flood_kinds;
	if (argc < 2)
		return usage();
	while (k->name != NULL && strcmp(k->name, argv[1]) != 0)
		k++;
	argv++;
	for (int c; (c = getopt(argc - 1, argv, "n:r:h:d:p:")) != -1;) {
		switch (c) {
		case 'n': count = strtoull(optarg, NULL, 10); break;
		case 'r': gap_ns = 1000000000u / strtoul(optarg, NULL, 10); break;
		case 'h': honest = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'd': seconds = strtod(optarg, NULL); break;
		case 'p': parts = strtoull(optarg, NULL, 10); break;
		default: return usage();
		}
	}
	if (k->name == NULL)
		return usage();
	for (int i = optind; i < argc - 1; i++)
		read_dialogue(argv[i]);
	(void)setvbuf(stdout, NULL, _IOFBF, 1 << 18);
	plan_honest(honest, seconds, frames_of(k, count));
	if (parts > 0)
		until_stop = stop_every = frames_of(k, count) / parts;
	write_octets(head, sizeof head);
	if (k->frame != NULL) {
		for (uint64_t i = 0; i < count; i++) {
			k->frame(&frame, i);
			out();
		}
	} else if (k->text != NULL || k->make != NULL) {
		flood_endless(k, count);
	} else {
		flood_many(k, count);
	}
	while (due_next < due_count)
		write_honest(&dues[due_next++]);
	(void)fflush(stdout);
	fprintf(stderr, "%llu frames, %llu octets\n", (unsigned long long)frames_out,
	    (unsigned long long)octets_out);
	return 0;
}
