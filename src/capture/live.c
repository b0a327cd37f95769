#include "capture/live.h"
#include <string.h>
struct live *live_open(const struct live_config *config, struct capture_error *err) { (void)config; strcpy(err->text,"not yet"); return NULL; }
enum live_status live_next(struct live *l, struct frame *f) { (void)l;(void)f; return LIVE_FAILED; }
void live_wait(struct live *l, int t) { (void)l;(void)t; }
bool live_event(struct live *l, char text[CAPTURE_TEXT], const char **i) { (void)l;(void)text;(void)i; return false; }
void live_stats_get(struct live *l, struct capture_stats *o) { (void)l;(void)o; }
void live_close(struct live *l) { (void)l; }
