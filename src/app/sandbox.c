/* Giving rights up: see sandbox.h. */
#include "app/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <net/if.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A sanitizer needs address space and system calls of its own. */
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

static char missing[64];

const char *
sandbox_missing(void)
{
	return missing;
}

static void
lacks(const char *what)
{
	size_t n = strlen(missing);
	snprintf(missing + n, sizeof missing - n, "%s%s", n > 0 ? ", " : "", what);
}

/* Always false. */
static bool
fail(char error[SANDBOX_ERROR], const char *what)
{
	snprintf(error, SANDBOX_ERROR, "rights cannot be given up: %s: %s", what, strerror(errno));
	return false;
}

bool
identity_find(struct identity *id, const char *name, const char *const *usual,
    char error[SANDBOX_ERROR])
{
	memset(id, 0, sizeof *id);
	if (geteuid() != 0)
		return true;
	/* at set-up, before there is any thread */
	/* cppcheck-suppress getpwnamCalled */
	const struct passwd *p = name != NULL ? getpwnam(name) : NULL;
	for (; name == NULL && p == NULL && *usual != NULL; usual++)
		p = getpwnam(*usual); /* cppcheck-suppress getpwnamCalled */
	if (p == NULL) {
		snprintf(error, SANDBOX_ERROR,
		    "there is no user '%.64s' to run as; make one, or name another with --user",
		    name != NULL ? name : "nobody");
		return false;
	}
	id->uid = p->pw_uid;
	id->gid = p->pw_gid;
	snprintf(id->name, sizeof id->name, "%s", p->pw_name);
	return true;
}

/* No capability to be gained, as far as it takes one that we have. */
static void
drop_bounds(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
}

bool
sandbox_become(const struct identity *id, char error[SANDBOX_ERROR])
{
	drop_bounds();
	if (id->uid != 0 &&
	    (setgroups(0, NULL) != 0 || setresgid(id->gid, id->gid, id->gid) != 0 ||
		setresuid(id->uid, id->uid, id->uid) != 0))
		return fail(error, id->name);
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return fail(error, "capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(error, "no_new_privs");
	return true;
}

bool
sandbox_keep_some(char error[SANDBOX_ERROR])
{
	static const unsigned kept[] = {CAP_NET_RAW, CAP_SETUID, CAP_SETGID, CAP_SYS_CHROOT,
	    CAP_KILL};
	bool have[sizeof kept / sizeof *kept];
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]) == 1;
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		if (have[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
	}
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return fail(error, "capabilities");
	return true;
}

/* ---- file system ---- */

/* A root directory that is nowhere.  Only root can have one. */
static void
leave_file_system(void)
{
	char folder[] = "/tmp/postcard.XXXXXX";
	int fd = -1;
	if (geteuid() == 0 && mkdtemp(folder) != NULL) {
		fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		(void)rmdir(folder);
	}
	if (fd < 0 || fchdir(fd) != 0 || chroot(".") != 0 || chdir("/") != 0)
		lacks("chroot");
	if (fd >= 0)
		close(fd);
}

#define ALL_FILE_RIGHTS                                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |        \
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |     \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	    LANDLOCK_ACCESS_FS_MAKE_SYM)

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif

/* Nothing may be opened, but the named files to be read (landlock(7), ABI 1; of ABI 3, that nothing
 * may be cut short, which O_RDONLY | O_TRUNC does). */
static void
restrict_files(const struct sandbox *s)
{
	struct landlock_ruleset_attr all = {.handled_access_fs = ALL_FILE_RIGHTS};
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 3)
		all.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	int set = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	for (size_t i = 0; set >= 0 && i < s->file_count; i++) {
		struct landlock_path_beneath_attr one = {
		    .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		    .parent_fd = open(s->files[i], O_PATH | O_CLOEXEC),
		};
		if (one.parent_fd < 0)
			continue; /* missed when it is to be read */
		(void)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &one, 0);
		close(one.parent_fd);
	}
	if (set < 0 || syscall(SYS_landlock_restrict_self, set, 0) != 0)
		lacks("Landlock");
	if (set >= 0)
		close(set);
}

/* ---- system calls ---- */

/* Memory may be mapped, but never what is to be executed; nothing else has an argument that
 * matters here. */
static bool
allow_calls(scmp_filter_ctx c, bool open_files, int pipe)
{
	static const int plain[] = {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek),
	    SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(fadvise64), SCMP_SYS(poll), SCMP_SYS(ppoll),
	    SCMP_SYS(restart_syscall), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(getsockopt),
	    SCMP_SYS(getsockname), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
	    SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
	    SCMP_SYS(gettimeofday), SCMP_SYS(sysinfo), SCMP_SYS(rt_sigreturn),
	    SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(exit),
	    SCMP_SYS(exit_group)};
	static const int memory[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
	/* what is asked of a socket whose interface may have gone (capture/live.h) */
	static const unsigned long questions[] = {SIOCGIFFLAGS, SIOCGIFNAME, FIONREAD};
	bool good = true;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, plain[i], 0) == 0;
	for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
		good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, memory[i], 1,
			    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
			    SCMP_A1(SCMP_CMP_EQ, questions[i])) == 0;
	if (open_files) { /* to be read, never made or cut */
		good &=
		    seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)) == 0;
		good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 0) == 0;
	} else { /* a descriptor without a path: what fstat(3) is */
		good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
			    SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)) == 0;
	}
	good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)pipe)) == 0;
	/* last words of the C library */
	good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(writev), 1,
		    SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO)) == 0;
	good &= pipe == STDERR_FILENO ||
	    seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
		SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO)) == 0;
	/* abort(3) */
	good &= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())) == 0;
	return good;
}

static bool
restrict_calls(const struct sandbox *s, char error[SANDBOX_ERROR])
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (c == NULL)
		return fail(error, "seccomp");
	/* a call of another architecture is as forbidden as any */
	bool good = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
	    (!s->threads || seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1) == 0) &&
	    seccomp_attr_set(c, SCMP_FLTATR_API_SYSRAWRC, 1) == 0 && /* the kernel's own errors */
	    allow_calls(c, s->file_count > 0, s->pipe);
	int rc = good ? seccomp_load(c) : -EINVAL;
	seccomp_release(c);
	if ((rc == -EINVAL || rc == -ENOSYS) && good) { /* a kernel without it */
		lacks("seccomp");
		return true;
	}
	errno = -rc;
	return rc == 0 || fail(error, "seccomp");
}

/* ---- limits ---- */

/* Octets of address space in use (proc(5)); 0 where that is not to be known. */
static uint64_t
address_space(void)
{
	char line[64] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	if (f != NULL) {
		if (fgets(line, sizeof line, f) == NULL)
			line[0] = '\0';
		fclose(f);
	}
	return (uint64_t)strtoull(line, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A limit that is lower already stays: only who has a capability could raise it. */
static bool
limit(int what, rlim_t most, char error[SANDBOX_ERROR])
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)what, &r) != 0)
		return fail(error, "limits");
	r.rlim_cur = r.rlim_cur < most ? r.rlim_cur : most;
	r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
	return setrlimit((__rlimit_resource_t)what, &r) == 0 || fail(error, "limits");
}

static bool
restrict_resources(bool open_files, char error[SANDBOX_ERROR])
{
	uint64_t space = INSTRUMENTED ? 0 : address_space();
	if (space > 0 && !limit(RLIMIT_AS, (rlim_t)(space + SANDBOX_MARGIN), error))
		return false;
	return limit(RLIMIT_CORE, 0, error) && limit(RLIMIT_FSIZE, 0, error) &&
	    (open_files || limit(RLIMIT_NOFILE, 64, error)); /* of poll(2)'s, too */
}

bool
sandbox_enter(const struct sandbox *s, char error[SANDBOX_ERROR])
{
	bool open_files = s->file_count > 0;
	tzset(); /* or gmtime_r(3) reads the time zone's file once, when it is first asked */
	missing[0] = '\0';
	if (!restrict_resources(open_files, error))
		return false;
	if (!open_files)
		leave_file_system();
	if (!sandbox_become(&s->identity, error))
		return false;
	/* a change of users takes both back */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail(error, "core files");
	if (s->parent != 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return fail(error, "the parent's end");
	if (s->parent != 0 && getppid() != s->parent) { /* before that */
		errno = ESRCH;
		return fail(error, "the parent has ended");
	}
	/* files that only root may read again are read as root, who has no capability then */
	if ((geteuid() == 0 && !open_files) || capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) {
		errno = EPERM;
		return fail(error, "still privileged");
	}
	restrict_files(s);
	return true;
}

bool
sandbox_takes_threads(void)
{
	return seccomp_api_get() >= 2; /* the first that knows SECCOMP_FILTER_FLAG_TSYNC */
}

bool
sandbox_seal(const struct sandbox *s, char error[SANDBOX_ERROR])
{
	if (!limit(RLIMIT_NPROC, 0, error) || (!INSTRUMENTED && !restrict_calls(s, error)))
		return false;
	if (strcmp(missing, "chroot, Landlock, seccomp") == 0) {
		errno = ENOSYS;
		return fail(error, "this kernel has no means for it");
	}
	return true;
}
