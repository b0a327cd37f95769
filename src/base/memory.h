/* Memory for tables: address space now, pages when they are first touched. */
#ifndef POSTCARD_BASE_MEMORY_H
#define POSTCARD_BASE_MEMORY_H

#include <stddef.h>

/* `octets` of zeroed memory; NULL where the address space is refused.  The caller owes
 * memory_release. */
void *memory_reserve(size_t octets);

/* The same, which this process and those that it forks from then on have together. */
void *memory_share(size_t octets);

/* Gives the pages of a part back that begins at one: it is not used again, or is zero when it is.
 */
void memory_forget(void *mem, size_t octets);

/* NULL is allowed. */
void memory_release(void *mem, size_t octets);

#endif
