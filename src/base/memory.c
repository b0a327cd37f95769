/* Memory for tables: see memory.h. */
#include "base/memory.h"

#include <stdint.h>
#include <sys/mman.h>

#define SMALL (4u << 20) /* octets of a table that are in small pages, a multiple of theirs */

void *
memory_reserve(size_t octets)
{
	void *mem = mmap(NULL, octets, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return NULL;
	/* Huge pages, where the system has them, for what grows large: each look-up in a table of a
	 * million is a miss of the TLB less.  What stays small pays for small pages only. */
	if (octets > 2 * SMALL)
		(void)madvise((uint8_t *)mem + SMALL, octets - SMALL, MADV_HUGEPAGE);
	return mem;
}

void *
memory_share(size_t octets)
{
	void *mem = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return mem != MAP_FAILED ? mem : NULL;
}

void
memory_forget(void *mem, size_t octets)
{
	(void)madvise(mem, octets, MADV_DONTNEED);
}

void
memory_release(void *mem, size_t octets)
{
	if (mem != NULL)
		(void)munmap(mem, octets);
}
