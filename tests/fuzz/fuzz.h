/*
 * What fuzz targets share. Each fuzz_*.c is one target: a function that is fed bytes and aborts where
 * something is wrong. `./dev fuzz` lets libFuzzer look for such bytes; in ordinary builds replay.c feeds each
 * target its corpus, so that a target still builds, and what was found once stays found, with every compiler
 * and on every system.
 *
 * Owns: nothing. Must not know: cmocka, which does not fit into a fuzzer.
 */
#ifndef UM_TEST_FUZZ_H
#define UM_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The target, by the name that libFuzzer calls. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program where the condition does not hold. */
#define FUZZ_CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* The input as a source of numbers: what a target decides by comes from its front. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

/* The next byte, 0 when there is none. */
static inline unsigned fuzz_byte(struct fuzz_input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

#endif
