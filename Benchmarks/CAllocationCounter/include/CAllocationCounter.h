#ifndef DUNLIN_C_ALLOCATION_COUNTER_H
#define DUNLIN_C_ALLOCATION_COUNTER_H

#include <stdint.h>

/// How many times this process has asked for memory, from any thread.
uint64_t dunlin_allocation_count(void);

#endif
