/*
 * A shared heap as another process sees it: its object, opened by name and mapped once more.
 *
 * Owns: the mapping. Must not know: the store.
 */
#ifndef UM_TEST_STORE_SEGMENT_H
#define UM_TEST_STORE_SEGMENT_H

#include <stddef.h>

struct segment {
    unsigned char *bytes;
    size_t length;
    void *system; /* what the system wants back at the end */
};

/* Opens the object and maps `length` bytes. Returns 0, or -1 where there is none of that name. */
int segment_open(struct segment *segment, const char *name, size_t length);
void segment_close(struct segment *segment);

#endif
