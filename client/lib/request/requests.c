#include "lib/request/requests.h"

#include "lib/request/number.h"
#include "wire/json_value.h"

/* ---- made of steps ---- */

#define HANDLE(argument) um_param_handle(request, #argument, argument);
#define HEAP(argument) um_param_heap(request, #argument, argument);
#define HANDLE_OR_NONE(argument) \
    if ((argument) != 0) \
        um_param_handle(request, #argument, argument);
#define NAMED(key, argument) um_param_by_name(request, key, argument);
#define SIZE(argument) um_param_size(request, #argument, argument);
#define SIZE_UNLESS(argument, none) um_param_size_unless(request, #argument, argument, none);
#define NUMBER(argument) um_param_number(request, #argument, argument);
#define TRUE(key) um_param_true(request, key);
#define FLAGS(argument) um_param_flags(request, argument);
#define BYTES(key, argument, size) um_param_bytes(request, key, argument, size);
#define TYPE(argument) um_param_type(request, argument);
#define VALUE(key, argument) um_param_value(request, key, type, argument);
#define UINT_OUT(key, argument) um_output_uint(request, key, argument);
#define OF_SESSION request->is_of_session = true;
#define OFFSET_OUT(key, argument) um_output_offset(request, key, argument);
#define VALUE_OUT(key, argument) um_output_value(request, key, type, argument);
#define RESULT_OUT(read, argument) um_output_result(request, read, argument);
#define TEXT_OUT(argument) um_output_text(request, argument);

#define DEFINE(name, method, parameters, arguments, steps) \
    void um_request_##name(struct um_request *request, UM_BARE parameters) \
    { \
        um_request_begin(request, method); \
        steps \
    }
UM_CALLS(DEFINE)
UM_BLOCKING_CALLS(DEFINE)
#undef DEFINE

/* ---- any method ---- */

void um_request_text(struct um_request *request, const char *method, char **result)
{
    um_request_begin(request, method);
    um_output_text(request, result);
}

void um_request_page(struct um_request *request, const char *method, uint64_t after, char **page)
{
    um_request_text(request, method, page);
    um_param_size_unless(request, "after", after, 0);
}

void um_request_call(struct um_request *request, const char *method, const char *params_json,
                     char **result_json)
{
    um_request_begin_raw(request, method, params_json);
    um_output_text(request, result_json);
}

/* ---- heaps ---- */

static void begin_heap_create(struct um_request *request, const struct umem_heap_options *options)
{
    static const struct umem_heap_options defaults = {.lifetime = UMEM_LIFETIME_SERVER};

    if (options == NULL)
        options = &defaults;
    um_request_begin(request, "heap.create");
    if (options->kind == UMEM_HEAP_SHARED)
        um_param_word(request, "kind", "shared");
    um_param_flags(request, options->flags);
    um_param_size_unless(request, "initial_size", options->initial_size, 0);
    um_param_size_unless(request, "maximum_size", options->maximum_size, 0);
    um_param_size_unless(request, "alignment", options->alignment, 0);
    if (options->name != NULL)
        um_param_name(request, "name", options->name);
    um_param_lifetime(request, options->lifetime);
}

void um_request_heap_create(struct um_request *request, const struct umem_heap_options *options,
                            umem_handle *heap)
{
    begin_heap_create(request, options);
    um_output_uint(request, "heap", heap);
}

void um_request_heap_open(struct um_request *request, const struct umem_heap_options *options,
                          umem_handle *heap, bool *created)
{
    begin_heap_create(request, options);
    if (options == NULL || options->name == NULL) {
        um_request_refuse(request, "the options have no name");
        return;
    }
    /* What is left out would fit any heap. */
    if (options->kind != UMEM_HEAP_SHARED)
        um_param_word(request, "kind", "private");
    if (options->flags == 0)
        um_param_no_flags(request);
    if (options->lifetime == UMEM_LIFETIME_SERVER)
        um_param_word(request, "lifetime", "server");
    um_param_word(request, "if_exists", "open");
    um_output_uint(request, "heap", heap);
    um_output_bool(request, "created", created);
}

void um_request_heap_lock(struct um_request *request, umem_handle heap, uint32_t timeout_ms)
{
    um_request_begin(request, "heap.lock");
    um_param_heap(request, "heap", heap);
    if (timeout_ms != 0)
        um_param_timeout(request, timeout_ms);
    /* Left out, it would mean not to wait at all. */
    if (timeout_ms == UMEM_FOREVER)
        um_param_size(request, "timeout_ms", UMEM_SIZE_MAX);
    request->waits = true;
    request->keeps_lock = true;
    request->is_of_session = true;
}

/* ---- blocks ---- */

static const struct umem_block_options default_block = {.heap = UMEM_PROCESS_HEAP};

void um_request_block_alloc(struct um_request *request, uint64_t size,
                            const struct umem_block_options *options, umem_handle *block)
{
    if (options == NULL)
        options = &default_block;
    um_request_begin(request, "block.alloc");
    um_param_size(request, "size", size);
    um_param_heap_or_default(request, "heap", options->heap);
    um_param_flags(request, options->flags);
    if (options->name != NULL)
        um_param_name(request, "name", options->name);
    um_param_lifetime(request, options->lifetime);
    um_output_uint(request, "block", block);
}

void um_request_block_open(struct um_request *request, uint64_t size,
                           const struct umem_block_options *options, umem_handle *block, bool *created)
{
    um_request_block_alloc(request, size, options, block);
    if (options == NULL || options->name == NULL) {
        um_request_refuse(request, "the options have no name");
        return;
    }
    /* What is left out would fit any block. */
    if (options->lifetime == UMEM_LIFETIME_SERVER)
        um_param_word(request, "lifetime", "server");
    um_param_word(request, "if_exists", "open");
    um_output_bool(request, "created", created);
}

void um_request_block_change(struct um_request *request, umem_handle block, const char *name,
                             const enum umem_lifetime *lifetime, struct umem_block_info *info)
{
    um_request_begin(request, "block.change");
    um_param_handle(request, "block", block);
    if (name != NULL)
        um_param_name(request, "name", name);
    if (lifetime != NULL)
        um_param_word(request, "lifetime", *lifetime == UMEM_LIFETIME_SESSION ? "session" : "server");
    request->is_of_session = lifetime != NULL && *lifetime == UMEM_LIFETIME_SESSION;
    if (info != NULL)
        um_output_result(request, um_info_read_block, info);
}

void um_request_block_publish(struct um_request *request, umem_handle block, const char *name,
                              const enum umem_lifetime *lifetime, struct umem_block_info *info)
{
    um_request_block_change(request, block, name, lifetime, info);
    if (name == NULL || name[0] == '\0')
        um_request_refuse(request, "the name is missing");
    um_param_word(request, "if_exists", "replace");
}

void um_request_block_map(struct um_request *request, umem_handle block, struct um_block_location *location)
{
    um_request_begin(request, "block.map");
    um_param_handle(request, "block", block);
    um_output_result(request, um_info_read_location, location);
}

/* ---- the bytes of blocks: as raw payloads; numbers, too, in the order that the protocol has them ---- */

/* Begins a request for a range of bytes, which ends where a block can. */
static void begin_range(struct um_request *request, const char *method, umem_handle block, uint64_t offset,
                        size_t size)
{
    um_request_begin(request, method);
    um_param_handle(request, "block", block);
    um_param_size(request, "offset", offset);
    if (offset <= UMEM_SIZE_MAX && size > UMEM_SIZE_MAX - offset)
        um_request_refuse(request, "offset + size is past 2^53 - 1");
}

/* The same for numbers. Returns whether there is such a type, and so many of them fit into any block. */
static bool begin_numbers(struct um_request *request, const char *method, umem_handle block, uint64_t offset,
                          enum umem_type type, size_t count)
{
    size_t size = umem_type_size(type);

    if (size != 0 && count <= SIZE_MAX / size) {
        begin_range(request, method, block, offset, count * size);
        return request->code == UMEM_OK;
    }
    begin_range(request, method, block, offset, 0);
    if (size == 0)
        um_request_refuse(request, "there is no type %d", (int)type);
    else
        um_request_refuse(request, "count: %zu numbers are more than memory holds", count);
    return false;
}

void um_request_block_read(struct um_request *request, umem_handle block, uint64_t offset, void *bytes,
                           size_t size)
{
    begin_range(request, "block.read", block, offset, size);
    um_param_into(request, bytes, size);
}

void um_request_block_write(struct um_request *request, umem_handle block, uint64_t offset, const void *bytes,
                            size_t size)
{
    begin_range(request, "block.write", block, offset, size);
    um_param_payload(request, bytes, size);
}

void um_request_block_get(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          void *values, size_t count)
{
    if (begin_numbers(request, "block.read", block, offset, type, count))
        um_param_into_numbers(request, type, values, count);
}

void um_request_block_set(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *values, size_t count)
{
    if (begin_numbers(request, "block.write", block, offset, type, count))
        um_param_payload_numbers(request, type, values, count);
}

void um_request_put(struct um_request *request, const char *name, const void *bytes, size_t size,
                    const struct umem_block_options *options, umem_handle *block)
{
    um_request_begin(request, "block.alloc");
    um_param_name(request, "name", name);
    if (options != NULL) {
        um_param_heap_or_default(request, "heap", options->heap);
        um_param_flags(request, options->flags);
        um_param_lifetime(request, options->lifetime);
    }
    um_param_word(request, "if_exists", "replace");
    um_param_payload(request, bytes, size);
    um_output_uint(request, "block", block);
}

/* A size of a block in this process. */
static const char *read_block_size(const struct um_json *result, void *target)
{
    uint64_t size;

    if (!um_json_to_uint64(um_json_member_of(result, "block_size"), &size) || size > SIZE_MAX)
        return "block_size";
    if (target != NULL)
        *(size_t *)target = (size_t)size;
    return NULL;
}

void um_request_get_into(struct um_request *request, const char *name, void *bytes, size_t capacity,
                         size_t *size)
{
    static char nothing;

    um_request_begin(request, "block.read");
    um_param_by_name(request, "block", name);
    um_param_into_at_most(request, bytes != NULL || capacity != 0 ? bytes : &nothing, capacity);
    if (bytes == NULL && capacity != 0)
        um_request_refuse(request, "there is no memory to read into");
    request->wants_whole = true;
    um_output_result(request, read_block_size, size);
}

/* ---- one number ---- */

void um_request_block_exchange(struct um_request *request, umem_handle block, uint64_t offset,
                               enum umem_type type, const void *value, const void *expected, void *before,
                               bool *exchanged)
{
    um_request_begin(request, "block.exchange");
    um_param_handle(request, "block", block);
    um_param_size(request, "offset", offset);
    um_param_type(request, type);
    um_param_value(request, "value", type, value);
    if (expected != NULL)
        um_param_value(request, "expected", type, expected);
    um_output_value(request, "old", type, before);
    um_output_bool(request, "exchanged", exchanged);
}

void um_request_block_wait(struct um_request *request, umem_handle block, uint64_t offset,
                           enum umem_type type, const void *value, uint32_t timeout_ms, void *now)
{
    um_request_begin(request, "block.wait");
    um_param_handle(request, "block", block);
    um_param_size(request, "offset", offset);
    um_param_type(request, type);
    um_param_value(request, "value", type, value);
    um_param_timeout(request, timeout_ms);
    request->waits = true;
    um_output_value(request, "value", type, now);
}

/* ---- watches ---- */

static const char *read_watch(const struct um_json *result, void *target)
{
    struct um_event_watch *watch = target;

    if (!um_json_to_uint64(um_json_member_of(result, "watch"), &watch->id))
        return "watch";
    um_event_queue_add_watch(watch->events, watch);
    return NULL;
}

void um_request_session_watch(struct um_request *request, const struct umem_watch_target *target,
                              struct um_event_watch *watch, uint64_t *id)
{
    static const struct umem_watch_target everything = {.heap = 0};

    if (target == NULL)
        target = &everything;
    um_request_begin(request, "session.watch");
    if (watch->watcher == NULL)
        um_request_refuse(request, "the watcher is missing");
    request->is_of_session = true;
    if (target->heap != 0)
        um_param_handle(request, "heap", target->heap);
    if (target->block != 0)
        um_param_handle(request, "block", target->block);
    um_param_size_unless(request, "offset", target->offset, 0);
    if (target->size != 0)
        um_param_size_unless(request, "size", target->size, UMEM_TO_END);
    um_output_uint(request, "watch", id);
    um_output_result(request, read_watch, watch);
}

void um_request_session_unwatch(struct um_request *request, uint64_t watch)
{
    um_request_begin(request, "session.unwatch");
    um_param_number(request, "watch", watch);
}
