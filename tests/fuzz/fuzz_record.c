/*
 * Fuzz target: reading records, which may come from a worker that an attacker took over, and what
 * the parent does with them: enrichment, judgement, both sinks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrich/enrich.h"
#include "judge/judge.h"
#include "record/common.h"
#include "sink/sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct record record;

static void
show(const char *kind, const struct record *r, bool reveal)
{
	char error[SINK_ERROR];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (out == NULL)
		return;
	struct sink_config config = {.kind = kind, .out = out, .reveal = reveal, .verbose = 1};
	struct sink *s = sink_open(&config, error);
	if (s != NULL) {
		(void)sink_push(s, r);
		(void)sink_close(s);
	}
	(void)fclose(out);
	/* no line may be forged, and no terminal be told anything */
	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)text[i] < 0x20 && text[i] != '\n')
			abort();
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct judge *judge;
	static struct enrich *enrich;
	struct enrich_config config = {.no_geoip = true};
	char error[512];
	struct judge_config rules = {.policies = NULL};
	static struct record alert;
	if (size < 2)
		return 0;
	if (judge == NULL) {
		judge = judge_new();
		enrich = enrich_open(&config, error);
		if (judge == NULL || enrich == NULL || !judge_load(judge, &rules, error))
			abort();
	}
	size_t len = size - 2 < sizeof record.data ? size - 2 : sizeof record.data;
	if (data[1] == 0xff)
		len = SIZE_MAX;
	/* what was readable goes on */
	if (data[0] % 8 - 4 == RECORD_SESSION || data[0] % 8 - 4 == RECORD_MESSAGE)
		(void)record_take_common(&record, data[0] % 8 - 4, data + 2, len);
	else
		(void)record_take(&record, data[0] % 4, data + 2, len);
	if (data[1] == 0xff)
		return 0; /* a length that is none */
	enrich_apply(enrich, &record);
	judge_push(judge, &record);
	while (judge_next(judge, &alert))
		show("json", &alert, data[1] & 1);
	show("json", &record, data[1] & 1);
	show("text", &record, data[1] & 1);
	return 0;
}
