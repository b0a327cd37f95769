#include "capture/share.h"
unsigned share_of(const struct frame *f, unsigned shares) { (void)f; (void)shares; return 0; }
