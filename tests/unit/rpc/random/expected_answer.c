/* Writing the answers that are expected, byte for byte. What cannot be predicted, the text of an error, a
 * handle, is taken from the engine's answer where it should stand, or left open with a '\1'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_engine.h"
#include "umem_errors.h"
#include "wire/json_write.h"

static const int codes[CODES] = {
#define ERROR_CODE(identifier, code, name, text) code,
    UMEM_WIRE_ERRORS(ERROR_CODE)
#undef ERROR_CODE
};

static unsigned code_index(int code)
{
    unsigned index = 0;

    while (index < CODES - 1 && codes[index] != code)
        index++;
    return index;
}

int code_at(unsigned index)
{
    return index < CODES ? codes[index] : 0;
}

static void count_result(const struct call *call, int code)
{
    struct run *run = call->run;
    bool late = call->request == NULL;

    run->errors += code != 0;
    if (call->method == NULL)
        return;
    if (code == 0) {
        run->successes[call->entry]++;
        run->late_successes[call->entry] += late;
    } else {
        run->failures[call->entry][code_index(code)]++;
        run->late_failures[call->entry][code_index(code)] += late;
    }
}

/* ---- beginning ---- */

void call_init(struct call *call, struct run *run, int session, const struct request *request)
{
    *call = (struct call){
        .run = run,
        .session = session,
        .method = request->method,
        .entry = request->entry,
        .id = request->id,
        .request = request,
        .out = &run->sessions[session].direct,
        .body = run->sessions[session].direct.size,
    };
}

void late_init(struct call *call, struct run *run, int session, unsigned entry, const struct id *id)
{
    struct session *it = &run->sessions[session];
    struct um_buf *out = &it->late[it->late_count];

    MUST(it->late_count < LATE);
    um_buf_truncate(out, 0);
    if (id->kind != ID_NONE)
        it->late_count++;
    *call = (struct call){
        .run = run,
        .session = session,
        .method = method_named(entry_at(entry)->name),
        .entry = entry,
        .id = *id,
        .out = out,
    };
}

void spell_id(char *text, size_t capacity, int64_t number)
{
    static const char *const forms[][2] = {
        {"", ""},     {"", ".5"},  {"", "e400"},           {"-", ""},
        {"", "E-07"}, {"", ".00"}, {"90071992547409", ""}, {"-92233720368547758", ""},
    };
    const char *const *form = forms[number % 8];

    snprintf(text, capacity, "%s%lld%s", form[0], (long long)number, form[1]);
}

void write_id(struct um_buf *out, const struct id *id)
{
    char text[64];

    um_json_key(out, "id");
    if (id->kind == ID_NUMBER) {
        spell_id(text, sizeof text, id->number);
        um_json_raw(out, text, strlen(text));
    } else if (id->kind == ID_TEXT) {
        snprintf(text, sizeof text, "t%lld", (long long)id->number);
        um_json_cstring(out, text);
    } else {
        um_json_null(out);
    }
}

static void begin(struct call *call)
{
    um_json_begin_object(call->out);
    um_json_put_string(call->out, "jsonrpc", "2.0");
    write_id(call->out, &call->id);
    call->begun = true;
}

/* A notification's answer is not sent. */
static void end(struct call *call)
{
    um_json_end_object(call->out);
    call->done = true;
    if (call->id.kind == ID_NONE)
        um_buf_truncate(call->out, call->body);
}

/* ---- results ---- */

struct um_buf *result(struct call *call)
{
    if (!call->begun) {
        begin(call);
        um_json_key(call->out, "result");
        um_json_begin_object(call->out);
    }
    return call->out;
}

struct um_buf *result_key(struct call *call, const char *key)
{
    const struct run *run = call->run;
    struct um_buf *out = result(call);

    MUST(um_method_answers(call->method, key));
    call->members++;
    um_json_key(out, key);
    return out;
}

void result_uint(struct call *call, const char *key, uint64_t value)
{
    um_json_uint(result_key(call, key), value);
}

void result_end(struct call *call)
{
    const struct run *run = call->run;
    unsigned least = 0;
    unsigned top = 0;

    for (const struct um_member *m = call->method->result; m != NULL && m->name != NULL; m++, top++)
        least += !m->optional;
    um_json_end_object(result(call));
    MUST(call->members >= least && call->members <= top);
    end(call);
    count_result(call, 0);
}

bool fits(struct call *call, uint64_t size, uint64_t touched)
{
    const struct um_limits *limits = &call->run->limits;
    uint64_t used = answer_used(call);

    if (size != 0 && !has_space(call, size)) {
        refuse(call, UMEM_E_TOO_LARGE);
        fact_limit(call, "message_bytes", limits->message_bytes);
        fact_uint(call, "asked", used + size);
        fail_end(call);
        return false;
    }
    if (call->batch_left != NULL && touched > *call->batch_left) {
        refuse(call, UMEM_E_LIMIT_EXCEEDED);
        fact_limit(call, "batch_bytes", limits->batch_bytes);
        fact_uint(call, "used", limits->batch_bytes - *call->batch_left);
        fact_uint(call, "asked", touched);
        fail_end(call);
        return false;
    }
    if (!may_send(call, size))
        return false;
    if (call->batch_left != NULL)
        *call->batch_left -= touched;
    return true;
}

void charge(struct call *call, uint64_t work)
{
    if (call->batch_left != NULL)
        *call->batch_left -= work < *call->batch_left ? work : *call->batch_left;
}

size_t answer_used(const struct call *call)
{
    return call->out->size;
}

uint64_t sent_with(const struct call *call, uint64_t size)
{
    const struct session *session = &call->run->sessions[call->session];

    return answer_used(call) + (call->batch_left != NULL ? session->raw.size : 0) + size;
}

/* ---- what the engine knows better ---- */

/* Where the engine's answer should continue like what is written so far. */
static const char *engine_text(const struct call *call, size_t *left)
{
    const struct run *run = call->run;
    const struct session *session = &run->sessions[call->session];
    const char *text = session->session.out.data + session->checked;
    size_t size = session->session.out.size - session->checked;
    size_t header = 0;

    if (session->session.framing == UM_FRAMING_HEADERS) {
        while (header + 4 <= size && memcmp(text + header, "\r\n\r\n", 4) != 0)
            header++;
        header += 4;
    }
    MUST(header + call->out->size < size);
    *left = size - header - call->out->size;
    return text + header + call->out->size;
}

uint64_t learn_uint(struct call *call)
{
    size_t left;
    const char *text;
    uint64_t number = 0;

    if (call->id.kind == ID_NONE)
        return 0;
    text = engine_text(call, &left);
    for (; left != 0 && *text >= '0' && *text <= '9'; text++, left--)
        number = 10 * number + (uint64_t)(*text - '0');
    return number;
}

void learn_name(struct call *call, char *name, size_t size)
{
    const struct run *run = call->run;
    size_t left;
    const char *text;
    size_t length = 0;

    if (call->id.kind == ID_NONE)
        return;
    text = engine_text(call, &left);
    MUST(*text == '"');
    while (length + 1 < left && text[1 + length] != '"')
        length++;
    MUST(length != 0 && length < size);
    memcpy(name, text + 1, length);
    name[length] = '\0';
}

bool engine_goes_on(const struct call *call, const char *wanted)
{
    size_t left;
    const char *text;

    if (call->id.kind == ID_NONE)
        return false;
    text = engine_text(call, &left);
    return left > strlen(wanted) && memcmp(text, wanted, strlen(wanted)) == 0;
}

static void learn_text(struct call *call)
{
    const struct run *run = call->run;
    size_t left;
    const char *text = engine_text(call, &left);
    size_t size = 1;

    MUST(*text == '"');
    while (size < left && text[size] != '"')
        size += text[size] == '\\' ? 2 : 1;
    MUST(size > 1 && size < left);
    um_buf_append(call->out, text, size + 1);
}

bool engine_failed(struct call *call, int code)
{
    char mark[40];
    int size = snprintf(mark, sizeof mark, ",\"error\":{\"code\":%d,", code);
    size_t left;
    const char *text;
    bool failed;

    begin(call);
    text = engine_text(call, &left);
    failed = left > (size_t)size && memcmp(text, mark, (size_t)size) == 0;
    um_buf_truncate(call->out, call->body);
    call->begun = false;
    return failed;
}

void write_number(struct um_buf *out, enum um_value_type type, const unsigned char *bytes)
{
    size_t width = um_value_size(type);
    uint64_t bits = 0;
    int64_t number;
    double wide;
    float narrow;

    memcpy(&bits, bytes, width);
    memcpy(&narrow, bytes, sizeof narrow < width ? sizeof narrow : width);
    switch (type) {
    case UM_F32:
        um_json_float(out, narrow);
        break;
    case UM_F64:
        memcpy(&wide, bytes, sizeof wide);
        um_json_double(out, wide);
        break;
    case UM_I8:
    case UM_I16:
    case UM_I32:
    case UM_I64:
        bits <<= 64 - 8 * width;
        memcpy(&number, &bits, sizeof number);
        um_json_int64(out, number / ((int64_t)1 << (64 - 8 * width > 62 ? 62 : 64 - 8 * width)));
        break;
    default:
        um_json_uint64(out, bits);
        break;
    }
}

/* ---- errors ---- */

void refuse(struct call *call, int code)
{
    const struct run *run = call->run;

    MUST(call->method == NULL || um_method_declares(call->method, code));
    um_buf_truncate(call->out, call->body);
    call->failed = true;
    begin(call);
    um_json_key(call->out, "error");
    um_json_begin_object(call->out);
    um_json_put_int(call->out, "code", code);
    um_json_key(call->out, "message");
    if (call->request != NULL && call->id.kind != ID_NONE)
        learn_text(call);
    else
        um_buf_append_string(call->out, "\"\1\"");
    um_json_key(call->out, "data");
    um_json_begin_object(call->out);
    um_json_put_string(call->out, "name", umem_error_name(code));
    count_result(call, code);
}

void fact_uint(struct call *call, const char *key, uint64_t value)
{
    um_json_put_uint(call->out, key, value);
}

void fact_text(struct call *call, const char *key, const char *value)
{
    um_json_put_string(call->out, key, value);
}

void fail_end(struct call *call)
{
    um_json_end_object(call->out);
    um_json_end_object(call->out);
    end(call);
}

void fail_plain(struct call *call, int code)
{
    refuse(call, code);
    fail_end(call);
}

void fail_block(struct call *call, int code, uint64_t block)
{
    refuse(call, code);
    fact_uint(call, "block", block);
    fail_end(call);
}

void fail_heap(struct call *call, int code, uint64_t heap)
{
    refuse(call, code);
    fact_uint(call, "heap", heap);
    fail_end(call);
}
