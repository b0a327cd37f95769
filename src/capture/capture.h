/*
 * Capture files as one stream of frames in time order.
 *
 * Reads pcap and pcapng, plain or gzip, from files or standard input.  Several files are merged by
 * time, so a connection may run from one rotated file into the next whatever the order they are
 * named in.  One capture belongs to one process; its functions never log and never exit.
 *
 * What is wrong before the first frame (a name, a format, a filter) refuses the whole run with a
 * message.  Damage met later is kept as a line (capture_fault); reading goes on with the next file.
 */
#ifndef POSTCARD_CAPTURE_CAPTURE_H
#define POSTCARD_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/frame.h"

#define CAPTURE_TEXT 512 /* octets of a message or fault line, with its NUL */

struct capture;

/* A message for people: the file, the cause and what to do.  One line, no line end. */
struct capture_error {
	char text[CAPTURE_TEXT];
};

enum capture_status {
	CAPTURE_FRAME,	/* a frame was handed out */
	CAPTURE_END,	/* no file has any more frames */
	CAPTURE_FAILED, /* reading cannot go on: capture_failure says why */
};

struct capture_stats {
	uint64_t frames;       /* handed out */
	uint64_t captured;     /* octets of them that the files hold */
	uint64_t wire;	       /* octets of them on the wire */
	uint64_t cut;	       /* of them, frames that the snap length cut */
	uint64_t filtered;     /* frames that the filter rejected; not among `frames` */
	uint64_t unfilterable; /* of the filtered: the filter does not exist for their link type */
	int64_t first_ns;    /* earliest time of a frame handed out, ns since the epoch; 0: none */
	int64_t last_ns;     /* latest */
	uint64_t steps_back; /* frames earlier than the one before them in the same file */
	uint64_t dropped;    /* packets that the capturing machine says it lost (pcapng, live) */
	uint64_t interface_dropped; /* live: packets that the interface says it lost */
	uint64_t files;		    /* files given */
	uint64_t files_damaged;	    /* of them cut or damaged; their readable part was handed out */
};

/* Counts frames that are handed out.  `first_ns` begins at INT64_MAX, `last_ns` at INT64_MIN. */
static inline void
capture_stats_count(struct capture_stats *s, const struct frame *f, size_t n)
{
	uint64_t captured = 0, wire = 0, cut = 0;
	int64_t first_ns = s->first_ns, last_ns = s->last_ns;
	for (size_t i = 0; i < n; i++) {
		captured += f[i].caplen;
		wire += f[i].wirelen;
		cut += f[i].caplen < f[i].wirelen;
		first_ns = f[i].ts_ns < first_ns ? f[i].ts_ns : first_ns;
		last_ns = f[i].ts_ns > last_ns ? f[i].ts_ns : last_ns;
	}
	s->frames += n;
	s->captured += captured;
	s->wire += wire;
	s->cut += cut;
	s->first_ns = first_ns;
	s->last_ns = last_ns;
}

/*
 * Opens `count` >= 1 files ("-" is standard input, once at most) and looks at the first frame of
 * each.  `filter` is a pcap-filter(7) expression or NULL for all frames; it is compiled here, and a
 * bad one is an error even where no frame would be read.  Nothing given is kept.
 *
 * NULL and a message in `err` where a file is missing, not readable, a directory, empty, not a
 * capture, of an unknown version, or where the filter is bad.
 *
 * With at most LIMIT_OPEN_FILES files, none is opened after this returns, so a sandbox may forbid
 * it; with more, those that begin later are opened again by name when their time comes.
 */
struct capture *capture_open_files(const char *const *paths, size_t count, const char *filter,
    struct capture_error *err);

/*
 * Files are read by a thread of its own from now on (ahead.h), where one can be had: for who has a
 * core for it.  To be called before the first frame is read and before the right to start threads
 * is given up.
 */
void capture_read_ahead(struct capture *c);

/*
 * Hands out the next frame; f->data stays valid until the next call for this capture.  Frames the
 * filter rejects are left out, but count in f->number, as in other tools that show the file.
 * Blocks while a pipe has nothing to give.
 */
enum capture_status capture_next(struct capture *c, struct frame *f);

/*
 * Hands out frames that lie in memory behind those handed out since the last capture_next, which
 * all stay valid; `max` at most into f.  How many: none says nothing of what capture_next will
 * give.
 */
size_t capture_more(struct capture *c, struct frame *f, size_t max);

/* Why capture_next returned CAPTURE_FAILED; "" where it did not.  Lives as long as the capture. */
const char *capture_failure(const struct capture *c);

/*
 * Octets read so far and octets of all the files, both compressed where a file is; `octets_total`
 * is 0 where it is unknown (a pipe).  A damaged file counts as wholly read once it is given up.
 */
void capture_progress(const struct capture *c, uint64_t *octets_read, uint64_t *octets_total);

/* Fault lines so far: one for each damaged or cut file and for each link type that the filter
 * cannot be compiled for. */
size_t capture_faults(const struct capture *c);

/*
 * Fault line `i` < capture_faults: "a.pcap: cut short at octet 1234, in the middle of packet 17".
 * Holds no octets of packets; offsets and packet numbers count within that file.  LIMIT_FAULTS
 * lines are kept; beyond them it is a fixed text.  Lives as long as the capture.
 */
const char *capture_fault(const struct capture *c, size_t i);

void capture_stats_get(const struct capture *c, struct capture_stats *out);

/* Are all the files regular, so that after fork() each process can read the whole of them?  (They
 * are read by position and share no file offset.)  A pipe can be read once only. */
bool capture_is_forkable(const struct capture *c);

/* Closes all files and frees all memory; NULL is allowed. */
void capture_close(struct capture *c);

#endif
