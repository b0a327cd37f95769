/* BPF filters by link type: see filter.h. */
#include "capture/filter.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define SNAPLEN	 262144 /* what an accepting program returns; any number but 0 would do */
#define ETHERNET 1u

struct row {
	uint32_t link_type; /* LINKTYPE_ value */
	bool compiled;	    /* `program` is set */
	bool told;	    /* FILTER_NONE_NEW was given */
	struct bpf_program program;
	char message[PCAP_ERRBUF_SIZE]; /* libpcap's, where it did not compile */
};

struct filter {
	char *expression; /* owned */
	struct row *last; /* the row of the frame before */
	size_t count;	  /* rows in use */
	struct row rows[LIMIT_LINK_FILTERS];
};

/*
 * The platform's DLT_ value of a LINKTYPE_ value.  They are equal but for a few old ones, which
 * pcap-linktype(7) says and libpcap maps when it reads files, but not for who asks.
 */
static int
dlt_of(uint32_t link_type)
{
	static const struct {
		uint32_t link_type;
		int dlt;
	} odd[] = {
	    {100, DLT_ATM_RFC1483},
	    {101, DLT_RAW},
	    {102, DLT_SLIP_BSDOS},
	    {103, DLT_PPP_BSDOS},
	    {106, DLT_ATM_CLIP},
	    {246, DLT_PFSYNC},
	};
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		if (odd[i].link_type == link_type)
			return odd[i].dlt;
	return (int)link_type;
}

/* The row of a link type, compiled now where it is new; NULL where no row is left. */
static struct row *
row_of(struct filter *f, uint32_t link_type)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->rows[i].link_type == link_type)
			return &f->rows[i];
	if (f->count == LIMIT_LINK_FILTERS)
		return NULL;
	struct row *r = &f->rows[f->count++];
	r->link_type = link_type;
	pcap_t *dead = pcap_open_dead(dlt_of(link_type), SNAPLEN);
	if (dead == NULL)
		return r;
	r->compiled = pcap_compile(dead, &r->program, f->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!r->compiled)
		memcpy(r->message, pcap_geterr(dead),
		    strnlen(pcap_geterr(dead), sizeof r->message - 1));
	pcap_close(dead);
	return r;
}

struct filter *
filter_new(const char *expression, const uint32_t *link_types, size_t count, struct text *why)
{
	struct filter *f = calloc(1, sizeof *f);
	if (f == NULL || (f->expression = strdup(expression)) == NULL) {
		text_puts(why, "no memory for it");
		filter_free(f);
		return NULL;
	}
	bool good = row_of(f, ETHERNET)->compiled;
	for (size_t i = 0; i < count; i++) {
		struct row *r = row_of(f, link_types[i]);
		good |= r != NULL && r->compiled;
	}
	f->last = &f->rows[0];
	if (good)
		return f;
	text_puts(why, f->rows[0].message);
	filter_free(f);
	return NULL;
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->count; i++)
		if (f->rows[i].compiled)
			pcap_freecode(&f->rows[i].program);
	free(f->expression);
	free(f);
}

static enum filter_verdict
no_program(struct row *r, struct text *why)
{
	if (r == NULL || r->told)
		return FILTER_NONE;
	r->told = true;
	text_puts(why, r->message);
	return FILTER_NONE_NEW;
}

enum filter_verdict
filter_frame(struct filter *f, const struct frame *frame, struct text *why)
{
	struct row *r = f->last;
	if (r->link_type != frame->link_type) {
		r = row_of(f, frame->link_type);
		if (r != NULL)
			f->last = r;
	}
	if (r == NULL || !r->compiled)
		return no_program(r, why);
	const struct pcap_pkthdr header = {.caplen = frame->caplen, .len = frame->wirelen};
	return pcap_offline_filter(&r->program, &header, frame->data) != 0 ? FILTER_PASS
									   : FILTER_REJECT;
}
