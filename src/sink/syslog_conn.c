/*
 * The connection to a syslog server: see syslog_conn.h.
 *
 *   PAUSED -> RESOLVING -> CONNECTING -> (SHAKING HANDS ->) UP -> PAUSED ...
 *
 * A round tries all addresses of the host, then pauses: 0.5 s, doubled each time up to 60 s, give
 * or take a fifth; the first acknowledgement makes it 0.5 s again.  Names are resolved anew for
 * each round but the first.
 *
 * What is delivered: a TCP peer acknowledges octets, and SIOCOUTQ says how many it has not yet; a
 * local daemon has read what SIOCOUTQ no longer counts (it counts more than the octets themselves,
 * which errs on the safe side).  A datagram over UDP counts as delivered when no ICMP error came
 * back within UDP_MS; after connecting, one goes ahead alone.  A peer that is gone without a word
 * shows by TCP_USER_TIMEOUT (30 s without acknowledgement) or keepalives (60 s).
 */
#include "sink/syslog_conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "sink/syslog_resolve.h"
#include "sink/syslog_tls.h"

#define PAUSE_MS     500	  /* the first pause */
#define PAUSE_MAX_MS 60000	  /* the longest */
#define CONNECT_MS   10000	  /* for connecting and the handshake, each address */
#define SILENT_MS    30000	  /* unacknowledged, after which a peer is gone */
#define UDP_MS	     200	  /* in which an ICMP error comes back */
#define BURST	     32		  /* datagrams over UDP sent in BURST_MS, so that no backlog */
#define BURST_MS     5		  /* overflows the receive buffer of its server (160 or so) */
#define STUCK_MS     1000	  /* without connection or acknowledgement: to the spool */
#define DOUBT_MS     10000	  /* for which what was delivered is kept, see queue_rewind */
#define SAY_MS	     60000	  /* between two messages about a server that stays away */
#define SAYINGS	     6		  /* outages that are told in that time; one more is not news */
#define GATHER	     16384u	  /* octets of messages that are sealed or sent at once */
#define TURN	     (256u << 10) /* octets sent in one tick at most */
#define FRAME	     (LIMIT_SYSLOG_MESSAGE + 8u)

enum state { PAUSED, RESOLVING, CONNECTING, SHAKING, UP };

struct syslog_conn {
	const struct syslog_url *url;
	enum state state;
	int fd;			/* -1: none */
	bool datagrams;		/* one message each, no framing */
	bool blocked;		/* the socket takes no more now */
	bool literal;		/* the host is an address */
	bool hurried;		/* no more pauses */
	bool said;		/* that the server is away */
	int64_t said_ms;	/* when */
	int64_t minute_ms;	/* beginning of the time of `sayings` */
	unsigned sayings;	/* outages that were told since */
	int64_t moved_ms;	/* when something was acknowledged last, or nothing was under way */
	int64_t away_ms;	/* since when it is away */
	int64_t until_ms;	/* PAUSED: when to go on; CONNECTING, SHAKING: when to give up */
	int64_t pause_ms;	/* the next pause */
	uint64_t jitter;	/* state of a generator of small differences */
	struct addrinfo *found; /* addresses of the host; NULL: to be resolved */
	struct addrinfo *next;	/* the one to try next */
	struct addrinfo *now;	/* the one tried */
	struct resolver *resolver;
	struct syslog_tls_setup *setup; /* tls */
	struct syslog_tls *tls;
	uint64_t produced;	/* octets of this connection for the peer, framed and sealed */
	uint64_t sent;		/* of them, those that the kernel took */
	uint64_t acked;		/* of them, those that were delivered */
	int64_t sent_ms;	/* when it took some last */
	uint64_t marked;	/* UDP: what was sent */
	int64_t marked_ms;	/*      at that time */
	unsigned burst;		/* UDP: datagrams sent since */
	int64_t burst_ms;	/*      that time */
	bool proven;		/* UDP: nothing speaks against the server */
	char cause[SINK_ERROR]; /* why the last try failed */
	size_t out_at, out_len; /* what of `out` is to be sent */
	char out[GATHER + FRAME];
};

struct syslog_conn *
syslog_conn_open(const struct syslog_url *u, char error[SINK_ERROR])
{
	struct syslog_conn *c = calloc(1, sizeof *c);
	const char *why;
	if (c == NULL) {
		snprintf(error, SINK_ERROR, "no memory for syslog");
		return NULL;
	}
	c->url = u;
	c->fd = -1;
	c->pause_ms = PAUSE_MS;
	c->jitter = (uint64_t)getpid() ^ (uint64_t)(uintptr_t)c;
	c->datagrams = u->transport == SYSLOG_UDP || u->transport == SYSLOG_UNIX;
	if (u->transport == SYSLOG_TLS && (c->setup = syslog_tls_setup(u, error)) == NULL) {
		free(c);
		return NULL;
	}
	c->literal =
	    strchr(u->host, ':') != NULL || strspn(u->host, "0123456789.") == strlen(u->host);
	if (u->transport != SYSLOG_UNIX)
		c->found = resolve_now(u->host, u->port,
		    u->transport == SYSLOG_UDP ? SOCK_DGRAM : SOCK_STREAM, &why);
	return c;
}

static void __attribute__((format(printf, 2, 3)))
set_cause(struct syslog_conn *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(c->cause, sizeof c->cause, fmt, ap);
	va_end(ap);
	(void)n; /* what does not fit is cut */
}

/* "192.0.2.1: " before a cause where the host has several addresses. */
static void
set_cause_errno(struct syslog_conn *c, const char *what, int error)
{
	char host[64] = "";
	if (c->now != NULL && (c->now != c->found || c->now->ai_next != NULL))
		(void)getnameinfo(c->now->ai_addr, c->now->ai_addrlen, host, sizeof host, NULL, 0,
		    NI_NUMERICHOST);
	set_cause(c, "%s%s%s%s%s", host, host[0] != '\0' ? ": " : "", what,
	    what[0] != '\0' ? ": " : "", strerror(error));
}

static void
hang_up(struct syslog_conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	syslog_tls_free(c->tls);
	c->tls = NULL;
	c->out_at = c->out_len = 0;
	c->produced = c->sent = c->acked = c->marked = 0;
	c->burst = 0;
	c->proven = c->blocked = false;
}

static void
pause_now(struct syslog_conn *c, int64_t now_ms)
{
	c->jitter = c->jitter * 6364136223846793005u + 1442695040888963407u;
	int64_t fifth = c->pause_ms / 5;
	c->until_ms =
	    now_ms + c->pause_ms - fifth + (int64_t)((c->jitter >> 33) % (uint64_t)(2 * fifth));
	c->pause_ms = c->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : c->pause_ms * 2;
	c->state = PAUSED;
	if (c->found != NULL && !c->literal) { /* they may have changed */
		freeaddrinfo(c->found);
		c->found = c->now = c->next = NULL;
	}
}

/* Says that the server is away, and why; not too often. */
static void
say_away(struct syslog_conn *c, const struct queue *q, int64_t now_ms)
{
	if (c->said && now_ms - c->said_ms < SAY_MS)
		return;
	if (now_ms - c->minute_ms >= SAY_MS) {
		c->minute_ms = now_ms;
		c->sayings = 0;
	}
	if (c->sayings++ >= SAYINGS)
		return;
	log_say("syslog %s: %s; messages are kept %s (%llu wait)", c->url->shown, c->cause,
	    q->spool != NULL ? "in the spool" : "in memory", (unsigned long long)queue_waiting(q));
	if (!c->said)
		c->away_ms = now_ms;
	c->said = true;
	c->said_ms = now_ms;
}

/* A try, or a connection, failed; c->cause says why.  `doubt`: not in due form. */
static void
fail(struct syslog_conn *c, struct queue *q, bool doubt, int64_t now_ms)
{
	bool was_up = c->state == UP;
	if (c->tls != NULL) { /* the alert that says why */
		size_t n = syslog_tls_take(c->tls, c->out, sizeof c->out);
		(void)!send(c->fd, c->out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	hang_up(c);
	queue_rewind(q, doubt && was_up && c->url->transport >= SYSLOG_TCP);
	if (!was_up && c->next != NULL) { /* the next address at once */
		c->state = CONNECTING;
		return;
	}
	say_away(c, q, now_ms);
	pause_now(c, now_ms);
	queue_set_away(q, true, now_ms);
}

static void
be_back(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	if (c->said)
		log_say("syslog %s: back after %lld s; %llu messages wait", c->url->shown,
		    (long long)((now_ms - c->away_ms) / 1000),
		    (unsigned long long)queue_waiting(q));
	c->said = false;
	queue_set_away(q, false, now_ms);
}

static void
connected(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	c->state = UP;
	c->moved_ms = now_ms;
	/* a socket of UDP is always connected: it is what comes back that counts */
	if (c->url->transport != SYSLOG_UDP)
		be_back(c, q, now_ms);
}

static void
set_options(const struct syslog_conn *c)
{
	int on = 1, idle = 30, interval = 10, count = 3;
	unsigned silent = SILENT_MS;
	if (c->datagrams || c->url->transport == SYSLOG_UNIX)
		return;
	(void)setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent, sizeof silent);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int
connect_unix(struct syslog_conn *c)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	memcpy(to.sun_path, c->url->socket, sizeof to.sun_path);
	return connect(c->fd, (struct sockaddr *)&to, sizeof to);
}

/* Opens a socket to the next address and begins to connect; false where that fails at once. */
static bool
begin_connecting(struct syslog_conn *c)
{
	int type = SOCK_NONBLOCK | SOCK_CLOEXEC, result;
	if (c->url->transport == SYSLOG_UNIX) {
		c->datagrams = true;
		c->fd = socket(AF_UNIX, SOCK_DGRAM | type, 0);
		result = c->fd >= 0 ? connect_unix(c) : -1;
		if (result != 0 && c->fd >= 0 && errno == EPROTOTYPE) {
			close(c->fd);
			c->datagrams = false;
			c->fd = socket(AF_UNIX, SOCK_STREAM | type, 0);
			result = c->fd >= 0 ? connect_unix(c) : -1;
		}
	} else {
		c->now = c->next;
		c->next = c->now->ai_next;
		c->fd = socket(c->now->ai_family, c->now->ai_socktype | type, c->now->ai_protocol);
		if (c->fd >= 0)
			set_options(c);
		result = c->fd >= 0 ? connect(c->fd, c->now->ai_addr, c->now->ai_addrlen) : -1;
	}
	if (result == 0 || errno == EINPROGRESS)
		return true;
	set_cause_errno(c, "", errno);
	return false;
}

static void
go_on_connecting(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	if (c->fd < 0) {
		c->until_ms = now_ms + CONNECT_MS;
		if (!begin_connecting(c)) {
			fail(c, q, false, now_ms);
			return;
		}
	}
	struct pollfd p = {.fd = c->fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof error;
	if (poll(&p, 1, 0) == 0) {
		if (now_ms < c->until_ms)
			return;
		error = ETIMEDOUT;
	} else if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
		error = errno;
	}
	if (error != 0) {
		set_cause_errno(c, "", error);
		fail(c, q, false, now_ms);
	} else if (c->setup == NULL) {
		connected(c, q, now_ms);
	} else if ((c->tls = syslog_tls_new(c->setup)) == NULL) {
		set_cause(c, "no memory for TLS");
		fail(c, q, false, now_ms);
	} else {
		c->state = SHAKING;
	}
}

/* Sends what is in `out`; false where the connection failed. */
static bool
send_out(struct syslog_conn *c, int64_t now_ms)
{
	while (c->out_len > 0) {
		ssize_t n = send(c->fd, c->out + c->out_at, c->out_len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) {
			c->blocked = true;
			return true;
		}
		if (n < 0) {
			set_cause_errno(c, "", errno);
			return false;
		}
		c->sent += (uint64_t)n;
		c->sent_ms = now_ms;
		c->out_at += (size_t)n;
		c->out_len -= (size_t)n;
	}
	c->out_at = 0;
	return true;
}

/* Takes sealed octets into `out`, behind which there is room, and sends them. */
static bool
send_sealed(struct syslog_conn *c, int64_t now_ms)
{
	while (!c->blocked && (c->out_len > 0 || syslog_tls_pending(c->tls) > 0)) {
		if (c->out_len == 0) {
			c->out_at = 0;
			c->out_len = syslog_tls_take(c->tls, c->out, sizeof c->out);
			c->produced += c->out_len;
		}
		if (!send_out(c, now_ms))
			return false;
	}
	return true;
}

enum heard { NOTHING_NEW, CLOSED, BROKEN };

/* Reads what the peer says, which is of no interest but to TLS. */
static enum heard
hear(struct syslog_conn *c)
{
	char buf[8192];
	for (unsigned i = 0; i < 8; i++) {
		ssize_t n = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return NOTHING_NEW;
		if (n < 0) {
			set_cause_errno(c, "", errno);
			return BROKEN;
		}
		if (n == 0 && !c->datagrams) {
			set_cause(c, "closed by the server");
			return CLOSED;
		}
		if (c->tls != NULL)
			syslog_tls_put(c->tls, buf, (size_t)n);
	}
	return NOTHING_NEW;
}

static void
shake_hands(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	enum heard heard = hear(c);
	enum syslog_tls_state state = syslog_tls_go_on(c->tls);
	c->blocked = false;
	if (state == SYSLOG_TLS_FAILED) {
		set_cause(c, "%s", syslog_tls_cause(c->tls));
	} else if (heard == CLOSED) {
		set_cause(c, "closed by the server during the TLS handshake");
	} else if (heard == NOTHING_NEW && send_sealed(c, now_ms)) {
		if (state == SYSLOG_TLS_UP)
			connected(c, q, now_ms);
		if (state == SYSLOG_TLS_UP || now_ms < c->until_ms)
			return;
		set_cause(c, "no end of the TLS handshake within %d s", CONNECT_MS / 1000);
	}
	fail(c, q, false, now_ms);
}

/* UDP: the octets that were sent UDP_MS ago. */
static uint64_t
old_enough(struct syslog_conn *c, int64_t now_ms)
{
	uint64_t acked = c->acked;
	if (c->marked > acked && now_ms - c->marked_ms < UDP_MS)
		return acked;
	acked = c->marked;
	if (c->sent > c->marked) {
		c->marked = c->sent;
		c->marked_ms = now_ms;
	}
	return acked;
}

/* Notes what was delivered; false where the peer is gone. */
static bool
note_acks(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	int waits = 0;
	uint64_t acked = c->acked;
	if (c->url->transport == SYSLOG_UDP)
		acked = old_enough(c, now_ms);
	else if (ioctl(c->fd, SIOCOUTQ, &waits) == 0)
		acked = c->sent > (uint64_t)waits ? c->sent - (uint64_t)waits : 0;
	if (acked <= c->acked)
		return true;
	/* what a local daemon had not read when it ended no longer waits either, and the socket
	 * does not say so: connecting again does */
	if (c->url->transport == SYSLOG_UNIX && c->datagrams && connect_unix(c) != 0) {
		set_cause_errno(c, "", errno);
		return false;
	}
	c->acked = acked;
	c->moved_ms = now_ms;
	c->pause_ms = PAUSE_MS;
	queue_acked(q, acked);
	if (!c->proven && c->url->transport == SYSLOG_UDP)
		be_back(c, q, now_ms);
	c->proven = true;
	return true;
}

static size_t
frame(const struct syslog_conn *c, const struct message *m, char *out)
{
	size_t n = 0;
	if (!c->datagrams && c->url->transport != SYSLOG_UNIX && !c->url->lines)
		n = (size_t)sprintf(out, "%u ", m->len);
	memcpy(out + n, m->text, m->len);
	n += m->len;
	if (!c->datagrams && (c->url->lines || c->url->transport == SYSLOG_UNIX))
		out[n++] = '\n';
	return n;
}

/* Frames messages into `out`, or seals them: some at once.  False where that fails. */
static bool
gather(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	struct message *first = queue_next(q), *m;
	size_t n = 0;
	while ((m = queue_next(q)) != NULL && n < GATHER) {
		size_t len = frame(c, m, c->out + n);
		if (c->tls != NULL && n > 0 && n + len > GATHER)
			break;
		n += len;
		queue_sent(q, c->produced + n, now_ms);
	}
	c->out_at = 0;
	if (c->tls == NULL) {
		c->out_len = n;
		c->produced += n;
		return true;
	}
	if (!syslog_tls_seal(c->tls, c->out, n)) {
		set_cause(c, "%s", syslog_tls_cause(c->tls));
		return false;
	}
	uint64_t end = c->produced + syslog_tls_pending(c->tls);
	for (m = first; m != q->unsent; m = m->next)
		m->end = end;
	return true;
}

/* UDP: one datagram goes ahead, alone; later there are some in each BURST_MS. */
static bool
has_to_wait(const struct syslog_conn *c)
{
	return c->url->transport == SYSLOG_UDP &&
	    ((!c->proven && c->sent > 0) || c->burst >= BURST);
}

/* Sends datagrams; false where the connection failed. */
static bool
send_datagrams(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	uint64_t until = c->sent + TURN;
	struct message *m;
	if (now_ms - c->burst_ms >= BURST_MS) {
		c->burst_ms = now_ms;
		c->burst = 0;
	}
	while (c->sent < until && (m = queue_next(q)) != NULL) {
		if (has_to_wait(c))
			return true;
		ssize_t n = send(c->fd, m->text, m->len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EMSGSIZE) {
			if (q->unsent != q->unacked)
				return true;
			queue_refuse(q, now_ms);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) {
			c->blocked = true;
			return true;
		}
		if (n < 0) {
			set_cause_errno(c, "", errno);
			return false;
		}
		c->sent += m->len;
		c->sent_ms = now_ms;
		c->burst++;
		queue_sent(q, c->sent, now_ms);
	}
	return true;
}

static bool
send_stream(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	uint64_t until = c->sent + TURN;
	for (;;) {
		if (c->tls != NULL ? !send_sealed(c, now_ms) : !send_out(c, now_ms))
			return false;
		if (c->blocked || c->sent >= until || queue_next(q) == NULL)
			return true;
		if (!gather(c, q, now_ms))
			return false;
	}
}

static void
stay_up(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	enum heard heard = hear(c);
	enum syslog_tls_state tls =
	    c->tls != NULL && heard != BROKEN ? syslog_tls_go_on(c->tls) : SYSLOG_TLS_UP;
	if (tls == SYSLOG_TLS_FAILED) {
		set_cause(c, "%s", syslog_tls_cause(c->tls));
		heard = BROKEN;
	} else if (tls == SYSLOG_TLS_CLOSED) {
		set_cause(c, "closed by the server");
		heard = CLOSED;
	}
	if (heard != BROKEN && !note_acks(c, q, now_ms))
		heard = BROKEN;
	if (heard != NOTHING_NEW) {
		fail(c, q, heard != CLOSED, now_ms);
		return;
	}
	c->blocked = false;
	if (!(c->datagrams ? send_datagrams(c, q, now_ms) : send_stream(c, q, now_ms)) ||
	    !note_acks(c, q, now_ms)) {
		fail(c, q, true, now_ms);
		return;
	}
	queue_forget(q, now_ms - DOUBT_MS);
	if (c->acked == c->sent && c->out_len == 0)
		c->moved_ms = now_ms;
	else if (!q->away && now_ms - c->moved_ms >= STUCK_MS)
		queue_set_away(q, true, now_ms);
	if (q->away && now_ms - c->moved_ms < STUCK_MS &&
	    (c->proven || c->url->transport != SYSLOG_UDP))
		queue_set_away(q, false, now_ms);
}

/* Begins a round of tries, or asks for the addresses first. */
static void
begin_round(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	c->next = c->found;
	if (c->found != NULL || c->url->transport == SYSLOG_UNIX) {
		c->state = CONNECTING;
		return;
	}
	c->resolver = resolver_start(c->url->host, c->url->port,
	    c->url->transport == SYSLOG_UDP ? SOCK_DGRAM : SOCK_STREAM);
	c->state = RESOLVING;
	if (c->resolver == NULL) {
		set_cause(c, "no thread to resolve the name in");
		fail(c, q, false, now_ms);
	}
}

void
syslog_conn_tick(struct syslog_conn *c, struct queue *q, int64_t now_ms)
{
	const char *why;
	enum state before;
	unsigned steps = 0;
	if (c->moved_ms == 0)
		c->moved_ms = now_ms;
	do {
		before = c->state;
		switch (c->state) {
		case PAUSED:
			if (now_ms >= c->until_ms)
				begin_round(c, q, now_ms);
			break;
		case RESOLVING:
			if (!resolver_done(c->resolver, &c->found, &why))
				break;
			c->resolver = NULL;
			c->next = c->found;
			if (c->found != NULL) {
				c->state = CONNECTING;
			} else {
				set_cause(c, "the name cannot be resolved: %s", why);
				fail(c, q, false, now_ms);
			}
			break;
		case CONNECTING: go_on_connecting(c, q, now_ms); break;
		case SHAKING: shake_hands(c, q, now_ms); break;
		case UP: stay_up(c, q, now_ms); break;
		}
	} while (c->state != PAUSED &&
	    (c->state != before || (c->state == CONNECTING && c->fd < 0)) &&
	    ++steps < 2 * LIMIT_SYSLOG_ADDRESSES);
	if (c->state != UP && !q->away && now_ms - c->moved_ms >= STUCK_MS)
		queue_set_away(q, true, now_ms);
}

void
syslog_conn_wait(const struct syslog_conn *c, const struct queue *q, int64_t now_ms,
    struct sink_wait *w)
{
	int64_t left = c->until_ms - now_ms;
	bool more = queue_ready(q) || c->out_len > 0;
	*w = (struct sink_wait){.fd = c->fd, .timeout_ms = -1};
	switch (c->state) {
	case PAUSED:
	case CONNECTING:
	case SHAKING:
		if (c->state != PAUSED && !q->away && left > STUCK_MS)
			left = STUCK_MS;
		w->events = c->state == CONNECTING || c->blocked ? POLLOUT : POLLIN;
		w->timeout_ms = (int)(left < 0 ? 0 : left);
		break;
	case RESOLVING: w->timeout_ms = 20; break;
	case UP:
		w->events = (short)(POLLIN | (more && !has_to_wait(c) ? POLLOUT : 0));
		if (c->acked < c->sent)
			w->timeout_ms = now_ms - c->sent_ms < 1000 ? 20 : 200;
		if (more && c->url->transport == SYSLOG_UDP && c->burst >= BURST)
			w->timeout_ms = BURST_MS;
		break;
	}
}

bool
syslog_conn_up(const struct syslog_conn *c)
{
	return c->state == UP && (c->proven || c->url->transport != SYSLOG_UDP || !c->said);
}

void
syslog_conn_hurry(struct syslog_conn *c)
{
	c->hurried = true;
	if (c->state == PAUSED)
		c->until_ms = 0;
}

bool
syslog_conn_hopes(const struct syslog_conn *c)
{
	return !c->hurried || c->state != PAUSED || c->until_ms == 0;
}

void
syslog_conn_close(struct syslog_conn *c)
{
	if (c == NULL)
		return;
	if (c->state == UP && c->tls != NULL && c->out_len == 0) {
		syslog_tls_bye(c->tls);
		size_t n = syslog_tls_take(c->tls, c->out, sizeof c->out);
		(void)!send(c->fd, c->out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	hang_up(c);
	resolver_drop(c->resolver);
	if (c->found != NULL)
		freeaddrinfo(c->found);
	syslog_tls_setup_free(c->setup);
	free(c);
}
