/*
 * nDPI, behind one file: which protocol runs on a port that should or should not carry mail.
 *
 * It is asked only where the own probe cannot tell, and only for the name: its notion of
 * "encrypted" is wrong in both directions for mail, and its risk texts contain user names, so
 * neither is read (DESIGN.md, section 2).
 */
#ifndef POSTCARD_IDENT_DPI_H
#define POSTCARD_IDENT_DPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dpi;	 /* the detection module of a worker */
struct dpi_flow; /* what it knows of one connection */

/* Its version and the number it has of its interface, for --version. */
const char *dpi_version(void);

/* May dpi_new open files?  That of 4.2 does not; into others nobody has looked. */
bool dpi_opens_files(void);

/* Setting it up takes some 20 ms and is done once it is first needed.  NULL where nDPI cannot be
 * set up. */
struct dpi *dpi_new(void);
void dpi_free(struct dpi *d);

/* State for one connection; NULL without memory.  The caller owes dpi_flow_free. */
struct dpi_flow *dpi_flow_new(void);
void dpi_flow_free(struct dpi_flow *f);

enum dpi_answer { DPI_MORE, DPI_MAIL_SMTP, DPI_MAIL_IMAP, DPI_MAIL_POP3, DPI_OTHER, DPI_UNKNOWN };

/*
 * Shows it one packet from the IP header on.  The name of what it found is written to `name` (up to
 * 31 octets), "" where it does not know.  After `last` it must decide.
 */
enum dpi_answer dpi_packet(struct dpi *d, struct dpi_flow *f, const uint8_t *ip, uint32_t len,
    int64_t ts_ns, bool last, char name[32]);

#endif
