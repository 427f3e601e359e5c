/*
 * A source's lines, one after the other.
 *
 * Owns: the line's memory, which has a limit. Must not know: what is in the lines.
 */
#ifndef UMEM_CLI_LINE_READER_H
#define UMEM_CLI_LINE_READER_H

#include "base/buf.h"
#include "cli/transfer/block_file.h"

enum cli_line { CLI_LINE_READ, CLI_LINE_END, CLI_LINE_TOO_LONG, CLI_LINE_NO_MEMORY, CLI_LINE_FAILED };

struct cli_line_reader {
    const struct cli_source *source;
    struct um_buf bytes; /* that were read and not skipped yet */
    size_t limit;        /* bytes of a line */
    size_t used;         /* bytes of the last line, its end counted */
    uint64_t number;     /* of the last line, from 1 */
    bool ended;          /* the source has */
    int error;           /* CLI_LINE_FAILED: libuv's */
};

void cli_line_reader_init(struct cli_line_reader *reader, const struct cli_source *source, size_t limit);
void cli_line_reader_deinit(struct cli_line_reader *reader);

/* Reads the next line: *line is `size` bytes without its end ("\n" or "\r\n"), which the caller may change, and good until the next
 * call. The last line may have no end. */
enum cli_line cli_line_reader_next(struct cli_line_reader *reader, char **line, size_t *size);

#endif
