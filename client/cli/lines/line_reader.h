/*
 * Lines of a file, one after the other.
 *
 * Owns: the bytes that were read and not taken yet. Must not know: what lines mean.
 */
#ifndef UMEM_CLI_LINE_READER_H
#define UMEM_CLI_LINE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct cli_line_reader {
    int file;         /* a descriptor, which stays the caller's */
    const char *name; /* of the file, for failures */
    struct um_buf bytes;
    size_t taken;    /* of `bytes`: the lines before this place are done */
    size_t searched; /* of `bytes`: no line ends before this place */
    uint64_t number; /* of the line that was read last, from 1 on */
    bool has_ended;  /* the file has */
};

void cli_line_reader_init(struct cli_line_reader *reader, int file, const char *name);
void cli_line_reader_deinit(struct cli_line_reader *reader);

/* Reads a line; *line is without its end, and good until the next call; NULL behind the last one. A byte order mark of UTF-8
 * before the first line is passed over. Returns CLI_OK or CLI_FAILED; a failure has been reported: the file cannot be read, memory
 * runs out, the file is UTF-16, a line has a NUL in it or more than 64 MiB. */
int cli_line_reader_next(struct cli_line_reader *reader, char **line);

#endif
