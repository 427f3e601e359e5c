/*
 * Bytes as `hexdump -C` prints them, byte for byte.
 *
 * Owns: the lines. Must not know: where the bytes come from.
 */
#ifndef UMEM_CLI_DUMP_H
#define UMEM_CLI_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_DUMP_WIDTH = 16 }; /* bytes in a line */

struct cli_dump {
    uint64_t offset;                    /* of the next byte */
    unsigned char last[CLI_DUMP_WIDTH]; /* the line before */
    bool has_last;                      /* there is one */
    bool is_repeating;                  /* a "*" stands for it */
    bool is_begun;                      /* there were bytes */
};

/* Begins at that offset, on standard output. */
void cli_dump_begin(struct cli_dump *dump, uint64_t offset);

/* Adds bytes: a multiple of CLI_DUMP_WIDTH, but for the last ones. */
void cli_dump_put(struct cli_dump *dump, const char *bytes, size_t size);

/* Prints the last line: the offset of the end; nothing where there were no bytes. */
void cli_dump_end(struct cli_dump *dump);

#endif
