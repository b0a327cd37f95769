/* What the files of the flood generator share; see flood.c. */
#ifndef POSTCARD_TESTS_FLOOD_H
#define POSTCARD_TESTS_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_MAX 66000u
#define SERVER_IP 0xc0000219u /* 192.0.2.25, as in the dialogues */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* One frame: Ethernet and what is in it. */
struct octets {
	uint8_t at[FRAME_MAX];
	uint32_t len;
};

/* One packet of a connection that a flood opens many times. */
struct step {
	int side;	  /* 0 the client, 1 the server */
	int flags;	  /* of TCP */
	uint32_t skip;	  /* octets of the sender's that are left out before these */
	uint32_t fill;	  /* octets of 'x' instead of a text */
	const char *text; /* or NULL */
};

/* A kind of flood, a row of the table in flood_kinds.c. */
struct kind {
	const char *name;
	const char *what; /* a line for the usage */

	/* many connections: these steps for each of them */
	const struct step *steps;

	/* or, behind the steps of one connection, octets without end: a text, or what is made */
	const char *text; /* repeated in each frame until it is full, or */
	void (*make)(struct octets *frame, uint64_t i); /* appends the octets of piece `i` */
	const char *answer;	/* of the other side, for each piece; or NULL */
	const struct step *end; /* steps behind all that; or NULL */

	/* or frames of no connection: makes frame `i` */
	void (*frame)(struct octets *frame, uint64_t i);

	int side;      /* the one that has no end */
	uint16_t port; /* of the server */
	bool rounds;   /* a step of all connections, then the next: all are open at once */
};

extern const struct kind flood_kinds[]; /* ends by a row without a name */

/* flood_wire.c */
void put16(uint8_t *p, uint32_t v);
void put32(uint8_t *p, uint32_t v);
void add(struct octets *f, const void *p, uint32_t n);
/* Ethernet, IPv4 and, for protocol 6, TCP headers around nothing yet. */
void wire_begin(struct octets *f, uint32_t src, uint32_t dst, int protocol);
void
wire_tcp(struct octets *f, uint32_t sport, uint32_t dport, uint32_t seq, uint32_t ack, int flags);
/* The lengths in the outermost IPv4 header. */
void wire_end(struct octets *f);

#endif
