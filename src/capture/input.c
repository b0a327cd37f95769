/* One capture file: see input.h. */
#include "capture/input.h"

#include <string.h>

/* Files that people take for captures, by their first octets. */
static const struct {
	uint8_t magic[4];
	uint8_t len; /* octets of magic */
	const char *what;
} others[] = {
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, "is compressed with zstd; unpack it first (zstd -d)"},
    {{0xfd, '7', 'z', 'X'}, 4, "is compressed with xz; unpack it first (xz -d)"},
    {{0x04, 0x22, 0x4d, 0x18}, 4, "is compressed with lz4; unpack it first (lz4 -d)"},
    {{'B', 'Z', 'h'}, 3, "is compressed with bzip2; unpack it first (bzip2 -d)"},
    {{'P', 'K', 3, 4}, 4, "is a zip archive; unpack it first"},
    {{'s', 'n', 'o', 'o'}, 4, "is a snoop capture; convert it with editcap -F pcap"},
    {{'G', 'M', 'B', 'U'}, 4, "is a Network Monitor capture; convert it with editcap -F pcap"},
    {{'R', 'T', 'S', 'S'}, 4, "is a Network Monitor capture; convert it with editcap -F pcap"},
};

static bool
not_a_capture(const struct source *s, struct text *why)
{
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (source_left(s) >= others[i].len &&
		    memcmp(s->at, others[i].magic, others[i].len) == 0) {
			text_puts(why, others[i].what);
			return false;
		}
	}
	if (s->read.end == RAWFILE_MORE || s->read.end == RAWFILE_DONE) {
		text_puts(why, "not a pcap or pcapng capture");
		if (s->file.gz != NULL)
			text_puts(why, " inside the gzip file");
	} else {
		source_say_end(s, why);
		text_puts(why, ": not a capture (any more)");
	}
	return false;
}

/* Recognises the format and reads the file header. */
static bool
read_header(struct input *in, struct text *why)
{
	struct source *s = &in->source;
	if (!source_need(s, 4))
		return not_a_capture(s, why);
	in->is_pcapng = pcapng_magic(s->at);
	if (in->is_pcapng)
		return pcapng_open(&in->format.pcapng, s, why);
	if (!pcapfile_magic(s->at))
		return not_a_capture(s, why);
	return pcapfile_open(&in->format.pcap, s, why);
}

static bool
read_first(struct input *in, struct text *why)
{
	struct frame f = {0};
	if (!input_next(in, &f, why))
		return false;
	input_hold(in, &f);
	return true;
}

bool
input_open(struct input *in, const char *path, struct text *why)
{
	*in = (struct input){.source.file.fd = -1, .state = INPUT_OPEN, .link_type = 1};
	in->last_ns = INT64_MIN;
	in->path = strdup(path);
	if (in->path == NULL) {
		text_puts(why, "no memory");
		return false;
	}
	if (!source_open(&in->source, path, why))
		return false;
	in->size = in->source.file.size;
	if (!read_header(in, why))
		return false;
	if (!in->is_pcapng)
		in->link_type = in->format.pcap.link_type;
	if (read_first(in, why)) {
		in->first_ns = in->head.ts_ns;
		in->link_type = in->head.link_type;
	}
	return true;
}

void
input_park(struct input *in, bool shut)
{
	if (in->state != INPUT_OPEN || !in->source.file.regular)
		return;
	if (in->is_pcapng)
		pcapng_close(&in->format.pcapng);
	/* standard input cannot be opened again by name */
	source_park(&in->source, shut && !in->source.file.keep_fd);
	in->state = INPUT_PARKED;
	in->held = false;
	in->last_ns = INT64_MIN;
}

bool
input_resume(struct input *in, struct ahead *ahead, struct text *why)
{
	if (in->state == INPUT_PARKED) {
		in->state = INPUT_OPEN;
		if (!source_reopen(&in->source, in->path, why) || !read_header(in, why)) {
			input_close(in);
			return false;
		}
	}
	source_hurry(&in->source, ahead);
	return in->held || read_first(in, why);
}

bool
input_next(struct input *in, struct frame *f, struct text *why)
{
	if (in->held) {
		*f = in->head;
		in->held = false;
		return true;
	}
	enum format_status status = in->is_pcapng
	    ? pcapng_next(&in->format.pcapng, &in->source, f, why)
	    : pcapfile_next(&in->format.pcap, &in->source, f, why);
	if (status != FORMAT_FRAME) {
		if (in->source.read.end == RAWFILE_STOPPED) /* nothing is wrong with the file */
			*why = text_in(why->buf, why->cap);
		input_close(in);
		return false;
	}
	in->steps_back += f->ts_ns < in->last_ns;
	in->last_ns = f->ts_ns;
	return true;
}

size_t
input_more(struct input *in, int64_t until_ns, struct frame *f, size_t max)
{
	if (in->state != INPUT_OPEN || in->held)
		return 0;
	size_t n = in->is_pcapng ? pcapng_more(&in->format.pcapng, &in->source, until_ns, f, max)
				 : pcapfile_more(&in->format.pcap, &in->source, until_ns, f, max);
	int64_t last_ns = in->last_ns;
	for (size_t i = 0; i < n; i++) {
		in->steps_back += f[i].ts_ns < last_ns;
		last_ns = f[i].ts_ns;
	}
	in->last_ns = last_ns;
	return n;
}

void
input_hold(struct input *in, const struct frame *f)
{
	in->head = *f;
	in->held = true;
}

uint64_t
input_progress(const struct input *in)
{
	return in->state == INPUT_OPEN ? source_progress(&in->source) : in->done;
}

uint64_t
input_dropped(const struct input *in)
{
	return in->state == INPUT_OPEN && in->is_pcapng ? in->format.pcapng.dropped : in->dropped;
}

void
input_close(struct input *in)
{
	if (in->state == INPUT_CLOSED)
		return;
	in->done = source_progress(&in->source);
	if (in->done < in->size)
		in->done = in->size;
	if (in->is_pcapng) {
		in->dropped = in->format.pcapng.dropped;
		pcapng_close(&in->format.pcapng);
	}
	source_close(&in->source);
	in->state = INPUT_CLOSED;
}
