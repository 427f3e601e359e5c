#include "lib/request/info.h"

#include <string.h>

#include "wire/json_value.h"
#include "wire/json_write.h"

/* X(bit, word): the flags, as they travel. */
#define FLAGS(X) \
    X(UMEM_FLAG_ZERO_MEMORY, "zero_memory") \
    X(UMEM_FLAG_NO_SERIALIZE, "no_serialize") \
    X(UMEM_FLAG_GENERATE_EXCEPTIONS, "generate_exceptions") \
    X(UMEM_FLAG_CREATE_ENABLE_EXECUTE, "create_enable_execute") \
    X(UMEM_FLAG_REALLOC_IN_PLACE_ONLY, "realloc_in_place_only")

static const struct {
    uint32_t bit;
    const char *word;
} flags_known[] = {
#define FLAG(bit, word) {bit, word},
    FLAGS(FLAG)
#undef FLAG
};

enum { FLAG_COUNT = sizeof flags_known / sizeof flags_known[0] };

void um_info_write_flags(struct um_buf *out, uint32_t flags)
{
    if (flags == 0)
        return;
    um_json_key(out, "flags");
    um_json_begin_array(out);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if ((flags & flags_known[i].bit) != 0)
            um_json_cstring(out, flags_known[i].word);
    }
    um_json_end_array(out);
}

void um_info_write_lifetime(struct um_buf *out, enum umem_lifetime lifetime)
{
    if (lifetime != UMEM_LIFETIME_SESSION && lifetime != UMEM_LIFETIME_DURABLE)
        return;
    um_json_put_string(out, "lifetime", lifetime == UMEM_LIFETIME_SESSION ? "session" : "durable");
}

/* ---- reading ---- */

/* An object whose members are read one after the other; the first that is not as it should be is remembered. */
struct reader {
    const struct um_json *object;
    const char *bad_member;
};

static const struct um_json *member(struct reader *reader, const char *name)
{
    return um_json_member_of(reader->object, name);
}

static bool is_absent(const struct um_json *value)
{
    return value == NULL || value->kind == UM_JSON_NULL;
}

static void note(struct reader *reader, const char *name, bool good)
{
    if (!good && reader->bad_member == NULL)
        reader->bad_member = name;
}

static uint64_t read_uint(struct reader *reader, const char *name)
{
    uint64_t value = 0;

    note(reader, name, um_json_to_uint64(member(reader, name), &value));
    return value;
}

static uint32_t read_uint32(struct reader *reader, const char *name)
{
    uint64_t value = read_uint(reader, name);

    note(reader, name, value <= UINT32_MAX);
    return (uint32_t)value;
}

static bool read_bool(struct reader *reader, const char *name)
{
    const struct um_json *value = member(reader, name);
    bool is_true = false;

    note(reader, name, um_json_to_bool(value, &is_true));
    return is_true;
}

/* A name may be null, or left out. */
static void read_name(struct reader *reader, char name[UMEM_NAME_SIZE])
{
    const struct um_json *value = member(reader, "name");

    name[0] = '\0';
    if (!is_absent(value))
        note(reader, "name", um_json_to_text(value, name, UMEM_NAME_SIZE));
}

static int64_t read_int(struct reader *reader, const char *name)
{
    int64_t value = 0;

    note(reader, name, um_json_to_int64(member(reader, name), &value));
    return value;
}

/* Texts about clients: a missing one is "", and so is one that does not fit. */
static void read_text(const struct um_json *object, const char *name, char text[UMEM_NAME_SIZE])
{
    if (!um_json_to_text(um_json_member_of(object, name), text, UMEM_NAME_SIZE))
        text[0] = '\0';
}

/* Counters that older daemons do not give. */
static uint64_t uint_or_zero(const struct um_json *object, const char *name)
{
    uint64_t value;

    return um_json_to_uint64(um_json_member_of(object, name), &value) ? value : 0;
}

/* Likewise; null is 0, too. */
static int64_t time_or_zero(const struct um_json *object, const char *name)
{
    int64_t value;

    return um_json_to_int64(um_json_member_of(object, name), &value) ? value : 0;
}

/* Null: the daemon's own. */
static void read_owner(struct reader *reader, struct umem_owner *owner)
{
    const struct um_json *value = member(reader, "owner");

    *owner = (struct umem_owner){.session = 0};
    if (is_absent(value))
        return;
    note(reader, "owner",
         um_json_to_uint64(um_json_member_of(value, "session"), &owner->session) &&
             um_json_to_int64(um_json_member_of(value, "pid"), &owner->pid));
    read_text(value, "program", owner->program);
    read_text(value, "user", owner->user);
}

static enum umem_lifetime read_lifetime(struct reader *reader)
{
    const struct um_json *value = member(reader, "lifetime");
    bool is_session = um_json_says(value, "session");
    bool is_durable = um_json_says(value, "durable");

    note(reader, "lifetime", is_session || is_durable || um_json_says(value, "server"));
    return is_session ? UMEM_LIFETIME_SESSION : is_durable ? UMEM_LIFETIME_DURABLE : UMEM_LIFETIME_SERVER;
}

static enum umem_heap_kind read_kind(struct reader *reader)
{
    const struct um_json *value = member(reader, "kind");

    note(reader, "kind", um_json_is(value, UM_JSON_STRING));
    if (um_json_says(value, "process"))
        return UMEM_HEAP_PROCESS;
    if (um_json_says(value, "private"))
        return UMEM_HEAP_PRIVATE;
    return um_json_says(value, "shared") ? UMEM_HEAP_SHARED : UMEM_HEAP_OTHER;
}

/* Flags that this library does not know are ignored. */
static uint32_t read_flags(struct reader *reader)
{
    const struct um_json *value = member(reader, "flags");
    uint32_t flags = 0;

    note(reader, "flags", um_json_is(value, UM_JSON_ARRAY));
    for (const struct um_json *word = um_json_element_of(value, 0); word != NULL; word = word->next) {
        for (size_t i = 0; i < FLAG_COUNT; i++) {
            if (um_json_says(word, flags_known[i].word))
                flags |= flags_known[i].bit;
        }
    }
    return flags;
}

/* Members that Win32 heaps do not have. */
static void read_figures(struct reader *reader, struct umem_heap_info *info)
{
    const bool is_known = !is_absent(member(reader, "reserved"));

    info->reserved = is_known ? read_uint(reader, "reserved") : 0;
    info->committed = is_known ? read_uint(reader, "committed") : 0;
    info->free_bytes = is_known ? read_uint(reader, "free") : 0;
    info->free_ranges = is_known ? read_uint(reader, "free_ranges") : 0;
    info->largest_free = is_known ? read_uint(reader, "largest_free") : 0;
    info->corrupted = is_known && read_bool(reader, "corrupted");
}

const char *um_info_read_heap(const struct um_json *object, void *heap_info)
{
    struct reader reader = {object, NULL};
    struct umem_heap_info info;

    info.heap = read_uint(&reader, "heap");
    read_name(&reader, info.name);
    info.kind = read_kind(&reader);
    info.flags = read_flags(&reader);
    info.initial_size = read_uint(&reader, "initial_size");
    info.maximum_size = read_uint(&reader, "maximum_size");
    info.alignment = read_uint32(&reader, "alignment");
    info.blocks = read_uint(&reader, "blocks");
    info.bytes = read_uint(&reader, "bytes");
    info.peak_bytes = read_uint(&reader, "peak_bytes");
    info.lifetime = read_lifetime(&reader);
    read_owner(&reader, &info.owner);
    info.locked = read_bool(&reader, "locked");
    read_figures(&reader, &info);
    info.calls = uint_or_zero(object, "calls");
    info.touched_bytes = uint_or_zero(object, "touched_bytes");
    info.last_used = time_or_zero(object, "last_used");
    if (reader.bad_member == NULL && heap_info != NULL)
        *(struct umem_heap_info *)heap_info = info;
    return reader.bad_member;
}

const char *um_info_read_size_classes(const struct um_json *object, void *size_classes)
{
    const struct um_json *array = um_json_member_of(object, "size_classes");
    struct umem_size_classes read = {.count = 0};

    if (!is_absent(array) && !um_json_is(array, UM_JSON_ARRAY))
        return "size_classes";
    for (const struct um_json *element = is_absent(array) ? NULL : array->child;
         element != NULL && read.count < UMEM_SIZE_CLASSES_MAXIMUM; element = element->next) {
        struct reader reader = {element, NULL};
        struct umem_size_class *class = &read.classes[read.count++];

        class->size = read_uint32(&reader, "size");
        class->used = read_uint(&reader, "used");
        class->free = read_uint(&reader, "free");
        if (reader.bad_member != NULL)
            return "size_classes";
    }
    if (size_classes != NULL)
        *(struct umem_size_classes *)size_classes = read;
    return NULL;
}

const char *um_info_read_block(const struct um_json *object, void *block_info)
{
    struct reader reader = {object, NULL};
    struct umem_block_info info;

    info.block = read_uint(&reader, "block");
    read_name(&reader, info.name);
    info.heap = read_uint(&reader, "heap");
    info.size = read_uint(&reader, "size");
    info.address = read_uint(&reader, "address");
    info.lifetime = read_lifetime(&reader);
    read_owner(&reader, &info.owner);
    info.holders = read_uint32(&reader, "holders");
    info.orphaned = read_bool(&reader, "orphaned");
    info.created = read_int(&reader, "created");
    if (reader.bad_member == NULL && block_info != NULL)
        *(struct umem_block_info *)block_info = info;
    return reader.bad_member;
}

const char *um_info_read_session(const struct um_json *object, void *session_info)
{
    struct reader reader = {object, NULL};
    struct umem_session_info info;

    info.session = read_uint(&reader, "session");
    info.pid = read_int(&reader, "pid");
    read_text(object, "program", info.program);
    read_text(object, "user", info.user);
    info.opened = read_int(&reader, "opened");
    info.blocks = read_uint(&reader, "blocks");
    info.bytes = read_uint(&reader, "bytes");
    info.queued_bytes = read_uint(&reader, "queued_bytes");
    info.calls = uint_or_zero(object, "calls");
    info.errors = uint_or_zero(object, "errors");
    info.bytes_read = uint_or_zero(object, "bytes_read");
    info.bytes_written = uint_or_zero(object, "bytes_written");
    info.last_used = time_or_zero(object, "last_used");
    if (reader.bad_member == NULL && session_info != NULL)
        *(struct umem_session_info *)session_info = info;
    return reader.bad_member;
}

const char *um_info_read_location(const struct um_json *object, void *block_location)
{
    struct um_block_location *location = block_location;

    if (!um_json_to_text(um_json_member_of(object, "name"), location->name, sizeof location->name))
        return "name";
    if (!um_json_to_uint64(um_json_member_of(object, "offset"), &location->offset))
        return "offset";
    return um_json_to_uint64(um_json_member_of(object, "size"), &location->size) ? NULL : "size";
}

/* ---- server.stats ---- */

const char *um_info_read_stats(const struct um_json *object, void *stats)
{
    if (stats == NULL)
        return NULL;
    *(struct umem_server_stats *)stats = (struct umem_server_stats){
        .heaps = uint_or_zero(object, "heaps"),
        .blocks = uint_or_zero(object, "blocks"),
        .bytes = uint_or_zero(object, "bytes"),
        .peak_bytes = uint_or_zero(object, "peak_bytes"),
        .orphaned_blocks = uint_or_zero(object, "orphaned_blocks"),
        .orphaned_bytes = uint_or_zero(object, "orphaned_bytes"),
        .sessions = uint_or_zero(object, "sessions"),
        .requests = uint_or_zero(object, "requests"),
        .errors = uint_or_zero(object, "errors"),
        .bytes_read = uint_or_zero(object, "bytes_read"),
        .bytes_written = uint_or_zero(object, "bytes_written"),
        .peak_sessions = uint_or_zero(object, "peak_sessions"),
        .waits = uint_or_zero(object, "waits"),
        .watches = uint_or_zero(object, "watches"),
        .holds = uint_or_zero(object, "holds"),
        .unsent_bytes = uint_or_zero(object, "unsent_bytes"),
        .peak_unsent_bytes = uint_or_zero(object, "peak_unsent_bytes"),
        .gathered_bytes = uint_or_zero(object, "gathered_bytes"),
        .peak_gathered_bytes = uint_or_zero(object, "peak_gathered_bytes"),
        .pinned_bytes = uint_or_zero(object, "pinned_bytes"),
        .cpu_user_us = uint_or_zero(object, "cpu_user_us"),
        .cpu_system_us = uint_or_zero(object, "cpu_system_us"),
        .resident_bytes = uint_or_zero(object, "resident_bytes"),
    };
    return NULL;
}

/* ---- server.methods ---- */

/* An entry of `latency`. */
static bool read_latency(const struct um_json *object, struct umem_latency *latency)
{
    const struct um_json *bound = um_json_member_of(object, "at_most_us");

    latency->at_most_us = UMEM_NONE;
    return (um_json_is(bound, UM_JSON_NULL) || um_json_to_uint64(bound, &latency->at_most_us)) &&
           um_json_to_uint64(um_json_member_of(object, "calls"), &latency->calls);
}

const char *um_info_read_method(const struct um_json *object, void *method_stats)
{
    struct umem_method_stats *stats = method_stats;
    struct reader reader = {object, NULL};
    const struct um_json *name = member(&reader, "method");
    const struct um_json *latency = member(&reader, "latency");

    *stats = (struct umem_method_stats){.latency_count = 0};
    if (!is_absent(name))
        note(&reader, "method", um_json_to_text(name, stats->method, sizeof stats->method));
    stats->calls = read_uint(&reader, "calls");
    stats->errors = read_uint(&reader, "errors");
    stats->waited = read_uint(&reader, "waited");
    stats->total_us = read_uint(&reader, "total_us");
    stats->longest_us = read_uint(&reader, "longest_us");
    note(&reader, "latency", um_json_is(latency, UM_JSON_ARRAY) && latency->size <= UMEM_LATENCIES_MAXIMUM);
    if (reader.bad_member != NULL)
        return reader.bad_member;
    for (const struct um_json *entry = latency->child; entry != NULL; entry = entry->next)
        note(&reader, "latency", read_latency(entry, &stats->latencies[stats->latency_count++]));
    return reader.bad_member;
}
