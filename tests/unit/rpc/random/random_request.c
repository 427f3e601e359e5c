/* Requests: their arguments with what they mean, and their JSON. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "random_engine.h"
#include "rpc/methods/methods.h"
#include "wire/json_write.h"

/* ---- finding arguments ---- */

static size_t place_of(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->method->param_count; i++) {
        if (strcmp(request->method->params[i].name, name) == 0)
            return i;
    }
    fprintf(stderr, "%s has no parameter %s\n", request->method->name, name);
    abort();
}

struct argument *argument(struct request *request, const char *name)
{
    return &request->arguments[place_of(request, name)];
}

const struct argument *argument_of(const struct request *request, const char *name)
{
    return &request->arguments[place_of(request, name)];
}

bool is_given(const struct request *request, const char *name)
{
    return argument_of(request, name)->given;
}

uint64_t uint_or(const struct request *request, const char *name, uint64_t otherwise)
{
    const struct argument *it = argument_of(request, name);

    return it->given ? it->uint : otherwise;
}

/* ---- giving them ---- */

static struct argument *give(struct request *request, const char *name)
{
    struct argument *it = argument(request, name);

    if (!it->given)
        um_buf_init(&it->json, SIZE_MAX / 2);
    um_buf_truncate(&it->json, 0);
    it->given = true;
    return it;
}

void give_uint(struct request *request, const char *name, uint64_t value)
{
    struct argument *it = give(request, name);

    it->uint = value;
    um_json_uint(&it->json, value);
}

void give_bool(struct request *request, const char *name, bool value)
{
    struct argument *it = give(request, name);

    it->uint = value;
    um_json_bool(&it->json, value);
}

void give_word(struct request *request, const char *name, unsigned value)
{
    struct argument *it = give(request, name);
    const struct um_word *word = request->method->params[place_of(request, name)].words;

    while (word->value != value)
        word++;
    it->uint = value;
    um_json_cstring(&it->json, word->word);
}

void give_text(struct request *request, const char *name, const char *text)
{
    struct argument *it = give(request, name);

    snprintf(it->name, sizeof it->name, "%s", text);
    um_json_cstring(&it->json, text);
}

void give_spelled(struct request *request, const char *name, const char *text)
{
    struct argument *it = give(request, name);

    um_json_raw(&it->json, text, strlen(text));
}

void give_name(struct run *run, struct request *request, const char *name)
{
    int number = (int)roll(run, NAMES);

    give_text(request, name, model_name_text(number));
    argument(request, name)->uint = (uint64_t)number;
}

void give_flags(struct request *request, const char *name, unsigned flags)
{
    struct argument *it = give(request, name);

    it->uint = flags;
    um_json_begin_array(&it->json);
    for (const struct um_word *word = um_flag_words; word->word != NULL; word++) {
        if ((flags & word->value) != 0)
            um_json_cstring(&it->json, word->word);
    }
    um_json_end_array(&it->json);
}

static void give_handle(struct request *request, const char *name, uint64_t handle, const char *text)
{
    struct argument *it;

    if (text != NULL) {
        give_text(request, name, text);
        argument(request, name)->by_name = true;
        return;
    }
    it = give(request, name);
    it->uint = handle;
    um_json_uint(&it->json, handle);
}

/* A handle of a block or heap that does not work. */
static void give_bad(struct run *run, struct request *request, const char *name, const uint64_t *stale,
                     uint64_t other_kind)
{
    uint64_t handle = stale[roll(run, MODEL_STALE)];

    if (handle == 0 || one_in(run, 4))
        handle = one_in(run, 2) ? other_kind : 1 + roll(run, 100);
    give_handle(request, name, handle, one_in(run, 5) ? "no such name" : NULL);
}

void give_block(struct run *run, struct request *request, const char *name, int *block)
{
    const struct model_block *it;

    *block = some_block(run);
    if (*block == NONE || one_in(run, 25)) {
        *block = NONE;
        give_bad(run, request, name, run->model.stale_blocks, run->model.heaps[some_heap(run)].handle);
        return;
    }
    it = &run->model.blocks[*block];
    give_handle(request, name, it->handle,
                it->name != NONE && one_in(run, 2) ? model_name_text(it->name) : NULL);
}

/* One of more than so many bytes; where there is none, any. */
void give_large_block(struct run *run, struct request *request, const char *name, uint64_t size, int *block)
{
    int first = (int)roll(run, BLOCKS);

    for (int i = 0; i < BLOCKS; i++) {
        *block = (first + i) % BLOCKS;
        if (run->model.blocks[*block].alive && run->model.blocks[*block].size > size) {
            give_handle(request, name, run->model.blocks[*block].handle, NULL);
            return;
        }
    }
    give_block(run, request, name, block);
}

/* One that a session is in the middle of, by a payload, a raw read or a long call; where there is none,
 * any. */
void give_busy_block(struct run *run, struct request *request, const char *name, int *block)
{
    int first = (int)roll(run, SESSIONS);

    for (int i = 0; i < SESSIONS; i++) {
        const struct session *it = &run->sessions[(first + i) % SESSIONS];
        uint64_t handle = it->job.kind != 0 && one_in(run, 2) ? it->job.first.block
                          : it->payload_receiver.answers      ? it->payload_receiver.range.block
                          : it->tail.is_on                    ? it->tail.range.block
                                                              : it->job.first.block;

        *block = model_find_block(&run->model, handle);
        if (*block != NONE) {
            give_handle(request, name, handle, NULL);
            return;
        }
    }
    give_block(run, request, name, block);
}

void give_heap(struct run *run, struct request *request, const char *name, int *heap)
{
    int block = some_block(run);
    const struct model_heap *it;

    *heap = some_heap(run);
    if (one_in(run, 25)) {
        *heap = NONE;
        give_bad(run, request, name, run->model.stale_heaps,
                 block != NONE ? run->model.blocks[block].handle : 7);
        return;
    }
    it = &run->model.heaps[*heap];
    give_handle(request, name, it->handle,
                it->name != NONE && one_in(run, 2) ? model_name_text(it->name) : NULL);
}

/* Random bytes, few different ones, in a random encoding where the method knows more than one. Where they
 * are not UTF-8 they travel as base64 or hex. */
void give_data(struct run *run, struct request *request, const char *name, size_t size)
{
    struct argument *it = give(request, name);
    unsigned encoding = (unsigned)roll(run, 3);
    char *text;

    it->bytes = malloc(size + 1);
    it->size = size;
    for (size_t i = 0; i < size; i++)
        it->bytes[i] = one_in(run, 30) ? (unsigned char)roll(run, 256) : (unsigned char)('a' + roll(run, 3));
    if (encoding == 2 && um_utf8_check(it->bytes, size) == size && memchr(it->bytes, 0, size) == NULL) {
        um_json_string(&it->json, (const char *)it->bytes, size);
        give_text(request, "encoding", "utf8");
        return;
    }
    text = um_json_begin_raw_string(&it->json, encoding == 1 ? 2 * size : um_base64_encoded_size(size));
    if (encoding == 1)
        um_hex_encode(text, it->bytes, size);
    else
        um_base64_encode(text, it->bytes, size);
    um_json_end_raw_string(&it->json);
    if (encoding == 1 || one_in(run, 2))
        give_text(request, "encoding", encoding == 1 ? "hex" : "base64");
}

/* A number of a type: its bytes as in memory, and its JSON. Mostly small, so that equal numbers occur. */
static void give_number(struct run *run, struct um_buf *json, enum um_value_type type, unsigned char *bytes)
{
    static const double specials[] = {1.5, -0.5, 1e30, -3.25e-7, 65536.125};
    uint64_t bits = one_in(run, 4) ? roll(run, UINT64_MAX) : roll(run, 4);
    size_t size = um_value_size(type);
    double number = specials[roll(run, 5)];
    float single;

    if (type != UM_F32 && type != UM_F64) {
        memcpy(bytes, &bits, size);
        write_number(json, type, bytes);
        return;
    }
    if (one_in(run, 3))
        number = (double)roll(run, 3);
    else if (one_in(run, 8))
        number = one_in(run, 2) ? (double)INFINITY : (double)NAN;
    single = (float)number;
    memcpy(bytes, type == UM_F32 ? (const void *)&single : (const void *)&number, size);
    um_json_double(json, number);
}

void give_values(struct run *run, struct request *request, const char *name, unsigned count, bool array)
{
    enum um_value_type type = (enum um_value_type)argument_of(request, "type")->uint;
    struct argument *it = give(request, name);
    size_t width = um_value_size(type);

    it->size = count * width;
    it->bytes = calloc(count + 1, width);
    if (array)
        um_json_begin_array(&it->json);
    for (unsigned i = 0; i < count; i++)
        give_number(run, &it->json, type, it->bytes + i * width);
    if (array)
        um_json_end_array(&it->json);
}

/* ---- spoiling ---- */

static void spoil_argument(struct run *run, struct request *request, size_t place)
{
    struct argument *it = &request->arguments[place];

    request->spoiled = true;
    request->culprit = request->method->params[place].name;
    if (request->method->params[place].required && one_in(run, 2)) {
        it->given = false;
    } else {
        if (!it->given)
            um_buf_init(&it->json, SIZE_MAX / 2);
        it->given = true;
        um_buf_truncate(&it->json, 0);
        /* An object that is alone in an array would be parameters by name. */
        um_buf_append_string(&it->json, one_in(run, 2) && place != 0 ? "{}" : "[{}]");
    }
}

/* The id, the form, and now and then a mistake. */
void finish_request(struct run *run, struct request *request)
{
    static const enum id_kind kinds[] = {ID_NUMBER, ID_NUMBER, ID_NUMBER, ID_TEXT, ID_TEXT, ID_NULL, ID_NONE};

    request->id = (struct id){kinds[roll(run, 7)], ++run->last_id};
    request->short_form = one_in(run, 3);
    if (request->id.kind == ID_NONE)
        request->short_form = false;
    request->by_position = request->method != NULL && one_in(run, 2);
    if (request->method == NULL || !one_in(run, request->method->param_count != 0 ? 24 : 8))
        return;
    /* How many raw bytes a request takes must be plain in a batch, whatever else is wrong with it. */
    if (request->method->param_count != 0 && !one_in(run, 4) && request->payload == NULL) {
        spoil_argument(run, request, (size_t)roll(run, request->method->param_count));
    } else {
        request->spoiled = true;
        request->culprit = request->by_position ? NULL : "bogus";
    }
}

/* ---- the JSON ---- */

static void write_params(struct um_buf *out, const struct request *request)
{
    size_t count = request->method->param_count;
    bool too_many = request->spoiled && request->culprit == NULL;

    if (request->by_position)
        um_json_begin_array(out);
    else
        um_json_begin_object(out);
    while (request->by_position && !too_many && count != 0 && !request->arguments[count - 1].given)
        count--;
    for (size_t i = 0; i < count; i++) {
        const struct argument *it = &request->arguments[i];

        if (!request->by_position && !it->given)
            continue;
        if (!request->by_position)
            um_json_key(out, request->method->params[i].name);
        if (it->given)
            um_json_raw(out, it->json.data, it->json.size);
        else
            um_json_null(out);
    }
    if (too_many) {
        um_json_uint(out, 1);
    } else if (request->spoiled && strcmp(request->culprit, "bogus") == 0) {
        um_json_put_null(out, "bogus");
    }
    /* Nulls behind the last parameter are as if left out. */
    if (request->by_position && count == request->method->param_count && !too_many)
        um_json_null(out);
    if (request->by_position)
        um_json_end_array(out);
    else
        um_json_end_object(out);
}

void write_request(struct um_buf *out, const struct request *request)
{
    um_json_begin_object(out);
    if (!request->short_form) {
        um_json_put_string(out, "jsonrpc", "2.0");
    }
    if (request->id.kind != ID_NONE && !(request->short_form && request->id.kind == ID_NULL))
        write_id(out, &request->id);
    um_json_put_string(out, "method", request->method != NULL ? request->method->name : "heap.dance");
    if (request->method != NULL && (request->method->param_count != 0 || request->spoiled)) {
        um_json_key(out, "params");
        write_params(out, request);
    }
    um_json_end_object(out);
}

void free_message(struct message *message)
{
    for (unsigned i = 0; i < message->count; i++) {
        for (int j = 0; j < ARGUMENTS; j++) {
            um_buf_deinit(&message->requests[i].arguments[j].json);
            free(message->requests[i].arguments[j].bytes);
        }
        free(message->requests[i].payload);
    }
    free(message->payload);
    um_buf_deinit(&message->text);
    *message = (struct message){0};
}
