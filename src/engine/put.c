/* What a record says of any connection, and its Community ID: see conn.h. */
#include "engine/worker.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/digest.h"
#include "record/common.h"

void
community_id(const struct flow *f, char out[COMMUNITY_ID_TEXT])
{
	/* seed, address, address, protocol, padding, port, port: the table's order of ends is the
	 * specification's */
	uint8_t data[2 + 16 + 16 + 2 + 4], sum[DIGEST_MAX];
	size_t n = 0, ip = f->flags & FLOW_V6 ? 16 : 4;
	data[n++] = 0;
	data[n++] = 0;
	for (unsigned end = 0; end < 2; end++) {
		memcpy(data + n, f->ip[end], ip);
		n += ip;
	}
	data[n++] = 6;
	data[n++] = 0;
	for (unsigned end = 0; end < 2; end++) {
		data[n++] = (uint8_t)(f->port[end] >> 8);
		data[n++] = (uint8_t)f->port[end];
	}
	out[0] = '\0';
	size_t len = digest(DIGEST_SHA1, data, n, sum);
	if (len == 0)
		return;
	out[0] = '1';
	out[1] = ':';
	(void)EVP_EncodeBlock((unsigned char *)out + 2, sum, (int)len);
}

/* The same, once for all records of a connection as a rule: the numbers of connections are fewer
 * than those of flows, and soon used again. */
static const char *
known_id(struct engine *e, const struct flow *f)
{
	struct known_id *k = &e->ids[f->conn % KNOWN_IDS];
	bool v6 = (f->flags & FLOW_V6) != 0;
	if (k->text[0] == '\0' || k->v6 != v6 || memcmp(k->ip, f->ip, sizeof k->ip) != 0 ||
	    memcmp(k->port, f->port, sizeof k->port) != 0) {
		memcpy(k->ip, f->ip, sizeof k->ip);
		memcpy(k->port, f->port, sizeof k->port);
		k->v6 = v6;
		community_id(f, k->text);
	}
	return k->text;
}

void
conn_view(const struct conn *c, const struct flow *f, int64_t now_ns, struct finding_view *out)
{
	static const unsigned closed =
	    1u << CLOSED_BY_FIN | 1u << CLOSED_BY_RST | 1u << CLOSED_BY_REUSE;
	const uint32_t flags = c->flags;
	out->ts_ns = now_ns;
	out->midstream = !(flags & CONN_SYN);
	out->gap = (flags & CONN_GAP) != 0;
	out->both = c->packets[0] > 0 && c->packets[1] > 0;
	out->closed = (closed >> c->closed_by & 1) != 0;
	out->reset = c->closed_by == CLOSED_BY_RST;
	out->payload = (flags & CONN_PAYLOAD) != 0;
	out->headless = (flags & CONN_HEADLESS) != 0;
	out->given_up = c->closed_by == CLOSED_BY_MEMORY;
	out->implicit_port = port_is_implicit_tls(f->port[!flow_client(f)]);
}

int
conn_distance(uint8_t ttl)
{
	static const int initial[] = {32, 64, 128, 255};
	unsigned i = 0;
	while (initial[i] < ttl)
		i++;
	int distance = initial[i] - ttl;
	return ttl > 0 && distance <= LIMIT_DISTANCE ? distance : -1;
}

#define MAC_TEXT 17u /* "00-53-00-AB-CD-EF" */

/* Octets as two digits at once: a session has four link addresses to write. */
static void
mac_text(const uint8_t mac[6], char out[MAC_TEXT])
{
#define ROW(h)                                                                                \
	h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "A" h "B" h "C" h "D" h \
	  "E" h "F"
	static const char hex[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6")
	    ROW("7") ROW("8") ROW("9") ROW("A") ROW("B") ROW("C") ROW("D") ROW("E") ROW("F");
#undef ROW
	memset(out, '-', MAC_TEXT);
	for (unsigned i = 0; i < 6; i++)
		memcpy(out + 3 * i, hex + 2 * mac[i], 2);
}

/* Inline, so that its fields are constants: see record/put.h. */
static inline __attribute__((always_inline)) void
put_end(const struct conn *c, const struct flow *f, const struct around *around, unsigned end,
    bool source, struct record *r)
{
	record_set_ip(r, source ? FIELD_SOURCE_IP : FIELD_DESTINATION_IP,
	    f->flags & FLOW_V6 ? 6 : 4, f->ip[end]);
	record_set_u64(r, source ? FIELD_SOURCE_PORT : FIELD_DESTINATION_PORT, f->port[end]);
	record_set_u64(r, source ? FIELD_SOURCE_BYTES : FIELD_DESTINATION_BYTES, c->octets[end]);
	record_set_u64(r, source ? FIELD_SOURCE_PACKETS : FIELD_DESTINATION_PACKETS,
	    c->packets[end]);
	if (conn_distance(around->ttl[end]) >= 0)
		record_put_u64(r, source ? FIELD_CLIENT_DISTANCE : FIELD_SERVER_DISTANCE,
		    (uint64_t)conn_distance(around->ttl[end]));
	if (c->around != 0 && c->flags & (end == 0 ? CONN_MAC_A : CONN_MAC_B)) {
		char mac[MAC_TEXT];
		mac_text(around->mac[end], mac);
		record_put_str(r, source ? FIELD_SOURCE_MAC : FIELD_DESTINATION_MAC, mac,
		    sizeof mac);
	}
}

enum mail_protocol
conn_protocol_by_port(uint16_t port)
{
	return port == 110 || port == 995 ? MAIL_POP3
	    : port == 143 || port == 993  ? MAIL_IMAP
					  : MAIL_SMTP;
}

static void
put_around(const struct flow *f, const struct around *a, struct record *r)
{
	static const char *const proxy[] = {NULL, "v1", "v2"};
	const struct tunnel *t = &a->tunnel;
	record_put_word(r, FIELD_PROXY, proxy[a->proxy.version]);
	if (a->proxy.client.family != 0)
		record_put_ip(r, FIELD_NETWORK_FORWARDED_IP, &a->proxy.client);
	if (t->depth == 0)
		return;
	unsigned source = a->tunnel_end == flow_client(f) ? 0 : 1;
	for (unsigned i = 0; i < t->depth; i++)
		record_put_word(r, FIELD_TUNNEL_TYPE, tunnel_name((enum tunnel_kind)t->kind[i]));
	if (t->has_id)
		record_put_u64(r, FIELD_TUNNEL_ID, t->id);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *ip = t->ip[i == 0 ? source : !source];
		struct addr ends = t->family == 6 ? addr_v6(ip) : addr_v4(ip);
		record_put_ip(r, i == 0 ? FIELD_TUNNEL_SOURCE_IP : FIELD_TUNNEL_DESTINATION_IP,
		    &ends);
	}
}

/* The client that this one speaks for, where what it said is an address. */
static void
put_forwarded(const struct conn *c, const struct findings *F, struct record *r)
{
	char text[ADDR_TEXT];
	struct addr a;
	size_t len;
	const char *s = strings_get(&F->strings, finding_notes(F, &c->finding)->forwarded, &len);
	if (len >= sizeof text)
		return;
	memcpy(text, s, len);
	text[len] = '\0';
	if (addr_parse(text, &a))
		record_put_ip(r, FIELD_NETWORK_FORWARDED_IP, &a);
}

static void
put_protocol(const struct engine *e, const struct conn *c, const struct flow *flow,
    struct record *r)
{
	size_t len;
	const char *app = strings_get(&e->findings.strings, conn_extra(e, c)->app, &len);
	const struct finding *f = &c->finding;
	bool sure = f->flags & FINDING_SURE;
	bool contradicted = c->phase == CONN_OTHER || f->anomalies & 1u << ANOMALY_NOT_MAIL;
	const char *by_port =
	    mail_protocol_name(conn_protocol_by_port(flow->port[!flow_client(flow)]));
	const char *spoken = mail_protocol_name((enum mail_protocol)c->mail.protocol);
	const char *name;
	if (c->phase == CONN_MAIL && sure)
		name = f->flags & FINDING_LMTP ? "lmtp" : spoken;
	else if (c->phase == CONN_MAIL && f->flags & FINDING_IMPLICIT)
		name = "tls";
	else
		name = contradicted ? "other"
				    : by_port; /* nothing spoke against what the port is for */
	record_put_word(r, FIELD_NETWORK_PROTOCOL, name);
	if (len > 0)
		record_put_str(r, FIELD_NETWORK_APPLICATION, app, len);
}

void
conn_put(struct engine *e, const struct conn *c, int64_t now_ns, struct record *r)
{
	const struct flow *f = flow_at(&e->flows, c->flow);
	const struct around around = conn_around(e, c);
	static const struct short_word closed_by[] = {SHORT("end of input"), SHORT("fin"),
	    SHORT("rst"), SHORT("timeout"), SHORT("reuse"), SHORT("memory")};
	static const struct short_word visibility[] = {SHORT("both"), SHORT("client-only"),
	    SHORT("server-only")};
	unsigned client = flow_client(f);
	unsigned seen = c->packets[client] == 0 ? 2 : c->packets[!client] == 0 ? 1 : 0;
	record_set_time(r, FIELD_TIMESTAMP, now_ns);
	record_set(r, FIELD_NETWORK_TYPE, TYPE_STR, f->flags & FLOW_V6 ? "ipv6" : "ipv4", 4);
	put_protocol(e, c, f, r);
	const char *id = known_id(e, f);
	if (id[0] != '\0')
		record_put_str(r, FIELD_NETWORK_COMMUNITY_ID, id, COMMUNITY_ID_LEN);
	else
		record_put_str(r, FIELD_NETWORK_COMMUNITY_ID, id, 0);
	if (around.vlan >= 0)
		record_put_u64(r, FIELD_NETWORK_VLAN_ID, (uint64_t)around.vlan);
	put_around(f, &around, r);
	struct record_value said;
	if (finding_notes(&e->findings, &c->finding)->forwarded != 0 &&
	    !record_find(r, FIELD_NETWORK_FORWARDED_IP, &said))
		put_forwarded(c, &e->findings, r);
	put_end(c, f, &around, client, true, r);
	put_end(c, f, &around, !client, false, r);
	record_put_short(r, FIELD_VISIBILITY, &visibility[seen]);
	record_set_bool(r, FIELD_MIDSTREAM, !(c->flags & CONN_SYN));
	record_set_u64(r, FIELD_GAP_BYTES, conn_extra(e, c)->gap_octets);
	if (r->kind == RECORD_SESSION)
		record_put_short(r, FIELD_CLOSED_BY, &closed_by[c->closed_by]);
}
