/*
 * Fuzz target: the wire of a worker that an attacker took over, beside that of one that is well:
 * wire, crew, and reading what they hand out.
 *
 * The first octet says whether order matters (bit 0), whether the ring is nearly at its end (bit 1)
 * and whether the pieces begin with how far the worker says it is (bit 2); the second how the rest
 * is cut: pieces are written into the ring, and all words are taken between.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/wire_pair.h"
#include "engine/crew.h"
#include "record/common.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST (1u << 18) /* octets of an input that are looked at */

static struct crew crew;
static struct wire_out bad, well;
static struct record record;

/* Octets that are not used in vain: reading them is what is tried. */
static volatile uint8_t seen;

static void
read_all(const void *octets, size_t len)
{
	const uint8_t *p = octets;
	for (size_t i = 0; i < len; i++)
		seen ^= p[i];
}

static void
read_record(void)
{
	struct record_value v;
	uint32_t at = 0;
	if (record.kind > RECORD_MESSAGE)
		abort();
	while (record_next(&record, &at, &v)) {
		if (v.field >= FIELDS)
			abort();
		if (field_table[v.field].type == TYPE_STR)
			read_all(v.str, v.len);
	}
	if (at != record.len)
		abort();
}

/* Takes what is said; false once the worker is no more. */
static bool
drain(unsigned *of_well)
{
	struct crew_word word;
	enum crew_said said;
	crew_hear(&crew, 1);
	while ((said = crew_next(&crew, &record, &word)) != CREW_NOTHING) {
		if (word.worker >= 2)
			abort();
		switch (said) {
		case CREW_RECORD:
			read_record();
			*of_well += word.worker == 1;
			break;
		case CREW_EVENT:
			if (word.event >= FEED_EVENTS || strlen(word.text) >= CAPTURE_TEXT)
				abort();
			for (const char *p = word.text; *p != '\0'; p++)
				if ((uint8_t)*p < 0x20)
					abort();
			break;
		case CREW_ENDED:
			if (word.end >= FEED_ENDS)
				abort();
			/* fall through */
		case CREW_LOST:
		case CREW_BROKEN:
			if (word.worker == 1 && said == CREW_BROKEN)
				abort();
			crew_leave(&crew, word.worker);
			if (word.worker == 0)
				return false;
			break;
		case CREW_NOTHING: break;
		}
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_in of[2];
	struct feed_report report;
	unsigned of_well = 0;
	static struct record mine;
	if (size < 2 || size > MOST)
		return 0;
	wire_pair_open(&bad, &of[0]);
	wire_pair_open(&well, &of[1]);
	crew_init(&crew, 2, data[0] & 1);
	for (unsigned i = 0; i < 2; i++)
		crew_join(&crew, i, of[i].ring, of[i].bell, 0);
	if (data[0] & 2) {
		struct wire_in *w = &crew.member[0].wire;
		w->at = w->told = w->end = bad.head = bad.told = WIRE_ROOM - 64;
		atomic_store(&bad.ring->head, bad.head);
	}
	const uint32_t not_sent = record_constants(RECORD_SESSION);
	record_begin_common(&mine, RECORD_SESSION);
	record_put_u64(&mine, FIELD_SUM_FRAMES, 1);
	for (unsigned i = 0; i < 3; i++)
		(void)wire_put(&well, WIRE_RECORD, mine.kind, 2 * i, mine.data + not_sent,
		    mine.len - not_sent);
	(void)wire_put(&well, WIRE_END, FEED_END_INPUT, 9, NULL, 0);
	(void)wire_flush(&well);
	bool lives = true;
	for (size_t at = 2; lives && at < size;) {
		size_t n = data[1] > 0 ? data[1] * 16u : 4096;
		n = n < size - at ? n : size - at;
		wire_pair_force(&bad, data + at, n);
		if ((data[0] & 4) && n >= sizeof(uint32_t)) {
			uint32_t head;
			memcpy(&head, data + at, sizeof head);
			atomic_store(&bad.ring->head, bad.head + head % 512 - 256);
		}
		at += n;
		lives = drain(&of_well);
		crew_report(&crew, &report);
		if (report.tables > FEED_TABLES)
			abort();
		for (unsigned i = 0; i < report.tables; i++)
			read_all(report.table[i].name, strlen(report.table[i].name));
	}
	wire_pair_hang_up(&bad);
	wire_pair_hang_up(&well);
	for (unsigned i = 0; i < 4; i++)
		(void)drain(&of_well);
	if (of_well != 3) /* whatever the other says */
		abort();
	crew_report(&crew, &report);
	crew_free(&crew);
	wire_ring_free(bad.ring);
	wire_ring_free(well.ring);
	return 0;
}
