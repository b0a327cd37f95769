/* The text sink: not yet there. */
#include "sink/kinds.h"
void *
text_open(const struct sink_config *c, char e[SINK_ERROR])
{
	(void)c;
	(void)e;
	return NULL;
}
bool
text_push(void *s, const struct record *r)
{
	(void)s;
	(void)r;
	return true;
}
bool
text_flush(void *s)
{
	(void)s;
	return true;
}
bool
text_close(void *s)
{
	(void)s;
	return true;
}
