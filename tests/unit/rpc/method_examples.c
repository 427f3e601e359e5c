#include "method_examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "rpc/call/engine_state.h"
#include "store/records/block_extra.h"
#include "store/records/durable.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

void prepare_all(struct fixture *fixture, struct numbers *numbers)
{
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;

    new_heap(session, "{\"name\":\"h\",\"maximum_size\":10000}");
    new_heap(session, "{\"name\":\"mine\"}");
    expect_result(session, MESSAGE("heap.lock", "[\"mine\"]"));
    new_heap(other, "{\"name\":\"locked\"}");
    new_block(other, "{\"size\":64,\"name\":\"shut\",\"heap\":\"locked\"}");
    expect_result(other, MESSAGE("heap.lock", "[\"locked\"]"));
    new_block(other, "{\"size\":64,\"name\":\"theirs\"}");
    new_block(session, "{\"size\":64,\"name\":\"c\"}");
    new_block(session, "{\"size\":1048576,\"name\":\"large\"}");
    numbers->address =
        uint_of(expect_result(session, MESSAGE("block.alloc", "{\"size\":64,\"name\":\"b\",\"heap\":\"h\"}")),
                "address");
    numbers->stale_block = new_block(session, "[1]");
    expect_result(session, MESSAGE("block.free", "[%llu]"), (ULL)numbers->stale_block);
    numbers->stale_heap = new_heap(session, "{}");
    expect_result(session, MESSAGE("heap.destroy", "[%llu]"), (ULL)numbers->stale_heap);
    numbers->watch = new_watch(session, "{\"block\":\"c\"}");
}

static void without_waits(struct fixture *fixture)
{
    fixture->limits.waits = 0;
}

static void with_wrong_settings(struct fixture *fixture)
{
    fixture->refuses_reload = true;
}

static void without_settings(struct fixture *fixture)
{
    fixture->rpc->events.reload = NULL;
}

static int on_hand_over(void *context, const char *successor, char *why, size_t capacity)
{
    (void)context;
    snprintf(why, capacity, "it is not there");
    return strcmp(successor, "/tmp/p.new") == 0 ? UMEM_OK : UMEM_E_DENIED;
}

static void with_a_successor(struct fixture *fixture)
{
    fixture->rpc->events.hand_over = on_hand_over;
}

static void without_watches(struct fixture *fixture)
{
    fixture->limits.watches = 0;
}

static void with_much_unsent(struct fixture *fixture)
{
    fixture->limits.unsent_total_bytes = 1;
}

static void without_holds(struct fixture *fixture)
{
    fixture->store->holds_limit = 1;
    expect_result(&fixture->session, MESSAGE("block.hold", "[\"shut\"]"));
}

static void without_batch_bytes(struct fixture *fixture)
{
    fixture->limits.batch_bytes = 0;
}

static void with_two_holders(struct fixture *fixture)
{
    expect_result(&fixture->session, MESSAGE("block.hold", "[\"theirs\"]"));
    without_batch_bytes(fixture);
}

static void without_message_bytes(struct fixture *fixture)
{
    fixture->limits.message_bytes = 1024;
}

/* Block "b" pretends to start elsewhere by so many bytes. */
static void move(struct fixture *fixture, ptrdiff_t by)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block_by_name(fixture->store, "b", &block, NULL), UMEM_OK);
    um_block_set_address(block, um_address_of(block) + by);
}

static void damage(struct fixture *fixture)
{
    move(fixture, 1);
}

static void repair(struct fixture *fixture)
{
    move(fixture, -1);
}

/* Shared heap "s" with block "m". */
static void with_shared_heap(struct fixture *fixture)
{
    new_heap(&fixture->session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":65536}");
    new_block(&fixture->session, "{\"name\":\"m\",\"heap\":\"s\",\"size\":100}");
}

static void without_shared_heaps(struct fixture *fixture)
{
    fixture->store->heap_ops[UM_HEAP_SHARED] = NULL;
}

static void *alloc_nothing(void *memory, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)size;
    (void)alignment;
    return NULL;
}

static bool resize_nothing(void *memory, void **address, uint64_t old_size, uint64_t new_size,
                           uint32_t alignment, bool in_place_only)
{
    (void)memory;
    (void)address;
    (void)old_size;
    (void)new_size;
    (void)alignment;
    (void)in_place_only;
    return false;
}

static void report_corrupted(void *memory, struct um_heap_memory_stats *figures)
{
    (void)memory;
    *figures = (struct um_heap_memory_stats){.corrupted = true};
}

/* As after a client has cut the object of heap "s". */
static void with_cut_heap(struct fixture *fixture)
{
    static struct um_heap_ops cut;
    struct um_heap *heap = NULL;

    with_shared_heap(fixture);
    assert_int_equal(um_store_find_heap_by_name(fixture->store, "s", &heap, NULL), UMEM_OK);
    cut = *heap->ops;
    cut.alloc = alloc_nothing;
    cut.resize = resize_nothing;
    cut.get_stats = report_corrupted;
    heap->ops = &cut;
}

static bool is_never_sound(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)address;
    (void)size;
    (void)alignment;
    return false;
}

/* As where guards show a write past block "b" of heap "h". */
static void with_damaged_guards(struct fixture *fixture)
{
    static struct um_heap_ops damaged;
    struct um_heap *heap = NULL;

    assert_int_equal(um_store_find_heap_by_name(fixture->store, "h", &heap, NULL), UMEM_OK);
    damaged = *heap->ops;
    damaged.checked_when_freed = true;
    damaged.validate = is_never_sound;
    heap->ops = &damaged;
}

/* As if heap "h" were durable. */
static struct um_state state_of_h;
static struct um_durable durable_of_h;

static struct um_heap *heap_h(struct fixture *fixture)
{
    struct um_heap *heap = NULL;

    assert_int_equal(um_store_find_heap_by_name(fixture->store, "h", &heap, NULL), UMEM_OK);
    return heap;
}

static void with_durable_heap(struct fixture *fixture)
{
    static char path[] = "/state";

    state_of_h = (struct um_state){.store = fixture->store, .path = path};
    um_list_init(&state_of_h.unsynced);
    durable_of_h = (struct um_durable){.state = &state_of_h, .heap = heap_h(fixture)};
    um_list_init(&durable_of_h.in_unsynced);
    heap_h(fixture)->durable = &durable_of_h;
}

static void with_failed_heap(struct fixture *fixture)
{
    with_durable_heap(fixture);
    durable_of_h.journal.state = UM_JOURNAL_FAILED;
}

/* As if heap "h" could not be written, where it has to be before the answer. */
static void with_failed_writes(struct fixture *fixture)
{
    with_failed_heap(fixture);
    state_of_h.is_always = true;
    um_list_init(&state_of_h.all);
    um_list_init(&state_of_h.ended);
    um_list_init(&state_of_h.failed);
    um_list_init(&durable_of_h.in_all);
    um_list_append(&state_of_h.all, &durable_of_h.in_all);
    durable_of_h.journal.header.heap = um_heap_handle(heap_h(fixture));
    fixture->store->state = &state_of_h;
}

static void without_failed_writes(struct fixture *fixture)
{
    fixture->store->state = NULL;
    heap_h(fixture)->durable = NULL;
}

static void with_durable_heap_and_no_waits(struct fixture *fixture)
{
    with_durable_heap(fixture);
    without_waits(fixture);
}

static void without_durable_heap(struct fixture *fixture)
{
    heap_h(fixture)->durable = NULL;
}

void end_sync(struct fixture *fixture)
{
    durable_of_h.flushed = durable_of_h.flushes;
    um_rpc_synced(fixture->rpc);
}

#define HUGE_SIZE "9007199254740991"
#define UNWRITTEN_BYTES(method, params) \
    { \
        method, UMEM_E_CORRUPTED, params, UNWRITTEN, with_failed_writes, without_failed_writes \
    }
#define NO_BYTES(method, params) \
    { \
        method, UMEM_E_LIMIT_EXCEEDED, params, IN_A_BATCH, without_batch_bytes, NULL \
    }

const struct example examples[] = {

    {"rpc.discover", 0, "{}", ALONE, NULL, NULL},
    {"rpc.discover", UMEM_E_TOO_LARGE, "{}", ALONE, without_message_bytes, NULL},
    {"rpc.discover", UMEM_E_LIMIT_EXCEEDED, "{}", ALONE, with_much_unsent, NULL},
    {"$/cancelRequest", 0, "{\"id\":1}", ALONE, NULL, NULL},
    {"server.ping", 0, "{}", ALONE, NULL, NULL},
    {"server.info", 0, "{}", ALONE, NULL, NULL},
    NO_BYTES("server.info", "{}"),
    {"server.stats", 0, "{}", ALONE, NULL, NULL},
    NO_BYTES("server.stats", "{}"),
    {"server.methods", 0, "{}", ALONE, NULL, NULL},
    {"server.methods", 0, "{\"after\":1000}", ALONE, NULL, NULL},
    NO_BYTES("server.methods", "{}"),
    {"server.reload", 0, "{}", ALONE, NULL, NULL},
    {"server.reload", UMEM_E_BAD_SETTINGS, "{}", ALONE, with_wrong_settings, NULL},
    {"server.reload", UMEM_E_UNSUPPORTED, "{}", ALONE, without_settings, NULL},
    NO_BYTES("server.reload", "{}"),
    {"server.shutdown", 0, "{}", ALONE, NULL, NULL},
    {"server.shutdown", 0, "{\"successor\":\"/tmp/p.new\"}", ALONE, with_a_successor, NULL},
    {"server.shutdown", UMEM_E_DENIED, "{\"successor\":\"/tmp/q.new\"}", ALONE, with_a_successor, NULL},
    {"server.shutdown", UMEM_E_UNSUPPORTED, "{\"successor\":\"/tmp/p.new\"}", ALONE, NULL, NULL},

    {"heap.process", 0, "{}", ALONE, NULL, NULL},
    {"heap.create", 0, "{\"name\":\"new\",\"initial_size\":10,\"maximum_size\":100}", ALONE, NULL, NULL},
    {"heap.create", UMEM_E_LIMIT_EXCEEDED, "{\"initial_size\":" HUGE_SIZE "}", ALONE, NULL, NULL},
    {"heap.create", UMEM_E_NAME_TAKEN, "{\"name\":\"h\"}", ALONE, NULL, NULL},
    {"heap.create", 0, "{\"name\":\"h\",\"maximum_size\":10000,\"if_exists\":\"open\"}", ALONE, NULL, NULL},
    {"heap.create", UMEM_E_LOCKED, "{\"name\":\"locked\",\"if_exists\":\"open\"}", ALONE, NULL, NULL},
    {"heap.create", UMEM_E_DENIED, "{\"flags\":[\"create_enable_execute\"]}", ALONE, NULL, NULL},
    {"heap.create", 0, "{\"kind\":\"shared\",\"maximum_size\":1}", ALONE, NULL, NULL},
    {"heap.create", UMEM_E_INVALID_PARAMS, "{\"kind\":\"shared\"}", ALONE, NULL, NULL},
    {"heap.create", UMEM_E_UNSUPPORTED, "{\"kind\":\"shared\",\"maximum_size\":1}", ALONE,
     without_shared_heaps, NULL},
    {"heap.info", 0, "{\"heap\":\"s\"}", ALONE, with_shared_heap, NULL},
    {"heap.info", 0, "{\"heap\":\"s\"}", ALONE, with_cut_heap, NULL},
    {"heap.compact", 0, "{\"heap\":\"s\"}", ALONE, with_shared_heap, NULL},
    {"block.alloc", UMEM_E_CORRUPTED, "{\"size\":1,\"heap\":\"s\"}", ALONE, with_cut_heap, NULL},
    {"block.resize", UMEM_E_CORRUPTED, "{\"block\":\"m\",\"size\":200}", ALONE, with_cut_heap, NULL},
    {"heap.list", 0, "{}", ALONE, NULL, NULL},
    NO_BYTES("heap.list", "{}"),
    {"heap.info", 0, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"heap.validate", 0, "{\"heap\":\"h\",\"block\":\"b\"}", ALONE, NULL, NULL},
    {"heap.validate", 0, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"heap.validate", UMEM_E_UNSUPPORTED, "{\"heap\":\"h\"}", IN_A_BATCH, NULL, NULL},
    {"block.free", UMEM_E_CORRUPTED, "{\"block\":\"b\"}", ALONE, with_damaged_guards, NULL},
    {"heap.validate", UMEM_E_CORRUPTED, "{\"heap\":\"h\"}", ALONE, damage, repair},
    {"heap.validate", UMEM_E_CORRUPTED, "{\"block\":\"b\"}", ALONE, damage, repair},
    {"heap.compact", 0, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"heap.compact", UMEM_E_UNSUPPORTED, "{\"heap\":\"h\"}", IN_A_BATCH, NULL, NULL},
    {"heap.flush", 0, "{\"heap\":\"h\"}", SYNCED, with_durable_heap, without_durable_heap},
    {"heap.flush", UMEM_E_UNSUPPORTED, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"heap.flush", UMEM_E_UNSUPPORTED, "{\"heap\":\"h\"}", IN_A_BATCH, with_durable_heap,
     without_durable_heap},
    {"heap.flush", UMEM_E_CORRUPTED, "{\"heap\":\"h\"}", ALONE, with_failed_heap, without_durable_heap},
    {"heap.flush", UMEM_E_CANCELLED, "{\"heap\":\"h\"}", CANCELLED, with_durable_heap, without_durable_heap},
    {"heap.flush", UMEM_E_LIMIT_EXCEEDED, "{\"heap\":\"h\"}", ALONE, with_durable_heap_and_no_waits,
     without_durable_heap},
    {"heap.lock", 0, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"heap.lock", UMEM_E_LOCKED, "{\"heap\":\"locked\"}", ALONE, NULL, NULL},
    {"heap.lock", UMEM_E_TIMEOUT, "{\"heap\":\"locked\",\"timeout_ms\":5}", TIMES_OUT, NULL, NULL},
    {"heap.lock", UMEM_E_CANCELLED, "{\"heap\":\"locked\",\"timeout_ms\":5}", CANCELLED, NULL, NULL},
    {"heap.lock", UMEM_E_UNSUPPORTED, "{\"heap\":\"locked\",\"timeout_ms\":5}", IN_A_BATCH, NULL, NULL},
    {"heap.lock", UMEM_E_LIMIT_EXCEEDED, "{\"heap\":\"locked\",\"timeout_ms\":5}", ALONE, without_waits,
     NULL},
    {"heap.unlock", 0, "{\"heap\":\"mine\"}", ALONE, NULL, NULL},
    {"heap.unlock", UMEM_E_DENIED, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"heap.destroy", 0, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"heap.destroy", UMEM_E_DENIED, "{\"heap\":\"process\"}", ALONE, NULL, NULL},

    {"block.alloc", 0, "{\"size\":8,\"heap\":\"h\",\"data\":\"AAAA\"}", ALONE, NULL, NULL},
    {"block.alloc", 0, "{\"name\":\"b\",\"data\":\"AAAA\",\"if_exists\":\"replace\"}", ALONE, NULL, NULL},
    {"block.alloc", 0, "{\"name\":\"b\",\"size\":64,\"if_exists\":\"open\"}", ALONE, NULL, NULL},
    {"block.alloc", UMEM_E_UNSUPPORTED, "{\"size\":0,\"encoding\":\"raw\"}", ALONE, NULL, NULL},
    {"block.alloc", UMEM_E_NO_MEMORY, "{\"size\":10001,\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"block.alloc", UMEM_E_LIMIT_EXCEEDED, "{\"size\":" HUGE_SIZE "}", ALONE, NULL, NULL},
    {"block.alloc", UMEM_E_NAME_TAKEN, "{\"size\":8,\"name\":\"b\"}", ALONE, NULL, NULL},
    {"block.alloc", UMEM_E_OUT_OF_RANGE, "{\"size\":2,\"data\":\"AAAA\"}", ALONE, NULL, NULL},
    {"block.alloc", UMEM_E_DENIED, "{\"size\":2,\"flags\":[\"create_enable_execute\"]}", ALONE, NULL, NULL},
    {"block.resize", UMEM_E_DENIED, "[\"b\",64,[\"create_enable_execute\"]]", ALONE, NULL, NULL},
    {"block.resize", 0, "{\"block\":\"b\",\"size\":100}", ALONE, NULL, NULL},
    {"block.resize", UMEM_E_NO_MEMORY, "{\"block\":\"b\",\"size\":10001}", ALONE, NULL, NULL},
    {"block.resize", UMEM_E_LIMIT_EXCEEDED, "{\"block\":\"c\",\"size\":" HUGE_SIZE "}", ALONE, NULL, NULL},
    {"block.info", 0, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    {"block.list", 0, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    NO_BYTES("block.list", "{}"),
    {"block.at", 0, "{\"address\":$address}", ALONE, NULL, NULL},
    {"block.at", UMEM_E_UNKNOWN_HANDLE, "{\"address\":1}", ALONE, NULL, NULL},
    {"block.at", UMEM_E_UNSUPPORTED, "{\"address\":$address}", IN_A_BATCH, NULL, NULL},
    {"block.change", 0, "{\"block\":\"b\",\"name\":\"new\",\"lifetime\":\"session\"}", ALONE, NULL, NULL},
    {"block.change", 0, "{\"block\":\"b\",\"name\":\"c\",\"if_exists\":\"replace\"}", ALONE, NULL, NULL},
    {"block.change", UMEM_E_CORRUPTED, "{\"block\":\"c\",\"name\":\"b\",\"if_exists\":\"replace\"}", ALONE,
     with_damaged_guards, NULL},
    {"block.change", UMEM_E_NAME_TAKEN, "{\"block\":\"b\",\"name\":\"c\"}", ALONE, NULL, NULL},
    {"block.read", 0, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    {"block.read", 0, "{\"block\":\"b\",\"at_most\":3}", ALONE, NULL, NULL},
    {"block.read", UMEM_E_UNSUPPORTED, "{\"block\":\"b\",\"encoding\":\"raw\"}", ALONE, NULL, NULL},
    {"block.read", UMEM_E_TOO_LARGE, "{\"block\":\"large\"}", ALONE, NULL, NULL},
    NO_BYTES("block.read", "{\"block\":\"b\"}"),
    {"block.write", 0, "{\"block\":\"b\",\"data\":\"AAAA\"}", ALONE, NULL, NULL},
    {"block.write", UMEM_E_UNSUPPORTED, "{\"block\":\"b\",\"encoding\":\"raw\"}", ALONE, NULL, NULL},
    NO_BYTES("block.write", "{\"block\":\"b\",\"data\":\"AAAA\"}"),
    UNWRITTEN_BYTES("block.write", "{\"block\":\"b\",\"data\":\"AAAA\"}"),
    {"block.get", 0, "{\"block\":\"b\",\"offset\":0}", ALONE, NULL, NULL},
    {"block.get", UMEM_E_TOO_LARGE, "{\"block\":\"large\",\"offset\":0,\"count\":1000000}", ALONE, NULL,
     NULL},
    NO_BYTES("block.get", "{\"block\":\"b\",\"offset\":0}"),
    {"block.set", 0, "{\"block\":\"b\",\"offset\":0,\"values\":[1]}", ALONE, NULL, NULL},
    NO_BYTES("block.set", "{\"block\":\"b\",\"offset\":0,\"values\":[1]}"),
    UNWRITTEN_BYTES("block.set", "{\"block\":\"b\",\"offset\":0,\"values\":[1]}"),
    {"block.fill", 0, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    NO_BYTES("block.fill", "{\"block\":\"b\"}"),
    UNWRITTEN_BYTES("block.fill", "{\"block\":\"b\"}"),
    {"block.copy", 0, "{\"source\":\"b\",\"target\":\"c\"}", ALONE, NULL, NULL},
    NO_BYTES("block.copy", "{\"source\":\"b\",\"target\":\"c\"}"),
    UNWRITTEN_BYTES("block.copy", "{\"source\":\"c\",\"target\":\"b\",\"size\":4}"),
    {"block.compare", 0, "{\"left\":\"b\",\"right\":\"c\"}", ALONE, NULL, NULL},
    NO_BYTES("block.compare", "{\"left\":\"b\",\"right\":\"c\"}"),
    {"block.find", 0, "{\"block\":\"b\",\"data\":\"AA==\"}", ALONE, NULL, NULL},
    NO_BYTES("block.find", "{\"block\":\"b\",\"data\":\"AA==\"}"),
    {"block.add", 0, "{\"block\":\"b\",\"offset\":0,\"value\":1}", ALONE, NULL, NULL},
    NO_BYTES("block.add", "{\"block\":\"b\",\"offset\":0,\"value\":1}"),
    UNWRITTEN_BYTES("block.add", "{\"block\":\"b\",\"offset\":0,\"value\":1}"),
    {"block.exchange", 0, "{\"block\":\"b\",\"offset\":0,\"value\":1}", ALONE, NULL, NULL},
    NO_BYTES("block.exchange", "{\"block\":\"b\",\"offset\":0,\"value\":1}"),
    UNWRITTEN_BYTES("block.exchange", "{\"block\":\"b\",\"offset\":0,\"value\":1}"),
    {"block.wait", 0, "{\"block\":\"b\",\"offset\":0,\"value\":1}", ALONE, NULL, NULL},
    {"block.wait", UMEM_E_TIMEOUT, "{\"block\":\"b\",\"offset\":0,\"value\":0,\"timeout_ms\":5}", TIMES_OUT,
     NULL, NULL},
    {"block.wait", UMEM_E_CANCELLED, "{\"block\":\"b\",\"offset\":0,\"value\":0}", CANCELLED, NULL, NULL},
    {"block.wait", UMEM_E_UNSUPPORTED, "{\"block\":\"b\",\"offset\":0,\"value\":0}", IN_A_BATCH, NULL, NULL},
    {"block.wait", UMEM_E_LIMIT_EXCEEDED, "{\"block\":\"b\",\"offset\":0,\"value\":0}", ALONE, without_waits,
     NULL},
    NO_BYTES("block.wait", "{\"block\":\"b\",\"offset\":0,\"value\":1}"),
    {"block.hold", 0, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    {"block.hold", UMEM_E_LIMIT_EXCEEDED, "{\"block\":\"theirs\"}", ALONE, without_holds, NULL},
    {"block.change", UMEM_E_LIMIT_EXCEEDED, "{\"block\":\"theirs\",\"lifetime\":\"session\"}", ALONE,
     without_holds, NULL},
    {"block.map", 0, "{\"block\":\"m\"}", ALONE, with_shared_heap, NULL},
    {"block.map", UMEM_E_UNSUPPORTED, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    {"block.map", UMEM_E_CORRUPTED, "{\"block\":\"m\"}", ALONE, with_cut_heap, NULL},
    {"block.wake", 0, "{\"block\":\"b\",\"offset\":1,\"size\":2}", ALONE, NULL, NULL},
    {"block.wake", 0, "{\"block\":\"m\"}", ALONE, with_shared_heap, NULL},
    {"block.release", 0, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    {"block.free", 0, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    {"block.free", UMEM_E_LIMIT_EXCEEDED, "{\"block\":\"theirs\"}", IN_A_BATCH, with_two_holders, NULL},
    {"block.free", UMEM_E_DENIED, "{\"block\":\"b\",\"if_orphaned\":true}", ALONE, NULL, NULL},

    {"session.info", 0, "{}", ALONE, NULL, NULL},
    {"session.list", 0, "{}", ALONE, NULL, NULL},
    NO_BYTES("session.list", "{}"),
    {"session.watch", 0, "{\"block\":\"b\"}", ALONE, NULL, NULL},
    {"session.watch", 0, "{\"heap\":\"h\"}", ALONE, NULL, NULL},
    {"session.watch", UMEM_E_LIMIT_EXCEEDED, "{}", ALONE, without_watches, NULL},
    {"session.unwatch", 0, "{\"watch\":$watch}", ALONE, NULL, NULL},
    {"session.unwatch", UMEM_E_UNKNOWN_HANDLE, "{\"watch\":1000}", ALONE, NULL, NULL},
    {"session.close", 0, "{\"session\":1}", ALONE, NULL, NULL},
    {"session.close", UMEM_E_UNKNOWN_HANDLE, "{\"session\":1000}", ALONE, NULL, NULL},
    {NULL, 0, NULL, ALONE, NULL, NULL},
};
