/*
 * Fuzz target: a whole capture file, from its first octet to the records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/capture.h"
#include "engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct record record;

static void
take(struct engine *e)
{
	while (engine_next(e, &record)) {
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine_config config = {.flows = 64, .conns = 32, .no_ndpi = true};
	struct capture_error err;
	struct frame frame;
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
		struct engine *e = engine_new(&config, error);
		while (e != NULL && capture_next(c, &frame) == CAPTURE_FRAME) {
			engine_push(e, &frame);
			take(e);
		}
		if (e != NULL) {
			engine_finish(e);
			take(e);
			engine_free(e);
		}
	}
	capture_close(c);
	(void)close(fd);
	return 0;
}
