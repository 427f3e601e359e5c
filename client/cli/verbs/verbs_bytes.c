/* umem read, cat, write, dump: a block's bytes. */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli/output/fail.h"
#include "cli/output/hexdump.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"
#include "cli/transfer/atomic_file.h"
#include "cli/transfer/block_file.h"

/* ---- read ---- */

/* Where bytes go. */
struct target {
    struct cli_atomic_file file;
    const char *name;
};

static int put_bytes(const char *bytes, size_t size, void *context)
{
    struct target *target = context;

    int error = cli_atomic_file_write(&target->file, bytes, size);

    return error == 0 ? CLI_OK : cli_fail_file(target->name, "written", error);
}

static int read_bytes(struct cli *cli)
{
    const char *path = cli->option[CLI_FILE];
    struct target target = {.name = path == NULL || strcmp(path, "-") == 0 ? "standard output" : path};
    umem_handle block = 0;
    uint64_t offset;
    uint64_t size;
    int status = cli_find_range(cli, &block, &offset, &size);
    int error;

    /* The whole range has been checked before a file is made or anything is printed. */
    if (status != CLI_OK)
        return status;
    error = cli_atomic_file_open(&target.file, path);
    if (error != 0)
        return cli_fail_file(target.name, "opened", error);
    status = cli_receive(cli, block, offset, size, put_bytes, &target);
    if (status != CLI_OK) {
        cli_atomic_file_discard(&target.file);
        return status;
    }
    error = cli_atomic_file_commit(&target.file);
    return error == 0 ? CLI_OK : cli_fail_file(target.name, "written", error);
}

static void put_read(struct cli *cli, struct cli_params *params, const char *encoding)
{
    cli_params_begin(params);
    cli_put_handle(params, "block", cli->words[0]);
    cli_put_text(params, "encoding", encoding);
    cli_put_size(params, "offset", cli->option[CLI_OFFSET]);
    cli_put_size(params, "size", cli->option[CLI_SIZE]);
}

/* Reads by a request of one's own, whose answer is shown as it is: for --json and the text encodings. */
static int read_text(struct cli *cli, const char *encoding)
{
    struct cli_params params;

    put_read(cli, &params, encoding);
    return cli_show_result(cli, "block.read", &params, "data");
}

/* Text that is known to be UTF-8 may have NUL in it, which a string has not: then it is read once more, as bytes. */
static int read_utf8(struct cli *cli)
{
    struct cli_params params;
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    int status;

    put_read(cli, &params, "utf8");
    status = cli_call(cli, "block.read", &params, &result);
    if (status == CLI_OK && strstr(cli->result, "\\u0000") == NULL) {
        cli_print_line(cli_member(result, "data", number));
    } else if (status == CLI_OK) {
        status = read_bytes(cli);
        if (status == CLI_OK)
            cli_print_char('\n');
    }
    cJSON_Delete(result);
    return status;
}

static int read_block(struct cli *cli)
{
    const char *encodings[] = {cli->option[CLI_HEX] != NULL ? "hex" : NULL,
                               cli->option[CLI_UTF8] != NULL ? "utf8" : NULL,
                               cli->option[CLI_BASE64] != NULL ? "base64" : NULL};
    const char *encoding = NULL;
    int count = 0;

    for (int i = 0; i < 3; i++) {
        if (encodings[i] != NULL) {
            encoding = encodings[i];
            count++;
        }
    }
    if (count > 1)
        return cli_fail_usage(cli, "only one of --hex, --utf8 and --base64 can be");
    if (encoding == NULL && cli->option[CLI_JSON] == NULL)
        return read_bytes(cli);
    if (cli->option[CLI_FILE] != NULL)
        return cli_fail_usage(cli,
                              "--file takes the bytes as they are, without --json, --hex, --utf8, --base64");
    if (cli->option[CLI_UTF8] != NULL && cli->option[CLI_JSON] == NULL)
        return read_utf8(cli);
    return read_text(cli, encoding);
}

/* ---- cat ---- */

enum { CAT_SIZE = 4 << 20 /* bytes that are had by one request */ };

/* One that is larger is read by its handle: never parts of two blocks. */
static int cat_large(struct cli *cli, const char *name, struct target *target)
{
    umem_handle block = 0;
    uint64_t size = 0;
    int status = cli_find_block(cli, name, &block, &size);

    return status == CLI_OK ? cli_receive(cli, block, 0, size, put_bytes, target) : status;
}

static int cat_one(struct cli *cli, const char *name, char *bytes, struct target *target)
{
    size_t size = 0;
    int code = umem_get_into(cli->client, name, bytes, CAT_SIZE, &size);

    if (code == UMEM_E_OUT_OF_RANGE && size > CAT_SIZE)
        return cat_large(cli, name, target);
    return code == UMEM_OK ? put_bytes(bytes, size, target) : cli_fail_call(cli);
}

/* As an answer of the daemon's. */
static int cat_json(struct cli *cli, const char *name)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_handle(&params, "block", name);
    cli_put_text(&params, "encoding", "base64");
    return cli_show_result(cli, "block.read", &params, "data");
}

static int cat_all_json(struct cli *cli)
{
    int status = CLI_OK;

    for (int i = 0; i < cli->word_count && status == CLI_OK; i++)
        status = cat_json(cli, cli->words[i]);
    return status;
}

static int cat(struct cli *cli)
{
    struct target target = {.name = "standard output"};
    int status = CLI_OK;
    char *bytes;
    int error;

    if (cli->option[CLI_JSON] != NULL)
        return cat_all_json(cli);
    bytes = malloc(CAT_SIZE);
    if (bytes == NULL)
        return cli_fail_memory();
    error = cli_atomic_file_open(&target.file, NULL);
    if (error != 0)
        status = cli_fail_file(target.name, "opened", error);
    for (int i = 0; i < cli->word_count && status == CLI_OK; i++)
        status = cat_one(cli, cli->words[i], bytes, &target);
    free(bytes);
    if (error != 0)
        return status;
    if (status != CLI_OK) {
        cli_atomic_file_discard(&target.file);
        return status;
    }
    error = cli_atomic_file_commit(&target.file);
    return error == 0 ? CLI_OK : cli_fail_file(target.name, "written", error);
}

/* ---- write ---- */

static int print_written(const struct cli *cli, uint64_t size)
{
    if (cli->option[CLI_JSON] != NULL)
        cli_printf("{\"size\":%llu}\n", (unsigned long long)size);
    return CLI_OK;
}

static int write_word(struct cli *cli, umem_handle block, uint64_t offset)
{
    char *bytes = NULL;
    size_t size;
    int status = cli_decode_word(cli, cli->words[1], &bytes, &size);

    if (status != CLI_OK)
        return status;
    if (umem_block_write(cli->client, block, offset, bytes, size) != UMEM_OK)
        status = cli_fail_call(cli);
    else
        status = print_written(cli, size);
    free(bytes);
    return status;
}

static int write_block(struct cli *cli)
{
    const char *path = cli->option[CLI_FILE];
    struct cli_source source = {.file = -1};
    umem_handle block = 0;
    uint64_t block_size = 0;
    uint64_t offset;
    int status;

    if (cli->word_count == 2 && path != NULL)
        return cli_fail_usage(cli, "the bytes are DATA or the file's, not both");
    if (cli->word_count == 1 && (cli->option[CLI_HEX] != NULL || cli->option[CLI_BASE64] != NULL))
        return cli_fail_usage(cli, "--hex and --base64 say how DATA is written; files are read as they are");
    status = cli_option_size(cli, CLI_OFFSET, 0, &offset);
    if (status == CLI_OK)
        status = cli_find_block(cli, cli->words[0], &block, &block_size);
    if (status != CLI_OK)
        return status;
    if (cli->word_count == 2)
        return write_word(cli, block, offset);
    status = cli_source_open(&source, path);
    if (status == CLI_OK)
        status = cli_send(cli, &source, block, block_size, offset);
    if (status == CLI_OK)
        status = print_written(cli, source.sent);
    cli_source_close(&source);
    return status;
}

/* ---- dump ---- */

static int dump_bytes(const char *bytes, size_t size, void *context)
{
    cli_hexdump_put(context, bytes, size);
    return CLI_OK;
}

static int dump(struct cli *cli)
{
    struct cli_hexdump lines;
    umem_handle block = 0;
    uint64_t offset;
    uint64_t size;
    int status;

    if (cli->option[CLI_JSON] != NULL)
        return read_text(cli, "hex");
    status = cli_find_range(cli, &block, &offset, &size);
    if (status != CLI_OK)
        return status;
    cli_hexdump_begin(&lines, offset);
    status = cli_receive(cli, block, offset, size, dump_bytes, &lines);
    cli_hexdump_end(&lines);
    return status;
}

const struct cli_verb cli_bytes_verbs[] = {
    {.name = "read",
     .words = "BLOCK",
     .options = CLI_TAKES(OFFSET) | CLI_TAKES(SIZE) | CLI_TAKES(FILE) | CLI_TAKES(HEX) | CLI_TAKES(BASE64) |
                CLI_TAKES(UTF8),
     .summary = "write a block's bytes to standard output or a file",
     .detail = "The bytes come as they are and in pieces, so that a block of any size can be read; another "
               "client may write "
               "between two pieces. With --hex, --base64, --utf8 or --json they come as text, in one answer "
               "of the daemon's. "
               "Where a shell changes what goes through its pipes, as PowerShell may, use --file. An "
               "ordinary file is "
               "written under another name beside it and replaced when all bytes are there: until then, and "
               "where the read fails, "
               "it is what it was. Its rights stay. Pipes, devices and files with several names are written "
               "where they are.",
     .example = "umem read picture > picture.png\numem read table --offset 16 --size 4 --hex",
     .run = read_block},
    {.name = "cat",
     .words = "NAME...",
     .summary = "write what is published under names to standard output",
     .detail =
         "The bytes of one block, whatever is put under the name meanwhile: a large block that is replaced "
         "before it is read "
         "to its end is the error stale_handle. For a part of a block, a file or text encodings, see read.",
     .example = "umem cat config | jq .",
     .run = cat},
    {.name = "write",
     .words = "BLOCK [DATA]",
     .options = CLI_TAKES(OFFSET) | CLI_TAKES(FILE) | CLI_TAKES(HEX) | CLI_TAKES(BASE64),
     .summary = "write DATA, a file or standard input to a block",
     .detail = "DATA or a file must fit in the block from --offset on: else nothing is written. Of what has "
               "no known size (a pipe, "
               "or a file that the system says has 0 bytes, as in /proc) exactly what fits is written, up to "
               "the block's end, "
               "before the error out_of_range; the message says how many bytes that were.",
     .example = "umem write greeting hello\numem write table 2a000000 --hex --offset 8\numem write picture < "
                "picture.png",
     .run = write_block},
    {.name = "dump",
     .words = "BLOCK",
     .options = CLI_TAKES(OFFSET) | CLI_TAKES(SIZE),
     .summary = "print a block's bytes as hexdump -C does",
     .detail = "Each line has an offset, 16 bytes in hexadecimal, and the same as ASCII characters. Lines "
               "that repeat the one "
               "before are shown as a single \"*\". The last line is the offset of the end.",
     .example = "umem dump table --offset 0x40 --size 64",
     .run = dump},
    {.name = NULL},
};
