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
        return cli_fail(CLI_FAILED, "line %llu of %s has more than %d bytes",
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

/* Passes over the mark of UTF-8 that programs for Windows put before a text. */
static int skip_byte_order_mark(struct cli_line_reader *reader)
{
    const char *begin = reader->bytes.data;

    if (reader->bytes.size >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0)
        reader->taken = 3;
    if (reader->bytes.size >= 2 && (memcmp(begin, "\xff\xfe", 2) == 0 || memcmp(begin, "\xfe\xff", 2) == 0))
        return cli_fail(CLI_FAILED,
                        "%s is UTF-16, and must be UTF-8: \">\" of Windows PowerShell writes UTF-16, "
                        "that of cmd.exe and --file do not",
                        reader->name);
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
    if (reader->number == 0 && status == CLI_OK)
        status = skip_byte_order_mark(reader);
    if (end == NULL || status != CLI_OK)
        return status;
    *end = '\0';
    reader->number++;
    *line = reader->bytes.data + reader->taken;
    reader->taken = reader->searched = (size_t)(end + 1 - reader->bytes.data);
    if (strlen(*line) != (size_t)(end - *line))
        return cli_fail(CLI_FAILED,
                        "line %llu of %s has a NUL byte in it: the file is no UTF-8 text, or was damaged",
                        (unsigned long long)reader->number, reader->name);
    return CLI_OK;
}
