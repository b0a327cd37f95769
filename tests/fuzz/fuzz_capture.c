/*
 * Fuzz target: a whole capture file, from its first octet to what is printed.
 *
 * Each record must be readable to its end and name an outcome, and no output may hold an octet that
 * ends a line early or steers a terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/capture.h"
#include "engine/engine.h"
#include "sink/sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct record record;

/* What is printed, in two ways. */
struct output {
	char *text;
	size_t len;
	FILE *stream;
	struct sink *sink;
};

static void
output_open(struct output *o, const char *kind)
{
	char error[SINK_ERROR];
	o->stream = open_memstream(&o->text, &o->len);
	struct sink_config config = {.kind = kind, .out = o->stream, .reveal = true, .verbose = 1};
	o->sink = o->stream != NULL ? sink_open(&config, error) : NULL;
	if (o->sink == NULL)
		abort();
}

static void
output_close(struct output *o)
{
	(void)sink_close(o->sink);
	(void)fclose(o->stream);
	for (size_t i = 0; i < o->len; i++) {
		if ((uint8_t)o->text[i] < 0x20 && o->text[i] != '\n')
			abort();
	}
	free(o->text);
}

static void
take(struct engine *e, struct output out[2])
{
	while (engine_next(e, &record)) {
		struct record_value v;
		uint32_t at = 0;
		while (record_next(&record, &at, &v)) {
		}
		if (at != record.len || !record_find(&record, FIELD_OUTCOME, &v))
			abort();
		(void)sink_push(out[0].sink, &record);
		(void)sink_push(out[1].sink, &record);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine_config config = {.flows = 64, .conns = 32, .no_ndpi = true};
	struct capture_error err;
	struct frame frame;
	struct output out[2] = {0};
	char error[256], path[64];
	int fd = memfd_create("capture", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	const char *paths[] = {path};
	struct capture *c = capture_open_files(paths, 1, NULL, &err);
	if (c != NULL) {
		output_open(&out[0], "json");
		output_open(&out[1], "text");
		struct engine *e = engine_new(&config, error);
		while (e != NULL && capture_next(c, &frame) == CAPTURE_FRAME) {
			engine_push(e, &frame);
			take(e, out);
		}
		if (e != NULL) {
			engine_finish(e);
			take(e, out);
			engine_free(e);
		}
		output_close(&out[0]);
		output_close(&out[1]);
	}
	capture_close(c);
	(void)close(fd);
	return 0;
}
