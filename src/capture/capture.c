/*
 * Several capture files as one stream in time order: see capture.h.
 *
 * Each file was looked at when it was opened, so the time of its first frame is known.  Files wait
 * in the order of those times, parked, until the stream reaches them; files that are under way lie
 * in a heap by the time of the frame at their head.  One file, the current one, is outside the
 * heap and is read on for as long as its next frame comes before the horizon, which is the
 * earliest frame of all others: with one file, or rotated files, the heap is not touched.
 *
 * Frames of one file keep their order even where its clock steps back.  Equal times go to the file
 * whose first frame is earlier, then to the one named first.
 */
#include "capture/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "capture/filter.h"
#include "capture/input.h"

#define PATH_SHOWN 160 /* octets of a path shown in a message: its end */

struct capture {
	struct input *current;		      /* being read; NULL: to be chosen */
	int64_t horizon_ns;		      /* the earliest frame of all other files ... */
	size_t horizon_rank;		      /* ... and the rank of its file */
	struct ahead *ahead;		      /* owned; NULL: none reads ahead */
	struct filter *filter;		      /* NULL: all frames pass */
	uint64_t number;		      /* frames read, the filtered ones too */
	struct capture_stats stats;	      /* the counts that are kept frame by frame */
	struct text why;		      /* why a file ended; empty where it just did */
	struct input *inputs;		      /* all files, as named */
	size_t count;			      /* their number */
	struct input **waiting;		      /* those with frames, by first frame */
	size_t waiting_count;		      /* their number */
	size_t waiting_next;		      /* those before were taken */
	struct input *heap[LIMIT_OPEN_FILES]; /* files under way, the earliest at 0 */
	size_t heap_count;		      /* their number */
	size_t faults;			      /* fault lines, also those not kept */
	char why_text[INPUT_WHY];	      /* of `why` */
	char failure[CAPTURE_TEXT];	      /* why reading cannot go on, or "" */
	char fault[LIMIT_FAULTS][CAPTURE_TEXT];
};

/* --- messages --- */

/* Adds the name of a file, safe to show; of a long one its end. */
static void
say_path(struct text *t, const char *path)
{
	if (strcmp(path, "-") == 0) {
		text_puts(t, "standard input");
		return;
	}
	size_t len = strlen(path);
	if (len > PATH_SHOWN) {
		text_puts(t, "...");
		path += len - PATH_SHOWN;
		while (((unsigned char)*path & 0xc0) == 0x80) /* not from within a character */
			path++;
	}
	text_add_wire(t, path, strlen(path));
}

static void
say(char out[CAPTURE_TEXT], const char *path, const char *why)
{
	struct text t = text_in(out, CAPTURE_TEXT);
	say_path(&t, path);
	text_puts(&t, ": ");
	text_puts(&t, why);
}

static void
add_fault(struct capture *c, const char *path)
{
	if (c->faults < LIMIT_FAULTS)
		say(c->fault[c->faults], path, c->why_text);
	c->faults++;
	c->why = text_in(c->why_text, sizeof c->why_text);
}

/* A file ended: was it whole? */
static void
note_end(struct capture *c, const struct input *in)
{
	if (c->why.len == 0)
		return;
	add_fault(c, in->path);
	c->stats.files_damaged++;
}

/* --- the order of files --- */

static inline bool
is_before(int64_t a_ns, size_t a_rank, int64_t b_ns, size_t b_rank)
{
	return a_ns < b_ns || (a_ns == b_ns && a_rank < b_rank);
}

static bool
head_before(const struct input *a, const struct input *b)
{
	return is_before(a->head.ts_ns, a->rank, b->head.ts_ns, b->rank);
}

static void
heap_push(struct capture *c, struct input *in)
{
	size_t i = c->heap_count++;
	while (i > 0 && head_before(in, c->heap[(i - 1) / 2])) {
		c->heap[i] = c->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	c->heap[i] = in;
}

static struct input *
heap_pop(struct capture *c)
{
	struct input *top = c->heap[0];
	struct input *last = c->heap[--c->heap_count];
	size_t i = 0, child;
	while ((child = 2 * i + 1) < c->heap_count) {
		if (child + 1 < c->heap_count && head_before(c->heap[child + 1], c->heap[child]))
			child++;
		if (!head_before(c->heap[child], last))
			break;
		c->heap[i] = c->heap[child];
		i = child;
	}
	c->heap[i] = last;
	return top;
}

/* Sets the horizon for a new current file. */
static void
set_current(struct capture *c, struct input *in)
{
	c->current = in;
	c->horizon_ns = INT64_MAX;
	c->horizon_rank = SIZE_MAX;
	if (c->heap_count > 0) {
		c->horizon_ns = c->heap[0]->head.ts_ns;
		c->horizon_rank = c->heap[0]->rank;
	}
	if (c->waiting_next < c->waiting_count) {
		const struct input *w = c->waiting[c->waiting_next];
		if (is_before(w->first_ns, w->rank, c->horizon_ns, c->horizon_rank)) {
			c->horizon_ns = w->first_ns;
			c->horizon_rank = w->rank;
		}
	}
}

/* Chooses the file whose frame is next.  CAPTURE_FRAME where there is one. */
static enum capture_status
choose(struct capture *c)
{
	for (;;) {
		const struct input *top = c->heap_count > 0 ? c->heap[0] : NULL;
		struct input *w =
		    c->waiting_next < c->waiting_count ? c->waiting[c->waiting_next] : NULL;
		if (top == NULL && w == NULL)
			return CAPTURE_END;
		if (w == NULL ||
		    (top != NULL && is_before(top->head.ts_ns, top->rank, w->first_ns, w->rank))) {
			set_current(c, heap_pop(c));
			return CAPTURE_FRAME;
		}
		if (c->heap_count == LIMIT_OPEN_FILES) {
			struct text t = text_in(c->failure, sizeof c->failure);
			say_path(&t, w->path);
			text_printf(&t,
			    ": more than %u capture files overlap in time here; join some "
			    "with mergecap first, or give fewer",
			    LIMIT_OPEN_FILES);
			return CAPTURE_FAILED;
		}
		c->waiting_next++;
		if (input_resume(w, c->ahead, &c->why)) {
			set_current(c, w);
			return CAPTURE_FRAME;
		}
		note_end(c, w);
	}
}

/* --- opening --- */

static int
compare_first(const void *a, const void *b)
{
	const struct input *x = *(struct input *const *)a, *y = *(struct input *const *)b;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return x < y ? -1 : 1; /* of one array, which is in the order of the command line */
}

static bool
open_inputs(struct capture *c, const char *const *paths, size_t count, struct capture_error *err)
{
	bool stdin_used = false;
	for (size_t i = 0; i < count; i++) {
		struct input *in = &c->inputs[c->count++];
		bool is_stdin = strcmp(paths[i], "-") == 0;
		if (is_stdin && stdin_used) {
			say(err->text, paths[i], "can be read once only; name it once");
			return false;
		}
		stdin_used |= is_stdin;
		if (!input_open(in, paths[i], &c->why)) {
			say(err->text, paths[i], c->why_text);
			return false;
		}
		if (in->held)
			c->waiting[c->waiting_count++] = in;
		else
			note_end(c, in);
		if (count > 1)
			input_park(in, count > LIMIT_OPEN_FILES);
	}
	qsort(c->waiting, c->waiting_count, sizeof *c->waiting, compare_first);
	for (size_t i = 0; i < c->waiting_count; i++)
		c->waiting[i]->rank = i;
	return true;
}

static bool
open_filter(struct capture *c, const char *expression, struct capture_error *err)
{
	uint32_t *link_types = calloc(c->count, sizeof *link_types);
	if (link_types == NULL) {
		text_puts(&c->why, "no memory for it");
	} else {
		for (size_t i = 0; i < c->count; i++)
			link_types[i] = c->inputs[i].link_type;
		c->filter = filter_new(expression, link_types, c->count, &c->why);
		free(link_types);
	}
	if (c->filter != NULL)
		return true;
	struct text t = text_in(err->text, sizeof err->text);
	text_puts(&t, "the capture filter cannot be used: ");
	text_puts(&t, c->why_text);
	text_puts(&t, " (see pcap-filter(7))");
	return false;
}

struct capture *
capture_open_files(const char *const *paths, size_t count, const char *filter,
    struct capture_error *err)
{
	err->text[0] = '\0';
	struct capture *c = calloc(1, sizeof *c);
	if (c != NULL) {
		c->why = text_in(c->why_text, sizeof c->why_text);
		c->stats = (struct capture_stats){.files = count,
		    .first_ns = INT64_MAX,
		    .last_ns = INT64_MIN};
		c->inputs = calloc(count, sizeof *c->inputs);
		c->waiting = calloc(count, sizeof *c->waiting);
	}
	if (count == 0)
		memcpy(err->text, "no capture file was named", 26);
	else if (c == NULL || c->inputs == NULL || c->waiting == NULL)
		memcpy(err->text, "no memory to open the capture files", 36);
	else if (open_inputs(c, paths, count, err) &&
	    (filter == NULL || open_filter(c, filter, err)))
		return c;
	capture_close(c);
	return NULL;
}

/* --- reading --- */

void
capture_read_ahead(struct capture *c)
{
	if (c->ahead == NULL)
		c->ahead = ahead_start();
}

/* Does the filter let the frame pass? */
static bool
passes(struct capture *c, const struct input *in, const struct frame *f)
{
	enum filter_verdict verdict = filter_frame(c->filter, f, &c->why);
	if (verdict == FILTER_PASS)
		return true;
	c->stats.filtered++;
	if (verdict == FILTER_REJECT)
		return false;
	c->stats.unfilterable++;
	if (verdict == FILTER_NONE_NEW) {
		char said[INPUT_WHY];
		memcpy(said, c->why_text, sizeof said);
		c->why = text_in(c->why_text, sizeof c->why_text);
		text_printf(&c->why,
		    "frames of link type %u are left out, since the filter cannot be used "
		    "for them: %s",
		    f->link_type, said);
		add_fault(c, in->path);
	}
	return false;
}

enum capture_status
capture_next(struct capture *c, struct frame *f)
{
	for (;;) {
		struct input *in = c->current;
		if (in == NULL) {
			enum capture_status status = choose(c);
			if (status != CAPTURE_FRAME)
				return status;
			continue;
		}
		if (!input_next(in, f, &c->why)) {
			note_end(c, in);
			c->current = NULL;
			continue;
		}
		if (is_before(c->horizon_ns, c->horizon_rank, f->ts_ns, in->rank)) {
			input_hold(in, f);
			heap_push(c, in);
			c->current = NULL;
			continue;
		}
		f->number = ++c->number;
		if (c->filter != NULL && !passes(c, in, f))
			continue;
		capture_stats_count(&c->stats, f, 1);
		return CAPTURE_FRAME;
	}
}

size_t
capture_more(struct capture *c, struct frame *f, size_t max)
{
	if (c->current == NULL)
		return 0;
	size_t read = input_more(c->current, c->horizon_ns, f, max), n;
	for (size_t i = 0; i < read; i++)
		f[i].number = ++c->number;
	for (size_t i = n = c->filter != NULL ? 0 : read; i < read; i++) {
		if (passes(c, c->current, &f[i]))
			f[n++] = f[i];
	}
	capture_stats_count(&c->stats, f, n);
	return n;
}

const char *
capture_failure(const struct capture *c)
{
	return c->failure;
}

/* --- what is known about it --- */

void
capture_progress(const struct capture *c, uint64_t *octets_read, uint64_t *octets_total)
{
	bool known = true;
	*octets_read = *octets_total = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct input *in = &c->inputs[i];
		uint64_t done = input_progress(in);
		*octets_read += done;
		*octets_total += done > in->size ? done : in->size; /* a file may have grown */
		known &= in->size > 0;
	}
	if (!known)
		*octets_total = 0;
}

size_t
capture_faults(const struct capture *c)
{
	return c->faults;
}

const char *
capture_fault(const struct capture *c, size_t i)
{
	return i < c->faults && i < LIMIT_FAULTS ? c->fault[i] : "one more damaged file";
}

void
capture_stats_get(const struct capture *c, struct capture_stats *out)
{
	*out = c->stats;
	if (out->frames == 0)
		out->first_ns = out->last_ns = 0;
	for (size_t i = 0; i < c->count; i++) {
		out->steps_back += c->inputs[i].steps_back;
		out->dropped += input_dropped(&c->inputs[i]);
	}
}

bool
capture_is_forkable(const struct capture *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->inputs[i].size == 0)
			return false;
	return true;
}

void
capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++) {
		input_close(&c->inputs[i]);
		free(c->inputs[i].path);
	}
	ahead_stop(c->ahead);
	filter_free(c->filter);
	free(c->inputs);
	free(c->waiting);
	free(c);
}
