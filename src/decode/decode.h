/*
 * Frame to TCP segment: link layers, tags, labels, tunnels, IPv4 and IPv6 with extension headers.
 *
 * No state but the fragments that wait for their datagram (defrag.h).  Lengths are taken from the
 * headers only as far as the captured octets bear them out.
 */
#ifndef POSTCARD_DECODE_DECODE_H
#define POSTCARD_DECODE_DECODE_H

#include <stddef.h>

#include "decode/defrag.h"
#include "decode/segment.h"

/*
 * Decodes a frame of `caplen` captured and `wirelen` original octets (LIMIT_FRAME at most; more
 * counts as that).  link_type is a LINKTYPE_ value.  Fragments are put together in `defrag` (NULL:
 * they are not).  On DECODE_TCP `out` is filled; its pointers point into `data` or into the
 * datagram, and live until the next call.
 */
enum decode_result decode_frame(struct defrag *defrag, uint32_t link_type, const uint8_t *data,
    uint32_t caplen, uint32_t wirelen, struct segment *out);

#endif
