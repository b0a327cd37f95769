/*
 * Pairs of name and value: see syslog_pairs.h.
 *
 * Driven by one table: which fields, in which order (what matters most comes first, since what does
 * not fit is left out), and what each format calls them.  A value is made safe to show first
 * (text_add_wire: one line, no controls, valid UTF-8; masked where it is private), cut at
 * LIMIT_SYSLOG_VALUE, then escaped as the format wants; a pair is added whole or not at all.
 *
 * CEF: names of ArcSight's dictionary ("Implementing ArcSight CEF", revision 25), the custom
 * strings with their labels; IPv6 addresses in c6a2 and c6a3.  LEEF 2.0 (IBM's guide) knows no
 * escaping: its values have no tab, which ends them, and may have '='.
 */
#include "sink/syslog_pairs.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "record/mask.h"

struct pair {
	const char *name;  /* in structured data; NULL: not there */
	const char *cef;   /* NULL: not there */
	const char *label; /* CEF: what its custom field holds */
	const char *leef;
	uint16_t field;
};

static const struct pair pairs[] = {
    {"level", NULL, NULL, "level", FIELD_LEVEL},
    {"rule", NULL, NULL, "rule", FIELD_RULE_NAME},
    {"rule_id", NULL, NULL, NULL, FIELD_RULE_ID},
    {"state", "deviceAction", NULL, "state", FIELD_ALERT_STATE},
    {"count", "cnt", NULL, "count", FIELD_COUNT},
    {"action", "act", NULL, "action", FIELD_EVENT_ACTION},
    {"outcome", "outcome", NULL, "outcome", FIELD_OUTCOME},
    {"reason", "reason", NULL, "reason", FIELD_REASON},
    {"protocol", "app", NULL, "protocol", FIELD_NETWORK_PROTOCOL},
    {"src", "src", NULL, "src", FIELD_SOURCE_IP},
    {"spt", "spt", NULL, "srcPort", FIELD_SOURCE_PORT},
    {"dst", "dst", NULL, "dst", FIELD_DESTINATION_IP},
    {"dpt", "dpt", NULL, "dstPort", FIELD_DESTINATION_PORT},
    {"community_id", "externalId", NULL, "communityId", FIELD_NETWORK_COMMUNITY_ID},
    {"interface", "deviceInboundInterface", NULL, "interface", FIELD_SENSOR_INTERFACE},
    {"worker", "cn1", "Worker", "worker", FIELD_SENSOR_WORKER},
    {"loss", "cn2", "Loss per million", "loss", FIELD_SENSOR_LOSS},
    {"output", "filePath", NULL, "output", FIELD_SENSOR_OUTPUT},
    {"cause", "flexString1", "Cause", "cause", FIELD_SENSOR_CAUSE},
    {"exposed", "cs1", "Readable", "exposed", FIELD_EXPOSED},
    {"from", "suser", NULL, "usrName", FIELD_EMAIL_FROM},
    {"to", "duser", NULL, "to", FIELD_EMAIL_TO},
    {"subject", "cs2", "Subject", "subject", FIELD_EMAIL_SUBJECT},
    {"file", "fname", NULL, "file", FIELD_EMAIL_ATTACHMENT_NAME},
    {"message_id", NULL, NULL, "messageId", FIELD_EMAIL_MESSAGE_ID},
    {"helo", "cs3", "HELO", "helo", FIELD_HELO},
    {"auth", NULL, NULL, "auth", FIELD_AUTH},
    {"anomalies", "cs4", "Anomalies", "anomalies", FIELD_ANOMALIES},
    {"sni", "destinationDnsDomain", NULL, "sni", FIELD_TLS_SNI},
    {"tls", NULL, NULL, "tls", FIELD_TLS_VERSION},
    {"policy", "cs6", "Policy", "policy", FIELD_POLICY_DOMAIN},
    {"policy_verdict", NULL, NULL, "policyVerdict", FIELD_POLICY_VERDICT},
    {"messages", NULL, NULL, "messages", FIELD_MESSAGES},
    {"envelopes", NULL, NULL, "envelopes", FIELD_ENVELOPES},
    {"packets", NULL, NULL, "packets", FIELD_SUM_FRAMES},
    {"lost", NULL, NULL, "lost", FIELD_SUM_DROPS},
    {"sessions", NULL, NULL, "sessions", FIELD_SUM_SESSIONS},
    {"cleartext", NULL, NULL, "cleartext", FIELD_SUM_CLEARTEXT},
    {"alerts", NULL, NULL, "alerts", FIELD_SUM_ALERTS},
    {"restarts", NULL, NULL, "restarts", FIELD_SUM_RESTARTS},
    {"technique", "flexString2", "ATT&CK technique", "technique", FIELD_THREAT_TECHNIQUE},
    {"advice", "cs5", "Advice", "advice", FIELD_ADVICE},
};

#define ELLIPSIS 3u /* octets of "..." */

struct text
value_begin(char *buf, size_t cap)
{
	return text_in(buf, cap - ELLIPSIS);
}

void
value_end(struct text *t)
{
	if (!t->cut)
		return;
	t->cap += ELLIPSIS;
	t->cut = false;
	text_puts(t, "...");
}

static void
add_one_value(struct text *out, const struct record_value *v, bool reveal)
{
	const struct field_info *f = &field_table[v->field];
	char ip[ADDR_TEXT];
	switch (f->type) {
	case TYPE_STR:
		if (reveal)
			text_add_wire(out, v->str, v->len);
		else
			mask_add(out, (enum field_privacy)f->privacy, v->str, v->len);
		break;
	case TYPE_U64: text_add_u64(out, v->u64); break;
	case TYPE_BOOL: text_puts(out, v->u64 != 0 ? "true" : "false"); break;
	case TYPE_TIME: text_add_time(out, v->ns); break;
	case TYPE_IP: text_puts(out, addr_print(&v->ip, ip)); break;
	default: break;
	}
}

bool
pairs_add_value(struct text *out, const struct record *r, uint16_t f, bool reveal)
{
	struct record_value v;
	uint32_t at = 0;
	unsigned n = 0, more = 0;
	if ((r->has[f / 64] >> (f % 64) & 1) == 0)
		return false;
	while (record_next(r, &at, &v)) {
		if (v.field != f)
			continue;
		if (n == LIMIT_SYSLOG_VALUES || out->cut) {
			more++;
			continue;
		}
		if (n > 0 && field_table[f].number == NUMBER_ONE &&
		    f != FIELD_EMAIL_ATTACHMENT_NAME)
			break;
		if (n++ > 0)
			text_putc(out, ',');
		add_one_value(out, &v, reveal);
	}
	if (more > 0)
		text_printf(out, ",+%u", more);
	return n > 0;
}

/* Adds a value to a builder whose room is enough for all that is escaped. */
static void
add_escaped(struct text *out, enum pairs_style style, const char *s)
{
	for (; *s != '\0'; s++) {
		bool escape = *s == '\\'     ? style != PAIRS_LEEF
		    : *s == '"' || *s == ']' ? style == PAIRS_SD
		    : *s == '='		     ? style == PAIRS_CEF
					     : false;
		if (escape)
			text_putc(out, '\\');
		text_putc(out, *s);
	}
}

void
pairs_add_one(struct text *out, enum pairs_style style, const char *name, const char *value,
    size_t spare)
{
	char buf[64 + 2 * 2048];
	struct text t = text_in(buf, sizeof buf);
	text_puts(&t, style == PAIRS_LEEF ? "\t" : " ");
	text_printf(&t, style == PAIRS_SD ? "%s=\"" : "%s=", name);
	add_escaped(&t, style, value);
	if (style == PAIRS_SD)
		text_putc(&t, '"');
	if (!t.cut && out->cap - 1 - out->len >= spare + t.len)
		text_add(out, t.buf, t.len);
}

/* An address of six in CEF, whose src and dst are of four. */
static const char *
cef_name(const struct pair *p, const char *value, const char **label)
{
	*label = p->label;
	if (strchr(value, ':') == NULL ||
	    (p->field != FIELD_SOURCE_IP && p->field != FIELD_DESTINATION_IP))
		return p->cef;
	*label = p->field == FIELD_SOURCE_IP ? "Source IPv6 Address" : "Destination IPv6 Address";
	return p->field == FIELD_SOURCE_IP ? "c6a2" : "c6a3";
}

void
pairs_add(struct text *out, enum pairs_style style, const struct record *r, bool reveal,
    size_t spare)
{
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		const struct pair *p = &pairs[i];
		const char *label = NULL,
			   *name = style == PAIRS_SD ? p->name
		    : style == PAIRS_CEF	     ? p->cef
						     : p->leef;
		/* advice is longer than what comes from the wire may be */
		char value[2 * LIMIT_SYSLOG_VALUE], labelled[32];
		bool long_one = p->field == FIELD_ADVICE;
		struct text t = value_begin(value, long_one ? sizeof value : LIMIT_SYSLOG_VALUE);
		if (name == NULL || !pairs_add_value(&t, r, p->field, reveal))
			continue;
		value_end(&t);
		if (style == PAIRS_CEF)
			name = cef_name(p, value, &label);
		if (label != NULL) { /* with its label, or not at all */
			size_t before = out->len;
			snprintf(labelled, sizeof labelled, "%sLabel", name);
			pairs_add_one(out, style, labelled, label, spare + t.len * 2 + 32);
			if (out->len == before)
				continue;
		}
		pairs_add_one(out, style, name, value, spare);
	}
}
