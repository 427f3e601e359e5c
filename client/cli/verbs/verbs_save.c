/* umem save: heaps and their blocks as requests of the protocol, which make the same again: see also verbs_load.c. */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "base/encoding.h"
#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"
#include "cli/transfer/atomic_file.h"
#include "cli/transfer/dump.h"
#include "wire/json_write.h"

enum {
    PIECE_SIZE = 384 * 1024,              /* bytes of a block in one line: half a megabyte of base64 */
    GATHERED_SIZE = 1 << 20,              /* bytes of lines that are written at a time */
    OUT_LIMIT = GATHERED_SIZE + (4 << 20) /* and that there may be */
};

struct save {
    struct cli *cli;
    struct cli_atomic_file file;
    const char *file_name;
    struct um_buf out;
    char *piece; /* PIECE_SIZE bytes */
    struct umem_heap_info *heaps;
    size_t heap_count;
    const struct umem_heap_info *heap; /* whose blocks are saved */
    struct cli_dump_totals totals;
    uint64_t left_out; /* heaps and blocks of lifetime session */
    uint64_t id;       /* of the last line */
    struct cli_progress progress;
};

/* ---- lines ---- */

static int flush(struct save *save)
{
    int error;

    if (save->out.failed)
        return cli_fail_memory();
    error = cli_atomic_file_write(&save->file, save->out.data, save->out.size);
    um_buf_truncate(&save->out, 0);
    return error == 0 ? CLI_OK : cli_fail_file(save->file_name, "written", error);
}

/* Up to the parameters, which follow. */
static void begin_line(struct save *save, const char *method)
{
    um_json_begin_object(&save->out);
    um_json_put_uint(&save->out, "id", ++save->id);
    um_json_put_string(&save->out, "method", method);
    um_json_key(&save->out, "params");
    um_json_begin_object(&save->out);
}

static int end_line(struct save *save)
{
    um_json_end_object(&save->out);
    um_json_end_object(&save->out);
    um_buf_append_byte(&save->out, '\n');
    return save->out.size >= GATHERED_SIZE || save->out.failed ? flush(save) : CLI_OK;
}

/* A line that does nothing where it is played: it says what the dump is. */
static int put_mark(struct save *save, const char *key, uint64_t value, const struct cli_dump_totals *totals)
{
    begin_line(save, "server.ping");
    um_json_end_object(&save->out);
    um_json_key(&save->out, CLI_DUMP_MARK);
    um_json_begin_object(&save->out);
    um_json_put_uint(&save->out, key, value);
    um_json_put_uint(&save->out, "heaps", totals->heaps);
    um_json_put_uint(&save->out, "blocks", totals->blocks);
    um_json_put_uint(&save->out, "bytes", totals->bytes);
    return end_line(save);
}

/* What has no name gets one by its handle, under which the lines that follow find it. */
static const char *name_of(char made[CLI_DUMP_NAME_SIZE], const char *name, const char *kind,
                           umem_handle handle)
{
    if (name[0] != '\0')
        return name;
    snprintf(made, CLI_DUMP_NAME_SIZE, "%s-%llu", kind, (unsigned long long)handle);
    return made;
}

/* A name where a handle could stand: digits are marked as no handle. */
static void put_reference(struct save *save, const char *key, const char *name)
{
    char marked[CLI_DUMP_NAME_SIZE + 1];

    snprintf(marked, sizeof marked, "%s%s", name[0] >= '0' && name[0] <= '9' ? ":" : "", name);
    um_json_put_string(&save->out, key, marked);
}

/* ---- heaps ---- */

static void put_flags(struct save *save, uint32_t flags)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } known[] = {{UMEM_FLAG_ZERO_MEMORY, "zero_memory"},
                 {UMEM_FLAG_NO_SERIALIZE, "no_serialize"},
                 {UMEM_FLAG_GENERATE_EXCEPTIONS, "generate_exceptions"},
                 {UMEM_FLAG_REALLOC_IN_PLACE_ONLY, "realloc_in_place_only"}};

    um_json_key(&save->out, "flags");
    um_json_begin_array(&save->out);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if ((flags & known[i].bit) != 0)
            um_json_cstring(&save->out, known[i].word);
    }
    um_json_end_array(&save->out);
}

static int put_heap(struct save *save, const struct umem_heap_info *heap)
{
    char made[CLI_DUMP_NAME_SIZE];

    if (heap->kind == UMEM_HEAP_PROCESS)
        return CLI_OK;
    if (heap->kind == UMEM_HEAP_OTHER)
        return cli_fail(CLI_ERROR,
                        "heap %llu is of a kind that this umem does not know: use one as new as the daemon",
                        (unsigned long long)heap->heap);
    save->totals.heaps++;
    begin_line(save, "heap.create");
    um_json_put_string(&save->out, "name", name_of(made, heap->name, "heap", heap->heap));
    um_json_put_string(&save->out, "kind", heap->kind == UMEM_HEAP_SHARED ? "shared" : "private");
    put_flags(save, heap->flags);
    um_json_put_uint(&save->out, "initial_size", heap->initial_size);
    um_json_put_uint(&save->out, "maximum_size", heap->maximum_size);
    um_json_put_uint(&save->out, "alignment", heap->alignment);
    um_json_put_string(&save->out, "lifetime",
                       heap->lifetime == UMEM_LIFETIME_DURABLE ? "durable" : "server");
    return end_line(save);
}

static int add_heap(const struct umem_heap_info *heap, void *context)
{
    struct save *save = context;
    struct umem_heap_info *grown;

    if (heap->lifetime == UMEM_LIFETIME_SESSION) {
        save->left_out++;
        return CLI_OK;
    }
    if (heap->corrupted)
        return cli_fail(
            CLI_ERROR,
            "heap %llu is corrupted: what it held cannot be saved; name the heaps that are to be saved "
            "(umem heap ls)",
            (unsigned long long)heap->heap);
    grown = realloc(save->heaps, (save->heap_count + 1) * sizeof *grown);
    if (grown == NULL)
        return cli_fail_memory();
    save->heaps = grown;
    save->heaps[save->heap_count++] = *heap;
    return CLI_OK;
}

/* The heap that a word names, by handle or name; one that is named twice counts once. */
static int add_word(struct save *save, const char *word)
{
    struct cli_params params;
    struct umem_heap_info info;
    char number[CLI_NUMBER_SIZE];
    cJSON *result = NULL;
    umem_handle heap;
    int status;

    cli_params_begin(&params);
    cli_put_handle(&params, "heap", word);
    status = cli_call(save->cli, "heap.info", &params, &result);
    if (status != CLI_OK)
        return status;
    heap = strtoull(cli_member(result, "heap", number), NULL, 10);
    cJSON_Delete(result);
    for (size_t i = 0; i < save->heap_count; i++) {
        if (save->heaps[i].heap == heap)
            return CLI_OK;
    }
    if (umem_heap_info(save->cli->client, heap, &info) != UMEM_OK)
        return cli_fail_call(save->cli);
    return add_heap(&info, save);
}

static int find_heaps(struct save *save)
{
    int status = CLI_OK;
    int result;

    if (save->cli->word_count == 0) {
        result = umem_heap_list(save->cli->client, add_heap, save);
        return result < 0 ? cli_fail_call(save->cli) : result;
    }
    for (int i = 0; i < save->cli->word_count && status == CLI_OK; i++)
        status = add_word(save, save->cli->words[i]);
    return status;
}

/* ---- blocks ---- */

static bool is_zero(const char *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* New memory is zero: what is zero need not be said. */
static void put_data(struct save *save, const char *bytes, size_t size)
{
    char *space;

    um_json_key(&save->out, "data");
    space = um_json_begin_raw_string(&save->out, um_base64_encoded_size(size));
    if (space != NULL)
        um_base64_encode(space, bytes, size);
    um_json_end_raw_string(&save->out);
}

static void begin_alloc(struct save *save, const struct umem_block_info *block, const char *name)
{
    char made[CLI_DUMP_NAME_SIZE];

    begin_line(save, "block.alloc");
    um_json_put_uint(&save->out, "size", block->size);
    if (save->heap->kind != UMEM_HEAP_PROCESS)
        put_reference(save, "heap", name_of(made, save->heap->name, "heap", save->heap->heap));
    if (name[0] != '\0')
        um_json_put_string(&save->out, "name", name);
}

static int read_piece(struct save *save, umem_handle block, uint64_t offset, uint64_t left, size_t *size)
{
    *size = left < PIECE_SIZE ? (size_t)left : PIECE_SIZE;
    if (umem_block_read(save->cli->client, block, offset, save->piece, *size) != UMEM_OK)
        return cli_fail_call(save->cli);
    cli_progress_step(&save->progress, *size);
    return CLI_OK;
}

static int put_small(struct save *save, const struct umem_block_info *block)
{
    size_t size;
    int status = read_piece(save, block->block, 0, block->size, &size);

    if (status != CLI_OK)
        return status;
    begin_alloc(save, block, block->name);
    if (!is_zero(save->piece, size))
        put_data(save, save->piece, size);
    return end_line(save);
}

/* In several lines: the block, its bytes, and where it has no name the end of the one that the lines need. */
static int put_large(struct save *save, const struct umem_block_info *block)
{
    char made[CLI_DUMP_NAME_SIZE];
    const char *name = name_of(made, block->name, "block", block->block);
    size_t size = 0;
    int status;

    begin_alloc(save, block, name);
    status = end_line(save);
    for (uint64_t at = 0; at < block->size && status == CLI_OK; at += size) {
        status = read_piece(save, block->block, at, block->size - at, &size);
        if (status != CLI_OK || is_zero(save->piece, size))
            continue;
        begin_line(save, "block.write");
        put_reference(save, "block", name);
        um_json_put_uint(&save->out, "offset", at);
        put_data(save, save->piece, size);
        status = end_line(save);
    }
    if (status != CLI_OK || block->name[0] != '\0')
        return status;
    begin_line(save, "block.change");
    put_reference(save, "block", name);
    um_json_put_string(&save->out, "name", "");
    return end_line(save);
}

static int put_block(const struct umem_block_info *block, void *context)
{
    struct save *save = context;

    if (block->lifetime == UMEM_LIFETIME_SESSION) {
        save->left_out++;
        return CLI_OK;
    }
    save->totals.blocks++;
    save->totals.bytes += block->size;
    return block->size <= PIECE_SIZE ? put_small(save, block) : put_large(save, block);
}

/* Under its lock, so that nothing of it changes meanwhile. */
static int put_blocks(struct save *save, const struct umem_heap_info *heap)
{
    const char *timeout = save->cli->option[CLI_TIMEOUT];
    umem_client *client = save->cli->client;
    struct umem_block_filter filter = {.heap = heap->heap};
    int status;
    int result;

    if (umem_heap_lock(client, heap->heap,
                       timeout != NULL ? (uint32_t)strtoul(timeout, NULL, 10) : UMEM_FOREVER) != UMEM_OK)
        return cli_fail_call(save->cli);
    save->heap = heap;
    result = umem_block_list(client, &filter, put_block, save);
    status = result < 0 ? cli_fail_call(save->cli) : result;
    /* The session may have other things to do after a failure. */
    if (umem_heap_unlock(client, heap->heap) != UMEM_OK && status == CLI_OK)
        status = cli_fail_call(save->cli);
    return status;
}

/* ---- the verb ---- */

static int put_all(struct save *save)
{
    struct cli_dump_totals expected = {.heaps = 0};
    int status;

    for (size_t i = 0; i < save->heap_count; i++) {
        expected.heaps += save->heaps[i].kind != UMEM_HEAP_PROCESS;
        expected.blocks += save->heaps[i].blocks;
        expected.bytes += save->heaps[i].bytes;
    }
    status = put_mark(save, "format", CLI_DUMP_FORMAT, &expected);
    for (size_t i = 0; i < save->heap_count && status == CLI_OK; i++)
        status = put_heap(save, &save->heaps[i]);
    cli_progress_begin(&save->progress, "save", expected.bytes);
    for (size_t i = 0; i < save->heap_count && status == CLI_OK; i++)
        status = put_blocks(save, &save->heaps[i]);
    cli_progress_end(&save->progress);
    if (status == CLI_OK)
        status = put_mark(save, "end", 1, &save->totals);
    return status == CLI_OK ? flush(save) : status;
}

static void print_summary(const struct save *save)
{
    char text[256];

    snprintf(text, sizeof text, "saved %llu heaps, %llu blocks, %llu bytes\n",
             (unsigned long long)save->totals.heaps, (unsigned long long)save->totals.blocks,
             (unsigned long long)save->totals.bytes);
    (void)cli_write_file(CLI_ERRORS, text, strlen(text));
    if (save->left_out == 0)
        return;
    snprintf(text, sizeof text,
             "left out %llu heaps and blocks of lifetime session, which end with their programs\n",
             (unsigned long long)save->left_out);
    (void)cli_write_file(CLI_ERRORS, text, strlen(text));
}

static int save_to_file(struct save *save)
{
    const char *path = save->cli->option[CLI_FILE];
    int status;
    int error;

    save->file_name = path == NULL || strcmp(path, "-") == 0 ? "standard output" : path;
    error = cli_atomic_file_open(&save->file, path);
    if (error != 0)
        return cli_fail_file(save->file_name, "opened", error);
    status = put_all(save);
    if (status != CLI_OK) {
        cli_atomic_file_discard(&save->file);
        return status;
    }
    error = cli_atomic_file_commit(&save->file);
    return error == 0 ? CLI_OK : cli_fail_file(save->file_name, "written", error);
}

static int save_heaps(struct cli *cli)
{
    struct save save = {.cli = cli, .piece = malloc(PIECE_SIZE)};
    int status;

    um_buf_init(&save.out, OUT_LIMIT);
    status = save.piece != NULL ? find_heaps(&save) : cli_fail_memory();
    if (status == CLI_OK)
        status = save_to_file(&save);
    if (status == CLI_OK && cli->option[CLI_JSON] == NULL)
        print_summary(&save);
    um_buf_deinit(&save.out);
    free(save.heaps);
    free(save.piece);
    return status;
}

const struct cli_verb cli_save_verbs[] = {
    {.name = "save",
     .words = "[HEAP...]",
     .options = CLI_TAKES(FILE),
     .summary = "write heaps and all their blocks to standard output or a file",
     .detail =
         "All heaps, the process heap among them, or those that are named. The dump has a line for "
         "each request that makes the same "
         "again: it can be read, searched, played by umem call -, and loaded by umem load, which is "
         "safer. Zeros are left out, and "
         "gzip makes it smaller still.\n\n"
         "Each heap is locked while its blocks are saved, so that they are those of one moment: other "
         "programs' calls on it are "
         "refused as \"locked\" meanwhile. A heap that another program has locked is waited for, with "
         "--timeout so many "
         "milliseconds. What has lifetime session is left out, as it ends with its program; a durable "
         "heap is one "
         "again, where umemd has --state. A heap that is corrupted ends it: name the others then. A heap "
         "without a name gets one by its "
         "handle. What was saved is told on standard error, unless --json is given. A file that --file "
         "names is replaced when all of "
         "the dump is there.",
     .example = "umem save > all.dump\numem save scratch | gzip > scratch.dump.gz",
     .waits = true,
     .run = save_heaps},
    {.name = NULL},
};
