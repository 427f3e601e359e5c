/*
 * Bytes as `hexdump -C` prints them, byte for byte.
 *
 * Owns: the lines. Must not know: where the bytes come from.
 */
#ifndef UMEM_CLI_HEXDUMP_H
#define UMEM_CLI_HEXDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_HEXDUMP_WIDTH = 16 }; /* bytes in a line */

struct cli_hexdump {
    uint64_t offset;                       /* of the next byte */
    unsigned char last[CLI_HEXDUMP_WIDTH]; /* the line before */
    bool has_last;                         /* there is one */
    bool is_repeating;                     /* a "*" stands for it */
    bool is_begun;                         /* there were bytes */
};

/* Begins at that offset, on standard output. */
void cli_hexdump_begin(struct cli_hexdump *dump, uint64_t offset);

/* Adds bytes: a multiple of CLI_HEXDUMP_WIDTH, but for the last ones. */
void cli_hexdump_put(struct cli_hexdump *dump, const char *bytes, size_t size);

/* Prints the last line: the offset of the end; nothing where there were no bytes. */
void cli_hexdump_end(struct cli_hexdump *dump);

#endif
