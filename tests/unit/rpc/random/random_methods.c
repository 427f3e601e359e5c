/* Every method of the table: how often it is called, with what, and what it answers. */
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "predict.h"
#include "rpc/schema/table.h"
#include "wire/json_write.h"

static const struct entry entries[] = {
    {"rpc.discover", 1, generate_nothing, predict_discover},
    {"$/cancelRequest", 10, generate_cancel, predict_cancel},
    {"server.ping", 2, generate_nothing, predict_empty},
    {"server.info", 2, generate_nothing, predict_server_info},
    {"server.stats", 6, generate_nothing, predict_server_stats},
    {"server.methods", 6, generate_session_list, predict_server_methods},
    {"server.reload", 1, generate_nothing, predict_reload},
    {"server.shutdown", 1, generate_nothing, predict_shutdown},
    {"heap.process", 2, generate_nothing, predict_heap_process},
    {"heap.create", 14, generate_heap_create, predict_heap_create},
    {"heap.list", 6, generate_heap_list, predict_heap_list},
    {"heap.info", 8, generate_heap, predict_heap_info},
    {"heap.validate", 8, generate_heap_validate, predict_heap_validate},
    {"heap.compact", 4, generate_heap_compact, predict_heap_compact},
    {"heap.flush", 2, generate_heap, predict_heap_flush},
    {"heap.lock", 16, generate_heap_lock, predict_heap_lock},
    {"heap.unlock", 24, generate_heap_unlock, predict_heap_unlock},
    {"heap.destroy", 6, generate_heap_destroy, predict_heap_destroy},
    {"block.alloc", 60, generate_block_alloc, predict_block_alloc},
    {"block.resize", 24, generate_block_resize, predict_block_resize},
    {"block.info", 8, generate_block, predict_block_info},
    {"block.list", 14, generate_block_list, predict_block_list},
    {"block.at", 6, generate_block_at, predict_block_at},
    {"block.change", 16, generate_block_change, predict_block_change},
    {"block.read", 30, generate_block_read, predict_block_read},
    {"block.write", 40, generate_block_write, predict_block_write},
    {"block.get", 12, generate_block_get, predict_block_get},
    {"block.set", 20, generate_block_set, predict_block_set},
    {"block.fill", 14, generate_block_fill, predict_block_fill},
    {"block.copy", 16, generate_block_copy, predict_block_copy},
    {"block.compare", 14, generate_block_compare, predict_block_compare},
    {"block.find", 14, generate_block_find, predict_block_find},
    {"block.add", 24, generate_block_add, predict_block_add},
    {"block.exchange", 20, generate_block_exchange, predict_block_exchange},
    {"block.wait", 40, generate_block_wait, predict_block_wait},
    {"block.map", 8, generate_block, predict_block_map},
    {"block.wake", 20, generate_block_wake, predict_block_wake},
    {"block.hold", 10, generate_block, predict_block_hold},
    {"block.release", 14, generate_block, predict_block_release},
    {"block.free", 22, generate_block_free, predict_block_free},
    {"session.info", 4, generate_nothing, predict_session_info},
    {"session.list", 4, generate_session_list, predict_session_list},
    {"session.watch", 18, generate_session_watch, predict_session_watch},
    {"session.unwatch", 10, generate_session_unwatch, predict_session_unwatch},
    {"session.close", 4, generate_session_close, predict_session_close},
};

const struct entry *entry_at(unsigned index)
{
    return index < sizeof entries / sizeof entries[0] ? &entries[index] : NULL;
}

const struct um_method *method_named(const char *name)
{
    const struct um_method *method = NULL;

    for (size_t i = 0; um_table_at(i) != NULL && method == NULL; i++) {
        if (strcmp(um_table_at(i)->name, name) == 0)
            method = um_table_at(i);
    }
    return method;
}

/* ---- random messages ---- */

static unsigned some_entry(struct run *run)
{
    unsigned weights = 0;
    unsigned index = 0;
    uint64_t left;

    for (unsigned i = 0; entry_at(i) != NULL; i++)
        weights += entries[i].weight;
    left = roll(run, weights);
    while (left >= entries[index].weight)
        left -= entries[index++].weight;
    return index;
}

/* A call that makes or moves a block answers with its address. Without the answer the model has to look for it, one
 * block at a time. */
static bool must_be_answered(const struct request *request)
{
    static const char *const names[] = {"block.alloc", "block.resize", "heap.create"};
    bool found = false;

    for (size_t i = 0; request->method != NULL && i < 3; i++)
        found = found || strcmp(request->method->name, names[i]) == 0;
    return found;
}

static void generate_request(struct run *run, int session, struct request *request, bool in_batch)
{
    bool headers = run->sessions[session].session.framing == UM_FRAMING_HEADERS;

    *request = (struct request){.entry = some_entry(run)};
    if (!one_in(run, 200)) {
        request->method = method_named(entries[request->entry].name);
        entries[request->entry].generate(run, session, request);
    }
    /* Each request of a batch must declare how many of the raw bytes are its own. */
    if (in_batch && request->payload != NULL && !is_given(request, "size") && !is_given(request, "data") &&
        !one_in(run, 30))
        give_uint(request, "size", request->payload_size);
    if (!headers)
        request->payload_size = 0;
    finish_request(run, request);
    if (request->id.kind == ID_NONE && must_be_answered(request) &&
        (in_batch || request->payload != NULL || strcmp(request->method->name, "block.resize") == 0))
        request->id.kind = ID_NUMBER;
}

static void gather_payload(struct run *run, struct message *message)
{
    uint64_t size = 0;

    for (unsigned i = 0; i < message->count; i++)
        size += message->requests[i].payload_size;
    if (size == 0)
        return;
    message->payload = calloc(1, (size_t)size + 1);
    MUST(message->payload != NULL);
    for (unsigned i = 0; i < message->count; i++) {
        const struct request *request = &message->requests[i];

        if (request->payload_size != 0)
            memcpy(message->payload + message->payload_size, request->payload, (size_t)request->payload_size);
        message->payload_size += request->payload_size;
    }
    if (message->is_batch && one_in(run, 40)) /* not what its requests declare */
        message->payload_size--;
    /* Without a payload, none has bytes of its own. */
    for (unsigned i = 0; i < message->count && message->payload_size == 0; i++)
        message->requests[i].payload_size = 0;
}

void generate_message(struct run *run, int session, struct message *message)
{
    *message = (struct message){.is_batch = one_in(run, 6), .count = 1};
    um_buf_init(&message->text, SIZE_MAX / 2);
    if (message->is_batch)
        message->count = (unsigned)roll(run, BATCH + 1);
    if (message->is_batch)
        um_json_begin_array(&message->text);
    for (unsigned i = 0; i < message->count; i++) {
        generate_request(run, session, &message->requests[i], message->is_batch);
        write_request(&message->text, &message->requests[i]);
    }
    if (message->is_batch)
        um_json_end_array(&message->text);
    gather_payload(run, message);
}
