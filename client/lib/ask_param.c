/* The parameters of a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "info.h"
#include "json_out.h"
#include "number.h"
#include "text.h"

void um_param_handle(struct um_ask *ask, const char *key, umem_handle handle)
{
    if (handle == 0 || handle > UMEM_SIZE_MAX)
        um_ask_refuse(ask, "%s: %llu is no handle", key, (unsigned long long)handle);
    um_json_key(&ask->text, key);
    um_json_uint(&ask->text, handle);
}

void um_param_heap_or_default(struct um_ask *ask, const char *key, umem_handle heap)
{
    if (heap != UMEM_PROCESS_HEAP)
        um_param_handle(ask, key, heap);
}

void um_param_size(struct um_ask *ask, const char *key, uint64_t size)
{
    if (size > UMEM_SIZE_MAX)
        um_ask_refuse(ask, "%s: %llu is past 2^53 - 1", key, (unsigned long long)size);
    um_json_key(&ask->text, key);
    um_json_uint(&ask->text, size);
}

void um_param_size_unless(struct um_ask *ask, const char *key, uint64_t size, uint64_t none)
{
    if (size != none)
        um_param_size(ask, key, size);
}

void um_param_name(struct um_ask *ask, const char *key, const char *name)
{
    if (name == NULL || um_utf8_check(name, strlen(name)) != strlen(name)) {
        um_ask_refuse(ask, "the %s is %s", key, name == NULL ? "missing" : "not UTF-8");
        return;
    }
    um_json_key(&ask->text, key);
    um_json_cstring(&ask->text, name);
}

void um_param_by_name(struct um_ask *ask, const char *key, const char *name)
{
    char marked[1 + UMEM_NAME_SIZE + 1];

    /* Digits may be a handle where no name is, and what stands behind ":" is a name, see protocol.md. Longer texts are neither. */
    if (name != NULL && (name[0] == ':' || (name[0] >= '0' && name[0] <= '9')) &&
        strlen(name) <= UMEM_NAME_SIZE) {
        snprintf(marked, sizeof marked, ":%s", name);
        name = marked;
    }
    um_param_name(ask, key, name);
}

void um_param_word(struct um_ask *ask, const char *key, const char *word)
{
    um_json_key(&ask->text, key);
    um_json_cstring(&ask->text, word);
}

void um_param_true(struct um_ask *ask, const char *key)
{
    um_json_key(&ask->text, key);
    um_json_bool(&ask->text, true);
}

void um_param_bytes(struct um_ask *ask, const char *key, const void *bytes, size_t size)
{
    char *space;

    if (size > SIZE_MAX / 8) {
        um_ask_refuse(ask, "%s: %zu bytes are too many for one request", key, size);
        return;
    }
    um_json_key(&ask->text, key);
    space = um_json_begin_raw_string(&ask->text, um_base64_encoded_size(size));
    if (space != NULL)
        um_base64_encode(space, bytes, size);
    um_json_end_raw_string(&ask->text);
}

void um_param_type(struct um_ask *ask, enum umem_type type)
{
    if (um_number_name(type) == NULL)
        um_ask_refuse(ask, "there is no type %d", (int)type);
    else
        um_param_word(ask, "type", um_number_name(type));
}

void um_param_value(struct um_ask *ask, const char *key, enum umem_type type, const void *value)
{
    if (ask->code != UMEM_OK)
        return;
    if (value == NULL) {
        um_ask_refuse(ask, "the %s is missing", key);
        return;
    }
    um_json_key(&ask->text, key);
    um_number_write(&ask->text, type, value);
}

void um_param_flags(struct um_ask *ask, uint32_t flags)
{
    um_info_write_flags(&ask->text, flags);
}

void um_param_lifetime(struct um_ask *ask, enum umem_lifetime lifetime)
{
    um_info_write_lifetime(&ask->text, lifetime);
}

void um_param_timeout(struct um_ask *ask, uint32_t timeout_ms)
{
    ask->wait_ms = timeout_ms != UMEM_FOREVER ? timeout_ms : UM_WAITS_FOR_EVER;
    if (timeout_ms != UMEM_FOREVER)
        um_param_size(ask, "timeout_ms", timeout_ms);
}

void um_param_payload(struct um_ask *ask, const void *bytes, size_t size)
{
    um_param_word(ask, "encoding", "raw");
    um_param_size(ask, "size", size);
    ask->payload = bytes;
    ask->payload_size = size;
}

void um_param_into(struct um_ask *ask, void *bytes, size_t size)
{
    um_param_word(ask, "encoding", "raw");
    um_param_size(ask, "size", size);
    ask->into = bytes;
    ask->into_size = size;
    ask->wants_raw = true;
}

void um_param_payload_numbers(struct um_ask *ask, enum umem_type type, const void *values, size_t count)
{
    size_t size = count * umem_type_size(type);

    if (um_number_must_swap(type) && size != 0) {
        ask->copy = malloc(size);
        if (ask->copy == NULL) {
            um_ask_fail(ask, UMEM_E_OUT_OF_MEMORY, "there is no memory for the numbers");
            return;
        }
        memcpy(ask->copy, values, size);
        um_number_swap(ask->copy, type, count);
        values = ask->copy;
    }
    um_param_payload(ask, values, size);
}

void um_param_into_numbers(struct um_ask *ask, enum umem_type type, void *values, size_t count)
{
    um_param_into(ask, values, count * umem_type_size(type));
    ask->swap = type;
    ask->swap_count = um_number_must_swap(type) ? count : 0;
}
