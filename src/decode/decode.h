/*
 * Frame to TCP segment: link layers, VLAN tags, IPv4 and IPv6 with extension headers.
 *
 * No state.  Lengths are taken from the headers only as far as the captured octets bear them out.
 */
#ifndef POSTCARD_DECODE_DECODE_H
#define POSTCARD_DECODE_DECODE_H

#include <stddef.h>

#include "decode/segment.h"

/*
 * Decodes a frame of `caplen` captured and `wirelen` original octets.  link_type is a LINKTYPE_
 * value. On DECODE_TCP `out` is filled (its pointers point into `data`); ts_ns is the caller's to
 * set.
 */
enum decode_result decode_frame(uint32_t link_type, const uint8_t *data, uint32_t caplen,
    uint32_t wirelen, struct segment *out);

#endif
