/* umem alloc, read, write, free, ls: blocks. */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli.h"
#include "json_out.h"
#include "text.h"

enum { PIECE_SIZE = 1 << 20 }; /* bytes that travel in one request */

static int alloc(struct cli *cli)
{
    struct um_buf params;
    char *result = NULL;
    char room[32];
    int status;

    cli_begin(&params);
    cli_put_handle(&params, "heap", cli->option[CLI_HEAP]);
    cli_put_text(&params, "name", cli->option[CLI_NAME]);
    cli_put_text(&params, "lifetime", cli->option[CLI_LIFETIME]);
    if (!cli_put_size(&params, "size", cli->words[0])) {
        um_buf_deinit(&params);
        return CLI_USAGE;
    }
    status = cli_call(cli, "block.alloc", &params, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] == NULL) {
        cJSON *json = cJSON_Parse(result);

        puts(cli_member(json, "block", room));
        cJSON_Delete(json);
    }
    umem_free_text(result);
    return status;
}

/* The block's handle and size, by handle or name. Returns an exit status. */
static int look_up(struct cli *cli, const char *text, umem_handle *block, uint64_t *size)
{
    struct um_buf params;
    const char *json_option = cli->option[CLI_JSON];
    char *result = NULL;
    int status;

    cli_begin(&params);
    cli_put_handle(&params, "block", text);
    cli->option[CLI_JSON] = NULL;
    status = cli_call(cli, "block.info", &params, &result);
    cli->option[CLI_JSON] = json_option;
    if (status == CLI_OK) {
        cJSON *json = cJSON_Parse(result);
        char room[32];

        *block = strtoull(cli_member(json, "block", room), NULL, 10);
        *size = strtoull(cli_member(json, "size", room), NULL, 10);
        cJSON_Delete(json);
    }
    umem_free_text(result);
    return status;
}

static bool option_size(const struct cli *cli, enum cli_option option, uint64_t fallback, uint64_t *size)
{
    *size = fallback;
    if (cli->option[option] == NULL || cli_parse_size(cli->option[option], size))
        return true;
    cli_fail(CLI_USAGE, "%s: not a size; write digits, with K, M or G behind them", cli->option[option]);
    return false;
}

/* Reads by a request of one's own, whose answer is shown as it is: for --json and the text encodings. */
static int read_text(struct cli *cli, const char *encoding)
{
    struct um_buf params;
    char *result = NULL;
    char room[32];
    int status;

    cli_begin(&params);
    cli_put_handle(&params, "block", cli->words[0]);
    cli_put_text(&params, "encoding", encoding);
    if (!cli_put_size(&params, "offset", cli->option[CLI_OFFSET]) ||
        !cli_put_size(&params, "size", cli->option[CLI_SIZE])) {
        um_buf_deinit(&params);
        return CLI_USAGE;
    }
    status = cli_call(cli, "block.read", &params, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] == NULL) {
        cJSON *json = cJSON_Parse(result);

        puts(cli_member(json, "data", room));
        cJSON_Delete(json);
    }
    umem_free_text(result);
    return status;
}

static int read_pieces(struct cli *cli, umem_handle block, uint64_t offset, uint64_t size)
{
    char *piece = malloc(PIECE_SIZE);
    int status = CLI_OK;

    if (piece == NULL)
        return cli_fail(CLI_ERROR, "no memory");
    cli_binary_mode();
    while (size != 0 && status == CLI_OK) {
        size_t step = size < PIECE_SIZE ? (size_t)size : PIECE_SIZE;

        if (umem_block_read(cli->client, block, offset, piece, step) != UMEM_OK)
            status = cli_fail_call(cli);
        else if (fwrite(piece, 1, step, stdout) != step)
            status = cli_fail(CLI_ERROR, "standard output: cannot be written");
        offset += step;
        size -= step;
    }
    free(piece);
    return status;
}

static int read_block(struct cli *cli)
{
    const char *encoding = cli->option[CLI_HEX] != NULL      ? "hex"
                           : cli->option[CLI_UTF8] != NULL   ? "utf8"
                           : cli->option[CLI_BASE64] != NULL ? "base64"
                                                             : NULL;
    umem_handle block = 0;
    uint64_t block_size = 0;
    uint64_t offset;
    uint64_t size;
    int status;

    if (encoding != NULL || cli->option[CLI_JSON] != NULL)
        return read_text(cli, encoding);
    if (!option_size(cli, CLI_OFFSET, 0, &offset) || !option_size(cli, CLI_SIZE, 0, &size))
        return CLI_USAGE;
    status = look_up(cli, cli->words[0], &block, &block_size);
    if (status != CLI_OK)
        return status;
    if (cli->option[CLI_SIZE] == NULL)
        size = offset < block_size ? block_size - offset : 0;
    /* The whole range is checked before anything is printed. */
    if (offset > block_size || size > block_size - offset)
        return cli_fail(CLI_ERROR,
                        "out_of_range: offset and size pass the end of the block, which has %llu bytes",
                        (unsigned long long)block_size);
    return read_pieces(cli, block, offset, size);
}

static int write_piece(struct cli *cli, umem_handle block, uint64_t *offset, const void *bytes, size_t size)
{
    if (umem_block_write(cli->client, block, *offset, bytes, size) != UMEM_OK)
        return cli_fail_call(cli);
    *offset += size;
    return CLI_OK;
}

static int write_stream(struct cli *cli, umem_handle block, uint64_t offset, FILE *file, const char *name)
{
    char *piece = malloc(PIECE_SIZE);
    int status = CLI_OK;

    if (piece == NULL)
        return cli_fail(CLI_ERROR, "no memory");
    while (status == CLI_OK) {
        size_t size = fread(piece, 1, PIECE_SIZE, file);

        if (size == 0)
            break;
        status = write_piece(cli, block, &offset, piece, size);
    }
    if (status == CLI_OK && ferror(file) != 0)
        status = cli_fail(CLI_ERROR, "%s: cannot be read", name);
    free(piece);
    return status;
}

/* DATA of the command line: as it is, or decoded. */
static int write_word(struct cli *cli, umem_handle block, uint64_t offset, const char *text)
{
    size_t length = strlen(text);
    size_t size = length;
    size_t bad_offset = 0;
    bool hex = cli->option[CLI_HEX] != NULL;
    char *bytes;
    int status;

    if ((hex && !um_hex_decoded_size(text, length, &size, &bad_offset)) ||
        (!hex && cli->option[CLI_BASE64] != NULL &&
         !um_base64_decoded_size(text, length, &size, &bad_offset)))
        return cli_fail(CLI_USAGE, "DATA is not %s from character %u on", hex ? "hex" : "base64",
                        (unsigned)bad_offset);
    bytes = malloc(size + 1);
    if (bytes == NULL)
        return cli_fail(CLI_ERROR, "no memory");
    if (hex)
        um_hex_decode(bytes, text, length);
    else if (cli->option[CLI_BASE64] != NULL)
        um_base64_decode(bytes, text, length);
    else
        memcpy(bytes, text, size);
    status = write_piece(cli, block, &offset, bytes, size);
    free(bytes);
    return status;
}

static int write_block(struct cli *cli)
{
    const char *path = cli->option[CLI_FILE];
    umem_handle block = 0;
    uint64_t block_size = 0;
    uint64_t offset;
    FILE *file;
    int status;

    if (!option_size(cli, CLI_OFFSET, 0, &offset))
        return CLI_USAGE;
    status = look_up(cli, cli->words[0], &block, &block_size);
    if (status != CLI_OK)
        return status;
    if (cli->word_count == 2)
        return write_word(cli, block, offset, cli->words[1]);
    if (path == NULL) {
        cli_binary_mode();
        return write_stream(cli, block, offset, stdin, "standard input");
    }
    file = fopen(path, "rb");
    if (file == NULL)
        return cli_fail(CLI_ERROR, "%s: cannot be opened", path);
    status = write_stream(cli, block, offset, file, path);
    fclose(file);
    return status;
}

static int free_block(struct cli *cli)
{
    struct um_buf params;

    cli_begin(&params);
    cli_put_handle(&params, "block", cli->words[0]);
    return cli_call(cli, "block.free", &params, NULL);
}

static void print_block(const cJSON *block)
{
    const cJSON *owner = cJSON_GetObjectItemCaseSensitive(block, "owner");
    char rooms[4][32];

    printf("%-17s %14s %-17s %8s %-16s %-8s  %s\n", cli_member(block, "block", rooms[0]),
           cli_member(block, "size", rooms[1]), cli_member(block, "heap", rooms[2]),
           cli_member(owner, "pid", rooms[3]), cli_member(owner, "program", rooms[3]),
           cli_member(block, "orphaned", rooms[3])[0] != '\0' ? "orphaned" : "",
           cli_member(block, "name", rooms[0]));
}

static int list(struct cli *cli)
{
    char after[32] = "0";
    bool more = true;

    if (cli->option[CLI_JSON] == NULL)
        printf("%-17s %14s %-17s %8s %-16s %-8s  %s\n", "BLOCK", "BYTES", "HEAP", "PID", "PROGRAM", "",
               "NAME");
    while (more) {
        struct um_buf params;
        const cJSON *block;
        cJSON *json;
        char *result = NULL;
        int status;

        cli_begin(&params);
        cli_put_handle(&params, "heap", cli->option[CLI_HEAP]);
        um_json_key(&params, "orphaned");
        um_json_bool(&params, cli->option[CLI_ORPHANED] != NULL);
        um_json_key(&params, "after");
        um_buf_append_string(&params, after);
        status = cli_call(cli, "block.list", &params, &result);
        if (status != CLI_OK)
            return status;
        json = cJSON_Parse(result);
        if (cli->option[CLI_JSON] == NULL) {
            cJSON_ArrayForEach(block, cJSON_GetObjectItemCaseSensitive(json, "blocks")) print_block(block);
        }
        more = cli_member(json, "next", after)[0] != '\0';
        cJSON_Delete(json);
        umem_free_text(result);
    }
    return CLI_OK;
}

const struct cli_verb cli_block_verbs[] = {
    {"alloc", "SIZE [--heap HEAP] [--name NAME] [--lifetime WORD]", "allocate a block and print its handle",
     1, 1, false, alloc},
    {"read", "BLOCK [--offset SIZE] [--size SIZE] [--hex|--base64|--utf8]",
     "write its bytes to standard output", 1, 1, false, read_block},
    {"write", "BLOCK [DATA] [--hex|--base64] [--file PATH] [--offset SIZE]",
     "take bytes from DATA, a file, or standard input", 1, 2, false, write_block},
    {"free", "BLOCK", "free a block", 1, 1, false, free_block},
    {"ls", "[--heap HEAP] [--orphaned]", "list the blocks", 0, 0, false, list},
    {NULL, NULL, NULL, 0, 0, false, NULL},
};
