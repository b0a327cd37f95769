/*
 * nDPI: see dpi.h.  The interface changed with nearly every release; what differs is behind
 * NDPI_VERSION, by the table in the release notes: 4.2 (Debian 12), 4.8 (input info), 4.10 (global
 * context), 5.0 (no bit mask, result with state).
 */
#include "ident/dpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <ndpi/ndpi_api.h>
#pragma GCC diagnostic pop

#define VERSION (NDPI_MAJOR * 100 + NDPI_MINOR)

struct dpi {
	struct ndpi_detection_module_struct *module;
};

struct dpi_flow {
	struct ndpi_flow_struct *flow;
};

const char *
dpi_version(void)
{
	return ndpi_revision();
}

bool
dpi_opens_files(void)
{
	return VERSION > 402;
}

struct dpi *
dpi_new(void)
{
	struct dpi *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
#if VERSION >= 600
	d->module = ndpi_init_detection_module(NULL, NDPI_LICENSE_LGPL);
#elif VERSION >= 410
	d->module = ndpi_init_detection_module(NULL);
#else
	/* libgcrypt, for QUIC alone, would look for files, which a sandbox forbids */
	d->module = ndpi_init_detection_module(ndpi_dont_init_libgcrypt);
#endif
	if (d->module == NULL) {
		free(d);
		return NULL;
	}
#if VERSION < 500
	NDPI_PROTOCOL_BITMASK all;
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(d->module, &all);
#endif
	ndpi_finalize_initialization(d->module);
	return d;
}

void
dpi_free(struct dpi *d)
{
	if (d == NULL)
		return;
	ndpi_exit_detection_module(d->module);
	free(d);
}

struct dpi_flow *
dpi_flow_new(void)
{
	struct dpi_flow *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	f->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
	if (f->flow == NULL) {
		free(f);
		return NULL;
	}
	memset(f->flow, 0, SIZEOF_FLOW_STRUCT);
	return f;
}

void
dpi_flow_free(struct dpi_flow *f)
{
	if (f == NULL)
		return;
	ndpi_free_flow(f->flow);
	free(f);
}

static uint16_t
protocol_of(const ndpi_protocol *p)
{
#if VERSION >= 411
	uint16_t app = p->proto.app_protocol, master = p->proto.master_protocol;
#else
	uint16_t app = p->app_protocol, master = p->master_protocol;
#endif
	/* a mail protocol below an application's name (Gmail over SMTP) is what counts here */
	if (master == NDPI_PROTOCOL_MAIL_SMTP || master == NDPI_PROTOCOL_MAIL_IMAP ||
	    master == NDPI_PROTOCOL_MAIL_POP)
		return master;
	return app != NDPI_PROTOCOL_UNKNOWN ? app : master;
}

enum dpi_answer
dpi_packet(struct dpi *d, struct dpi_flow *f, const uint8_t *ip, uint32_t len, int64_t ts_ns,
    bool last, char name[32])
{
	uint64_t ms = ts_ns > 0 ? (uint64_t)ts_ns / 1000000u : 0;
	uint16_t packet_len = len > UINT16_MAX ? UINT16_MAX : (uint16_t)len;
	name[0] = '\0';
#if VERSION >= 408
	ndpi_protocol p =
	    ndpi_detection_process_packet(d->module, f->flow, ip, packet_len, ms, NULL);
#else
	ndpi_protocol p = ndpi_detection_process_packet(d->module, f->flow, ip, packet_len, ms);
#endif
	uint16_t id = protocol_of(&p);
	if (id == NDPI_PROTOCOL_UNKNOWN && last) {
#if VERSION >= 500
		p = ndpi_detection_giveup(d->module, f->flow);
#elif VERSION >= 410
		uint8_t guessed;
		p = ndpi_detection_giveup(d->module, f->flow, &guessed);
#else
		uint8_t guessed;
		p = ndpi_detection_giveup(d->module, f->flow, 0, &guessed);
#endif
		id = protocol_of(&p);
		if (id == NDPI_PROTOCOL_UNKNOWN)
			return DPI_UNKNOWN;
	}
	if (id == NDPI_PROTOCOL_UNKNOWN)
		return DPI_MORE;
	(void)snprintf(name, 32, "%s", ndpi_get_proto_name(d->module, id));
	switch (id) {
	case NDPI_PROTOCOL_MAIL_SMTP: return DPI_MAIL_SMTP;
	case NDPI_PROTOCOL_MAIL_IMAP: return DPI_MAIL_IMAP;
	case NDPI_PROTOCOL_MAIL_POP: return DPI_MAIL_POP3;
	default: return DPI_OTHER;
	}
}
