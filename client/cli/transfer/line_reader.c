#include "cli/transfer/line_reader.h"

#include <string.h>

#include "cli/system/file_io.h"

enum { READ_SIZE = 1 << 18 };

void cli_line_reader_init(struct cli_line_reader *reader, const struct cli_source *source, size_t limit)
{
    *reader = (struct cli_line_reader){.source = source, .limit = limit};
    um_buf_init(&reader->bytes, limit + 2 * READ_SIZE);
}

void cli_line_reader_deinit(struct cli_line_reader *reader)
{
    um_buf_deinit(&reader->bytes);
}

/* Adds what comes next. */
static enum cli_line read_more(struct cli_line_reader *reader)
{
    char *space = um_buf_reserve(&reader->bytes, READ_SIZE);
    long size;

    if (space == NULL)
        return CLI_LINE_NO_MEMORY;
    size = cli_read_file(reader->source->file, space, READ_SIZE);
    if (size < 0) {
        reader->error = (int)size;
        return CLI_LINE_FAILED;
    }
    reader->bytes.size += (size_t)size;
    reader->ended = size == 0;
    return CLI_LINE_READ;
}

enum cli_line cli_line_reader_next(struct cli_line_reader *reader, char **line, size_t *size)
{
    struct um_buf *bytes = &reader->bytes;
    const char *end = NULL;
    size_t looked_at = 0;

    um_buf_consume(bytes, reader->used);
    reader->used = 0;
    while (end == NULL && !reader->ended) {
        enum cli_line result = CLI_LINE_READ;

        if (bytes->size != looked_at)
            end = memchr(bytes->data + looked_at, '\n', bytes->size - looked_at);
        looked_at = bytes->size;
        if (end == NULL && looked_at > reader->limit)
            return CLI_LINE_TOO_LONG;
        if (end == NULL)
            result = read_more(reader);
        if (result != CLI_LINE_READ)
            return result;
    }
    if (end == NULL && bytes->size != looked_at)
        end = memchr(bytes->data + looked_at, '\n', bytes->size - looked_at);
    if (bytes->size == 0)
        return CLI_LINE_END;
    *size = end != NULL ? (size_t)(end - bytes->data) : bytes->size;
    if (*size > reader->limit)
        return CLI_LINE_TOO_LONG;
    reader->used = end != NULL ? *size + 1 : *size;
    reader->number++;
    *line = bytes->data;
    if (*size != 0 && bytes->data[*size - 1] == '\r')
        --*size;
    return CLI_LINE_READ;
}
