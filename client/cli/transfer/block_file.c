#include "cli/transfer/block_file.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/fail.h"
#include "cli/output/progress.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/system/file_io.h"
#include "program/files.h"

enum { PIECE_SIZE = 4 << 20 }; /* bytes that are read or written at a time */

int cli_source_open(struct cli_source *source, const char *path)
{
    *source = (struct cli_source){.file = CLI_INPUT, .name = "standard input"};
    if (path != NULL && strcmp(path, "-") != 0) {
        source->name = path;
        source->file = um_file_open(path, UV_FS_O_RDONLY, 0);
        if (source->file < 0)
            return cli_fail_file(path, "opened", source->file);
    } else if (cli_is_input_reserved()) {
        source->file = -1;
        return cli_fail(CLI_USAGE, "standard input is where the command lines come from; name a file");
    }
    source->is_sized = cli_file_size(source->file, &source->size);
    return CLI_OK;
}

void cli_source_close(struct cli_source *source)
{
    if (source->file != CLI_INPUT)
        um_file_close(source->file);
    source->file = -1;
}

/* ---- pieces ---- */

/* Bytes that are being transferred. */
struct piece {
    char *bytes; /* PIECE_SIZE of them may be there */
    size_t size;
    bool is_last; /* the source has ended behind it */
};

/* Fills a piece, or less where the source ends. Returns an exit status; a failure has been reported. */
static int read_piece(const struct cli_source *source, struct piece *piece)
{
    piece->size = 0;
    piece->is_last = false;
    while (piece->size < PIECE_SIZE && !piece->is_last) {
        long size = cli_read_file(source->file, piece->bytes + piece->size, PIECE_SIZE - piece->size);

        if (size < 0)
            return cli_fail_file(source->name, "read to its end", (int)size);
        piece->is_last = size == 0;
        piece->size += (size_t)size;
    }
    return CLI_OK;
}

static int fail_size_known(const struct cli *cli, const struct cli_source *source, uint64_t block_size,
                           uint64_t offset)
{
    return cli_fail_as_daemon(
        cli, UMEM_E_OUT_OF_RANGE,
        "%s has %llu bytes; at offset %llu of the block, which has %llu, they do not fit; "
        "nothing was written",
        source->name, (unsigned long long)source->size, (unsigned long long)offset,
        (unsigned long long)block_size);
}

static int fail_size_seen(const struct cli *cli, const struct cli_source *source, uint64_t block_size,
                          uint64_t offset)
{
    return cli_fail_as_daemon(
        cli, UMEM_E_OUT_OF_RANGE,
        "%s has more bytes than fit at offset %llu of the block, which has %llu; the first %llu "
        "were written",
        source->name, (unsigned long long)offset, (unsigned long long)block_size,
        (unsigned long long)source->sent);
}

/* Writes pieces until the source ends or the block does; the first one is there. A file that grows meanwhile is like a pipe that
 * has too much. */
static int send_pieces(struct cli *cli, struct cli_source *source, umem_handle block, uint64_t block_size,
                       uint64_t offset, struct piece *piece)
{
    uint64_t available = block_size - offset;
    struct cli_progress progress;
    int code = UMEM_OK;
    int status = CLI_OK;
    bool fits = true;

    cli_progress_begin(&progress, "write", source->is_sized ? source->size : 0);
    while (piece->size != 0 && code == UMEM_OK && status == CLI_OK && fits) {
        size_t size =
            piece->size < available - source->sent ? piece->size : (size_t)(available - source->sent);

        fits = size == piece->size;
        code = umem_block_write(cli->client, block, offset + source->sent, piece->bytes, size);
        if (code == UMEM_OK)
            source->sent += size;
        cli_progress_step(&progress, size);
        if (code == UMEM_OK && fits)
            status = read_piece(source, piece);
    }
    cli_progress_end(&progress);
    if (code != UMEM_OK)
        return cli_fail_call(cli);
    return fits || status != CLI_OK ? status : fail_size_seen(cli, source, block_size, offset);
}

int cli_send(struct cli *cli, struct cli_source *source, umem_handle block, uint64_t block_size,
             uint64_t offset)
{
    struct piece piece = {.bytes = malloc(PIECE_SIZE)};
    int status;

    if (piece.bytes == NULL)
        return cli_fail_memory();
    if (offset > block_size)
        status = cli_fail_as_daemon(cli, UMEM_E_OUT_OF_RANGE,
                                    "offset %llu is past the end of the block, which has %llu bytes",
                                    (unsigned long long)offset, (unsigned long long)block_size);
    else
        status = read_piece(source, &piece);
    /* Some files of the system's have fewer bytes than it says. */
    if (status == CLI_OK && source->is_sized && piece.is_last)
        source->size = piece.size;
    if (status == CLI_OK && source->is_sized && source->size > block_size - offset)
        status = fail_size_known(cli, source, block_size, offset);
    if (status == CLI_OK)
        status = send_pieces(cli, source, block, block_size, offset, &piece);
    free(piece.bytes);
    return status;
}

/* Doubling keeps the number of resizes small, whatever comes; where there is no memory for that, what is wanted may do. */
static int grow_block(struct cli *cli, umem_handle block, uint64_t wanted, uint64_t *capacity)
{
    uint64_t larger = *capacity > UMEM_SIZE_MAX / 2 || 2 * *capacity < wanted ? wanted : 2 * *capacity;
    int code = UMEM_OK;

    if (wanted <= *capacity)
        return UMEM_OK;
    code = umem_block_resize(cli->client, block, larger, 0);
    if (larger != wanted && (code == UMEM_E_NO_MEMORY || code == UMEM_E_LIMIT_EXCEEDED)) {
        larger = wanted;
        code = umem_block_resize(cli->client, block, larger, 0);
    }
    if (code == UMEM_OK)
        *capacity = larger;
    return code;
}

int cli_send_growing(struct cli *cli, struct cli_source *source, umem_handle block, uint64_t capacity)
{
    struct piece piece = {.bytes = malloc(PIECE_SIZE)};
    struct cli_progress progress;
    int code = UMEM_OK;
    int status;

    if (piece.bytes == NULL)
        return cli_fail_memory();
    cli_progress_begin(&progress, "write", source->is_sized ? source->size : 0);
    status = read_piece(source, &piece);
    while (status == CLI_OK && code == UMEM_OK && piece.size != 0) {
        code = grow_block(cli, block, source->sent + piece.size, &capacity);
        if (code == UMEM_OK)
            code = umem_block_write(cli->client, block, source->sent, piece.bytes, piece.size);
        if (code == UMEM_OK) {
            source->sent += piece.size;
            cli_progress_step(&progress, piece.size);
            status = read_piece(source, &piece);
        }
    }
    cli_progress_end(&progress);
    free(piece.bytes);
    return code != UMEM_OK ? cli_fail_call(cli) : status;
}

int cli_receive(struct cli *cli, umem_handle block, uint64_t offset, uint64_t size, cli_sink *sink,
                void *context)
{
    struct cli_progress progress;
    char *piece = malloc(PIECE_SIZE);
    int code = UMEM_OK;
    int status = CLI_OK;

    if (piece == NULL)
        return cli_fail_memory();
    cli_progress_begin(&progress, cli->verb->name, size);
    /* No progress bar among the bytes on the same terminal. */
    if (cli->option[CLI_FILE] == NULL && cli_is_terminal(CLI_OUTPUT))
        progress.is_wanted = false;
    while (size != 0 && code == UMEM_OK && status == CLI_OK) {
        size_t step = size < PIECE_SIZE ? (size_t)size : PIECE_SIZE;

        code = umem_block_read(cli->client, block, offset, piece, step);
        if (code == UMEM_OK)
            status = sink(piece, step, context);
        offset += step;
        size -= step;
        cli_progress_step(&progress, step);
    }
    cli_progress_end(&progress);
    free(piece);
    return code != UMEM_OK ? cli_fail_call(cli) : status;
}

int cli_find_range(struct cli *cli, umem_handle *block, uint64_t *offset, uint64_t *size)
{
    uint64_t block_size = 0;
    int status = cli_option_size(cli, CLI_OFFSET, 0, offset);

    if (status == CLI_OK)
        status = cli_option_size(cli, CLI_SIZE, UINT64_MAX, size);
    if (status == CLI_OK)
        status = cli_find_block(cli, cli->words[0], block, &block_size);
    if (status != CLI_OK)
        return status;
    if (*offset > block_size || (*size != UINT64_MAX && *size > block_size - *offset))
        return cli_fail_as_daemon(cli, UMEM_E_OUT_OF_RANGE,
                                  "offset %llu%s%s pass%s the end of the block, which has %llu bytes",
                                  (unsigned long long)*offset, *size != UINT64_MAX ? " and size " : "",
                                  *size != UINT64_MAX ? cli->option[CLI_SIZE] : "",
                                  *size != UINT64_MAX ? "" : "es", (unsigned long long)block_size);
    if (*size == UINT64_MAX)
        *size = block_size - *offset;
    return CLI_OK;
}
