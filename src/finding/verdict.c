/*
 * Outcome and reason: OUTPUT names and what each rests on.  A false "encrypted" is the worst
 * that can be said, a false "cleartext" the second; where the capture does not tell, it is unknown.
 */
#include "finding/finding.h"

const struct anomaly_info anomaly_table[ANOMALIES] = {
#define ANOMALY(id, name, meaning) {name, meaning},
#include "record/anomalies.def"
#undef ANOMALY
};

_Static_assert(ANOMALIES <= 32, "a bit for each in finding.anomalies");

const struct short_word *
outcome_word(enum outcome o)
{
	static const struct short_word words[] = {SHORT("encrypted"), SHORT("cleartext"),
	    SHORT("tls-failed"), SHORT("no-mail"), SHORT("unknown")};
	return &words[o];
}

const char *
outcome_name(enum outcome o)
{
	return outcome_word(o)->s;
}

const struct short_word *
reason_word(enum reason r)
{
	static const struct short_word words[] = {SHORT(""), SHORT("not-offered"),
	    SHORT("not-requested"), SHORT("refused"), SHORT("stripped"), SHORT("tls-failed"),
	    SHORT("not-asked"), SHORT("null-cipher"), SHORT("not-visible")};
	return &words[r];
}

/* Why what crosses now is not sealed, by what is known now. */
enum reason
finding_reason(const struct finding *f, const struct finding_view *v)
{
	if (f->flags & FINDING_NULL)
		return REASON_NULL_CIPHER;
	if (f->flags & (FINDING_TLS_OVER | FINDING_TLS_BROKE))
		return REASON_TLS_FAILED;
	if (f->flags & FINDING_STRIPPED)
		return REASON_STRIPPED;
	/* it did not wait for the go-ahead, which came: TLS was to be had */
	bool hasty = f->flags & FINDING_AHEAD && f->flags & FINDING_GO;
	if (f->flags & FINDING_REQUESTED && !hasty)
		return f->flags & FINDING_REPLIED ? REASON_REFUSED : REASON_NOT_VISIBLE;
	if (f->flags & FINDING_OFFER_KNOWN)
		return !(f->flags & FINDING_OFFERED)	  ? REASON_NOT_OFFERED
		    : f->flags & FINDING_LOST || !v->both ? REASON_NOT_VISIBLE
							  : REASON_NOT_REQUESTED;
	if (f->flags & FINDING_REFUSED_EHLO)
		return REASON_NOT_OFFERED;
	if (hasty)
		return REASON_NOT_REQUESTED;
	if (f->flags & FINDING_ASKED)
		return REASON_NOT_VISIBLE;
	if (f->flags & FINDING_HELO && !(f->flags & FINDING_LOST) && !v->midstream)
		return REASON_NOT_ASKED;
	/* Neither EHLO nor HELO: it never asked, if we saw all that it said. */
	bool all = !v->midstream && !v->gap && v->both && !(f->flags & FINDING_LOST);
	return all ? REASON_NOT_ASKED : REASON_NOT_VISIBLE;
}

enum outcome
finding_outcome(const struct finding *f, const struct finding_view *v)
{
	if (f->exposed != 0 || f->flags & FINDING_NULL)
		return OUTCOME_CLEARTEXT;
	if (f->anomalies &
	    1u << ANOMALY_COMPRESSED) /* a part could not be read, though others can */
		return OUTCOME_UNKNOWN;
	bool up = (f->flags & (FINDING_ESTABLISHED | FINDING_TLS_MIDSTREAM)) != 0;
	if (up && f->flags & FINDING_UNSEALED)
		return f->flags & FINDING_ESTABLISHED && v->closed && v->both && !v->gap
		    ? OUTCOME_NO_MAIL
		    : OUTCOME_UNKNOWN;
	/* a sender or a password may be what was lost before TLS: "530 Must issue STARTTLS" */
	bool before = f->flags & (FINDING_ESTABLISHED | FINDING_REQUESTED) ||
	    !(v->midstream || v->implicit_port);
	if (up)
		return f->flags & FINDING_MISSED && before ? OUTCOME_UNKNOWN : OUTCOME_ENCRYPTED;
	bool lost = (f->flags & (FINDING_LOST | FINDING_MISSED | FINDING_UNREAD)) != 0;
	if (v->given_up)
		return OUTCOME_UNKNOWN;
	if (f->flags & (FINDING_REQUESTED | FINDING_HELLO | FINDING_TLS_SEEN)) {
		/* where TLS follows a refusal, the client asked again, and what it was told is lost
		 */
		bool refused =
		    (f->flags &
			(FINDING_REPLIED | FINDING_GO | FINDING_HELLO | FINDING_TLS_SEEN)) ==
		    FINDING_REPLIED;
		bool proof = f->flags & FINDING_TLS_BROKE || refused;
		if (proof && !lost) /* mail may be what was lost */
			return OUTCOME_TLS_FAILED;
		/* no proof, but all was seen: it was tried, it ended, and nothing protected crossed
		 * both ways */
		if (v->closed && v->both && !v->gap && !v->midstream && !lost)
			return OUTCOME_TLS_FAILED;
		return OUTCOME_UNKNOWN;
	}
	if (v->gap || v->headless || lost)
		return OUTCOME_UNKNOWN;
	/* mail may have crossed before; what a RST answers need not have been a connection */
	if (v->midstream && (f->greeting | f->helo) == 0 && (v->payload || (v->both && !v->reset)))
		return OUTCOME_UNKNOWN;
	return OUTCOME_NO_MAIL;
}
