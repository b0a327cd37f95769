/* The workers of a run: see workers.h. */
#include "app/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/keeper.h"
#include "base/now.h"

#define LIVED_MS      2000 /* after which a worker's death is not one at the start */
#define DELAY_MOST_MS 5000

struct worker {
	pid_t pid;	    /* 0: not running */
	int stat;	    /* descriptor of its /proc/PID/stat; -1: not to be had */
	int status;	    /* of waitpid(2), once it is `dead` */
	int64_t started_ms; /* when */
	int64_t again_ms;   /* when it is to be started; 0: not */
	int64_t delay_ms;   /* before it is started again, if it dies at the start */
	uint64_t ticks;	    /* of the processor, soon after it was heard last */
	int64_t looked_ms;  /* when that was */
	uint32_t lacks;	    /* bits: interfaces that are gone, for this one */
	bool dead;	    /* the process has ended */
	bool lost;	    /* its pipe has, without a last word */
	bool asked;	    /* the keeper was asked to start it */
	bool killed;	    /* by us: it hung, or sent nonsense */
	bool hung;
	bool waits;	 /* for an interface: it is tried again in silence */
	bool recalled;	 /* we asked it to end, since an interface is back */
	bool over;	 /* it will not be started again */
	unsigned faults; /* lines about the input that it has said */
};

struct workers {
	struct spawn *spawn;
	struct crew crew;
	struct worker worker[LIMIT_WORKERS];
	int keeper; /* socket; -1: files */
	pid_t keeper_pid;
	int64_t now_ms;
	uint64_t restarts;
	bool begun;    /* one of them has ever run */
	bool stopping; /* nobody is started again */
	bool failed;   /* reading cannot go on */
	bool keeper_gone;
	bool missing[LIMIT_LIVE_INTERFACES]; /* interfaces that are gone */
	int64_t look_ms;		     /* when it is looked whether they are back */
	int64_t stopped_ms;		     /* when they were asked to end last */
	unsigned faults;		     /* lines about the input that were handed out */
	char why[CAPTURE_TEXT];		     /* what a worker said before it gave up */
	char trouble[CAPTURE_TEXT];	     /* what ends the run, to be handed out; "": nothing */
};

static bool
is_live(const struct workers *w)
{
	return w->keeper >= 0;
}

/* ---- starting ---- */

/* Worker `i` runs, as process `pid`; `fd` is its bell. */
static void
welcome(struct workers *w, unsigned i, pid_t pid, int fd)
{
	struct worker *k = &w->worker[i];
	char path[64];
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	*k = (struct worker){.pid = pid,
	    .stat = open(path, O_RDONLY | O_CLOEXEC),
	    .started_ms = w->now_ms,
	    .delay_ms = k->delay_ms,
	    .waits = k->waits};
	crew_join(&w->crew, i, w->spawn->ring[i], fd, w->now_ms);
}

struct workers *
workers_open(struct spawn *s, char error[256])
{
	struct workers *w = calloc(1, sizeof *w);
	if (w == NULL) {
		snprintf(error, 256, "no memory for the workers");
		return NULL;
	}
	w->spawn = s;
	w->keeper = -1;
	w->now_ms = now_monotonic_ms();
	crew_init(&w->crew, s->workers, s->files != NULL);
	for (unsigned i = 0; i < s->workers; i++)
		w->worker[i].stat = -1;
	if (!spawn_open(s)) {
		snprintf(error, 256, "no memory for the workers");
		free(w);
		return NULL;
	}
	if (s->files == NULL) {
		w->keeper = keeper_fork(s, &w->keeper_pid);
		bool good = w->keeper >= 0;
		for (unsigned i = 0; good && i < s->workers; i++) {
			good = keeper_start(w->keeper, i);
			w->worker[i].asked = true;
		}
		if (good)
			return w;
	} else {
		bool good = true;
		for (unsigned i = 0; good && i < s->workers; i++) {
			int fd = -1;
			pid_t pid = spawn_worker(s, i, &fd);
			good = pid > 0;
			if (good)
				welcome(w, i, pid, fd);
		}
		if (good)
			return w;
	}
	snprintf(error, 256, "a worker process cannot be started: %s", strerror(errno));
	workers_close(w);
	return NULL;
}

/* Starts it anew after `delay_ms`, unless that is over. */
static void
start_again(struct workers *w, unsigned i, int64_t delay_ms)
{
	struct worker *k = &w->worker[i];
	if (!is_live(w) || w->stopping || w->keeper_gone)
		k->over = true;
	else
		k->again_ms = w->now_ms + delay_ms;
}

/* ---- watching ---- */

/* State and processor time of a process (proc(5)); false where that is not to be known. */
static bool
look_at(const struct worker *k, char *state, uint64_t *ticks)
{
	char line[512], *at;
	ssize_t n = k->stat >= 0 ? pread(k->stat, line, sizeof line - 1, 0) : -1;
	if (n <= 0)
		return false;
	line[n] = '\0';
	at = strrchr(line, ')'); /* behind the name, which may hold anything */
	if (at == NULL || at[1] != ' ' || at[2] == '\0')
		return false;
	*state = at[2];
	at += 3;
	for (unsigned field = 4; field < 14 && at != NULL; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return false;
	uint64_t user = strtoull(at, &at, 10), system = strtoull(at, NULL, 10);
	*ticks = user + system;
	return true;
}

/* Does it hang: is it stopped, or has it had the processor and said nothing? */
static bool
hangs(const struct workers *w, unsigned i)
{
	const struct worker *k = &w->worker[i];
	int64_t heard_ms = w->crew.member[i].heard_ms, silent_ms = w->now_ms - heard_ms;
	bool opens = heard_ms == k->started_ms; /* which takes long where buffers are large */
	char state;
	uint64_t ticks;
	if (silent_ms < WORKERS_HANG_MS)
		return false;
	if (!look_at(k, &state, &ticks))
		return silent_ms >= WORKERS_BLIND_MS;
	uint64_t second = (uint64_t)sysconf(_SC_CLK_TCK);
	return state == 'T' || state == 't' || (!opens && ticks - k->ticks >= second / 2) ||
	    silent_ms >= WORKERS_LONG_MS;
}

static void
end_by(struct workers *w, unsigned i, int number)
{
	struct worker *k = &w->worker[i];
	if (k->pid == 0 || k->dead)
		return;
	if (is_live(w))
		(void)keeper_signal(w->keeper, i, number);
	else
		(void)kill(k->pid, number);
}

/* Kills who hangs.  Not one who has said what was not taken: it may wait for us. */
static void
watch(struct workers *w)
{
	for (unsigned i = 0; is_live(w) && i < w->crew.count; i++) {
		struct worker *k = &w->worker[i];
		char state;
		if (k->pid == 0 || k->dead || k->killed || crew_fd(&w->crew, i) < 0)
			continue;
		if (w->crew.member[i].heard_ms == w->now_ms &&
		    w->now_ms - k->looked_ms >= WORKERS_HANG_MS / 4) {
			(void)look_at(k, &state, &k->ticks);
			k->looked_ms = w->now_ms;
		}
		if (crew_unread(&w->crew, i) || !hangs(w, i))
			continue;
		k->killed = k->hung = true;
		end_by(w, i, SIGKILL);
	}
}

/* ---- what the keeper, or the system, says of processes ---- */

static void
hear_of_ends(struct workers *w)
{
	struct keeper_answer a;
	int status;
	for (unsigned i = 0; !is_live(w) && i < w->crew.count; i++) {
		struct worker *k = &w->worker[i];
		if (k->pid != 0 && !k->dead && waitpid(k->pid, &status, WNOHANG) == k->pid) {
			k->dead = true;
			k->status = status;
		}
	}
	while (is_live(w) && !w->keeper_gone && keeper_next(w->keeper, &a, &w->keeper_gone)) {
		struct worker *k = &w->worker[a.worker < w->crew.count ? a.worker : 0];
		k->asked = false;
		switch (a.word) {
		case KEEPER_STARTED:
			if (a.fd < 0) {
				snprintf(w->trouble, sizeof w->trouble,
				    "a worker's pipe is not to be had: no descriptor");
				break;
			}
			welcome(w, a.worker, a.pid, a.fd);
			if (w->stopping)
				end_by(w, a.worker, SIGTERM);
			break;
		case KEEPER_REFUSED: /* perhaps the one before has not quite ended */
			if (!w->begun && a.status != EBUSY)
				snprintf(w->trouble, sizeof w->trouble,
				    "a worker process cannot be started: %s", strerror(a.status));
			start_again(w, a.worker, WORKERS_RETRY_MS);
			break;
		case KEEPER_ENDED:
			if (a.pid != k->pid)
				break; /* it took its leave before */
			k->dead = true;
			k->status = a.status;
			break;
		}
	}
}

void
workers_hear(struct workers *w)
{
	w->now_ms = now_monotonic_ms();
	hear_of_ends(w);
	if (w->keeper_gone && !w->stopping && !w->failed && w->trouble[0] == '\0')
		snprintf(w->trouble, sizeof w->trouble, "the process that starts workers has died");
	crew_hear(&w->crew, w->now_ms);
	watch(w);
	/* one that was about to wait for its input has not seen it */
	if (w->stopping && w->now_ms - w->stopped_ms >= WORKERS_STOP_MS)
		workers_stop(w);
	for (unsigned i = 0; i < w->crew.count; i++) {
		struct worker *k = &w->worker[i];
		if (k->again_ms == 0 || k->again_ms > w->now_ms || k->asked)
			continue;
		k->again_ms = 0;
		k->asked = keeper_start(w->keeper, i);
		if (!k->asked)
			w->keeper_gone = true;
	}
}

unsigned
workers_poll(const struct workers *w, struct pollfd *p)
{
	unsigned n = 0;
	if (is_live(w) && !w->keeper_gone)
		p[n++] = (struct pollfd){.fd = w->keeper, .events = POLLIN};
	for (unsigned i = 0; i < w->crew.count; i++) {
		int fd = crew_fd(&w->crew, i);
		if (fd >= 0)
			p[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return n;
}

int
workers_timeout(const struct workers *w)
{
	int64_t ms = is_live(w) ? WORKERS_HANG_MS / 4 : w->stopping ? WORKERS_STOP_MS : -1;
	for (unsigned i = 0; i < w->crew.count; i++) {
		const struct worker *k = &w->worker[i];
		int64_t left = k->again_ms - w->now_ms;
		if (k->again_ms != 0 && left < ms)
			ms = left > 0 ? left : 0;
		if (k->lost && !k->dead) /* the news of its end is under way */
			ms = ms < 0 || ms > 10 ? 10 : ms;
	}
	return (int)ms;
}

/* ---- what is said ---- */

/* How a process ended, in words. */
static void
say_end(const struct worker *k, char text[CAPTURE_TEXT])
{
	if (k->hung)
		snprintf(text, CAPTURE_TEXT, "it did not move for %d ms", WORKERS_HANG_MS);
	else if (k->killed)
		snprintf(text, CAPTURE_TEXT, "it sent what is no record");
	else if (WIFSIGNALED(k->status))
		snprintf(text, CAPTURE_TEXT, "signal %d (%s)", WTERMSIG(k->status),
		    strsignal(WTERMSIG(k->status)));
	else
		snprintf(text, CAPTURE_TEXT, "exit status %d", WEXITSTATUS(k->status));
}

/* Worker `i` is no more; it takes a last word and the end of its process. */
static enum workers_said
bury(struct workers *w, unsigned i, struct workers_word *word)
{
	struct worker *k = &w->worker[i];
	bool young = w->now_ms - k->started_ms < LIVED_MS;
	say_end(k, word->text);
	word->worker = i;
	if (k->stat >= 0)
		close(k->stat);
	int64_t delay = young ? k->delay_ms : 0;
	int64_t next = !young ? 0 : delay == 0 ? 100 : 2 * delay;
	bool hung = k->hung, waits = k->waits;
	*k = (struct worker){.stat = -1,
	    .delay_ms = next < DELAY_MOST_MS ? next : DELAY_MOST_MS,
	    .waits = waits};
	start_again(w, i, delay);
	if (!k->over)
		w->restarts++;
	return hung ? WORKERS_HUNG : WORKERS_DIED;
}

/* It ended as it should: of files that is all; live, its interface is gone or cannot be opened. */
static enum workers_said
take_leave(struct workers *w, unsigned i, enum feed_end end, struct workers_word *word)
{
	struct worker *k = &w->worker[i];
	bool known = k->waits, recalled = k->recalled;
	word->worker = i;
	if (k->stat >= 0)
		close(k->stat);
	end_by(w, i, SIGKILL); /* it has nothing left to say */
	if (!is_live(w) && !k->dead)
		(void)waitpid(k->pid, NULL, 0);
	*k = (struct worker){.stat = -1, .waits = is_live(w) && end != FEED_END_STOP};
	if (end == FEED_END_FAILED && (!is_live(w) || !w->begun)) {
		bool told = w->failed; /* by another, who reads the same */
		w->failed = k->over = true;
		memcpy(word->text, w->why, sizeof word->text);
		return told ? WORKERS_NOTHING : WORKERS_FAILED;
	}
	if (end == FEED_END_STOP && !w->stopping && !recalled) { /* not by us */
		snprintf(word->text, sizeof word->text, "signal %d (%s)", SIGTERM,
		    strsignal(SIGTERM));
		start_again(w, i, 0);
		w->restarts += !k->over;
		return WORKERS_DIED;
	}
	if (end == FEED_END_INPUT || !is_live(w))
		k->over = true;
	else /* ended because an interface is back, or there is none */
		start_again(w, i, end == FEED_END_STOP ? 0 : WORKERS_RETRY_MS);
	if (end != FEED_END_FAILED || known || k->over)
		return WORKERS_NOTHING;
	memcpy(word->text, w->why, sizeof word->text);
	return WORKERS_NOTE;
}

/* The interface whose name a line begins with; the number of interfaces where it is none of ours.
 */
static size_t
interface_of(const struct workers *w, const char *line)
{
	const struct live_config *c = &w->spawn->live;
	size_t i = 0;
	while (i < c->count &&
	    !(strncmp(line, c->interfaces[i], strlen(c->interfaces[i])) == 0 &&
		line[strlen(c->interfaces[i])] == ':'))
		i++;
	return i;
}

/* Each worker says of interfaces the same, so that of one is enough. */
static enum workers_said
take_event(struct workers *w, const struct crew_word *c, struct workers_word *word)
{
	struct worker *k = &w->worker[c->worker];
	bool first = c->worker == 0;
	size_t i = interface_of(w, c->text);
	memcpy(word->text, c->text, sizeof word->text);
	word->worker = c->worker;
	switch (c->event) {
	case FEED_EVENT_FAULT: /* all meet the same ones, and some may die before */
		if (++k->faults <= w->faults)
			return WORKERS_NOTHING;
		w->faults++;
		return WORKERS_FAULT;
	case FEED_EVENT_NOTE: return first ? WORKERS_NOTE : WORKERS_NOTHING;
	case FEED_EVENT_DOWN: return first ? WORKERS_DOWN : WORKERS_NOTHING;
	case FEED_EVENT_UP: return first ? WORKERS_UP : WORKERS_NOTHING;
	case FEED_EVENT_GONE:
		if (i < w->spawn->live.count)
			k->lacks |= 1u << i;
		if (i == w->spawn->live.count || w->missing[i])
			return WORKERS_NOTHING;
		w->missing[i] = true;
		return WORKERS_GONE;
	case FEED_EVENT_SANDBOX:
		return first && w->restarts == 0 ? WORKERS_SANDBOX : WORKERS_NOTHING;
	case FEED_EVENT_FAILED: memcpy(w->why, c->text, sizeof w->why); return WORKERS_NOTHING;
	case FEED_EVENTS: break;
	}
	return WORKERS_NOTHING;
}

/* Is there a worker that runs or will run? */
static bool
any_left(const struct workers *w)
{
	for (unsigned i = 0; i < w->crew.count; i++) {
		const struct worker *k = &w->worker[i];
		if (k->pid != 0 || k->asked || (k->again_ms != 0 && !w->stopping))
			return true;
	}
	return false;
}

/* Of files, what others have still to say is heard where one failed. */
static bool
goes_on(const struct workers *w)
{
	return any_left(w) && !w->keeper_gone && (!w->failed || !is_live(w));
}

/* What ends the run is handed out. */
static enum workers_said
fail(struct workers *w, struct workers_word *word)
{
	memcpy(word->text, w->trouble, sizeof word->text);
	w->trouble[0] = '\0';
	w->failed = true;
	return WORKERS_FAILED;
}

/* Can the interface be opened (netdevice(7))?  Asked by who has no right to, which this takes not.
 */
static bool
is_there(const char *name)
{
	struct ifreq request = {.ifr_flags = 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	bool there = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
	close(fd);
	return there;
}

/* An interface that was gone and is there again, once all workers have it. */
static enum workers_said
come_back(struct workers *w, struct workers_word *word)
{
	bool waits = false;
	for (unsigned i = 0; i < w->crew.count; i++) {
		struct worker *k = &w->worker[i];
		bool works = k->pid != 0 && w->crew.member[i].speaks;
		w->begun |= works;
		k->waits &= !works;
		waits |= k->waits || !works;
	}
	if (!is_live(w) || waits || w->stopping || w->now_ms < w->look_ms)
		return WORKERS_NOTHING;
	w->look_ms = w->now_ms + WORKERS_RETRY_MS;
	for (size_t n = 0; n < w->spawn->live.count; n++) {
		const char *name = w->spawn->live.interfaces[n];
		if (!w->missing[n] || !is_there(name))
			continue;
		bool lacked = false;
		for (unsigned i = 0; i < w->crew.count; i++) {
			if (!(w->worker[i].lacks & 1u << n))
				continue;
			lacked = w->worker[i].recalled = true;
			end_by(w, i, SIGTERM); /* its next life will have it */
		}
		if (lacked)
			continue;
		w->missing[n] = false;
		word->worker = 0;
		snprintf(word->text, sizeof word->text, "%s: the interface is back", name);
		return WORKERS_UP;
	}
	return WORKERS_NOTHING;
}

enum workers_said
workers_next(struct workers *w, struct record *record, struct workers_word *word)
{
	struct crew_word c = {.worker = 0};
	for (;;) {
		enum workers_said said = WORKERS_NOTHING;
		enum crew_said what = crew_next(&w->crew, record, &c);
		struct worker *k = &w->worker[c.worker];
		switch (what) {
		case CREW_RECORD: return WORKERS_RECORD;
		case CREW_EVENT: said = take_event(w, &c, word); break;
		case CREW_ENDED:
			crew_leave(&w->crew, c.worker);
			said = take_leave(w, c.worker, c.end, word);
			break;
		case CREW_BROKEN: k->killed = true; /* fall through */
		case CREW_LOST:
			end_by(w, c.worker, SIGKILL); /* it may have closed its pipe and live on */
			k->lost = true;
			crew_leave(&w->crew, c.worker);
			break;
		case CREW_NOTHING:
			said = come_back(w, word);
			for (unsigned i = 0; said == WORKERS_NOTHING && i < w->crew.count; i++) {
				if (w->worker[i].lost && w->worker[i].dead)
					said = bury(w, i, word);
			}
			if (said == WORKERS_NOTHING && w->trouble[0] != '\0')
				said = fail(w, word);
			if (said == WORKERS_NOTHING)
				return goes_on(w) ? WORKERS_NOTHING : WORKERS_END;
			break;
		}
		if (said != WORKERS_NOTHING)
			return said;
	}
}

void
workers_stop(struct workers *w)
{
	w->stopping = true;
	w->stopped_ms = w->now_ms;
	for (unsigned i = 0; i < w->crew.count; i++) {
		w->worker[i].again_ms = 0;
		end_by(w, i, SIGTERM);
	}
}

void
workers_report(const struct workers *w, struct feed_report *out)
{
	crew_report(&w->crew, out);
}

uint64_t
workers_restarts(const struct workers *w)
{
	return w->restarts;
}

void
workers_close(struct workers *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->crew.count; i++) {
		struct worker *k = &w->worker[i];
		end_by(w, i, SIGKILL);
		if (k->pid != 0 && !k->dead && !is_live(w))
			(void)waitpid(k->pid, NULL, 0);
		if (k->stat >= 0)
			close(k->stat);
	}
	crew_free(&w->crew);
	spawn_close(w->spawn);
	if (w->keeper >= 0) {
		close(w->keeper); /* which ends the keeper */
		(void)waitpid(w->keeper_pid, NULL, 0);
	}
	free(w);
}
