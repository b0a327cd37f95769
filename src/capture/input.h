/*
 * One capture file: its octets, its format, and the frame at its head.
 *
 * A file is looked at when it is opened (format and first frame); then it may be parked, holding
 * no memory, until its time comes.
 */
#ifndef POSTCARD_CAPTURE_INPUT_H
#define POSTCARD_CAPTURE_INPUT_H

#include "capture/pcapfile.h"
#include "capture/pcapng.h"

#define INPUT_WHY 320 /* octets of a message about one file, with its NUL */

enum input_state {
	INPUT_CLOSED, /* read to its end or given up */
	INPUT_PARKED, /* recognised; begins again from its first octet */
	INPUT_OPEN,   /* being read */
};

struct input {
	char *path;	     /* owned; "-" is standard input */
	struct frame head;   /* a frame that was read and not handed out, where `held` */
	int64_t last_ns;     /* time of the frame read last */
	int64_t first_ns;    /* time of its first frame, where it was held after input_open */
	uint64_t steps_back; /* frames earlier than the one before in this file */
	uint64_t dropped;    /* packets that the file says were lost, once it is closed */
	uint64_t done;	     /* octets read, once it is closed */
	uint64_t size;	     /* octets of the file; 0: unknown (a pipe) */
	uint32_t link_type;  /* of its first frame, as far as it is known; else Ethernet */
	size_t rank;	     /* place in the order of first frames: decides between equal times */
	enum input_state state;
	bool held; /* `head` is a frame */
	bool is_pcapng;
	union {
		struct pcapfile pcap;
		struct pcapng pcapng;
	} format;
	struct source source;
};

/*
 * Opens `path`, recognises its format and reads up to its first frame.  False and the cause in
 * `why` (without the path) where it is no readable capture.  True and not `held`: it has no
 * frame, and is closed; `why` is not empty where that is because of damage.
 */
bool input_open(struct input *in, const char *path, struct text *why);

/* Gives memory back, and the descriptor with `shut`, until input_resume; a pipe is left alone. */
void input_park(struct input *in, bool shut);

/* Opens a parked input again and holds its first frame, as the open one does; `ahead` reads it on,
 * as source_hurry says.  False where it ended at once: as input_next. */
bool input_resume(struct input *in, struct ahead *ahead, struct text *why);

/*
 * Gives the held frame, or else reads the next one, into f (all but f->number); nothing is held
 * then.  False at the end of the file, which is closed; `why` is not empty where damage ended it.
 */
bool input_next(struct input *in, struct frame *f, struct text *why);

/* Frames that lie in memory together and are earlier than until_ns, `max` at most, as input_next
 * would give them; those before stay valid.  How many. */
size_t input_more(struct input *in, int64_t until_ns, struct frame *f, size_t max);

/* Takes a frame back that input_next gave last: it will give it again. */
void input_hold(struct input *in, const struct frame *f);

/* Octets read, as they are on disk, and packets that the file says were lost; both so far. */
uint64_t input_progress(const struct input *in);
uint64_t input_dropped(const struct input *in);

void input_close(struct input *in); /* closes and frees all but the path */

#endif
