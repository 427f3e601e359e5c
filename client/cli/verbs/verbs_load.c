/* umem load: what umem save has written, back into a daemon. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encoding.h"
#include "cli/lines/line_reader.h"
#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/request/method_call.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"
#include "cli/transfer/block_file.h"
#include "cli/transfer/dump.h"
#include "wire/json_read.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

enum {
    SMALL_DATA = 32 * 1024, /* characters of base64 that go along with the request that makes their block */
    AT_ONCE = 256           /* requests that are under way together where many blocks are named */
};

/* How far the dump has been read. */
enum part { PART_BEGIN, PART_HEAPS, PART_BLOCKS, PART_END };

/* A block that is there and has no name yet: it goes with this session where anything goes wrong. */
struct loaded {
    umem_handle block;
    char *name;    /* that it gets; NULL: none */
    uint64_t line; /* that it comes from */
};

/* A heap that is to be made, when all of them are known. */
struct wanted_heap {
    char *params;
    char *name;
    uint64_t line;
    umem_handle made; /* 0: not made, or it was there */
    bool is_durable;
};

struct load {
    struct cli *cli;
    struct cli_line_reader reader;
    struct um_arena arena; /* of the line */
    bool replaces;
    enum part part;
    struct wanted_heap *heaps;
    size_t heap_count;
    struct loaded *blocks;
    size_t block_count;
    size_t block_capacity;
    char *line_name;     /* under which lines find the last block; NULL: they cannot */
    uint64_t bytes;      /* in the blocks */
    uint64_t block_size; /* of the last one */
    uint64_t shown;      /* of these, how many the progress counts */
    struct cli_progress progress;
};

/* ---- failures ---- */

/* What is wrong with the dump. */
UM_PRINTF(2, 3)
static int fail_dump(const struct load *load, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return cli_fail(CLI_FAILED, "%s: line %llu of the dump %s; nothing was loaded", load->reader.name,
                    (unsigned long long)load->reader.number, text);
}

/* The daemon has refused what a line wants. */
static int fail_request(const struct load *load, uint64_t line)
{
    const struct umem_failure *failure = umem_last_error(load->cli->client);
    char text[UMEM_NAME_SIZE * 4];

    if (!umem_is_connected(load->cli->client))
        return cli_fail_call(load->cli);
    snprintf(text, sizeof text, "%s", failure->message);
    return cli_fail_as_daemon(load->cli, failure->code, "%s: line %llu of the dump: %s; nothing was loaded",
                              load->reader.name, (unsigned long long)line, text);
}

/* ---- requests of the same parameters ---- */

static void copy_value(struct um_buf *out, const struct um_json *json)
{
    int64_t integer;

    switch (json->kind) {
    case UM_JSON_STRING:
        um_json_string(out, json->text, json->size);
        break;
    case UM_JSON_NUMBER:
        if (um_json_integer_of(json, &integer))
            um_json_int(out, integer);
        else
            um_json_double(out, um_json_double_of(json));
        break;
    case UM_JSON_ARRAY:
        um_json_begin_array(out);
        for (const struct um_json *item = json->child; item != NULL; item = item->next)
            copy_value(out, item);
        um_json_end_array(out);
        break;
    case UM_JSON_TRUE:
    case UM_JSON_FALSE:
        um_json_bool(out, json->kind == UM_JSON_TRUE);
        break;
    default:
        um_json_null(out); /* no parameter is an object */
        break;
    }
}

/* Whether a line's bytes travel raw, as many do faster. */
static bool is_large_data(const struct um_json *params)
{
    const struct um_json *data = um_json_member_of(params, "data");

    return um_json_is(data, UM_JSON_STRING) && data->size > SMALL_DATA &&
           um_json_member_of(params, "encoding") == NULL;
}

/* Begins an object of parameters with those of the line, but for the ones that `load` sets itself, and bytes that travel raw. */
static void begin_params(struct um_buf *out, const struct um_json *params)
{
    const char *const own[] = {"name", "lifetime", "if_exists", "block", is_large_data(params) ? "data" : ""};

    um_buf_init(out, SIZE_MAX / 4);
    um_json_begin_object(out);
    for (const struct um_json *item = params->child; item != NULL; item = item->next) {
        bool is_own = false;

        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
            is_own = is_own || strcmp(item->key, own[i]) == 0;
        if (is_own)
            continue;
        um_json_key(out, item->key);
        copy_value(out, item);
    }
}

/* Ends it, as a string. Returns an exit status. */
static int end_params(struct um_buf *out)
{
    um_json_end_object(out);
    um_buf_append_byte(out, '\0');
    return out->failed ? cli_fail_memory() : CLI_OK;
}

/* The handle behind a member's name; 0: there is none. */
static umem_handle find_handle(const char *result, const char *member)
{
    const char *at = strstr(result, member);

    return at != NULL ? strtoull(at + strlen(member), NULL, 10) : 0;
}

/* Calls a method with them; *handle is what the result's member says, which is its first (`member` NULL: nothing is wanted). */
static int call(struct load *load, const char *method, struct um_buf *params, const char *member,
                umem_handle *handle)
{
    int status = end_params(params);
    char *result = NULL;

    if (status == CLI_OK && umem_call(load->cli->client, method, params->data, &result) != UMEM_OK)
        status = fail_request(load, load->reader.number);
    um_buf_deinit(params);
    if (status == CLI_OK && member != NULL) {
        *handle = find_handle(result, member);
        if (*handle == 0)
            status = cli_fail_connection(load->cli, UMEM_E_BAD_ANSWER, "the daemon's answer names nothing");
    }
    umem_free_text(result);
    return status;
}

static char *copy_text(const char *text)
{
    char *copy = malloc(strlen(text) + 1);

    if (copy != NULL)
        strcpy(copy, text);
    return copy;
}

/* A parameter that is a string, "" where it is left out; NULL: it is another thing, which has been reported. */
static const char *text_of(const struct load *load, const struct um_json *params, const char *key)
{
    const struct um_json *value = um_json_member_of(params, key);

    if (value == NULL)
        return "";
    if (um_json_is(value, UM_JSON_STRING) && !value->has_nul)
        return value->text;
    fail_dump(load, "is wrong: \"%s\" is no proper string", key);
    return NULL;
}

static bool is_durable(const struct um_json *params)
{
    const struct um_json *lifetime = um_json_member_of(params, "lifetime");

    return lifetime != NULL && um_json_says(lifetime, "durable");
}

/* Only what stays is saved. */
static int check_lifetime(const struct load *load, const struct um_json *params, bool is_heap)
{
    const struct um_json *lifetime = um_json_member_of(params, "lifetime");

    if (lifetime == NULL || um_json_says(lifetime, "server") || (is_heap && is_durable(params)))
        return CLI_OK;
    return fail_dump(load, is_heap ? "has a lifetime other than \"server\" and \"durable\""
                                   : "has a lifetime other than \"server\"");
}

/* ---- heaps: made when all are known, if none of their names is taken ---- */

static int take_heap(struct load *load, const struct um_json *params)
{
    const char *name = text_of(load, params, "name");
    struct wanted_heap *grown;
    struct um_buf out;
    int status = name != NULL ? check_lifetime(load, params, true) : CLI_FAILED;

    if (status != CLI_OK)
        return status;
    if (name[0] == '\0')
        return fail_dump(load, "makes a heap without a name");
    grown = realloc(load->heaps, (load->heap_count + 1) * sizeof *grown);
    if (grown == NULL)
        return cli_fail_memory();
    load->heaps = grown;
    grown += load->heap_count;
    *grown = (struct wanted_heap){
        .name = copy_text(name), .line = load->reader.number, .is_durable = is_durable(params)};
    load->heap_count++;
    begin_params(&out, params);
    um_json_put_string(&out, "name", name);
    if (grown->is_durable)
        um_json_put_string(&out, "lifetime", "durable");
    if (load->replaces)
        um_json_put_string(&out, "if_exists", "open");
    status = end_params(&out);
    grown->params = status == CLI_OK ? copy_text(out.data) : NULL;
    um_buf_deinit(&out);
    return grown->params != NULL && grown->name != NULL ? CLI_OK
           : status == CLI_OK                           ? cli_fail_memory()
                                                        : status;
}

static int check_heap(const struct load *load, const struct wanted_heap *heap)
{
    umem_handle found;
    int code = umem_heap_lookup(load->cli->client, heap->name, &found);

    if (code == UMEM_OK)
        return cli_fail_as_daemon(
            load->cli, UMEM_E_NAME_TAKEN,
            "%s: line %llu of the dump: there is a heap \"%s\" already; nothing was loaded, see --replace",
            load->reader.name, (unsigned long long)heap->line, heap->name);
    return code == UMEM_E_UNKNOWN_HANDLE ? CLI_OK : fail_request(load, heap->line);
}

static int make_heap(struct load *load, struct wanted_heap *heap)
{
    char *result = NULL;

    if (umem_call(load->cli->client, "heap.create", heap->params, &result) != UMEM_OK)
        return fail_request(load, heap->line);
    /* What was there before is not destroyed where the load fails. */
    if (strstr(result, "\"created\":false") == NULL)
        heap->made = find_handle(result, "\"heap\":");
    umem_free_text(result);
    return CLI_OK;
}

static int make_heaps(struct load *load)
{
    int status = CLI_OK;

    for (size_t i = 0; i < load->heap_count && status == CLI_OK && !load->replaces; i++)
        status = check_heap(load, &load->heaps[i]);
    /* The durable ones first: a daemon that cannot have them refuses before anything is made. */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < load->heap_count && status == CLI_OK; i++) {
            if (load->heaps[i].is_durable == (pass == 0))
                status = make_heap(load, &load->heaps[i]);
        }
    }
    return status;
}

/* Takes back what was made. Blocks go with the session, which may have other things to do yet. */
static void undo(const struct load *load)
{
    for (size_t i = 0; i < load->block_count && load->cli->session != NULL; i++)
        (void)umem_block_free(load->cli->client, load->blocks[i].block);
    for (size_t i = load->heap_count; i-- != 0;) {
        if (load->heaps[i].made != 0)
            (void)umem_heap_destroy(load->cli->client, load->heaps[i].made, NULL, NULL);
    }
}

/* ---- blocks ---- */

static bool make_place(struct load *load)
{
    size_t capacity = load->block_capacity != 0 ? 2 * load->block_capacity : 1024;
    struct loaded *grown;

    if (load->block_count < load->block_capacity)
        return true;
    grown = realloc(load->blocks, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    load->blocks = grown;
    load->block_capacity = capacity;
    return true;
}

/* Counts bytes of the blocks up to there as done. */
static void show_progress(struct load *load, uint64_t bytes)
{
    if (bytes <= load->shown)
        return;
    cli_progress_step(&load->progress, bytes - load->shown);
    load->shown = bytes;
}

/* Writes a line's bytes, decoded where they stand. */
static int write_raw(struct load *load, const struct um_json *params, umem_handle block, uint64_t offset)
{
    const struct um_json *data = um_json_member_of(params, "data");
    char *bytes = (char *)(uintptr_t)data->text;
    size_t bad_offset = 0;
    size_t size = 0;

    if (!um_base64_decode(bytes, data->text, data->size, &size, &bad_offset))
        return fail_dump(load, "has data that are not base64, from character %zu on", bad_offset);
    if (umem_block_write(load->cli->client, block, offset, bytes, size) != UMEM_OK)
        return fail_request(load, load->reader.number);
    return CLI_OK;
}

/* The daemon sees the name when all others are given, too: too late to be wrong. */
static bool is_name(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    }
    return name[0] != ':' && size < UMEM_NAME_SIZE;
}

static int take_block(struct load *load, const struct um_json *params)
{
    const char *name = text_of(load, params, "name");
    struct loaded *block;
    struct um_buf out;
    uint64_t size = 0;
    int status = name != NULL ? check_lifetime(load, params, false) : CLI_FAILED;

    if (status != CLI_OK)
        return status;
    if (!um_json_to_uint64(um_json_member_of(params, "size"), &size))
        return fail_dump(load, "makes a block without a size");
    if (!is_name(name))
        return fail_dump(load, "has a name that no block can have");
    free(load->line_name);
    load->line_name = copy_text(name);
    if (!make_place(load) || load->line_name == NULL)
        return cli_fail_memory();
    block = &load->blocks[load->block_count];
    *block = (struct loaded){.line = load->reader.number};
    begin_params(&out, params);
    um_json_put_string(&out, "lifetime", "session");
    status = call(load, "block.alloc", &out, "\"block\":", &block->block);
    if (status != CLI_OK)
        return status;
    if (name[0] != '\0') {
        block->name = copy_text(name);
        if (block->name == NULL)
            return cli_fail_memory();
    }
    load->block_count++;
    if (is_large_data(params))
        status = write_raw(load, params, block->block, 0);
    if (status != CLI_OK)
        return status;
    show_progress(load, load->bytes);
    load->bytes += size;
    load->block_size = size;
    return CLI_OK;
}

/* The block that the lines are at, under the name that they have for it. */
static struct loaded *find_last(const struct load *load, const struct um_json *params)
{
    const char *name = text_of(load, params, "block");

    if (name == NULL)
        return NULL;
    name += name[0] == ':';
    if (load->line_name != NULL && name[0] != '\0' && strcmp(name, load->line_name) == 0)
        return &load->blocks[load->block_count - 1];
    fail_dump(load, "is not about the block before it");
    return NULL;
}

static int take_bytes(struct load *load, const struct um_json *params)
{
    const struct loaded *block = find_last(load, params);
    struct um_buf out;
    uint64_t offset;

    if (block == NULL)
        return CLI_FAILED;
    if (!um_json_to_uint64(um_json_member_of(params, "offset"), &offset))
        return fail_dump(load, "writes bytes without an offset");
    if (offset <= load->block_size)
        show_progress(load, load->bytes - load->block_size + offset);
    if (is_large_data(params))
        return write_raw(load, params, block->block, offset);
    begin_params(&out, params);
    um_json_put_uint(&out, "block", block->block);
    return call(load, "block.write", &out, NULL, NULL);
}

/* The only change that a dump has: the name was needed for the lines. */
static int take_change(struct load *load, const struct um_json *params)
{
    struct loaded *block = find_last(load, params);

    if (block == NULL)
        return CLI_FAILED;
    if (um_json_member_of(params, "name") == NULL || !um_json_says(um_json_member_of(params, "name"), ""))
        return fail_dump(load, "changes a block otherwise than umem save does");
    free(block->name);
    block->name = NULL;
    return CLI_OK;
}

/* ---- the marks at both ends ---- */

static int begin(struct load *load, const struct um_json *mark)
{
    uint64_t format = 0;
    uint64_t bytes = 0;

    if (!um_json_to_uint64(um_json_member_of(mark, "format"), &format))
        return fail_dump(load, "does not say which format it has");
    if (format != CLI_DUMP_FORMAT)
        return fail_dump(
            load,
            "says format %llu, and this umem reads format %d: use one as new as that which has saved it",
            (unsigned long long)format, CLI_DUMP_FORMAT);
    (void)um_json_to_uint64(um_json_member_of(mark, "bytes"), &bytes);
    cli_progress_begin(&load->progress, "load", bytes);
    load->part = PART_HEAPS;
    return CLI_OK;
}

static int check_total(const struct load *load, const struct um_json *mark, const char *what, uint64_t found)
{
    uint64_t said = 0;

    if (um_json_to_uint64(um_json_member_of(mark, what), &said) && said == found)
        return CLI_OK;
    return fail_dump(load,
                     "says that there are %llu %s, and there are %llu: the dump was damaged or edited; "
                     "correct that line if it "
                     "was edited on purpose",
                     (unsigned long long)said, what, (unsigned long long)found);
}

static int end(struct load *load, const struct um_json *mark)
{
    int status = check_total(load, mark, "heaps", load->heap_count);

    if (status == CLI_OK)
        status = check_total(load, mark, "blocks", load->block_count);
    if (status == CLI_OK)
        status = check_total(load, mark, "bytes", load->bytes);
    load->part = PART_END;
    return status;
}

/* ---- lines ---- */

static int take_request(struct load *load, const struct um_json *method, const struct um_json *params)
{
    int status = CLI_OK;

    if (um_json_says(method, "heap.create"))
        return load->part == PART_HEAPS ? take_heap(load, params)
                                        : fail_dump(load, "is a heap behind blocks");
    if (load->part == PART_HEAPS)
        status = make_heaps(load);
    load->part = PART_BLOCKS;
    if (status != CLI_OK)
        return status;
    if (um_json_says(method, "block.alloc"))
        return take_block(load, params);
    if (um_json_says(method, "block.write"))
        return take_bytes(load, params);
    if (um_json_says(method, "block.change"))
        return take_change(load, params);
    return fail_dump(load, "is a request that umem save does not write");
}

static int take_line(struct load *load, char *line, size_t size)
{
    struct um_json_check check = {0};
    struct um_json *json = NULL;
    const struct um_json *mark;
    const struct um_json *params;
    int code = um_json_read(line, size, &load->arena, &json, &check);

    if (code == UMEM_E_NO_MEMORY)
        return cli_fail_memory();
    if (code != UMEM_OK && load->part == PART_BEGIN)
        return cli_fail(CLI_FAILED, "%s is no dump of umem save: its first line is not JSON",
                        load->reader.name);
    if (code != UMEM_OK)
        return fail_dump(load, "is not JSON (%s, at byte %zu): the dump was cut or damaged",
                         check.what != NULL ? check.what : "too many values", check.bad_offset);
    mark = um_json_is(json, UM_JSON_OBJECT) ? um_json_member_of(json, CLI_DUMP_MARK) : NULL;
    params = um_json_is(json, UM_JSON_OBJECT) ? um_json_member_of(json, "params") : NULL;
    if (load->part == PART_END)
        return fail_dump(load, "stands behind the dump's end");
    if (load->part == PART_BEGIN)
        return mark != NULL
                   ? begin(load, mark)
                   : cli_fail(CLI_FAILED, "%s is no dump of umem save: its first line does not say so",
                              load->reader.name);
    if (mark != NULL) {
        /* Heaps without blocks. */
        int status = load->part == PART_HEAPS ? make_heaps(load) : CLI_OK;

        return status == CLI_OK ? end(load, mark) : status;
    }
    if (!um_json_is(params, UM_JSON_OBJECT))
        return fail_dump(load, "is no request with parameters by name");
    return take_request(load, um_json_member_of(json, "method"), params);
}

/* What gzip has made has no lines. */
static int check_compressed(struct load *load)
{
    static const char magic[2] = {'\x1f', '\x8b'};
    char *space = um_buf_reserve(&load->reader.bytes, sizeof magic);
    long size = space != NULL ? cli_read_file(load->reader.file, space, sizeof magic) : 0;

    if (space == NULL)
        return cli_fail_memory();
    if (size < 0)
        return cli_fail_file(load->reader.name, "read to its end", (int)size);
    load->reader.bytes.size += (size_t)size;
    if (size == (long)sizeof magic && memcmp(space, magic, sizeof magic) == 0)
        return cli_fail(CLI_FAILED, "%s is compressed: gunzip < FILE | umem load -", load->reader.name);
    return CLI_OK;
}

static int take_lines(struct load *load)
{
    int status = check_compressed(load);
    char *line = NULL;
    size_t size;

    while (status == CLI_OK) {
        status = cli_line_reader_next(&load->reader, &line);
        if (line == NULL)
            break;
        size = strlen(line);
        size -= size != 0 && line[size - 1] == '\r';
        if (size != 0)
            status = take_line(load, line, size);
        um_arena_reset(&load->arena);
    }
    if (status != CLI_OK)
        return status;
    if (load->part == PART_BEGIN)
        return cli_fail(CLI_FAILED, "%s is empty: it is no dump of umem save", load->reader.name);
    if (load->part != PART_END)
        return fail_dump(load, "is the last, and not the dump's end: the dump was cut");
    return CLI_OK;
}

/* ---- names: all at the end, when all the rest is there ---- */

/* What is submitted for a block, and how its answer is taken. */
struct naming {
    int (*submit)(struct load *load, umem_calls *calls, const struct loaded *block);
    int (*take)(struct load *load, const struct loaded *block, int code);
};

static int submit_lookup(struct load *load, umem_calls *calls, const struct loaded *block)
{
    (void)load;
    return umem_submit_block_lookup(calls, block->name, NULL);
}

static int take_lookup(struct load *load, const struct loaded *block, int code)
{
    if (code == UMEM_OK)
        return cli_fail_as_daemon(
            load->cli, UMEM_E_NAME_TAKEN,
            "%s: line %llu of the dump: there is a block \"%s\" already; nothing was loaded, see --replace",
            load->reader.name, (unsigned long long)block->line, block->name);
    return code == UMEM_E_UNKNOWN_HANDLE ? CLI_OK : fail_request(load, block->line);
}

static int submit_name(struct load *load, umem_calls *calls, const struct loaded *block)
{
    static const enum umem_lifetime server = UMEM_LIFETIME_SERVER;

    if (block->name != NULL && load->replaces)
        return umem_submit_block_publish(calls, block->block, block->name, &server, NULL);
    return umem_submit_block_change(calls, block->block, block->name, &server, NULL);
}

/* Where one of thousands fails, the others before it stay: somebody has taken the name, or locked the heap, in this moment. */
static int take_name(struct load *load, const struct loaded *block, int code)
{
    if (code == UMEM_OK)
        return CLI_OK;
    if (!umem_is_connected(load->cli->client))
        return cli_fail_call(load->cli);
    return cli_fail_as_daemon(
        load->cli, code, "%s: line %llu of the dump: %s; %llu of %llu blocks were loaded", load->reader.name,
        (unsigned long long)block->line, umem_error_text(code), (unsigned long long)(block - load->blocks),
        (unsigned long long)load->block_count);
}

/* For all blocks, or all that get a name, some at a time. */
static int for_all(struct load *load, const struct naming *naming, bool only_named)
{
    umem_calls *calls = umem_calls_new(load->cli->client, UMEM_PIPELINE);
    const struct loaded *submitted[AT_ONCE];
    size_t next = 0;
    int status = calls != NULL ? CLI_OK : cli_fail_memory();

    while (status == CLI_OK && next < load->block_count) {
        size_t count = 0;

        for (; next < load->block_count && count < AT_ONCE && status == CLI_OK; next++) {
            if (only_named && load->blocks[next].name == NULL)
                continue;
            submitted[count] = &load->blocks[next];
            if (naming->submit(load, calls, submitted[count]) != UMEM_OK)
                status = cli_fail_call(load->cli);
            else
                count++;
        }
        for (size_t i = 0; i < count && status == CLI_OK; i++)
            status = naming->take(load, submitted[i], umem_collect(calls));
    }
    umem_calls_free(calls);
    return status;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp((*(const struct loaded *const *)left)->name, (*(const struct loaded *const *)right)->name);
}

/* Whether no two blocks of the dump have one name. */
static int check_names(struct load *load)
{
    const struct loaded **named = malloc((load->block_count + 1) * sizeof *named);
    const struct loaded *again = NULL;
    size_t count = 0;
    int status = CLI_OK;

    if (named == NULL)
        return cli_fail_memory();
    for (size_t i = 0; i < load->block_count; i++) {
        if (load->blocks[i].name != NULL)
            named[count++] = &load->blocks[i];
    }
    qsort(named, count, sizeof *named, compare_names);
    for (size_t i = 1; i < count && again == NULL; i++) {
        if (strcmp(named[i - 1]->name, named[i]->name) == 0)
            again = named[i]->line > named[i - 1]->line ? named[i] : named[i - 1];
    }
    if (again != NULL)
        status = cli_fail(
            CLI_FAILED, "%s: line %llu of the dump has the name \"%s\" of another block; nothing was loaded",
            load->reader.name, (unsigned long long)again->line, again->name);
    free(named);
    return status;
}

static int name_all(struct load *load)
{
    static const struct naming lookups = {submit_lookup, take_lookup};
    static const struct naming names = {submit_name, take_name};
    int status = check_names(load);

    if (status == CLI_OK && !load->replaces)
        status = for_all(load, &lookups, true);
    if (status != CLI_OK) {
        undo(load);
        return status;
    }
    return for_all(load, &names, false);
}

/* ---- the verb ---- */

static void free_all(struct load *load)
{
    for (size_t i = 0; i < load->heap_count; i++) {
        free(load->heaps[i].params);
        free(load->heaps[i].name);
    }
    for (size_t i = 0; i < load->block_count; i++)
        free(load->blocks[i].name);
    free(load->heaps);
    free(load->blocks);
    free(load->line_name);
    um_arena_deinit(&load->arena);
    cli_line_reader_deinit(&load->reader);
}

static int load_source(struct load *load)
{
    int status = take_lines(load);

    cli_progress_end(&load->progress);
    if (status != CLI_OK) {
        undo(load);
        return status;
    }
    status = name_all(load);
    if (status == CLI_OK)
        cli_printf(load->cli->option[CLI_JSON] != NULL ? "{\"heaps\":%llu,\"blocks\":%llu,\"bytes\":%llu}\n"
                                                       : "loaded %llu heaps, %llu blocks, %llu bytes\n",
                   (unsigned long long)load->heap_count, (unsigned long long)load->block_count,
                   (unsigned long long)load->bytes);
    return status;
}

static int load_dump(struct cli *cli)
{
    struct load load = {.cli = cli, .replaces = cli->option[CLI_REPLACE] != NULL};
    struct cli_source source;
    int status = cli_source_open(&source, cli->words[0]);

    cli_line_reader_init(&load.reader, source.file, source.name);
    if (status == CLI_OK)
        status = load_source(&load);
    free_all(&load);
    cli_source_close(&source);
    return status;
}

const struct cli_verb cli_load_verbs[] = {
    {.name = "load",
     .words = "FILE",
     .options = CLI_TAKES(REPLACE),
     .summary = "make the heaps and blocks of a dump that umem save has written",
     .detail =
         "\"-\" is standard input. Heaps come back with their names, kinds, flags, sizes and "
         "alignments, blocks with their names, sizes "
         "and bytes; handles are new. A block without a name is an orphan afterwards. A name that is "
         "taken is an error, unless "
         "--replace is given: then heaps that are there and fit are used, and blocks of the same names "
         "are replaced.\n\n"
         "All bytes are there before the first block gets its name. Where the dump is damaged, cut or "
         "edited so that it does not fit "
         "together, where a name is taken or the daemon refuses a line, nothing is changed, and the "
         "message has the file and the line's number. The file must be UTF-8: with \">\", Windows PowerShell "
         "writes UTF-16, and save --file does not. If "
         "umem is killed, only empty heaps can be left.",
     .example = "umem load all.dump\ngunzip < scratch.dump.gz | umem load - --replace",
     .run = load_dump},
    {.name = NULL},
};
