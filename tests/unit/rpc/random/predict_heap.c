/* What the methods of heaps must answer. */
#include <string.h>

#include "predict.h"
#include "rpc/methods/methods.h"
#include "store/store.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum { ENTRY_SIZE = 4096 /* bytes that a page wants for one more heap */ };

void predict_heap_process(struct call *call)
{
    result_uint(call, "heap", call->run->model.heaps[0].handle);
    result_end(call);
}

/* ---- heap.create ---- */

static bool check_heap_options(struct call *call)
{
    const struct request *request = call->request;
    uint64_t initial_size = uint_or(request, "initial_size", 0);
    uint64_t maximum_size = uint_or(request, "maximum_size", 0);
    uint64_t alignment = uint_or(request, "alignment", 16);
    int code = UMEM_OK;

    if ((uint_or(request, "flags", 0) & UM_FLAG_CREATE_ENABLE_EXECUTE) != 0)
        code = UMEM_E_DENIED;
    else if ((alignment & (alignment - 1)) != 0 || (maximum_size != 0 && initial_size > maximum_size) ||
             (maximum_size == 0 && has_text(request, "kind", "shared")))
        code = UMEM_E_INVALID_PARAMS;
    if (code == UMEM_OK)
        return true;
    fail_plain(call, code);
    return false;
}

static uint64_t count_shared(const struct run *run)
{
    return model_count_shared(run) + run->kept_shared;
}

static bool check_heap_limits(struct call *call)
{
    const struct run *run = call->run;
    const struct argument *name = argument_of(call->request, "name");
    uint64_t initial_size = uint_or(call->request, "initial_size", 0);
    uint64_t facts[3] = {run->limits.bytes, model_sum_bytes(&run->model, NONE, 0) + run->model.pinned,
                         initial_size};

    if (model_count_heaps(&run->model) - 1 >= run->limits.heaps) {
        fail_limit_of(call, "heaps", run->limits.heaps, model_count_heaps(&run->model) - 1);
        return false;
    }
    if (has_text(call->request, "kind", "shared") && count_shared(run) >= run->limits.shared_heaps) {
        fail_limit_of(call, "shared_heaps", run->limits.shared_heaps, count_shared(run));
        return false;
    }
    if (initial_size > facts[0] - facts[1]) {
        fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "bytes", facts, 0);
        fail_end(call);
        return false;
    }
    if (name->given && model_heap_named(&run->model, name->name) != NONE) {
        fail_heap(call, UMEM_E_NAME_TAKEN,
                  run->model.heaps[model_heap_named(&run->model, name->name)].handle);
        return false;
    }
    return true;
}

/* The heap that the model does not know yet: how a notification's is found. */
static uint64_t new_handle(const struct run *run)
{
    struct um_heap_info info = {0};
    size_t budget = 1000;
    um_handle next = 0;
    struct um_heap *heap = um_store_next_heap(run->store, 0, &budget, &next);

    for (; heap != NULL; heap = um_store_next_heap(run->store, info.heap, &budget, &next)) {
        um_heap_get_info(heap, &info);
        if (model_find_heap(&run->model, info.heap) == NONE)
            return info.heap;
    }
    return 0;
}

/* Answers with the heap that has the name, if the request is to open one and there is one. Returns whether the call has been
 * answered. */
static bool open_heap(struct call *call)
{
    const struct request *request = call->request;
    const struct model *model = &call->run->model;
    int heap = if_exists_of(request) == EXISTS_OPENS
                   ? model_heap_named(model, argument_of(request, "name")->name)
                   : NONE;
    const struct model_heap *it = &model->heaps[heap == NONE ? 0 : heap];
    const char *param = NULL;

    if (heap == NONE)
        return false;
    if (model_is_locked(model, heap, call->session)) {
        fail_heap(call, UMEM_E_LOCKED, it->handle);
        return true;
    }
    if (is_given(request, "kind") && (heap == 0 || it->is_shared != has_text(request, "kind", "shared")))
        param = "kind";
    else if (it->flags != uint_or(request, "flags", it->flags))
        param = "flags";
    else if (it->maximum_size != 0 && it->maximum_size < uint_or(request, "maximum_size", 0))
        param = "maximum_size";
    else if (it->alignment < uint_or(request, "alignment", 16))
        param = "alignment";
    else if (is_given(request, "lifetime") && it->for_session != has_text(request, "lifetime", "session"))
        param = "lifetime";
    if (param != NULL) {
        refuse(call, UMEM_E_NAME_TAKEN);
        fact_uint(call, "heap", it->handle);
        fact_text(call, "param", param);
        fail_end(call);
        return true;
    }
    result_uint(call, "heap", it->handle);
    um_json_bool(result_key(call, "created"), false);
    result_end(call);
    return true;
}

void predict_heap_create(struct call *call)
{
    struct run *run = call->run;
    const struct request *request = call->request;
    struct model_heap *heap;
    int place = 1;

    if (!check_if_exists(call) ||
        (if_exists_of(request) == EXISTS_OPENS && (!check_heap_options(call) || open_heap(call))))
        return;
    if (has_text(request, "kind", "shared") &&
        !fits(call, 0, SHARED_HEAP_COST + uint_or(request, "initial_size", 0)))
        return;
    if (!check_heap_options(call) || !check_heap_limits(call))
        return;
    while (run->model.heaps[place].alive)
        place++;
    heap = &run->model.heaps[place];
    const struct model_heap made = {
        .for_session = has_text(request, "lifetime", "session"),
        .name = is_given(request, "name") ? (int)argument_of(request, "name")->uint : NONE,
        .flags = (unsigned)uint_or(request, "flags", 0),
        .initial_size = uint_or(request, "initial_size", 0),
        .maximum_size = uint_or(request, "maximum_size", 0),
        .alignment = uint_or(request, "alignment", 16),
        .maker = {run->sessions[call->session].id, call->session},
        .is_shared = has_text(request, "kind", "shared"),
    };
    model_add_heap(&run->model, place, &made);
    (void)result_key(call, "heap");
    heap->handle = call->id.kind != ID_NONE ? learn_uint(call) : new_handle(run);
    MUST((heap->handle & 3) == 1 && heap->handle >> 53 == 0);
    um_json_uint(call->out, heap->handle);
    if (is_given(request, "if_exists"))
        um_json_bool(result_key(call, "created"), true);
    result_end(call);
}

/* ---- heap.info and heap.list ---- */

void describe_maker(const struct run *run, struct um_buf *out, const struct model_maker *maker)
{
    char program[] = "program0";

    (void)run;
    um_json_key(out, "owner");
    if (maker->id == 0) {
        um_json_null(out);
        return;
    }
    program[7] = (char)('0' + maker->place);
    um_json_begin_object(out);
    um_json_put_uint(out, "session", maker->id);
    um_json_put_uint(out, "pid", 100 + (uint64_t)maker->place);
    um_json_put_string(out, "program", program);
    um_json_put_string(out, "user", "me");
    um_json_end_object(out);
}

/* Returns how many members there are. */
static unsigned describe_heap(struct call *call, int heap)
{
    const struct run *run = call->run;
    struct um_buf *out = result(call);
    const struct model_heap *it = &run->model.heaps[heap];
    uint64_t calls;

    um_json_put_uint(out, "heap", it->handle);
    um_json_key(out, "name");
    if (it->name != NONE)
        um_json_cstring(out, model_name_text(it->name));
    else
        um_json_null(out);
    um_json_put_string(out, "kind", heap == 0 ? "process" : it->is_shared ? "shared" : "private");
    um_json_key(out, "flags");
    um_json_begin_array(out);
    for (const struct um_word *word = um_flag_words; word->word != NULL; word++) {
        if ((it->flags & word->value) != 0)
            um_json_cstring(out, word->word);
    }
    um_json_end_array(out);
    um_json_put_uint(out, "initial_size", it->initial_size);
    um_json_put_uint(out, "maximum_size", it->maximum_size);
    um_json_put_uint(out, "alignment", it->alignment);
    um_json_put_uint(out, "blocks", model_count_blocks(&run->model, heap, 0));
    um_json_put_uint(out, "bytes", model_sum_bytes(&run->model, heap, 0));
    um_json_put_uint(out, "peak_bytes", it->peak);
    um_json_key(out, "calls");
    calls = learn_uint(call);
    um_json_uint(out, calls);
    um_json_key(out, "touched_bytes");
    um_json_uint(out, learn_uint(call));
    um_json_key(out, "last_used");
    if (calls == 0)
        um_json_null(out);
    else
        um_json_uint(out, learn_uint(call));
    um_json_put_string(out, "lifetime", it->for_session ? "session" : "server");
    describe_maker(run, out, &it->maker);
    um_json_put_bool(out, "locked", it->locker != NONE);
    return describe_memory(call, heap) ? 22 : 16;
}

void predict_heap_info(struct call *call)
{
    int heap = resolve_heap(call, "heap");

    unsigned members;

    if (heap == NONE)
        return;
    members = describe_heap(call, heap);
    if (members > 16) {
        describe_size_classes(call, heap);
        members++;
    }
    call->members = members;
    result_end(call);
}

/* The live heap with the lowest slot from `slot` on, or NONE. */
static int next_heap(const struct run *run, unsigned slot)
{
    int next = NONE;

    for (int i = 0; i < HEAPS; i++) {
        if (run->model.heaps[i].alive && slot_of(run->model.heaps[i].handle) >= slot &&
            (next == NONE || slot_of(run->model.heaps[i].handle) < slot_of(run->model.heaps[next].handle)))
            next = i;
    }
    return next;
}

void predict_heap_list(struct call *call)
{
    const struct run *run = call->run;
    uint64_t after = uint_or(call->request, "after", 0);
    uint64_t left = uint_or(call->request, "limit", 1000);
    int heap = next_heap(run, after != 0 ? slot_of(after) + 1 : 0);
    uint64_t last = 0;
    struct um_buf *out;

    if (!fits(call, 0, LIST_COST))
        return;
    out = result_key(call, "heaps");
    um_json_begin_array(out);
    for (; heap != NONE && left != 0 && (last == 0 || has_place(call, ENTRY_SIZE)); left--) {
        um_json_begin_object(out);
        (void)describe_heap(call, heap);
        um_json_end_object(out);
        charge(call, LISTED_COST);
        last = run->model.heaps[heap].handle;
        heap = next_heap(run, slot_of(last) + 1);
    }
    um_json_end_array(out);
    if (heap != NONE)
        result_uint(call, "next", last);
    else
        um_json_null(result_key(call, "next"));
    /* Win32 counts the heaps of other libraries, too. */
    if (um_store_system_heaps(run->store) != 0) {
        (void)result_key(call, "process_heaps");
        um_json_uint(out, learn_uint(call));
    }
    result_end(call);
}

/* ---- looking after heaps ---- */

/* Only the heap that is looked at must not be locked, not one that is left out. */
static bool may_look(struct call *call, int heap)
{
    if (!model_is_locked(&call->run->model, heap, call->session))
        return true;
    fail_heap(call, UMEM_E_LOCKED, call->run->model.heaps[heap].handle);
    return false;
}

/* What looks at a heap as a whole does so in slices. */
static void begin_job_of_heap(struct call *call, enum job_kind kind, int heap)
{
    uint64_t handle = call->run->model.heaps[heap].handle;
    struct job *job = new_job(call, kind, handle, 0);

    job->number = handle;
    keep_job(call, job);
}

static void validate_block(struct call *call, int heap, int block)
{
    const struct run *run = call->run;
    int its_heap = run->model.blocks[block].heap;

    if ((heap != NONE && !may_look(call, heap)) || !may_look(call, its_heap))
        return;
    if (heap != NONE && heap != its_heap) {
        refuse(call, UMEM_E_INVALID_PARAMS);
        fact_uint(call, "heap", run->model.heaps[heap].handle);
        fact_uint(call, "block", run->model.blocks[block].handle);
        fail_end(call);
        return;
    }
    um_json_bool(result_key(call, "valid"), true);
    result_end(call);
}

void predict_heap_validate(struct call *call)
{
    bool of_block = is_given(call->request, "block");
    bool of_heap = is_given(call->request, "heap");
    int heap = of_heap || !of_block ? resolve_heap(call, "heap") : NONE;
    int block = NONE;

    if (heap == NONE && (of_heap || !of_block))
        return;
    if (of_block) {
        block = resolve_block(call, "block");
        if (block != NONE)
            validate_block(call, heap, block);
    } else if (may_look(call, heap)) {
        if (call->batch_left != NULL)
            fail_plain(call, UMEM_E_UNSUPPORTED);
        else
            begin_job_of_heap(call, JOB_VALIDATE, heap);
    }
}

void predict_heap_compact(struct call *call)
{
    int heap = resolve_heap(call, "heap");

    if (heap == NONE)
        return;
    if (call->batch_left != NULL)
        fail_plain(call, UMEM_E_UNSUPPORTED);
    else
        begin_job_of_heap(call, JOB_COMPACT, heap);
}

/* None of these heaps is durable. */
void predict_heap_flush(struct call *call)
{
    int heap = resolve_heap(call, "heap");

    if (heap != NONE)
        fail_heap(call, UMEM_E_UNSUPPORTED, call->run->model.heaps[heap].handle);
}

/* ---- locks ---- */

void predict_heap_lock(struct call *call)
{
    struct run *run = call->run;
    int heap = resolve_heap(call, "heap");
    uint64_t timeout = uint_or(call->request, "timeout_ms", 0);
    struct waiter *waiter;

    if (heap == NONE)
        return;
    if (!lock_is_wanted(run, run->model.heaps[heap].handle, call->session) &&
        !model_is_locked(&run->model, heap, call->session) &&
        !job_is_at(run, run->model.heaps[heap].handle, call->session)) {
        model_lock(&run->model, heap, call->session);
        result_end(call);
    } else if (timeout == 0) {
        fail_heap(call, UMEM_E_LOCKED, run->model.heaps[heap].handle);
    } else if (may_wait(call, run->model.heaps[heap].handle)) {
        waiter = new_waiter(run, WAITER_FOR_LOCK, call->session);
        waiter->entry = call->entry;
        waiter->id = call->id;
        waiter->handle = run->model.heaps[heap].handle;
        waiter->deadline = run->now_ms + timeout;
        stall(run, waiter, waiter->handle);
    }
}

void predict_heap_unlock(struct call *call)
{
    struct run *run = call->run;
    int heap = resolve_heap(call, "heap");

    if (heap == NONE)
        return;
    if (run->model.heaps[heap].locker != call->session) {
        fail_heap(call, UMEM_E_DENIED, run->model.heaps[heap].handle);
        return;
    }
    model_unlock(&run->model, heap);
    result_end(call);
}

void predict_heap_destroy(struct call *call)
{
    struct run *run = call->run;
    int heap = resolve_heap(call, "heap");

    if (heap == NONE)
        return;
    if (heap == 0) {
        fail_heap(call, UMEM_E_DENIED, run->model.heaps[0].handle);
        return;
    }
    result_uint(call, "blocks", model_count_blocks(&run->model, heap, 0));
    result_uint(call, "bytes", model_sum_bytes(&run->model, heap, 0));
    destroy_heap(run, heap);
    result_end(call);
}
