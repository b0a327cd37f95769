/*
 * Live interfaces, on pairs of virtual ones in a network namespace of the test's own: needs root
 * and the program ip; skipped where the machine allows no namespace.
 */
#include "capture_packets.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/live.h"

#define MS 1000000ll

static bool here; /* in a namespace of our own */

#define NEEDS_NAMESPACE()                                                         \
	do {                                                                      \
		if (!here) {                                                      \
			print_message("no network namespace can be made here\n"); \
			skip();                                                   \
		}                                                                 \
	} while (0)

static int64_t
now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void
shell(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int
enter_namespace(void **state)
{
	(void)state;
	here = unshare(CLONE_NEWNET) == 0 &&
	    system("ip link add t0 type veth peer name t1 >/dev/null 2>&1 && ip link del t0 && "
		   "ip link set lo up") == 0;
	return 0;
}

/* a0 - a1 and b0 - b1: what is sent on the second of a pair comes in by the first. */
static int
make_pairs(void **state)
{
	(void)state;
	return !here ||
		system("for p in a b; do ip link add ${p}0 type veth peer name ${p}1 && "
		       "for i in ${p}0 ${p}1; do "
		       "echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done; "
		       "ip link set ${p}0 up && ip link set ${p}1 up || exit 1; done") == 0
	    ? 0
	    : -1;
}

static int
drop_pairs(void **state)
{
	(void)state;
	return here ? system("for p in a b; do ip link del ${p}0 2>/dev/null; done; true") : 0;
}

static void
send_packet(const char *interface, const struct packet *p)
{
	static int s = -1; /* to close one takes as long as all processors need to pause */
	if (s < 0)
		s = socket(AF_PACKET, SOCK_RAW, 0);
	const struct sockaddr_ll to = {.sll_family = AF_PACKET,
	    .sll_protocol = (uint16_t)(p->b[12] | p->b[13] << 8),
	    .sll_ifindex = (int)if_nametoindex(interface)};
	assert_true(s >= 0);
	assert_int_equal(sendto(s, p->b, p->len, 0, (const struct sockaddr *)&to, sizeof to),
	    p->len);
}

/* One segment, whose last octet is `mark`. */
static void
send_tcp(const char *interface, uint8_t from, uint8_t to, unsigned port, unsigned tags,
    uint8_t mark)
{
	struct packet p;
	add_link(&p, ETHERNET, 0x0800, tags);
	add_ip4(&p, 0, 0, 6, from, to);
	add_ports(&p, 40000, port);
	add(&p, "mark", 4);
	add(&p, &mark, 1);
	send_packet(interface, &p);
}

static struct live *
open_live(const struct live_config *config)
{
	struct capture_error err;
	struct live_config c = *config;
	c.buffer = 4u << 20;
	if (c.shares == 0)
		c.shares = 1;
	struct live *l = live_open(&c, &err);
	if (l == NULL)
		fail_msg("%s", err.text);
	return l;
}

#define NAMES(...)                                        \
	.interfaces = (const char *const[]){__VA_ARGS__}, \
	.count = sizeof(const char *const[]){__VA_ARGS__} / sizeof(char *)

/* The next frame within `ms`; false where there is none. */
static bool
next_within(struct live *l, struct frame *f, int ms, enum live_status *last)
{
	int64_t end = now(CLOCK_MONOTONIC) + ms * MS;
	enum live_status status;
	while ((status = live_next(l, f)) == LIVE_IDLE && now(CLOCK_MONOTONIC) < end)
		live_wait(l, 50);
	if (last != NULL)
		*last = status;
	return status == LIVE_FRAME;
}

static uint8_t
mark_of(const struct frame *f)
{
	return f->data[f->caplen - 1];
}

/* Waits for an event of that text. */
static void
expect_event(struct live *l, enum live_change change, const char *want)
{
	char text[CAPTURE_TEXT] = "none";
	enum live_change what = LIVE_NOTE;
	struct frame f;
	int64_t end = now(CLOCK_MONOTONIC) + 3000 * MS;
	while (!live_event(l, &what, text) && now(CLOCK_MONOTONIC) < end)
		(void)next_within(l, &f, 50, NULL);
	assert_string_equal(text, want);
	assert_int_equal(what, change);
}

static void
frames_arrive_with_their_time(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct live *l = open_live(&(struct live_config){NAMES("a0")});
	struct frame f;
	int64_t before = now(CLOCK_REALTIME), odd = 0;
	for (uint8_t i = 1; i <= 20; i++)
		send_tcp("a1", i, 2, 25, i % 3, i);
	for (uint8_t i = 1; i <= 20; i++) {
		assert_true(next_within(l, &f, 1000, NULL));
		assert_int_equal(mark_of(&f), i);
		assert_int_equal(f.number, i);
		assert_int_equal(f.link_type, ETHERNET);
		assert_int_equal(f.caplen, 59 + 4 * (i % 3u)); /* tags are there again */
		assert_int_equal(f.wirelen, f.caplen);
		assert_true(f.ts_ns >= before && f.ts_ns <= now(CLOCK_REALTIME));
		before = f.ts_ns;
		odd += f.ts_ns % 1000 != 0;
	}
	assert_true(odd > 0); /* ns, not us */
	assert_false(next_within(l, &f, 250, NULL));
	struct capture_stats s;
	live_stats_get(l, &s);
	assert_int_equal(s.frames, 20);
	assert_int_equal(s.captured, 20 * 59 + 4 * 21);
	assert_int_equal(s.wire, s.captured);
	assert_int_equal(s.dropped + s.interface_dropped + s.steps_back + s.cut, 0);
	assert_int_equal(s.last_ns, before);
	live_close(l);
}

static void
a_block_is_not_waited_for(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct live *l = open_live(&(struct live_config){NAMES("a0")});
	struct frame f;
	for (uint8_t i = 0; i < 5; i++) {
		send_tcp("a1", 1, 2, 25, 0, i);
		assert_true(next_within(l, &f, 1000, NULL));
		assert_true(now(CLOCK_REALTIME) - f.ts_ns < 500 * MS);
	}
	live_close(l);
}

/* Each port and each address once; the program is in the kernel. */
static void
filters_in_the_kernel(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	static const uint16_t ports[] = {2626};
	struct live *l = open_live(&(struct live_config){NAMES("a0"), .ports = ports,
	    .port_count = 1, .expression = "not host 192.0.2.9"});
	struct frame f;
	send_tcp("a1", 1, 2, 80, 0, 1);
	send_tcp("a1", 1, 2, 2626, 2, 2);
	send_tcp("a1", 9, 2, 25, 0, 3);
	send_tcp("a1", 1, 2, 2525, 1, 4);
	assert_true(next_within(l, &f, 1000, NULL));
	assert_int_equal(mark_of(&f), 2);
	assert_true(next_within(l, &f, 1000, NULL));
	assert_int_equal(mark_of(&f), 4);
	assert_false(next_within(l, &f, 250, NULL));
	bool found = false;
	for (int fd = 3; fd < 64 && !found; fd++) {
		struct sock_filter code[4096];
		socklen_t len = 4096; /* instructions */
		found = getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, code, &len) == 0 && len > 50;
	}
	assert_true(found);
	live_close(l);
}

/* All interfaces at once come with a header that the kernel does not have: the program is
 * rewritten. */
static void
filters_all_interfaces(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	for (unsigned tags = 0; tags < 3; tags++) {
		struct frame f;
		struct live *l = open_live(&(struct live_config){NAMES("any"),
		    .expression = tags == 0 ? "net 192.0.2" : NULL});
		send_tcp("a1", 1, 2, 80, tags, 1);
		send_tcp("b1", 1, 2, 25, tags, 2);
		unsigned seen = 0;
		while (next_within(l, &f, 400, NULL)) {
			assert_true(f.link_type == SLL || f.link_type == SLL2);
			seen += mark_of(&f) == 2;
			assert_true(mark_of(&f) == 2 || tags > 0); /* a tag that is left passes */
		}
		assert_int_equal(seen, 2); /* as it leaves b1, as it enters b0 */
		bool found = false;
		for (int fd = 3; fd < 64 && !found; fd++) {
			struct sock_filter code[4096];
			socklen_t len = 4096;
			found =
			    getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, code, &len) == 0 && len > 50;
		}
		assert_true(found);
		live_close(l);
	}
}

static void
workers_share(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	const char *const names[] = {"a0", "any"};
	for (unsigned which = 0; which < 2; which++) {
		struct live *l[3];
		unsigned seen[256] = {0}, total = 0;
		for (unsigned w = 0; w < 3; w++)
			l[w] = open_live(
			    &(struct live_config){NAMES(names[which]), .share = w, .shares = 3});
		for (unsigned i = 0; i < 60; i++)
			send_tcp("a1", (uint8_t)i, 77, 25, which == 0 ? i % 3 : 0, (uint8_t)i);
		for (unsigned w = 0; w < 3; w++) {
			struct frame f;
			unsigned own = 0;
			while (next_within(l[w], &f, 300, NULL)) {
				seen[mark_of(&f)]++;
				own++;
			}
			assert_true(own > 5);
			total += own;
			live_close(l[w]);
		}
		assert_int_equal(total, which == 0 ? 60 : 120);
		for (unsigned i = 0; i < 60; i++)
			assert_int_equal(seen[i], which == 0 ? 1 : 2);
	}
}

/* The two directions of a tap: in the order of time, and none waits for long. */
static void
interfaces_are_merged(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct live *l = open_live(&(struct live_config){NAMES("a0", "b0")});
	struct frame f;
	for (unsigned i = 0; i < 200; i++) {
		send_tcp(i % 3 == 0 ? "a1" : "b1", 1, 2, 25, 0, (uint8_t)i);
		if (i % 20 == 0)
			usleep(20000);
	}
	int64_t before = 0;
	for (unsigned i = 0; i < 200; i++) {
		assert_true(next_within(l, &f, 1000, NULL));
		assert_int_equal(mark_of(&f), i);
		assert_true(f.ts_ns >= before);
		before = f.ts_ns;
	}
	for (unsigned i = 0; i < 5; i++) { /* the other is silent */
		send_tcp("a1", 1, 2, 25, 0, (uint8_t)i);
		assert_true(next_within(l, &f, 1000, NULL));
		assert_int_equal(mark_of(&f), i);
		assert_true(now(CLOCK_REALTIME) - f.ts_ns >= LIVE_HOLD_MS * MS);
		assert_true(now(CLOCK_REALTIME) - f.ts_ns < 600 * MS);
	}
	live_close(l);
}

static void
down_is_waited_for(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct live *l = open_live(&(struct live_config){NAMES("a0", "b0")});
	struct frame f;
	enum live_status status;
	char text[CAPTURE_TEXT];
	enum live_change what;
	shell("ip link set a0 down");
	expect_event(l, LIVE_DOWN, "a0: the interface is down; waiting for it");
	send_tcp("b1", 1, 2, 25, 0, 7);
	assert_true(next_within(l, &f, 1000, NULL));
	assert_int_equal(mark_of(&f), 7);
	assert_false(next_within(l, &f, 1200, &status));
	assert_int_equal(status, LIVE_IDLE);
	assert_false(live_event(l, &what, text));
	shell("ip link set a0 up");
	expect_event(l, LIVE_UP, "a0: the interface is up again");
	send_tcp("a1", 1, 2, 25, 0, 8);
	assert_true(next_within(l, &f, 1000, NULL));
	assert_int_equal(mark_of(&f), 8);
	shell("ip link set b1 down"); /* the cable is pulled */
	expect_event(l, LIVE_DOWN, "b0: the interface has no link; waiting for it");
	shell("ip link set b1 up");
	expect_event(l, LIVE_UP, "b0: the interface is up again");
	live_close(l);
}

/* What was sent before is read; the other interface goes on. */
static void
gone_is_told(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct live *l = open_live(&(struct live_config){NAMES("a0", "b0")});
	struct frame f;
	enum live_status status;
	struct capture_stats s;
	for (uint8_t i = 0; i < 10; i++)
		send_tcp("a1", 1, 2, 25, 0, i);
	shell("ip link del a0");
	for (uint8_t i = 0; i < 10; i++) {
		assert_true(next_within(l, &f, 1000, NULL));
		assert_int_equal(mark_of(&f), i);
	}
	assert_false(next_within(l, &f, 1000, &status));
	assert_int_equal(status, LIVE_GONE);
	expect_event(l, LIVE_LOST, "a0: the interface is gone");
	send_tcp("b1", 1, 2, 25, 0, 50);
	assert_true(next_within(l, &f, 1000, NULL));
	assert_int_equal(mark_of(&f), 50);
	live_stats_get(l, &s);
	assert_int_equal(s.frames, 11);
	shell("ip link del b0");
	assert_false(next_within(l, &f, 1000, &status));
	assert_int_equal(status, LIVE_GONE);
	expect_event(l, LIVE_LOST, "b0: the interface is gone");
	for (int i = 0; i < 3; i++)
		assert_int_equal(live_next(l, &f), LIVE_GONE); /* and stays so */
	live_stats_get(l, &s);
	assert_int_equal(s.frames, 11);
	live_close(l);
}

static void
a_renamed_interface_stays(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct live *l = open_live(&(struct live_config){NAMES("a0")});
	struct frame f;
	char text[CAPTURE_TEXT];
	enum live_change what;
	shell("ip link set a0 name c0");
	assert_false(next_within(l, &f, 1200, NULL));
	send_tcp("a1", 1, 2, 25, 0, 8);
	assert_true(next_within(l, &f, 1000, NULL));
	assert_false(live_event(l, &what, text));
	live_close(l);
	shell("ip link set c0 name a0");
}

/* More than the ring holds, and nobody reads: what is lost is counted, and the rest is whole. */
static void
drops_are_counted(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct capture_error err;
	struct live *l =
	    live_open(&(struct live_config){NAMES("a0"), .shares = 1, .buffer = 1u << 20}, &err);
	struct packet p;
	struct frame f;
	struct capture_stats s;
	assert_non_null(l);
	add_link(&p, ETHERNET, 0x0800, 0);
	add_ip4(&p, 0, 0, 6, 1, 2);
	add_ports(&p, 40000, 25);
	p.len = sizeof p.b;
	for (unsigned i = 0; i < 8000; i++)
		send_packet("a1", &p);
	unsigned seen = 0;
	while (next_within(l, &f, 300, NULL))
		seen++;
	live_stats_get(l, &s);
	assert_true(s.dropped > 0);
	assert_int_equal(seen + s.dropped, 8000);
	uint64_t dropped = s.dropped;
	live_stats_get(l, &s);
	assert_int_equal(s.dropped, dropped); /* asking does not forget */
	live_close(l);
}

static void
packets_are_cut_where_that_is_asked(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	struct live *l = open_live(&(struct live_config){NAMES("a0"), .snaplen = 50});
	struct frame f;
	struct capture_stats s;
	send_tcp("a1", 1, 2, 25, 0, 8);
	assert_true(next_within(l, &f, 1000, NULL));
	assert_int_equal(f.caplen, 50);
	assert_int_equal(f.wirelen, 59);
	live_stats_get(l, &s);
	assert_int_equal(s.cut, 1);
	assert_int_equal(s.captured, 50);
	assert_int_equal(s.wire, 59);
	live_close(l);
}

/* --- what a sandbox must allow --- */

/* Kills the process at any other call than those that live.h lists (and the end of it). */
static bool
forbid_the_rest(void)
{
	static const long allowed[] = {__NR_ppoll, __NR_getsockname, __NR_getsockopt, __NR_ioctl,
	    __NR_pread64, __NR_clock_gettime, __NR_exit_group,
#ifdef __NR_poll
	    __NR_poll
#endif
	};
	enum { COUNT = sizeof allowed / sizeof allowed[0] };
	struct sock_filter code[COUNT + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
	for (unsigned i = 0; i < COUNT; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    (uint32_t)allowed[i], (uint8_t)(COUNT - i), 0);
	code[COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[COUNT + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = {COUNT + 3, code};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Reads until an interface is gone; 0 where all came that was to come. */
static int
watch_in_sandbox(int ready)
{
	struct live *l = open_live(&(struct live_config){NAMES("a0", "b0")});
	struct frame f;
	struct capture_stats s;
	char text[CAPTURE_TEXT];
	enum live_change what;
	unsigned downs = 0, ups = 0;
	enum live_status status;
	if (write(ready, "", 1) != 1 || !forbid_the_rest())
		return 2;
	while ((status = live_next(l, &f)) != LIVE_GONE && status != LIVE_FAILED) {
		while (live_event(l, &what, text)) {
			downs +=
			    what == LIVE_DOWN; /* on its way up it may have no link for a moment */
			ups += what == LIVE_UP;
		}
		live_stats_get(l, &s);
		if (status == LIVE_IDLE)
			live_wait(l, 50);
	}
	return status == LIVE_GONE && downs >= 1 && ups == 1 && s.frames == 2 ? 0 : 3;
}

static void
calls_are_those_of_the_list(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	int ends[2], status;
	char c;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		(void)syscall(SYS_exit_group, /* sanitizers do more on the way of _exit */
		    watch_in_sandbox(ends[1]));
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	close(ends[0]);
	send_tcp("a1", 1, 2, 25, 0, 1);
	send_tcp("b1", 1, 2, 25, 0, 2);
	shell("ip link set a0 down");
	usleep(400000);
	shell("ip link set a0 up");
	usleep(1500000);
	shell("ip link del a0");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* --- what cannot be opened --- */

static void
expect_refusal(const struct live_config *config, const char *want)
{
	struct capture_error err;
	struct live_config c = *config;
	c.shares = 1;
	assert_null(live_open(&c, &err));
	assert_string_equal(err.text, want);
}

static void
refusals_say_why(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	expect_refusal(&(struct live_config){NAMES("a0", "b00")},
	    "b00: there is no such interface; did you mean b0?");
	shell("ip link set b1 down");
	expect_refusal(&(struct live_config){NAMES("b1")},
	    "b1: the interface is down: ip link set b1 up");
	expect_refusal(&(struct live_config){NAMES("a0"), .expression = "tcp prot 25"},
	    "a0: the capture filter cannot be used: can't parse filter expression: syntax error "
	    "(see pcap-filter(7))");
	struct capture_error err;
	assert_null(
	    live_open(&(struct live_config){NAMES("nowhere-to-be-seen"), .shares = 1}, &err));
	assert_non_null(
	    strstr(err.text, "nowhere-to-be-seen: there is no such interface; there are "));
	assert_non_null(strstr(err.text, "a0"));
}

static void
rights_are_asked_for(void **state)
{
	(void)state;
	NEEDS_NAMESPACE();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct capture_error err;
		bool well = setgid(65534) == 0 && setuid(65534) == 0 &&
		    live_open(&(struct live_config){NAMES("a0"), .shares = 1}, &err) == NULL &&
		    strcmp(err.text,
			"you may not capture on a0: run as root, or with CAP_NET_RAW") == 0;
		_exit(well ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define PAIRS_TEST(f) cmocka_unit_test_setup_teardown(f, make_pairs, drop_pairs)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PAIRS_TEST(frames_arrive_with_their_time),
	    PAIRS_TEST(a_block_is_not_waited_for),
	    PAIRS_TEST(filters_in_the_kernel),
	    PAIRS_TEST(filters_all_interfaces),
	    PAIRS_TEST(workers_share),
	    PAIRS_TEST(interfaces_are_merged),
	    PAIRS_TEST(down_is_waited_for),
	    PAIRS_TEST(gone_is_told),
	    PAIRS_TEST(a_renamed_interface_stays),
	    PAIRS_TEST(drops_are_counted),
	    PAIRS_TEST(packets_are_cut_where_that_is_asked),
	    PAIRS_TEST(calls_are_those_of_the_list),
	    PAIRS_TEST(refusals_say_why),
	    PAIRS_TEST(rights_are_asked_for),
	};
	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
