/*
 * Live interfaces: see live.h.
 *
 * libpcap copies the frame that pcap_next_ex hands out (its block of the ring may be the kernel's
 * again by then), so each interface can hold one frame, its head, and the earliest head goes first.
 * An interface without one was empty at a known time; whatever the kernel had by LIVE_HOLD_MS
 * before that was seen, so a head that is older is due.  Heads of the future (a clock that was set
 * back) do not wait.
 *
 * pcap_stats opens files each time, which a sandbox forbids: what it does is done here, with files
 * that live_open opened.
 */
#include "capture/live.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/nearest.h"
#include "base/now.h"
#include "base/text.h"
#include "capture/kernel.h"

#define NS_OF_S	   1000000000ll
#define NS_OF_MS   1000000ll
#define HOLD_NS	   (LIVE_HOLD_MS * NS_OF_MS)
#define CHECK_NS   NS_OF_S /* between two looks at an interface's state */
#define EVENTS	   32u	   /* that wait to be taken; the oldest goes */
#define NAMES	   64u	   /* interfaces that are named in a message */
#define LOSS_FILES 2u

enum state { STATE_UP, STATE_NO_LINK, STATE_DOWN };

struct interface {
	char *name;	      /* owned */
	pcap_t *pcap;	      /* owned */
	int fd;		      /* its socket */
	int index;	      /* the kernel's number; 0: all of them */
	uint32_t link_type;   /* LINKTYPE_ value */
	int64_t unit_ns;      /* ns of one unit of a stamp's fraction */
	struct frame head;    /* read and not handed out, where `held` */
	int64_t empty_ns;     /* when it had no frame, real time; 0: not asked yet */
	int64_t checked_ns;   /* when its state was looked at, monotonic time; 0: look now */
	int64_t gone_ns;      /* when it was found to be gone, monotonic time; 0: it is there */
	int64_t last_ns;      /* time of the frame read last */
	uint64_t dropped;     /* by the kernel, as far as it was asked */
	uint64_t lost_before; /* what the interface had lost when it was opened */
	uint64_t lost;	      /* since then */
	int loss[LOSS_FILES]; /* the kernel's files that say so; -1: none */
	enum state state;
	bool held; /* `head` is a frame */
	bool gone; /* and read no more */
};

struct event {
	enum live_change what;
	char text[CAPTURE_TEXT];
};

struct live {
	struct interface interfaces[LIMIT_LIVE_INTERFACES];
	size_t count;
	size_t alive;		/* not gone */
	struct interface *last; /* whose frame was handed out last */
	int64_t due_ns;		/* real time when the head that waits is due; 0: none waits */
	bool untold;		/* an interface is gone, and LIVE_GONE was not given for it */
	bool failed;
	struct capture_stats stats;
	struct event events[EVENTS];
	size_t event_first, event_count;
};

/* --- events --- */

static void __attribute__((format(printf, 4, 5)))
note(struct live *l, const struct interface *in, enum live_change what, const char *fmt, ...)
{
	size_t at = (l->event_first + l->event_count) % EVENTS;
	if (l->event_count == EVENTS)
		l->event_first = (l->event_first + 1) % EVENTS;
	else
		l->event_count++;
	struct event *e = &l->events[at];
	e->what = what;
	va_list args;
	va_start(args, fmt);
	int n = snprintf(e->text, sizeof e->text, "%s: ", in->name);
	if (n >= 0 && (size_t)n < sizeof e->text)
		vsnprintf(e->text + n, sizeof e->text - (size_t)n, fmt, args);
	va_end(args);
}

bool
live_event(struct live *l, enum live_change *what, char text[CAPTURE_TEXT])
{
	if (l->event_count == 0)
		return false;
	const struct event *e = &l->events[l->event_first];
	memcpy(text, e->text, sizeof e->text);
	*what = e->what;
	l->event_first = (l->event_first + 1) % EVENTS;
	l->event_count--;
	return true;
}

size_t
live_count(const struct live *l)
{
	return l->alive;
}

/* --- opening --- */

/* The LINKTYPE_ value of the platform's DLT_ value: see dlt_of in filter.c. */
static uint32_t
link_type_of(int dlt)
{
	switch (dlt) {
	case DLT_RAW: return 101;
	case DLT_ATM_RFC1483: return 100;
	case DLT_ATM_CLIP: return 106;
	default: return (uint32_t)dlt;
	}
}

static void
say_names(const char *name, struct text *t)
{
	char why[PCAP_ERRBUF_SIZE];
	const char *names[NAMES];
	size_t n = 0;
	pcap_if_t *list = NULL;
	if (pcap_findalldevs(&list, why) != 0 || list == NULL)
		return;
	for (const pcap_if_t *i = list; i != NULL && n < NAMES; i = i->next)
		if (if_nametoindex(i->name) != 0 || strcmp(i->name, "any") == 0)
			names[n++] = i->name;
	size_t best = nearest(name, strlen(name), names, n);
	if (best < n) {
		text_printf(t, "; did you mean %s?", names[best]);
	} else {
		for (size_t i = 0; i < n; i++)
			text_printf(t, "%s%s", i == 0 ? "; there are " : ", ", names[i]);
	}
	pcap_freealldevs(list);
}

/* Why libpcap did not open it, and what to do. */
static void
explain(const struct interface *in, int status, struct text *t)
{
	const char *said = pcap_geterr(in->pcap);
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		text_printf(t, "you may not capture on %s: run as root, or with CAP_NET_RAW",
		    in->name);
		break;
	case PCAP_ERROR_NO_SUCH_DEVICE:
		text_printf(t, "%s: there is no such interface", in->name);
		say_names(in->name, t);
		break;
	case PCAP_ERROR_IFACE_NOT_UP:
		text_printf(t, "%s: the interface is down: ip link set %s up", in->name, in->name);
		break;
	default:
		text_printf(t, "%s: the interface cannot be opened: %s", in->name,
		    said[0] != '\0' ? said : pcap_statustostr(status));
	}
}

static bool
install_filter(struct interface *in, const struct live_config *c, struct text *t)
{
	struct bpf_program expression, whole;
	struct kernel_filter k = {.link_type = in->link_type,
	    .ports = c->ports,
	    .port_count = c->port_count,
	    .all_ports = c->all_ports,
	    .share = c->share,
	    .shares = c->shares};
	if (c->expression != NULL) {
		if (pcap_compile(in->pcap, &expression, c->expression, 1, PCAP_NETMASK_UNKNOWN) !=
		    0) {
			text_printf(t,
			    "%s: the capture filter cannot be used: %s (see pcap-filter(7))",
			    in->name, pcap_geterr(in->pcap));
			return false;
		}
		k.expression = &expression;
	}
	char said[256];
	struct text why = text_in(said, sizeof said);
	bool good = kernel_filter_build(&k, &whole, &why);
	if (good) {
		good = pcap_setfilter(in->pcap, &whole) == 0;
		if (!good)
			text_puts(&why, pcap_geterr(in->pcap));
		free(whole.bf_insns);
	}
	if (c->expression != NULL)
		pcap_freecode(&expression);
	if (!good)
		text_printf(t, "%s: the kernel filter cannot be used: %s", in->name, said);
	return good;
}

/* What the interface says it lost for want of room; what it says is read by position. */
static uint64_t
read_losses(const struct interface *in)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < LOSS_FILES; i++) {
		char digits[24];
		if (in->loss[i] < 0)
			continue;
		ssize_t n = pread(in->loss[i], digits, sizeof digits - 1, 0);
		if (n <= 0)
			continue;
		digits[n] = '\0';
		sum += strtoull(digits, NULL, 10);
	}
	return sum;
}

static void
open_losses(struct interface *in)
{
	static const char *const names[LOSS_FILES] = {"rx_missed_errors", "rx_fifo_errors"};
	for (unsigned i = 0; i < LOSS_FILES; i++) {
		char path[128];
		int n = snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", in->name,
		    names[i]);
		if (in->index != 0 && n > 0 && (size_t)n < sizeof path)
			in->loss[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	in->lost_before = read_losses(in);
}

static bool check_state(struct live *l, struct interface *in);

static bool
open_interface(struct live *l, struct interface *in, const struct live_config *c, struct text *t)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	bool all = strcmp(in->name, "any") == 0;
	in->pcap = pcap_create(in->name, why);
	if (in->pcap == NULL) {
		text_printf(t, "%s: the interface cannot be opened: %s", in->name, why);
		return false;
	}
	uint64_t buffer = c->buffer > 0 ? c->buffer : LIVE_BUFFER;
	uint32_t snaplen = c->snaplen > 0 ? c->snaplen : LIVE_SNAPLEN;
	pcap_set_snaplen(in->pcap, snaplen < LIVE_SNAPLEN ? (int)snaplen : (int)LIVE_SNAPLEN);
	pcap_set_promisc(in->pcap, !c->no_promiscuous && !all); /* "any" cannot be */
	pcap_set_timeout(in->pcap, LIVE_BLOCK_MS);
	pcap_set_buffer_size(in->pcap, buffer < INT_MAX ? (int)buffer : INT_MAX);
	(void)pcap_set_tstamp_precision(in->pcap, PCAP_TSTAMP_PRECISION_NANO);
	int status = pcap_activate(in->pcap);
	if (status < 0) {
		explain(in, status, t);
		return false;
	}
	if (status > 0)
		note(l, in, LIVE_NOTE, "%s",
		    status == PCAP_WARNING ? pcap_geterr(in->pcap) : pcap_statustostr(status));
	in->fd = pcap_get_selectable_fd(in->pcap);
	struct sockaddr_ll addr = {0};
	socklen_t len = sizeof addr;
	if (getsockname(in->fd, (struct sockaddr *)&addr, &len) != 0 ||
	    addr.sll_family != AF_PACKET) {
		text_printf(t, "%s is not a network interface", in->name);
		return false;
	}
	in->index = addr.sll_ifindex;
	in->link_type = link_type_of(pcap_datalink(in->pcap));
	in->unit_ns = pcap_get_tstamp_precision(in->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
	if (!install_filter(in, c, t))
		return false;
	if (pcap_setnonblock(in->pcap, 1, why) != 0) {
		text_printf(t, "%s: %s", in->name, why);
		return false;
	}
	open_losses(in);
	(void)check_state(l, in);
	return true;
}

struct live *
live_open(const struct live_config *config, struct capture_error *err)
{
	struct text t = text_in(err->text, sizeof err->text);
	struct live *l = calloc(1, sizeof *l);
	if (l == NULL) {
		text_puts(&t, "no memory for the interfaces");
		return NULL;
	}
	bool good = true;
	for (size_t i = 0; i < config->count && i < LIMIT_LIVE_INTERFACES && good; i++) {
		struct interface *in = &l->interfaces[l->count++];
		l->alive++;
		*in = (struct interface){.fd = -1, .loss = {-1, -1}};
		in->name = strdup(config->interfaces[i]);
		if (in->name == NULL)
			text_puts(&t, "no memory for the interfaces");
		good = in->name != NULL && open_interface(l, in, config, &t);
		if (good || in->name == NULL || !config->some_suffice)
			continue;
		good = in->gone = true;
		l->alive--;
		note(l, in, LIVE_LOST, "the interface is not there; waiting for it");
		if (l->alive > 0 || i + 1 < config->count)
			t = text_in(err->text, sizeof err->text);
	}
	if (!good || l->alive == 0) {
		live_close(l);
		return NULL;
	}
	l->stats.first_ns = INT64_MAX;
	l->stats.last_ns = INT64_MIN;
	return l;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++) {
		struct interface *in = &l->interfaces[i];
		if (in->pcap != NULL)
			pcap_close(in->pcap);
		for (unsigned k = 0; k < LOSS_FILES; k++)
			if (in->loss[k] >= 0)
				close(in->loss[k]);
		free(in->name);
	}
	free(l);
}

/* --- the state of an interface --- */

/* Looks at the interface and notes what has changed; false where it is gone. */
static bool
check_state(struct live *l, struct interface *in)
{
	static const char *const texts[] = {[STATE_UP] = "the interface is up again",
	    [STATE_NO_LINK] = "the interface has no link; waiting for it",
	    [STATE_DOWN] = "the interface is down; waiting for it"};
	struct ifreq request = {.ifr_ifindex = in->index};
	in->checked_ns = now_monotonic_ns();
	if (in->index == 0)
		return true;
	/* its name may have changed since it was opened; its number has not */
	if (ioctl(in->fd, SIOCGIFNAME, &request) != 0)
		return errno != ENODEV;
	if (ioctl(in->fd, SIOCGIFFLAGS, &request) != 0)
		return errno != ENODEV;
	enum state now = (request.ifr_flags & IFF_UP) == 0 ? STATE_DOWN
	    : (request.ifr_flags & IFF_RUNNING) == 0	   ? STATE_NO_LINK
							   : STATE_UP;
	if (now != in->state)
		note(l, in, now == STATE_UP ? LIVE_UP : LIVE_DOWN, "%s", texts[now]);
	in->state = now;
	return true;
}

static bool
is_check_due(const struct interface *in)
{
	return in->checked_ns == 0 || now_monotonic_ns() - in->checked_ns >= CHECK_NS;
}

/* An interface that is not there and has no frame; the last ones of the kernel's may be in a block
 * that is not handed on yet. */
static void
wait_or_give_up(struct live *l, struct interface *in)
{
	int64_t now = now_monotonic_ns();
	if (in->gone_ns == 0)
		in->gone_ns = now;
	if (now - in->gone_ns < HOLD_NS)
		return;
	in->gone = true;
	l->untold = true;
	l->alive--;
	note(l, in, LIVE_LOST, "the interface is gone");
}

/* --- reading --- */

static void
take_head(struct interface *in, const struct pcap_pkthdr *h, const uint8_t *data)
{
	in->head = (struct frame){.data = data,
	    .caplen = h->caplen,
	    .wirelen = h->len > h->caplen ? h->len : h->caplen,
	    .ts_ns = h->ts.tv_sec * NS_OF_S + h->ts.tv_usec * in->unit_ns,
	    .link_type = in->link_type};
	in->held = true;
}

/* Reads the head of an interface that has none. */
static void
fetch(struct live *l, struct interface *in)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int status = pcap_next_ex(in->pcap, &h, &data);
	if (status == 1) {
		take_head(in, h, data);
		l->stats.steps_back += in->head.ts_ns < in->last_ns;
		in->last_ns = in->head.ts_ns;
		if (in->state != STATE_UP && is_check_due(in))
			(void)check_state(l, in);
		return;
	}
	in->empty_ns = now_real_ns();
	if (status == 0 && in->gone_ns == 0 && !is_check_due(in))
		return;
	if (!check_state(l, in)) {
		wait_or_give_up(l, in);
	} else if (status != 0 && in->state != STATE_DOWN) {
		note(l, in, LIVE_NOTE, "reading failed: %s", pcap_geterr(in->pcap));
		l->failed = true;
	}
}

/* The interface with the earliest head; NULL where there is none. */
static struct interface *
earliest(struct live *l)
{
	struct interface *first = NULL;
	for (size_t i = 0; i < l->count; i++) {
		struct interface *in = &l->interfaces[i];
		if (in->held && (first == NULL || in->head.ts_ns < first->head.ts_ns))
			first = in;
	}
	return first;
}

/* Asks the interfaces without a head that may have an earlier one than `first`: the earliest then.
 */
static struct interface *
ask_others(struct live *l, struct interface *first)
{
	for (size_t i = 0; i < l->count; i++) {
		struct interface *in = &l->interfaces[i];
		if (in->held || in->gone)
			continue;
		if (first != NULL && first->head.ts_ns <= in->empty_ns - HOLD_NS)
			continue;
		fetch(l, in);
		if (in->held && (first == NULL || in->head.ts_ns < first->head.ts_ns))
			first = in;
	}
	return first;
}

/* May an interface without a head still give one that is earlier? */
static bool
must_wait(const struct live *l, const struct interface *first)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct interface *in = &l->interfaces[i];
		if (!in->held && !in->gone && first->head.ts_ns > in->empty_ns - HOLD_NS)
			return true;
	}
	return false;
}

static void
hand_out(struct live *l, struct interface *in, struct frame *f)
{
	struct capture_stats *s = &l->stats;
	*f = in->head;
	in->held = false;
	l->last = in;
	capture_stats_count(s, f, 1);
	f->number = s->frames;
}

enum live_status
live_next(struct live *l, struct frame *f)
{
	l->due_ns = 0;
	if (!l->failed && l->last != NULL && !l->last->held && !l->last->gone)
		fetch(l, l->last);
	struct interface *first = earliest(l);
	if (!l->failed && (first == NULL || l->alive > 1))
		first = ask_others(l, first);
	if (l->failed)
		return LIVE_FAILED;
	if (l->untold) {
		l->untold = false;
		return LIVE_GONE;
	}
	if (first == NULL)
		return l->alive > 0 ? LIVE_IDLE : LIVE_GONE;
	if (must_wait(l, first) && first->head.ts_ns <= now_real_ns()) {
		l->due_ns = first->head.ts_ns + HOLD_NS;
		return LIVE_IDLE;
	}
	hand_out(l, first, f);
	return LIVE_FRAME;
}

void
live_wait(struct live *l, int timeout_ms)
{
	struct pollfd fds[LIMIT_LIVE_INTERFACES];
	struct interface *whose[LIMIT_LIVE_INTERFACES];
	nfds_t n = 0;
	for (size_t i = 0; i < l->count; i++) {
		struct interface *in = &l->interfaces[i];
		if (in->held || in->gone)
			continue;
		whose[n] = in;
		fds[n++] = (struct pollfd){.fd = in->fd, .events = POLLIN};
	}
	if (l->due_ns != 0) {
		int64_t left_ms = (l->due_ns - now_real_ns()) / NS_OF_MS + 1;
		if (left_ms < 0)
			left_ms = 0;
		if (left_ms < timeout_ms)
			timeout_ms = (int)left_ms;
	}
	if (poll(fds, n, timeout_ms) <= 0)
		return;
	for (nfds_t i = 0; i < n; i++)
		if ((fds[i].revents & ~POLLIN) != 0)
			whose[i]->checked_ns = 0;
}

void
live_stats_get(struct live *l, struct capture_stats *out)
{
	*out = l->stats;
	if (out->frames == 0)
		out->first_ns = out->last_ns = 0;
	for (size_t i = 0; i < l->count; i++) {
		struct interface *in = &l->interfaces[i];
		struct tpacket_stats since; /* the kernel counts anew each time it is asked */
		socklen_t len = sizeof since;
		if (getsockopt(in->fd, SOL_PACKET, PACKET_STATISTICS, &since, &len) == 0)
			in->dropped += since.tp_drops;
		uint64_t lost = read_losses(in);
		if (lost > in->lost_before && lost - in->lost_before > in->lost)
			in->lost = lost - in->lost_before;
		out->dropped += in->dropped;
		out->interface_dropped += in->lost;
	}
}
