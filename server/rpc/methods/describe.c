#include "rpc/methods/describe.h"

#include "rpc/schema/words.h"
#include "wire/json_write.h"

static const char *const kind_names[] = {
    [UM_HEAP_PROCESS] = "process",
    [UM_HEAP_PRIVATE] = "private",
    [UM_HEAP_SHARED] = "shared",
};

void um_describe_time(struct um_buf *out, const char *key, int64_t unix_seconds)
{
    um_json_key(out, key);
    if (unix_seconds != 0)
        um_json_int(out, unix_seconds);
    else
        um_json_null(out);
}

/* ---- the session that made it ---- */

const struct um_member um_owner_members[] = {
    {.name = "session", .type = UM_SESSION, .doc = "The session that made it."},
    {.name = "pid", .type = UM_UINT, .doc = "That client's process id; 0 where it is not known."},
    {.name = "program", .type = UM_STRING, .doc = "That client's program; \"\" where it is not known."},
    {.name = "user", .type = UM_STRING, .doc = "Who ran it; \"\" where it is not known."},
    {.name = NULL},
};

static void describe_owner(struct um_buf *out, const struct um_owner *owner)
{
    struct um_owner_info info;

    um_json_key(out, "owner");
    if (owner == NULL) {
        um_json_null(out);
        return;
    }
    um_owner_get_info(owner, &info);
    um_json_begin_object(out);
    um_json_put_uint(out, "session", info.id);
    um_json_put_int(out, "pid", info.pid);
    um_json_put_string(out, "program", info.program);
    um_json_put_string(out, "user", info.user);
    um_json_end_object(out);
}

/* ---- blocks ---- */

const struct um_member um_block_members[] = {UM_BLOCK_MEMBERS, {.name = NULL}};

void um_describe_block(struct um_buf *out, const struct um_store *store, const struct um_block *block)
{
    struct um_block_info info;

    um_block_get_info(store, block, &info);
    um_json_put_uint(out, "block", info.block);
    um_json_put_string(out, "name", info.name);
    um_json_put_uint(out, "heap", info.heap);
    um_json_put_uint(out, "size", info.size);
    um_json_put_uint64(out, "address", info.address);
    um_json_put_string(out, "lifetime", um_lifetime_words[info.lifetime].word);
    describe_owner(out, info.owner);
    um_json_put_uint(out, "holders", info.holders);
    um_json_put_bool(out, "orphaned", info.orphaned);
    um_json_put_int(out, "created", info.created);
}

const struct um_member um_block_place_members[] = {UM_BLOCK_PLACE_MEMBERS, {.name = NULL}};

/* A number behind its key. Returns where that ends. */
UM_ALWAYS_INLINE char *copy_number(char *to, const char *key, uint64_t value)
{
    size_t size = strlen(key);

    memcpy(to, key, size);
    return to + size + um_digits_put_uint(to + size, value);
}

/* The answer of each allocation: all of it is written in one go, but for an address that JSON numbers cannot carry. */
void um_describe_place(struct um_buf *out, const struct um_store *store, const struct um_block *block)
{
    static const char longest[] = "'block':,'size':,'address':";
    uint64_t address = (uint64_t)(uintptr_t)um_block_bytes(block);
    char *space = um_json_value_space(out, sizeof longest + 3 * UM_DIGITS_SIZE);
    char *end = space;

    if (space == NULL)
        return;
    end = copy_number(end, "\"block\":", um_block_handle(store, block));
    end = copy_number(end, ",\"size\":", um_block_size(block));
    if (address <= (uint64_t)UM_JSON_INTEGER_MAX)
        end = copy_number(end, ",\"address\":", address);
    out->size += (size_t)(end - space);
    if (address > (uint64_t)UM_JSON_INTEGER_MAX) {
        um_json_key(out, "address");
        um_json_uint64(out, address);
    }
}

/* ---- heaps ---- */

/* What there is in heap.list and in heap.info. */
#define HEAP_MEMBERS \
    {.name = "heap", .type = UM_HEAP, .doc = "The handle."}, \
        {.name = "name", .type = UM_STRING, .nullable = true, .doc = "Its name."}, \
        {.name = "kind", .type = UM_STRING, .doc = "\"process\", \"private\" or \"shared\"."}, \
        {.name = "flags", .type = UM_WORDS, .doc = "As it was created with."}, \
        {.name = "initial_size", .type = UM_UINT, .unit = "bytes", .doc = "As it was created with."}, \
        {.name = "maximum_size", \
         .type = UM_UINT, \
         .unit = "bytes", \
         .doc = "As it was created with; 0: growable."}, \
        {.name = "alignment", .type = UM_UINT, .unit = "bytes", .doc = "Of its blocks."}, \
        {.name = "blocks", .type = UM_UINT, .doc = "Blocks on it."}, \
        {.name = "bytes", .type = UM_UINT, .unit = "bytes", .doc = "Their sizes together."}, \
        {.name = "peak_bytes", .type = UM_UINT, .unit = "bytes", .doc = "Most that bytes has been."}, \
        {.name = "calls", \
         .type = UM_UINT, \
         .doc = "Calls about it or its blocks since the daemon was started."}, \
        {.name = "touched_bytes", \
         .type = UM_UINT, \
         .unit = "bytes", \
         .doc = "Of its blocks that these calls were about: read, written, compared or searched."}, \
        {.name = "last_used", \
         .type = UM_UINT, \
         .nullable = true, \
         .unit = "seconds since 1970-01-01 UTC", \
         .doc = "When the last of them came; null: there was none."}, \
        {.name = "lifetime", .type = UM_STRING, .doc = "\"server\", \"session\" or \"durable\"."}, \
        {.name = "owner", \
         .type = UM_OBJECT, \
         .nullable = true, \
         .members = um_owner_members, \
         .doc = "Who made it; null: the daemon."}, \
        {.name = "locked", .type = UM_BOOLEAN, .doc = "Whether a session holds its lock."}, \
        {.name = "reserved", \
         .type = UM_UINT, \
         .optional = true, \
         .unit = "bytes", \
         .doc = "Of address space, or of the shared memory object; this and what follows not for Win32 " \
                "heaps."}, \
        {.name = "committed", \
         .type = UM_UINT, \
         .optional = true, \
         .unit = "bytes", \
         .doc = "Of these, how many the system has promised memory for."}, \
        {.name = "free", \
         .type = UM_UINT, \
         .optional = true, \
         .unit = "bytes", \
         .doc = "In no block; a block takes up a multiple of the alignment, or a slot of its size class."}, \
        {.name = "free_ranges", \
         .type = UM_UINT, \
         .optional = true, \
         .doc = "Pieces that these lie in, beside the slots of size classes."}, \
        {.name = "largest_free", \
         .type = UM_UINT, \
         .optional = true, \
         .unit = "bytes", \
         .doc = "The largest piece; the less of `free` it is, the more fragmented the heap."}, \
        {.name = "corrupted", \
         .type = UM_BOOLEAN, \
         .optional = true, \
         .doc = "Whether a client has truncated the shared memory object, or a durable heap's files are " \
                "damaged."},

const struct um_member um_heap_members[] = {
    HEAP_MEMBERS{.name = NULL},
};

static const struct um_member size_class_members[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "Of a slot: a block is at most so large."},
    {.name = "used", .type = UM_UINT, .doc = "Slots that are blocks."},
    {.name = "free", .type = UM_UINT, .doc = "Slots beside them that are not."},
    {.name = NULL},
};

const struct um_member um_heap_detail_members[] = {
    HEAP_MEMBERS{.name = "size_classes",
                 .type = UM_ARRAY,
                 .optional = true,
                 .members = size_class_members,
                 .doc = "Size classes that have slots, by size: small blocks share pages by their sizes."},
    {.name = NULL},
};

static void write_flags(struct um_buf *out, uint32_t flags)
{
    um_json_key(out, "flags");
    um_json_begin_array(out);
    for (const struct um_word *word = um_flag_words; word->word != NULL; word++) {
        if ((flags & word->value) != 0)
            um_json_cstring(out, word->word);
    }
    um_json_end_array(out);
}

/* Members of a heap whose memory the daemon's own allocator divides. */
static void describe_memory(struct um_buf *out, const struct um_heap_memory_stats *figures)
{
    um_json_put_uint(out, "reserved", figures->reserved);
    um_json_put_uint(out, "committed", figures->committed);
    um_json_put_uint(out, "free", figures->free_bytes);
    um_json_put_uint(out, "free_ranges", figures->free_ranges);
    um_json_put_uint(out, "largest_free", figures->largest_free);
    um_json_put_bool(out, "corrupted", figures->corrupted);
}

static void describe_classes(struct um_buf *out, const struct um_heap_memory_stats *figures)
{
    um_json_key(out, "size_classes");
    um_json_begin_array(out);
    for (uint32_t i = 0; i < figures->class_count; i++) {
        um_json_begin_object(out);
        um_json_put_uint(out, "size", figures->classes[i].size);
        um_json_put_uint(out, "used", figures->classes[i].used);
        um_json_put_uint(out, "free", figures->classes[i].free);
        um_json_end_object(out);
    }
    um_json_end_array(out);
}

static void describe_heap(struct um_buf *out, const struct um_heap *heap, bool with_classes)
{
    struct um_heap_memory_stats figures;
    struct um_heap_info info;

    um_heap_get_info(heap, &info);
    um_json_put_uint(out, "heap", info.heap);
    um_json_put_string(out, "name", info.name);
    um_json_put_string(out, "kind", kind_names[info.kind]);
    write_flags(out, info.flags);
    um_json_put_uint(out, "initial_size", info.initial_size);
    um_json_put_uint(out, "maximum_size", info.maximum_size);
    um_json_put_uint(out, "alignment", info.alignment);
    um_json_put_uint(out, "blocks", info.blocks);
    um_json_put_uint(out, "bytes", info.bytes);
    um_json_put_uint(out, "peak_bytes", info.peak_bytes);
    um_json_put_uint(out, "calls", info.calls);
    um_json_put_uint(out, "touched_bytes", info.touched_bytes);
    um_describe_time(out, "last_used", info.last_used);
    um_json_put_string(
        out, "lifetime",
        um_heap_lifetime_words[info.is_durable ? UM_LIFETIME_DURABLE : (int)info.lifetime].word);
    describe_owner(out, info.owner);
    um_json_put_bool(out, "locked", info.locked_by != NULL);
    if (!um_heap_get_memory_stats(heap, &figures))
        return;
    describe_memory(out, &figures);
    if (with_classes)
        describe_classes(out, &figures);
}

void um_describe_heap(struct um_buf *out, const struct um_heap *heap)
{
    describe_heap(out, heap, false);
}

void um_describe_heap_detail(struct um_buf *out, const struct um_heap *heap)
{
    describe_heap(out, heap, true);
}
