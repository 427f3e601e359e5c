#include "cli/lines/line_reader.h"

#include <string.h>

#include "cli/output/fail.h"
#include "cli/system/file_io.h"

enum { LINE_LIMIT = 64 << 20, READ_SIZE = 1 << 16 };

void cli_line_reader_init(struct cli_line_reader *reader, int file, const char *name)
{
    *reader = (struct cli_line_reader){.file = file, .name = name};
    um_buf_init(&reader->bytes, LINE_LIMIT + READ_SIZE + 1);
}

void cli_line_reader_deinit(struct cli_line_reader *reader)
{
    um_buf_deinit(&reader->bytes);
}

/* Reads what has come. The end of the file ends a line, too. */
static int read_more(struct cli_line_reader *reader)
{
    char *space;
    long size;

    um_buf_consume(&reader->bytes, reader->taken);
    reader->searched -= reader->taken;
    reader->taken = 0;
    if (reader->bytes.size > LINE_LIMIT)
        return cli_fail(CLI_USAGE, "line %llu of %s has more than %d bytes",
                        (unsigned long long)reader->number + 1, reader->name, LINE_LIMIT);
    space = um_buf_reserve(&reader->bytes, READ_SIZE);
    if (space == NULL)
        return cli_fail_memory();
    size = cli_read_file(reader->file, space, READ_SIZE);
    if (size < 0)
        return cli_fail_file(reader->name, "read to its end", (int)size);
    reader->bytes.size += (size_t)size;
    reader->has_ended = size == 0;
    if (reader->has_ended && reader->bytes.size != 0)
        um_buf_append_byte(&reader->bytes, '\n');
    return CLI_OK;
}

int cli_line_reader_next(struct cli_line_reader *reader, char **line)
{
    char *end = NULL;
    int status = CLI_OK;

    *line = NULL;
    for (;;) {
        size_t left = reader->bytes.size - reader->searched;

        if (left != 0)
            end = memchr(reader->bytes.data + reader->searched, '\n', left);
        if (end != NULL || reader->has_ended || status != CLI_OK)
            break;
        reader->searched = reader->bytes.size;
        status = read_more(reader);
    }
    if (end == NULL)
        return status;
    *end = '\0';
    reader->number++;
    *line = reader->bytes.data + reader->taken;
    reader->taken = reader->searched = (size_t)(end + 1 - reader->bytes.data);
    if (strlen(*line) != (size_t)(end - *line))
        return cli_fail(CLI_USAGE, "line %llu of %s has a NUL byte in it", (unsigned long long)reader->number,
                        reader->name);
    return CLI_OK;
}
