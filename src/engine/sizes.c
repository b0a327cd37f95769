/* The shares of the pools: see sizes.h. */
#include "engine/sizes.h"

#include "engine/worker.h"
#include "mail/inflate.h"

#define PER_MILLE 1000u

/*
 * Shares are by what 100,000 greeted connections need, each with a mail under way; a row whose
 * maximum is reached leaves its memory unused.
 */
static const struct size_row {
	const char *name;
	uint32_t share; /* per mille */
	uint32_t least;
	uint32_t most;
} rows[SIZES] = {
    [SIZE_FLOWS] = {"connections known", 86, 1024, LIMIT_FLOWS},
    [SIZE_CONNS] = {"connections followed", 236, 1024, LIMIT_CONNS},
    [SIZE_WAITS] = {"connections that wait", 10, 256, LIMIT_WAITS},
    [SIZE_EXTRAS] = {"connections not told yet", 32, 1024, LIMIT_CONNS},
    [SIZE_TLS] = {"TLS connections followed", 58, 256, LIMIT_CONNS},
    [SIZE_FACTS] = {"TLS connections described", 40, 256, LIMIT_CONNS},
    [SIZE_NOTES] = {"logins and evidence", 20, 256, LIMIT_CONNS},
    [SIZE_STRINGS] = {"names and addresses", 136, 65536, LIMIT_STRING_OCTETS},
    [SIZE_LINES] = {"unfinished lines", 40, 64, LIMIT_LINES_HELD},
    [SIZE_QUEUES] = {"sessions that await replies", 56, 256, LIMIT_CONNS},
    [SIZE_HANDSHAKES] = {"unfinished TLS handshakes", 34, 16, LIMIT_TLS_HANDSHAKES},
    [SIZE_MESSAGES] = {"mails under way", 62, 64, LIMIT_MESSAGES},
    [SIZE_CONTENTS] = {"mails with content", 36, 64, LIMIT_MESSAGES},
    [SIZE_SCANS] = {"mails being looked into", 30, 32, LIMIT_MIME_SCANS},
    [SIZE_REORDERS] = {"streams out of order", 15, 64, LIMIT_OOO_STREAMS},
    [SIZE_PAGES] = {"pages of octets out of order", 35, 64, LIMIT_OOO_PAGES},
    [SIZE_DATAGRAMS] = {"datagrams in fragments", 18, 8, LIMIT_DATAGRAMS},
    [SIZE_INFLATES] = {"compressed connections", 12, 4, LIMIT_INFLATES},
    [SIZE_MAILBOXES] = {"mailboxes being read", 44, 256, LIMIT_CONNS},
};

const char *
size_name(enum size s)
{
	return rows[s].name;
}

uint32_t
size_unit(enum size s)
{
	switch (s) {
	case SIZE_FLOWS: return sizeof(struct flow) + 2 * sizeof(uint32_t); /* and its bucket */
	case SIZE_CONNS: return sizeof(struct conn);
	case SIZE_WAITS: return sizeof(struct wait);
	case SIZE_EXTRAS: return sizeof(struct extra);
	case SIZE_TLS: return mail_tls_size;
	case SIZE_FACTS: return finding_facts_size;
	case SIZE_NOTES: return finding_notes_size;
	case SIZE_STRINGS: return STRINGS_CLASSES + 1; /* octets of each, and of buckets */
	case SIZE_LINES: return mail_line_size;
	case SIZE_QUEUES: return mail_queue_size;
	case SIZE_MAILBOXES: return mail_mailbox_size;
	case SIZE_HANDSHAKES: return tls_handshake_size;
	case SIZE_MESSAGES: return finding_message_size;
	case SIZE_CONTENTS: return finding_content_size;
	case SIZE_SCANS: return mime_scan_size;
	case SIZE_REORDERS: return stream_reorder_size;
	case SIZE_PAGES: return stream_page_size;
	case SIZE_DATAGRAMS: return defrag_datagram_size;
	case SIZE_INFLATES: return inflate_size;
	case SIZES: break;
	}
	return 1;
}

struct sizes
sizes_for(uint64_t memory)
{
	struct sizes out;
	uint64_t pools = memory > ENGINE_MEMORY_REST ? memory - ENGINE_MEMORY_REST : 0;
	for (unsigned i = 0; i < SIZES; i++) {
		const struct size_row *r = &rows[i];
		uint64_t n = pools / PER_MILLE * r->share / size_unit((enum size)i);
		n = n < r->least ? r->least : n;
		out.count[i] = n < r->most ? (uint32_t)n : r->most;
	}
	return out;
}
