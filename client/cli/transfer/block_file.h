/*
 * Big data between a block and a file, in pieces.
 *
 * Owns: the files, and the progress bar. Must not know: which verb wants it.
 */
#ifndef UMEM_CLI_BLOCK_FILE_H
#define UMEM_CLI_BLOCK_FILE_H

#include "cli/table/verb.h"

/* Bytes that go into a block. */
struct cli_source {
    int file; /* -1: not open */
    const char *name;
    bool is_sized; /* a file whose size is known before it is read */
    uint64_t size; /* bytes that are left in it, where is_sized: it may come to have more or fewer */
    uint64_t sent; /* bytes that cli_send() has written */
};

/* Opens a file, or standard input where `path` is NULL or "-". Returns an exit status; a failure has been reported. */
int cli_source_open(struct cli_source *source, const char *path);

/* Closes it; one that was not opened is fine. */
void cli_source_close(struct cli_source *source);

/* Writes all of the source to the block, which has block_size bytes, from `offset` on. Where they do not fit, nothing is
 * written of a source whose size is known, and exactly what fits of another. Returns an exit status; a failure has been
 * reported. */
int cli_send(struct cli *cli, struct cli_source *source, umem_handle block, uint64_t block_size,
             uint64_t offset);

/* Writes all of the source to a block of `capacity` bytes that is made larger where more comes, and may be larger than source->sent
 * at the end. Returns an exit status; a failure has been reported. */
int cli_send_growing(struct cli *cli, struct cli_source *source, umem_handle block, uint64_t capacity);

/* Takes bytes that came from a block; returns an exit status, and not CLI_OK ends cli_receive(). */
typedef int cli_sink(const char *bytes, size_t size, void *context);

/* Reads a range that lies in the block, piece by piece; each but the last has a multiple of 16 bytes. */
int cli_receive(struct cli *cli, umem_handle block, uint64_t offset, uint64_t size, cli_sink *sink,
                void *context);

/* The block of the verb's first word, and the range that --offset and --size name in it: it is checked.
 * Returns an exit status; a failure has been reported. */
int cli_find_range(struct cli *cli, umem_handle *block, uint64_t *offset, uint64_t *size);

#endif
