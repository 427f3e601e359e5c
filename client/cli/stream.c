#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "params.h"
#include "progress.h"
#include "report.h"
#include "system.h"

enum { PIECE_SIZE = 4 << 20 }; /* bytes that are read or written at a time */

int cli_source_open(struct cli_source *source, const char *path)
{
    *source = (struct cli_source){.file = stdin, .name = "standard input"};
    if (path != NULL && strcmp(path, "-") != 0) {
        source->name = path;
        source->file = cli_open_file(path, "rb");
        if (source->file == NULL)
            return cli_fail_file(path, "opened");
    }
    source->is_sized = cli_file_size(source->file, &source->size);
    return CLI_OK;
}

void cli_source_close(struct cli_source *source)
{
    if (source->file != NULL && source->file != stdin)
        fclose(source->file);
    source->file = NULL;
}

static int too_long(struct cli *cli, const struct cli_source *source, uint64_t offset, uint64_t block_size)
{
    if (source->sent == 0 && source->is_sized)
        return cli_fail_as(cli, UMEM_E_OUT_OF_RANGE,
                           "%s has %llu bytes; at offset %llu of the block, which has %llu, they do not fit; "
                           "nothing was written",
                           source->name, (unsigned long long)source->size, (unsigned long long)offset,
                           (unsigned long long)block_size);
    return cli_fail_as(
        cli, UMEM_E_OUT_OF_RANGE,
        "%s has more bytes than fit at offset %llu of the block, which has %llu; the first %llu "
        "were written",
        source->name, (unsigned long long)offset, (unsigned long long)block_size,
        (unsigned long long)source->sent);
}

static int send_pieces(struct cli *cli, struct cli_source *source, umem_handle block, uint64_t room,
                       uint64_t offset, char *piece)
{
    struct cli_progress progress;
    bool fits = true;
    int code = UMEM_OK;

    cli_progress_begin(&progress, "write", source->is_sized ? source->size : 0);
    while (code == UMEM_OK) {
        size_t size = fread(piece, 1, PIECE_SIZE, source->file);

        if (size == 0)
            break;
        fits = size <= room - source->sent;
        if (!fits)
            break;
        code = umem_block_write(cli->client, block, offset + source->sent, piece, size);
        if (code == UMEM_OK)
            source->sent += size;
        cli_progress_step(&progress, size);
    }
    cli_progress_end(&progress);
    if (code != UMEM_OK)
        return cli_fail_call(cli);
    if (!fits)
        return too_long(cli, source, offset, offset + room);
    if (ferror(source->file) != 0)
        return cli_fail_file(source->name, "read to its end");
    return CLI_OK;
}

int cli_send(struct cli *cli, struct cli_source *source, umem_handle block, uint64_t block_size,
             uint64_t offset)
{
    char *piece;
    int status;

    if (offset > block_size)
        return cli_fail_as(cli, UMEM_E_OUT_OF_RANGE,
                           "offset %llu is past the end of the block, which has %llu bytes",
                           (unsigned long long)offset, (unsigned long long)block_size);
    if (source->is_sized && source->size > block_size - offset)
        return too_long(cli, source, offset, block_size);
    piece = malloc(PIECE_SIZE);
    if (piece == NULL)
        return cli_fail_memory();
    /* A file that grows meanwhile is noticed like a pipe that has too much. */
    status = send_pieces(cli, source, block, block_size - offset, offset, piece);
    free(piece);
    return status;
}

/* Doubling keeps the number of resizes small, whatever comes. */
static int make_room(struct cli *cli, umem_handle block, uint64_t wanted, uint64_t *room)
{
    uint64_t larger = *room > UMEM_SIZE_MAX / 2 || 2 * *room < wanted ? wanted : 2 * *room;

    if (wanted <= *room)
        return UMEM_OK;
    *room = larger;
    return umem_block_resize(cli->client, block, larger, 0);
}

int cli_send_growing(struct cli *cli, struct cli_source *source, umem_handle block)
{
    struct cli_progress progress;
    char *piece = malloc(PIECE_SIZE);
    uint64_t room = 0;
    int code = UMEM_OK;

    if (piece == NULL)
        return cli_fail_memory();
    cli_progress_begin(&progress, "write", 0);
    while (code == UMEM_OK) {
        size_t size = fread(piece, 1, PIECE_SIZE, source->file);

        if (size == 0)
            break;
        code = make_room(cli, block, source->sent + size, &room);
        if (code == UMEM_OK)
            code = umem_block_write(cli->client, block, source->sent, piece, size);
        if (code == UMEM_OK)
            source->sent += size;
        cli_progress_step(&progress, size);
    }
    cli_progress_end(&progress);
    free(piece);
    if (code != UMEM_OK)
        return cli_fail_call(cli);
    return ferror(source->file) != 0 ? cli_fail_file(source->name, "read to its end") : CLI_OK;
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
    /* A bar among the bytes on the same terminal would only be in their way. */
    if (cli->option[CLI_FILE] == NULL && cli_is_terminal(stdout))
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
        status = cli_look_up(cli, cli->words[0], block, &block_size);
    if (status != CLI_OK)
        return status;
    if (*offset > block_size || (*size != UINT64_MAX && *size > block_size - *offset))
        return cli_fail_as(cli, UMEM_E_OUT_OF_RANGE,
                           "offset %llu%s%s pass%s the end of the block, which has %llu bytes",
                           (unsigned long long)*offset, *size != UINT64_MAX ? " and size " : "",
                           *size != UINT64_MAX ? cli->option[CLI_SIZE] : "", *size != UINT64_MAX ? "" : "es",
                           (unsigned long long)block_size);
    if (*size == UINT64_MAX)
        *size = block_size - *offset;
    return CLI_OK;
}
