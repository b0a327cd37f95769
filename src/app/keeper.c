/* The keeper of the workers: see keeper.h. */
#include "app/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both ways; one a packet. */
struct letter {
	uint32_t word;	 /* enum keeper_word; of the parent: 0 start, else a signal's number */
	uint32_t worker; /* its number */
	int32_t pid;
	int32_t status;
};

union descriptor { /* a control message with one descriptor, aligned */
	struct cmsghdr head;
	char octets[CMSG_SPACE(sizeof(int))];
};

static void
send_letter(int socket, const struct letter *l, int fd)
{
	struct iovec octets = {.iov_base = (void *)(uintptr_t)l, .iov_len = sizeof *l};
	struct msghdr m = {.msg_iov = &octets, .msg_iovlen = 1};
	union descriptor d;
	if (fd >= 0) {
		memset(&d, 0, sizeof d);
		m.msg_control = d.octets;
		m.msg_controllen = sizeof d.octets;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	while (sendmsg(socket, &m, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* ---- the keeper ---- */

struct keeper {
	struct spawn *spawn;
	int socket;
	pid_t pid[LIMIT_WORKERS];  /* 0: not running */
	bool again[LIMIT_WORKERS]; /* it was started before */
};

static void
start(struct keeper *k, unsigned i)
{
	int fd = -1;
	errno = EBUSY;
	/* whoever asks for interfaces for the first time wants all of them */
	k->spawn->live.some_suffice = k->again[i];
	pid_t pid = k->pid[i] != 0 ? -1 : spawn_worker(k->spawn, i, &fd);
	struct letter l = {.word = KEEPER_STARTED, .worker = i, .pid = pid};
	if (pid < 0) {
		l = (struct letter){.word = KEEPER_REFUSED, .worker = i, .status = errno};
	} else {
		k->pid[i] = pid;
		k->again[i] = true;
	}
	send_letter(k->socket, &l, fd);
	if (fd >= 0) {
		spawn_forget(k->spawn, fd);
		close(fd);
	}
}

/* False where the parent is gone. */
static bool
take_order(struct keeper *k)
{
	struct letter l;
	ssize_t n = recv(k->socket, &l, sizeof l, 0);
	if (n < 0 && errno == EINTR)
		return true;
	if (n != (ssize_t)sizeof l)
		return false;
	if (l.worker >= k->spawn->workers)
		return true;
	if (l.word == 0)
		start(k, l.worker);
	else if ((l.word == SIGTERM || l.word == SIGKILL) && k->pid[l.worker] != 0)
		(void)kill(k->pid[l.worker], (int)l.word);
	return true;
}

static void
bury(struct keeper *k)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < k->spawn->workers; i++) {
			if (k->pid[i] != pid)
				continue;
			k->pid[i] = 0;
			const struct letter l = {.word = KEEPER_ENDED,
			    .worker = i,
			    .pid = pid,
			    .status = status};
			send_letter(k->socket, &l, -1);
		}
	}
}

/* Signals are the parent's to understand: only the end of a worker is heard here. */
static int
hear_children(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGTSTP, SIGWINCH};
	struct sigaction a = {.sa_handler = SIG_IGN};
	sigset_t set;
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		sigaction(ignored[i], &a, NULL);
	a.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
be_keeper(struct keeper *k)
{
	char error[SANDBOX_ERROR];
	const struct rlimit none = {0, 0};
	int children = hear_children();
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (children < 0 || !sandbox_keep_some(error))
		return;
	/* a worker has neither */
	k->spawn->parents[k->spawn->parents_count++] = k->socket;
	k->spawn->parents[k->spawn->parents_count++] = children;
	for (;;) {
		struct pollfd p[2] = {{.fd = k->socket, .events = POLLIN},
		    {.fd = children, .events = POLLIN}};
		struct signalfd_siginfo which;
		if (poll(p, 2, -1) < 0)
			continue;
		while (read(children, &which, sizeof which) == (ssize_t)sizeof which)
			;
		bury(k);
		if (p[0].revents != 0 && !take_order(k))
			break;
	}
	for (unsigned i = 0; i < k->spawn->workers; i++) {
		if (k->pid[i] != 0)
			(void)kill(k->pid[i], SIGKILL);
	}
	/* giving back the kernel's buffers takes a worker a moment; nobody outlives the keeper */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* ---- the parent ---- */

int
keeper_fork(struct spawn *s, pid_t *pid)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	*pid = fork();
	if (*pid == 0) {
		struct keeper k = {.spawn = s, .socket = ends[1]};
		close(ends[0]);
		be_keeper(&k);
		_exit(0);
	}
	int error = errno;
	close(ends[1]);
	if (*pid < 0) {
		close(ends[0]);
		errno = error;
		return -1;
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[0];
}

static bool
order(int socket, uint32_t word, unsigned worker)
{
	const struct letter l = {.word = word, .worker = worker};
	return send(socket, &l, sizeof l, MSG_NOSIGNAL) == (ssize_t)sizeof l || errno == EAGAIN;
}

bool
keeper_start(int socket, unsigned worker)
{
	return order(socket, 0, worker);
}

bool
keeper_signal(int socket, unsigned worker, int number)
{
	return order(socket, (uint32_t)number, worker);
}

bool
keeper_next(int socket, struct keeper_answer *answer, bool *gone)
{
	struct letter l = {.word = 0};
	union descriptor d;
	struct iovec octets = {.iov_base = &l, .iov_len = sizeof l};
	struct msghdr m = {.msg_iov = &octets,
	    .msg_iovlen = 1,
	    .msg_control = d.octets,
	    .msg_controllen = sizeof d.octets};
	ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	*gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (n != (ssize_t)sizeof l)
		return false;
	*answer = (struct keeper_answer){.word = (enum keeper_word)l.word,
	    .worker = l.worker,
	    .pid = l.pid,
	    .status = l.status,
	    .fd = -1};
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&answer->fd, CMSG_DATA(c), sizeof answer->fd);
	return true;
}
