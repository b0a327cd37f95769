/*
 * A BPF filter expression (pcap-filter(7)), compiled once for each link type that it meets.
 *
 * libpcap compiles for one link type; pcapng files and several files may mix them.  Bounded by
 * LIMIT_LINK_FILTERS programs.  Host names in an expression are looked up by libpcap when it
 * compiles.
 */
#ifndef POSTCARD_CAPTURE_FILTER_H
#define POSTCARD_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "capture/frame.h"

struct filter;

enum filter_verdict {
	FILTER_PASS,
	FILTER_REJECT,
	FILTER_NONE,	 /* the expression has no meaning for this link type */
	FILTER_NONE_NEW, /* the same, for the first time: `why` says what libpcap says */
};

/*
 * Compiles `expression` for Ethernet and for the `count` link types (LINKTYPE_ values) that the
 * files are known to hold.  NULL and libpcap's message in `why` where it is good for none of them.
 * The expression is copied.
 */
struct filter *
filter_new(const char *expression, const uint32_t *link_types, size_t count, struct text *why);
void filter_free(struct filter *f); /* NULL is allowed */

enum filter_verdict filter_frame(struct filter *f, const struct frame *frame, struct text *why);

#endif
