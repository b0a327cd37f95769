/*
 * Whole captures, damaged in every way that packets and files can be: mutate [-n COUNT] [-s SEED]
 * [-i INDEX] [-o FOLDER] FILE-OR-FOLDER...
 *
 * Links a fuzz target (fuzz_capture.c) and gives it COUNT mutants of the captures named: bits
 * flipped, packets dropped, repeated, swapped, cut, stretched, spliced from another capture,
 * lengths of records and of headers changed, words of mail protocols written over octets, the file
 * cut. The same SEED and files give the same mutants, each by its INDEX, whatever ran before it; -i
 * runs one.  One that makes the target end or take more than SECONDS_MAX is left in FOLDER (.).
 *
 * A capture is a head and units (records of pcap, blocks of pcapng); what is neither, or gzipped,
 * is one unit.  Bounds: captures of INPUT_MAX octets, mutants of MUTANT_MAX.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX   (128u << 10) /* octets of a capture; larger ones are passed over */
#define MUTANT_MAX  (256u << 10)
#define UNITS_MAX   8192u
#define INPUTS_MAX  1024u
#define SECONDS_MAX 20u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void
__sanitizer_set_death_callback(void (*callback)(void)) /* NOLINT(bugprone-reserved-identifier) */
    __attribute__((weak));

enum format { PCAP, PCAP_SWAPPED, PCAPNG, OTHER };

/* Octets of a capture that stay together. */
struct unit {
	const uint8_t *at;
	uint32_t len;
};

struct input {
	uint8_t *data;
	struct unit *units; /* the first is the file's head */
	uint32_t count;
	enum format format;
};

static struct input inputs[INPUTS_MAX];
static uint32_t input_count;
static struct unit units[UNITS_MAX];
static uint8_t mutant[MUTANT_MAX];
static uint32_t mutant_len;
static unsigned long long seed = 1;
static char mutant_name[4096]; /* where it is left */
static const char *folder = ".";
static uint64_t state;

/* ---- chance: splitmix64 (Steele, Lea, Flood 2014) ---- */

static uint64_t
chance(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint32_t
below(uint32_t n)
{
	return n > 0 ? (uint32_t)(chance() % n) : 0;
}

/* ---- captures ---- */

static uint32_t
load32(const uint8_t *p, bool big)
{
	uint32_t little = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	return big ? __builtin_bswap32(little) : little;
}

static void
store32(uint8_t *p, uint32_t v, bool big)
{
	v = big ? __builtin_bswap32(v) : v;
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void
take_unit(struct input *in, const uint8_t *at, size_t len)
{
	if (len > 0 && in->count < UNITS_MAX / 2)
		in->units[in->count++] = (struct unit){at, (uint32_t)len};
}

static void
split(struct input *in, size_t size)
{
	const uint8_t *p = in->data;
	uint32_t magic = size >= 24 ? load32(p, false) : 0;
	size_t at = 0;
	in->format = magic == 0xa1b2c3d4 || magic == 0xa1b23c4d ? PCAP
	    : magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1	? PCAP_SWAPPED
	    : magic == 0x0a0d0d0a				? PCAPNG
								: OTHER;
	if (in->format == PCAP || in->format == PCAP_SWAPPED) {
		take_unit(in, p, 24);
		for (at = 24; at + 16 <= size;) {
			size_t len = 16 + (size_t)load32(p + at + 8, in->format == PCAP_SWAPPED);
			if (len > size - at)
				break;
			take_unit(in, p + at, len);
			at += len;
		}
	} else if (in->format == PCAPNG) {
		bool big = load32(p + 8, false) == 0x4d3c2b1a;
		while (at + 12 <= size) {
			size_t len = load32(p + at + 4, big);
			if (len < 12 || len > size - at)
				break;
			take_unit(in, p + at, len);
			at += len;
		}
	}
	take_unit(in, p + at, size - at);
}

static void
read_input(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL || input_count == INPUTS_MAX) {
		if (f != NULL)
			(void)fclose(f);
		return;
	}
	struct input *in = &inputs[input_count];
	in->data = malloc(INPUT_MAX + 1);
	in->units = calloc(UNITS_MAX / 2, sizeof *in->units);
	if (in->data == NULL || in->units == NULL)
		abort();
	size_t size = fread(in->data, 1, INPUT_MAX + 1, f);
	(void)fclose(f);
	if (size > 0 && size <= INPUT_MAX) {
		split(in, size);
		input_count++;
	} else {
		free(in->data);
		free(in->units);
	}
}

static void
read_folder(const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char name[4096];
		struct stat st;
		(void)snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
		const char *dot = strstr(entries[i]->d_name, ".");
		bool other = dot != NULL &&
		    (strstr(dot, ".json") || strstr(dot, ".md") || strstr(dot, ".txt"));
		if (!other && stat(name, &st) == 0 && S_ISREG(st.st_mode))
			read_input(name);
		else if (entries[i]->d_name[0] != '.' && stat(name, &st) == 0 &&
		    S_ISDIR(st.st_mode))
			read_folder(name);
		free(entries[i]);
	}
	free(entries);
}

/* ---- what is done to them ---- */

/* Packets that go, come again, or change places; those of another capture come between them. */
static uint32_t
shuffle(const struct input *in, uint32_t count)
{
	uint32_t a = 1 + below(count - 1), b = 1 + below(count - 1), n;
	struct unit held;
	switch (below(6)) {
	case 0: /* a run of them is lost */
		n = 1 + below(below(4) == 0 ? count - a : 2);
		n = n < count - a ? n : count - a;
		memmove(units + a, units + a + n, (count - a - n) * sizeof *units);
		return count - n;
	case 1: /* one comes again, somewhere */
		if (count == UNITS_MAX)
			return count;
		held = units[a];
		memmove(units + b + 1, units + b, (count - b) * sizeof *units);
		units[b] = held;
		return count + 1;
	case 2:
	case 3: /* near ones are swapped more often than far ones */
		b = below(2) != 0 && a + 1 < count ? a + 1 : b;
		held = units[a];
		units[a] = units[b];
		units[b] = held;
		return count;
	default: {
		const struct input *from = &inputs[below(input_count)];
		if (from->format != in->format || from->count < 2)
			return count;
		uint32_t at = 1 + below(from->count - 1);
		n = from->count - at;
		if (below(2) != 0) /* the rest is that of another */
			count = a;
		else
			n = 1 + below(n);
		n = n < UNITS_MAX - count ? n : UNITS_MAX - count;
		memmove(units + a + n, units + a, (count - a) * sizeof *units);
		memcpy(units + a, from->units + at, n * sizeof *units);
		return count + n;
	}
	}
}

/* Where the unit at `at` of the mutant ends and its packet begins. */
static uint32_t
head_of(const struct input *in)
{
	return in->format == PCAPNG ? 28 : in->format == OTHER ? 0 : 16;
}

static const char *const words[] = {"\r\n", "\r\n.\r\n", "STARTTLS\r\n", "220 go\r\n",
    "250-STARTTLS\r\n", "EHLO x\r\n", "MAIL FROM:<", "DATA\r\n", "BDAT 99999999999 LAST\r\n",
    "{4294967296}\r\n", "{9+}\r\n", "\x16\x03\x01\x02", "\x14\x03\x03\x00\x01\x01",
    "\x15\x03\x03\x00\x02\x02\x28", "\x17\x03\x03\x40\x11", "AUTH PLAIN ", "AUTHENTICATE ",
    "a OK [CAPABILITY STARTTLS] x\r\n", "--", "Content-Type: multipart/x; boundary=", "=?utf-8?b?",
    "begin 644 x\r\n", "+OK\r\n", "* 1 FETCH (BODY[] {", "COMPRESS DEFLATE\r\n",
    "PROXY TCP4 1.1.1.1 "};

/* Octets of the mutant that become others.  `from` and `len` are those of one unit. */
static void
spoil(const struct input *in, uint32_t from, uint32_t len)
{
	static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, '\r', '\n', '.', '{', 0x16, 0x45};
	/* the record's own head seldom: where it does not add up, a reader stops */
	uint32_t head = head_of(in) < len ? head_of(in) : 0, at = below(30) == 0 ? 0 : head;
	at = from + at + below(len - at);
	bool big = in->format == PCAP_SWAPPED;
	const char *word = words[below(sizeof words / sizeof words[0])];
	size_t n = strlen(word);
	switch (below(8)) {
	case 0: /* an octet of the headers of link, network and transport */
		at = from + head + below(len - head < 80 ? len - head : 80);
		/* fallthrough */
	case 1:
		for (uint32_t k = 1 + below(3); k > 0 && at < from + len; k--, at++)
			mutant[at] ^= (uint8_t)(1u << below(8));
		break;
	case 2: mutant[at] = odd[below(sizeof odd)]; break;
	case 3: /* the record's own lengths */
		if (head != 0 && below(8) == 0) {
			uint8_t *field =
			    mutant + from + (in->format == PCAPNG ? 20 : 8) + 4 * below(2);
			store32(field,
			    load32(field, big) +
				(below(4) == 0 ? (uint32_t)chance() : below(9) - 4),
			    big);
		}
		break;
	case 4: /* 16 bits, as a length of something */
		if (at + 2 <= from + len) {
			uint32_t v = (uint32_t)(mutant[at] << 8 | mutant[at + 1]);
			v = below(3) == 0 ? (uint32_t)chance() : v + below(17) - 8;
			mutant[at] = (uint8_t)(v >> 8);
			mutant[at + 1] = (uint8_t)v;
		}
		break;
	case 5:
	case 6:
		if (at + n <= from + len)
			memcpy(mutant + at, word, n);
		break;
	default: /* octets of elsewhere */
		n = 1 + below(64);
		if (at + n <= mutant_len)
			memmove(mutant + at, mutant + below(mutant_len - (uint32_t)n + 1), n);
	}
}

/* A packet that is cut short by the snap length, or whose octets move. */
static void
cut(const struct input *in, uint32_t from, uint32_t len)
{
	if (in->format != PCAP && in->format != PCAP_SWAPPED)
		return;
	bool big = in->format == PCAP_SWAPPED;
	uint32_t body = len - 16, n = 1 + below(body), at = from + 16 + below(body);
	if (len <= 16)
		return;
	if (below(2) != 0) /* the end of it */
		at = from + len - n;
	n = n < from + len - at ? n : from + len - at;
	memmove(mutant + at, mutant + at + n, mutant_len - at - n);
	mutant_len -= n;
	store32(mutant + from + 8, body - n, big);
	if (below(2) != 0)
		store32(mutant + from + 12, body - n, big);
}

static void
make(unsigned long long i)
{
	state = seed * 0x2545f4914f6cdd1du + i;
	state = chance() ^ i << 32;
	const struct input *in = &inputs[below(input_count)];
	uint32_t count = in->count;
	static uint32_t starts[UNITS_MAX];
	memcpy(units, in->units, count * sizeof *units);
	for (uint32_t k = below(4); k > 0 && count > 1; k--)
		count = shuffle(in, count);
	mutant_len = 0;
	for (uint32_t k = 0; k < count; k++) {
		if (units[k].len > MUTANT_MAX - mutant_len) {
			count = k;
			break;
		}
		starts[k] = mutant_len;
		memcpy(mutant + mutant_len, units[k].at, units[k].len);
		mutant_len += units[k].len;
	}
	for (uint32_t k = 1 + below(below(3) == 0 ? 40 : 4); k > 0 && count > 0; k--) {
		uint32_t which = below(count > 1 && below(50) != 0 ? count - 1 : 1);
		which += count > 1 && below(50) != 0; /* the file's head seldom */
		if (which < count && units[which].len > 0)
			spoil(in, starts[which], units[which].len);
	}
	if (below(4) == 0 && count > 1) { /* the last one, because those behind it move */
		uint32_t which = 1 + below(count - 1);
		if (units[which].len > 17)
			cut(in, starts[which], units[which].len);
	}
	if (below(20) == 0)
		mutant_len = below(mutant_len) + 1;
}

/* ---- running them ---- */

/* Only calls that a signal handler may make. */
static void
leave_behind(void)
{
	static bool left;
	if (left)
		return;
	left = true;
	int fd = open(mutant_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, mutant, mutant_len) != (ssize_t)mutant_len)
		(void)!write(2, "mutate: the mutant could not be written\n", 40);
	(void)!write(2, "mutate: see ", 12);
	(void)!write(2, mutant_name, strlen(mutant_name));
	(void)!write(2, "\n", 1);
	if (fd >= 0)
		(void)close(fd);
}

static void
on_signal(int signal_number)
{
	if (signal_number == SIGALRM)
		(void)!write(2, "mutate: no end\n", 15);
	leave_behind();
	_exit(1);
}

static void
run(unsigned long long i)
{
	(void)snprintf(mutant_name, sizeof mutant_name, "%s/mutant-%llu-%llu", folder, seed, i);
	make(i);
	uint8_t *exact = malloc(mutant_len > 0 ? mutant_len : 1);
	if (exact == NULL)
		abort();
	memcpy(exact, mutant, mutant_len);
	(void)alarm(SECONDS_MAX);
	LLVMFuzzerTestOneInput(exact, mutant_len);
	(void)alarm(0);
	free(exact);
}

int
main(int argc, char **argv)
{
	unsigned long long count = 1000, only = 0;
	bool one = false;
	for (int c; (c = getopt(argc, argv, "n:s:i:o:")) != -1;) {
		switch (c) {
		case 'n': count = strtoull(optarg, NULL, 10); break;
		case 's': seed = strtoull(optarg, NULL, 10); break;
		case 'i': only = strtoull(optarg, NULL, 10), one = true; break;
		case 'o': folder = optarg; break;
		default: return 2;
		}
	}
	for (int i = optind; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			read_folder(argv[i]);
		else
			read_input(argv[i]);
	}
	if (input_count == 0) {
		fprintf(stderr, "mutate: no captures\n");
		return 2;
	}
	(void)signal(SIGALRM, on_signal);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(leave_behind);
	else
		(void)signal(SIGSEGV, on_signal);
	(void)signal(SIGABRT, on_signal);
	struct timespec begun, now;
	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	if (one)
		run(only);
	for (unsigned long long i = 0; !one && i < count; i++)
		run(i);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%llu mutants of %u captures in %.0f s\n", one ? 1 : count, input_count,
	    (double)(now.tv_sec - begun.tv_sec));
	if (one) { /* to be looked at */
		leave_behind();
	}
	return 0;
}
