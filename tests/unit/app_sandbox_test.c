/*
 * What a worker may do: each in a child of its own, which enters the sandbox.  As root, and as
 * somebody who never was; where the kernel or the build lacks a part, its tests are skipped.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/sandbox.h"
#include "folder.h"

#define NOBODY 65534

#ifdef __SANITIZE_ADDRESS__
#define INSTRUMENTED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

#define ENTER_FAILED 90 /* exit status where the sandbox could not be entered */

static int ends[2];	  /* a pipe that the children have */
static int proc = -1;	  /* /proc, opened before */
static bool unprivileged; /* children are nobody from the start */
static bool threaded;	  /* what a child does it does in a thread, started before the seal */
static int (*to_do)(void);
static sem_t runs, sealed;
static pthread_t thread;
static int thread_result;

static void
skip_unless(bool can)
{
	if (!can)
		skip();
}

static bool
is_root(void)
{
	return geteuid() == 0;
}

/* Its version; -1: the kernel lacks it. */
static long
landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static bool
has_landlock(void)
{
	return landlock() > 0;
}

static void
become_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
		_exit(ENTER_FAILED);
}

static int writable; /* the descriptor that may be written to */

/* The thread of a child: does what is to be done once it is sealed. */
static void *
do_it(void *result)
{
	sem_post(&runs);
	while (sem_wait(&sealed) != 0)
		continue;
	*(int *)result = to_do();
	return NULL;
}

/* Enters, in a child. */
static void
enter(const char *const *files, size_t count)
{
	static const char *const usual[] = {"nobody", NULL};
	struct sandbox s = {.files = files,
	    .file_count = count,
	    .pipe = writable,
	    .threads = threaded};
	char error[SANDBOX_ERROR] = "";
	if (unprivileged && is_root())
		become_nobody();
	if ((count == 0 && !identity_find(&s.identity, NULL, usual, error)) ||
	    !sandbox_enter(&s, error)) {
		fprintf(stderr, "%s\n", error);
		_exit(ENTER_FAILED);
	}
	if (threaded && pthread_create(&thread, NULL, do_it, &thread_result) != 0)
		_exit(ENTER_FAILED);
	if (threaded) /* what a new thread asks of the system it has asked by then */
		(void)sem_wait(&runs);
	if (!sandbox_seal(&s, error)) {
		fprintf(stderr, "%s\n", error);
		_exit(ENTER_FAILED);
	}
}

/* In a child that has entered: does it, here or in the thread. */
static int
do_now(int (*f)(void))
{
	if (!threaded)
		return f();
	to_do = f;
	sem_post(&sealed);
	pthread_join(thread, NULL);
	return thread_result;
}

/* Runs `f` in a child that has entered; its status, of waitpid(2). */
static int
run(int (*f)(void), const char *const *files, size_t count)
{
	int status = 0;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		for (int i = 1; i < NSIG; i++)
			signal(i, SIG_DFL); /* cmocka catches some */
		enter(files, count);
		_exit(do_now(f));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void
expect_exit(int (*f)(void), int code)
{
	int status = run(f, NULL, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void
expect_signal(int (*f)(void), int number)
{
	int status = run(f, NULL, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), number);
	assert_false(WCOREDUMP(status));
}

/* ---- what kills ---- */

/* A call and its arguments. */
struct call {
	const char *name;
	long number, a[4];
};

static struct call call;

static int
make_call(void)
{
	return syscall(call.number, call.a[0], call.a[1], call.a[2], call.a[3], 0, 0) != 0;
}

static void
forbidden_calls_kill(void **state)
{
	(void)state;
	static long page[1024] __attribute__((aligned(4096)));
	const struct call calls[] = {
	    {"socket", SYS_socket, {AF_INET, SOCK_STREAM}},
	    {"openat", SYS_openat, {AT_FDCWD, (long)"/", O_RDONLY}},
	    {"openat2", SYS_openat2, {AT_FDCWD, (long)"/"}},
	    {"execve", SYS_execve, {(long)"/bin/true"}},
	    {"execveat", SYS_execveat, {AT_FDCWD, (long)"/bin/true"}},
	    {"clone", SYS_clone, {SIGCHLD}},
	    {"ptrace", SYS_ptrace, {PTRACE_TRACEME}},
	    {"process_vm_readv", SYS_process_vm_readv, {1}},
	    {"kill of another", SYS_kill, {getpid(), 0}},
	    {"tgkill of another", SYS_tgkill, {getpid(), getpid(), 0}},
	    {"mmap to execute", SYS_mmap,
		{0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS}},
	    {"mprotect to execute", SYS_mprotect,
		{(long)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC}},
	    {"prctl", SYS_prctl, {PR_SET_DUMPABLE, 1}},
	    {"setuid", SYS_setuid, {0}},
	    {"chroot", SYS_chroot, {(long)"/"}},
	    {"unlinkat", SYS_unlinkat, {AT_FDCWD, (long)"x"}},
	    {"setrlimit", SYS_setrlimit, {RLIMIT_AS}},
	    {"prlimit64", SYS_prlimit64, {0, RLIMIT_AS}},
	    {"connect", SYS_connect, {0}},
	    {"sendto", SYS_sendto, {0}},
	    {"sendmsg", SYS_sendmsg, {0}},
	    {"write to another than the pipe", SYS_write, {ends[0], (long)"x", 1}},
	    {"writev to the pipe", SYS_writev, {ends[1], 0, 0}},
	    {"io_uring_setup", SYS_io_uring_setup, {1}},
	    {"bpf", SYS_bpf, {0}},
	    {"typing at a terminal", SYS_ioctl, {0, TIOCSTI, (long)"x"}},
	    {"fcntl", SYS_fcntl, {0, F_SETFL, 0}},
	    {"dup", SYS_dup, {0}},
	    {"stat of a path", SYS_newfstatat, {AT_FDCWD, (long)"/", (long)page, 0}},
	};
	skip_unless(!INSTRUMENTED);
	for (size_t i = 0; i < 2 * sizeof calls / sizeof *calls; i++) {
		call = calls[i / 2];
		threaded = i % 2;
		int status = run(make_call, NULL, 0);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %x", call.name, (unsigned)status);
		assert_false(WCOREDUMP(status));
	}
	threaded = false;
}

/* ---- what works ---- */

static int
call_abort(void)
{
	abort();
}

static int
call_free_of_nothing(void) /* the C library says so and aborts */
{
	char *volatile p = malloc(100);
	free(p);
	free(p);
	return 0;
}

static int
do_the_usual(void)
{
	struct pollfd p = {.fd = ends[1], .events = POLLOUT};
	struct timespec t;
	uint8_t octets[16];
	char *volatile block = malloc(1 << 20);
	struct stat st;
	if (block == NULL)
		return 1;
	memset(block, 1, 1 << 20);
	free(block);
	if (poll(&p, 1, 100) != 1 || write(ends[1], "x", 1) != 1 || read(ends[0], octets, 1) != 1)
		return 2;
	if (clock_gettime(CLOCK_REALTIME, &t) != 0 || syscall(SYS_clock_gettime, 1, &t) != 0)
		return 3;
	if (syscall(SYS_getrandom, octets, sizeof octets, 0) != sizeof octets)
		return 4;
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map, 4096, PROT_READ) != 0 || munmap(map, 4096) != 0)
		return 5;
	if (fstat(ends[0], &st) != 0 || !S_ISFIFO(st.st_mode))
		return 6;
	return 0;
}

static void
what_a_worker_needs_works(void **state)
{
	(void)state;
	expect_exit(do_the_usual, 0);
	expect_signal(call_abort, SIGABRT);
	threaded = true;
	expect_exit(do_the_usual, 0);
	threaded = false;
}

static void
a_crash_is_named_as_what_it_is(void **state)
{
	(void)state;
	skip_unless(!INSTRUMENTED);
	expect_signal(call_free_of_nothing, SIGABRT);
}

/* ---- memory ---- */

static int
take_much(void)
{
	void *some = mmap(NULL, SANDBOX_MARGIN / 2, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *volatile block = malloc(SANDBOX_MARGIN);
	return some == MAP_FAILED ? 1 : block != NULL ? 2 : 0;
}

static void
memory_is_bounded(void **state)
{
	(void)state;
	skip_unless(!INSTRUMENTED);
	expect_exit(take_much, 0);
}

/* ---- what it is ---- */

static int
wait_for_the_parent(void)
{
	char c;
	return read(ends[0], &c, 1) != 1;
}

static void
slurp(const char *path, char *text, size_t cap)
{
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, cap - 1);
	assert_true(n > 0);
	text[n] = '\0';
	close(fd);
}

/* The line of `text` that begins with `name` goes on with `value`. */
static void
expect_line(const char *text, const char *name, const char *value)
{
	const char *p = strstr(text, name);
	assert_non_null(p);
	p += strlen(name);
	p += strspn(p, " \t");
	if (strncmp(p, value, strlen(value)) != 0)
		fail_msg("%s %.40s", name, p);
}

/* The status of a thread says so. */
static void
expect_no_rights(const char *path)
{
	char text[8192];
	slurp(path, text, sizeof text);
	expect_line(text, "\nUid:", is_root() ? "65534\t65534\t65534\t65534" : "");
	expect_line(text, "\nGroups:", is_root() && !unprivileged ? "\n" : "");
	expect_line(text, "\nCapInh:", "0000000000000000");
	expect_line(text, "\nCapPrm:", "0000000000000000");
	expect_line(text, "\nCapEff:", "0000000000000000");
	expect_line(text, "\nCapAmb:", "0000000000000000");
	if (is_root() && !unprivileged)
		expect_line(text, "\nCapBnd:", "0000000000000000");
	expect_line(text, "\nNoNewPrivs:", "1");
	expect_line(text, "\nSeccomp:", INSTRUMENTED ? "0" : "2");
}

/* Of each thread of a process; how many it has. */
static unsigned
expect_no_rights_of(pid_t child)
{
	char path[320];
	unsigned n = 0;
	snprintf(path, sizeof path, "/proc/%ld/task", (long)child);
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%ld/task/%s/status", (long)child, e->d_name);
		expect_no_rights(path);
		n++;
	}
	closedir(d);
	return n;
}

static void
look_at_a_worker(void)
{
	char path[64], text[8192];
	struct stat st;
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		writable = ready[1];
		enter(NULL, 0);
		(void)!write(ready[1], "x", 1);
		_exit(wait_for_the_parent());
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], text, 1), 1);
	close(ready[0]);
	assert_int_equal(expect_no_rights_of(child), threaded ? 2 : 1);
	snprintf(path, sizeof path, "/proc/%ld/status", (long)child);
	/* a process without core dump belongs to root, in /proc */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	snprintf(path, sizeof path, "/proc/%ld/limits", (long)child);
	slurp(path, text, sizeof text);
	expect_line(text, "\nMax core file size", "0                    0 ");
	expect_line(text, "\nMax file size", "0                    0 ");
	expect_line(text, "\nMax processes", "0                    0 ");
	expect_line(text, "\nMax open files", "64                   64 ");
	assert_int_equal(write(ends[1], "x", 1), 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
it_is_nobody_with_nothing(void **state)
{
	(void)state;
	skip_unless(is_root());
	look_at_a_worker();
	threaded = true;
	look_at_a_worker();
	threaded = false;
}

static void
nor_is_one_who_never_was_root(void **state)
{
	(void)state;
	unprivileged = true;
	look_at_a_worker();
	unprivileged = false;
}

/* Limits that are lower already can only be raised by root, and are no reason to fail. */
static int
nothing(void)
{
	return sandbox_missing()[0] != '\0' && strcmp(sandbox_missing(), "chroot") != 0;
}

static void
lower_limits_stay(void **state)
{
	(void)state;
	int status = 0;
	skip_unless(has_landlock());
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		static const struct rlimit few = {16, 16}, small = {1ul << 30, 1ul << 30};
		unprivileged = true;
		if (setrlimit(RLIMIT_NOFILE, &few) != 0 ||
		    (!INSTRUMENTED && setrlimit(RLIMIT_AS, &small) != 0))
			_exit(1);
		enter(NULL, 0);
		_exit(nothing());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- files ---- */

static char good_file[512], bad_file[512];

static int
open_some(void)
{
	char octets[8];
	int fd = open(good_file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, octets, 4) != 4 || memcmp(octets, "good", 4) != 0)
		return 1;
	if (open(bad_file, O_RDONLY) >= 0 || open("/etc/passwd", O_RDONLY) >= 0)
		return 2;
	if (open("/", O_RDONLY | O_DIRECTORY) >= 0 || open("/proc/self/status", O_RDONLY) >= 0)
		return 3;
	if (openat(proc, "self/status", O_RDONLY) >= 0 || openat(proc, ".", O_RDONLY) >= 0)
		return 4;
	return 0;
}

static int
open_to_write(void)
{
	return open(good_file, O_WRONLY) >= 0;
}

static int
open_to_cut(void)
{
	return open(good_file, O_RDONLY | O_TRUNC) >= 0;
}

static int
open_new(void)
{
	return open("/tmp/postcard-made-by-a-worker", O_RDONLY | O_CREAT, 0600) >= 0;
}

static void
only_named_files(void)
{
	const char *const files[] = {good_file, "/nonexistent/file"};
	int (*const writers[])(void) = {open_to_write, open_to_cut, open_new};
	write_text("good", "good");
	write_text("bad", "bad");
	snprintf(good_file, sizeof good_file, "%s", path_of("good"));
	snprintf(bad_file, sizeof bad_file, "%s", path_of("bad"));
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(good_file, 0666), 0);
	int status = run(open_some, files, 2);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	for (size_t i = 0; i < 3; i++) {
		if (INSTRUMENTED && i == 1 && landlock() < 3)
			continue; /* nothing but seccomp forbids that */
		status = run(writers[i], files, 2);
		if (INSTRUMENTED) {
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 0);
		} else {
			assert_true(WIFSIGNALED(status));
			assert_int_equal(WTERMSIG(status), SIGSYS);
		}
	}
}

static void
root_opens_only_named_files(void **state)
{
	(void)state;
	skip_unless(is_root() && has_landlock());
	only_named_files();
}

static void
anybody_opens_only_named_files(void **state)
{
	(void)state;
	skip_unless(has_landlock());
	unprivileged = true;
	only_named_files();
	unprivileged = false;
}

/* ---- the parent's end ---- */

static void
it_dies_with_its_parent(void **state)
{
	(void)state;
	static const char *const usual[] = {"nobody", NULL};
	int alive[2];
	char c;
	assert_int_equal(pipe(alive), 0);
	pid_t parent = fork();
	assert_true(parent >= 0);
	if (parent == 0) {
		struct sandbox s = {.parent = getpid(), .pipe = alive[1]};
		char error[SANDBOX_ERROR];
		if (fork() == 0) {
			if (!identity_find(&s.identity, NULL, usual, error) ||
			    !sandbox_enter(&s, error))
				_exit(1);
			(void)!write(alive[1], "x", 1);
			(void)!read(ends[0], &c, 1);
			_exit(0);
		}
		pause();
	}
	close(alive[1]);
	assert_int_equal(read(alive[0], &c, 1), 1);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	struct pollfd p = {.fd = alive[0], .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1); /* all ends of it are closed */
	assert_int_equal(read(alive[0], &c, 1), 0);
	close(alive[0]);
}

static void
a_parent_that_is_gone_already(void **state)
{
	(void)state;
	static const char *const usual[] = {"nobody", NULL};
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct sandbox s = {.parent = getpid()}; /* who is not its parent */
		char error[SANDBOX_ERROR] = "";
		bool entered =
		    identity_find(&s.identity, NULL, usual, error) && sandbox_enter(&s, error);
		_exit(entered || strstr(error, "the parent has ended") == NULL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- users ---- */

static void
users_that_do_not_exist(void **state)
{
	(void)state;
	static const char *const none[] = {"no-such-user-1", "no-such-user-2", NULL};
	static const char *const second[] = {"no-such-user-1", "nobody", NULL};
	struct identity id;
	char error[SANDBOX_ERROR] = "";
	skip_unless(is_root());
	assert_false(identity_find(&id, "no-such-user", second, error));
	assert_non_null(strstr(error, "'no-such-user'"));
	assert_non_null(strstr(error, "--user"));
	assert_false(identity_find(&id, NULL, none, error));
	assert_true(identity_find(&id, NULL, second, error));
	assert_int_equal(id.uid, NOBODY);
	assert_string_equal(id.name, "nobody");
	assert_true(identity_find(&id, "nobody", none, error));
	assert_int_equal(id.uid, NOBODY);
	char long_name[2000];
	memset(long_name, 'x', sizeof long_name);
	long_name[sizeof long_name - 1] = '\0';
	assert_false(identity_find(&id, long_name, none, error));
	assert_true(strlen(error) < SANDBOX_ERROR);
}

static int
status_of_child(void (*f)(void))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void
find_as_nobody(void)
{
	static const char *const none[] = {"no-such-user", NULL};
	struct identity id;
	char error[SANDBOX_ERROR];
	if (is_root())
		become_nobody();
	if (!identity_find(&id, NULL, none, error) || id.uid != 0)
		_exit(1);
	if (!sandbox_become(&id, error))
		_exit(2);
}

static void
become_the_parent(void)
{
	static const char *const usual[] = {"nobody", NULL};
	struct identity id;
	char error[SANDBOX_ERROR], text[8192];
	if (!identity_find(&id, NULL, usual, error) || !sandbox_become(&id, error))
		_exit(1);
	if (getuid() != NOBODY || setuid(0) == 0 || chroot("/") == 0)
		_exit(2);
	slurp("/proc/self/status", text, sizeof text);
	if (strstr(text, "CapEff:\t0000000000000000") == NULL ||
	    strstr(text, "CapPrm:\t0000000000000000") == NULL ||
	    strstr(text, "NoNewPrivs:\t1") == NULL)
		_exit(3);
}

static void
become_the_keeper(void)
{
	char error[SANDBOX_ERROR], text[8192];
	if (!sandbox_keep_some(error))
		_exit(1);
	slurp("/proc/self/status", text, sizeof text);
	/* CAP_KILL 5, CAP_SETGID 6, CAP_SETUID 7, CAP_NET_RAW 13, CAP_SYS_CHROOT 18 */
	if (strstr(text, "CapEff:\t00000000000420e0") == NULL ||
	    strstr(text, "CapPrm:\t00000000000420e0") == NULL ||
	    strstr(text, "CapBnd:\t0000000000000000") == NULL)
		_exit(2);
	enter(NULL, 0); /* as its workers do */
}

static void
rights_of_parent_and_keeper(void **state)
{
	(void)state;
	assert_int_equal(status_of_child(find_as_nobody), 0);
	skip_unless(is_root());
	assert_int_equal(status_of_child(become_the_parent), 0);
	assert_int_equal(status_of_child(become_the_keeper), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forbidden_calls_kill),
	    cmocka_unit_test(what_a_worker_needs_works),
	    cmocka_unit_test(a_crash_is_named_as_what_it_is),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(it_is_nobody_with_nothing),
	    cmocka_unit_test(nor_is_one_who_never_was_root),
	    cmocka_unit_test(lower_limits_stay),
	    FOLDER_TEST(root_opens_only_named_files),
	    FOLDER_TEST(anybody_opens_only_named_files),
	    cmocka_unit_test(it_dies_with_its_parent),
	    cmocka_unit_test(a_parent_that_is_gone_already),
	    cmocka_unit_test(users_that_do_not_exist),
	    cmocka_unit_test(rights_of_parent_and_keeper),
	};
	proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pipe(ends) != 0 || (writable = ends[1]) < 0)
		return 1;
	return cmocka_run_group_tests_name("app/sandbox", tests, NULL, NULL);
}
