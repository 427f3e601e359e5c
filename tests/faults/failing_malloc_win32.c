/* Blocks are allocated from heaps of the system's there, which the tests make fail where the store calls its backends. */
#include "failing_malloc.h"
