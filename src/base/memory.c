/* Memory for tables: see memory.h. */
#include "base/memory.h"

#include <sys/mman.h>

void *
memory_reserve(size_t octets)
{
	void *mem = mmap(NULL, octets, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return mem != MAP_FAILED ? mem : NULL;
}

void
memory_release(void *mem, size_t octets)
{
	if (mem != NULL)
		(void)munmap(mem, octets);
}
