/* The parameters of a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "lib/request/info.h"
#include "lib/request/number.h"
#include "lib/request/request.h"
#include "wire/json_write.h"

void um_param_handle(struct um_request *request, const char *key, umem_handle handle)
{
    if (handle == 0 || handle > UMEM_SIZE_MAX)
        um_request_refuse(request, "%s: %llu is no handle", key, (unsigned long long)handle);
    um_json_key(&request->text, key);
    um_json_uint(&request->text, handle);
}

void um_param_heap_or_default(struct um_request *request, const char *key, umem_handle heap)
{
    if (heap != UMEM_PROCESS_HEAP)
        um_param_handle(request, key, heap);
}

void um_param_size(struct um_request *request, const char *key, uint64_t size)
{
    if (size > UMEM_SIZE_MAX)
        um_request_refuse(request, "%s: %llu is past 2^53 - 1", key, (unsigned long long)size);
    um_json_key(&request->text, key);
    um_json_uint(&request->text, size);
}

void um_param_size_unless(struct um_request *request, const char *key, uint64_t size, uint64_t none)
{
    if (size != none)
        um_param_size(request, key, size);
}

void um_param_name(struct um_request *request, const char *key, const char *name)
{
    if (name == NULL || um_utf8_check(name, strlen(name)) != strlen(name)) {
        um_request_refuse(request, "the %s is %s", key, name == NULL ? "missing" : "not UTF-8");
        return;
    }
    um_json_key(&request->text, key);
    um_json_cstring(&request->text, name);
}

void um_param_by_name(struct um_request *request, const char *key, const char *name)
{
    char marked[1 + UMEM_NAME_SIZE + 1];

    /* Digits may be a handle where no name is, and what stands behind ":" is a name, see protocol.md. Longer texts are neither. */
    if (name != NULL && (name[0] == ':' || (name[0] >= '0' && name[0] <= '9')) &&
        strlen(name) <= UMEM_NAME_SIZE) {
        snprintf(marked, sizeof marked, ":%s", name);
        name = marked;
    }
    um_param_name(request, key, name);
}

void um_param_word(struct um_request *request, const char *key, const char *word)
{
    um_json_key(&request->text, key);
    um_json_cstring(&request->text, word);
}

void um_param_true(struct um_request *request, const char *key)
{
    um_json_key(&request->text, key);
    um_json_bool(&request->text, true);
}

void um_param_bytes(struct um_request *request, const char *key, const void *bytes, size_t size)
{
    char *space;

    if (size > SIZE_MAX / 8) {
        um_request_refuse(request, "%s: %zu bytes are too many for one request", key, size);
        return;
    }
    um_json_key(&request->text, key);
    space = um_json_begin_raw_string(&request->text, um_base64_encoded_size(size));
    if (space != NULL)
        um_base64_encode(space, bytes, size);
    um_json_end_raw_string(&request->text);
}

void um_param_type(struct um_request *request, enum umem_type type)
{
    if (um_number_name(type) == NULL)
        um_request_refuse(request, "there is no type %d", (int)type);
    else
        um_param_word(request, "type", um_number_name(type));
}

void um_param_value(struct um_request *request, const char *key, enum umem_type type, const void *value)
{
    if (request->code != UMEM_OK)
        return;
    if (value == NULL) {
        um_request_refuse(request, "the %s is missing", key);
        return;
    }
    um_json_key(&request->text, key);
    um_number_write(&request->text, type, value);
}

void um_param_flags(struct um_request *request, uint32_t flags)
{
    um_info_write_flags(&request->text, flags);
}

void um_param_lifetime(struct um_request *request, enum umem_lifetime lifetime)
{
    um_info_write_lifetime(&request->text, lifetime);
}

void um_param_timeout(struct um_request *request, uint32_t timeout_ms)
{
    request->wait_ms = timeout_ms != UMEM_FOREVER ? timeout_ms : UM_WAIT_FOREVER;
    if (timeout_ms != UMEM_FOREVER)
        um_param_size(request, "timeout_ms", timeout_ms);
}

void um_param_payload(struct um_request *request, const void *bytes, size_t size)
{
    um_param_word(request, "encoding", "raw");
    um_param_size(request, "size", size);
    request->payload = bytes;
    request->payload_size = size;
}

void um_param_into(struct um_request *request, void *bytes, size_t size)
{
    um_param_word(request, "encoding", "raw");
    um_param_size(request, "size", size);
    request->into = bytes;
    request->into_size = size;
    request->has_raw_answer = true;
}

void um_param_payload_numbers(struct um_request *request, enum umem_type type, const void *values,
                              size_t count)
{
    size_t size = count * umem_type_size(type);

    if (um_number_must_swap(type) && size != 0) {
        request->copy = malloc(size);
        if (request->copy == NULL) {
            um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the numbers");
            return;
        }
        memcpy(request->copy, values, size);
        um_number_swap(request->copy, type, count);
        values = request->copy;
    }
    um_param_payload(request, values, size);
}

void um_param_into_numbers(struct um_request *request, enum umem_type type, void *values, size_t count)
{
    um_param_into(request, values, count * umem_type_size(type));
    request->swap = type;
    request->swap_count = um_number_must_swap(type) ? count : 0;
}
