/*
 * Giving rights up, for good.
 *
 * A worker parses hostile octets, so it keeps nothing: no user of its own, no capability, no file
 * system (chroot into a folder that is gone, and Landlock where the kernel has it), no new
 * descriptors or processes, no core file, no more memory than it has and a margin, and of the
 * system calls the few that reading, waiting and writing take (seccomp: any other kills it).
 *
 * The parent only ceases to be root and gives all capabilities up.  Linux only; what the kernel
 * lacks is left out and said by sandbox_missing, except that a worker never runs with capabilities
 * or as root.
 */
#ifndef POSTCARD_APP_SANDBOX_H
#define POSTCARD_APP_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SANDBOX_ERROR  256
#define SANDBOX_MARGIN (256ull << 20) /* octets of address space that libraries may still take */

/* Users to become; uid 0: stay who one is. */
struct identity {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/*
 * The user `name`, or where it is NULL the first of `usual` (a list that NULL ends) that exists.
 * False and a message where it does not exist.  Who is not root stays who he is: uid 0.
 */
bool identity_find(struct identity *id, const char *name, const char *const *usual,
    char error[SANDBOX_ERROR]);

/* Becomes that user, without other groups and capabilities, never to gain any.  False with a
 * message.  With uid 0 only the capabilities go. */
bool sandbox_become(const struct identity *id, char error[SANDBOX_ERROR]);

/* What the keeper of live workers needs: opens interfaces, starts and ends workers.  All other
 * capabilities go.  Who has fewer keeps those. */
bool sandbox_keep_some(char error[SANDBOX_ERROR]);

struct sandbox {
	struct identity identity; /* to become */
	const char *const *files; /* that may still be opened, to be read */
	size_t file_count;	  /* 0: nothing may be opened */
	pid_t parent;		  /* with whom it dies; 0: with nobody */
	bool threads;		  /* others than the one that seals it are there by then */
	int pipe;		  /* the one descriptor that may be written to, besides standard
				     error: a packet socket would send what is written to it */
};

/*
 * The worker's sandbox, to be entered when all is open and all memory is reserved, and then to be
 * sealed.  Between the two, threads that are to share it are started: of users, capabilities and
 * Landlock each has its own, taken from the thread that starts it, and once it is sealed none can
 * be started.  False with a message where rights could not be given up: the worker must not go on
 * then.
 */
bool sandbox_enter(const struct sandbox *s, char error[SANDBOX_ERROR]);
bool sandbox_takes_threads(void); /* can this kernel seal more than one? */
bool sandbox_seal(const struct sandbox *s, char error[SANDBOX_ERROR]);

/* Parts that this kernel lacks, of a sandbox that was sealed: "Landlock, seccomp"; "" for none. */
const char *sandbox_missing(void);

#endif
