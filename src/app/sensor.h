/*
 * What happens to the sensor itself: a worker died, an interface went away, packets were lost.
 *
 * Such an event is a record like any other (RECORD_SENSOR, event.dataset postcard.sensor): rules of
 * `service: sensor` decide whether it is an alert.
 */
#ifndef POSTCARD_APP_SENSOR_H
#define POSTCARD_APP_SENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "record/record.h"

struct sensor_event {
	const char *action; /* event.action: worker-died, worker-hung, interface-down, -up, -gone,
			       packets-lost */
	const char *text;   /* one line for people */
	const char *cause;  /* of a worker's death; NULL */
	const char *interface; /* its name; NULL: it is about none */
	unsigned worker;       /* from 1; 0: none */
	uint64_t loss;	       /* of packets-lost: of a million packets */
};

/* Puts it as a record, of now. */
void sensor_compose(struct record *out, const struct sensor_event *e);

/* Makes a summary say how a sensor stands: what it watches, as many names as a line holds, and one
 * sentence. */
void sensor_put_status(struct record *summary, const char *const *names, size_t count);

#define SENSOR_LOSS_MS 60000 /* between two looks at what was lost */

/* Looks for loss; zeroed at the start. */
struct sensor {
	uint64_t frames, dropped; /* at the last look */
	int64_t next_ms;	  /* when the next one is due */
	char text[128];		  /* of the last event */
};

/* Was anything lost since the last look, a minute ago?  True with an event, which lives as long as
 * `s`. */
bool sensor_loss(struct sensor *s, const struct capture_stats *c, int64_t now_ms,
    struct sensor_event *e);

/* Prints a summary's counters on standard error, a line each. */
void sensor_say(const struct record *summary);

#endif
