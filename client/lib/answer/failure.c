#include "lib/answer/failure.h"

#include <stdio.h>
#include <string.h>

#include "wire/json_value.h"

static const struct umem_failure none = {UMEM_OK, "", "", "{}"};

/* For umem_client_new() without memory. */
static const struct umem_failure no_client = {UMEM_E_OUT_OF_MEMORY, "out_of_memory",
                                              "there is no client: umem_client_new() found no memory", "{}"};

/* The thread's last failure, and at which client; NULL: it has called none. A thread's own, so that threads that share a client
 * do not take each other's texts away. */
static UM_THREAD_LOCAL struct {
    const umem_client *client;
    struct um_failure failure;
    struct umem_failure seen; /* what the caller sees; points to the texts */
} last;

const struct umem_failure *umem_last_error(const umem_client *client)
{
    if (client == NULL)
        return &no_client;
    return last.client == client && last.failure.code != UMEM_OK ? &last.seen : &none;
}

static void write_name(struct um_failure *failure, int code)
{
    failure->code = code;
    snprintf(failure->name, sizeof failure->name, "%s", umem_error_name(code));
    memcpy(failure->data, "{}", 3);
}

void um_failure_write(struct um_failure *failure, int code, const char *format, va_list arguments)
{
    write_name(failure, code);
    if (format == NULL)
        snprintf(failure->message, sizeof failure->message, "%s", umem_error_text(code));
    else
        vsnprintf(failure->message, sizeof failure->message, format, arguments);
}

/* Reads a part of an error, whose text stays as it is: a batch's error is everybody's. NULL: there is no memory. */
static const struct um_json *read_copy(const struct um_answer *answer, const struct um_json *part)
{
    struct um_json_check check;
    struct um_json *json;
    size_t size;
    const char *text = um_json_text_of(part, &size);
    char *copy = um_arena_alloc(answer->arena, size);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, size);
    return um_json_read(copy, size, answer->arena, &json, &check) == UMEM_OK ? json : NULL;
}

void um_failure_write_answer(struct um_failure *failure, const struct um_answer *answer)
{
    char name[UM_FAILURE_NAME_SIZE];

    write_name(failure, answer->code);
    if (!um_json_to_text(read_copy(answer, answer->message), failure->message, sizeof failure->message))
        snprintf(failure->message, sizeof failure->message, "%s", umem_error_text(answer->code));
    if (answer->data == NULL)
        return;
    if (answer->data->size < sizeof failure->data) {
        memcpy(failure->data, answer->data->text, answer->data->size);
        failure->data[answer->data->size] = '\0';
    }
    /* A newer daemon may have errors that this library does not list. */
    if (um_json_to_text(um_json_member_of(read_copy(answer, answer->data), "name"), name, sizeof name))
        memcpy(failure->name, name, sizeof name);
}

/* ---- the thread's own ---- */

UM_ALWAYS_INLINE void show(const umem_client *client)
{
    last.client = client;
    last.seen =
        (struct umem_failure){last.failure.code, last.failure.name, last.failure.message, last.failure.data};
}

int um_failure_set(const umem_client *client, int code, const struct um_failure *failure)
{
    if (code != UMEM_OK && failure == NULL)
        return um_failure_set_text(client, code, NULL);
    if (code != UMEM_OK)
        last.failure = *failure;
    else
        last.failure.code = UMEM_OK;
    show(client);
    return code;
}

int um_failure_set_text(const umem_client *client, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    um_failure_write(&last.failure, code, format, arguments);
    va_end(arguments);
    show(client);
    return code;
}

/* Other daemons may write a large integer with an exponent. */
static bool to_integer(const struct um_json *json, int64_t *value)
{
    return um_json_to_int64(json, value) || (json != NULL && um_json_integer_of(json, value));
}

bool umem_error_integer(const umem_client *client, const char *member, int64_t *value)
{
    const struct umem_failure *failure = umem_last_error(client);
    char data[UM_FAILURE_DATA_SIZE];
    size_t size = strlen(failure->data);
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json_check check;
    struct um_json *facts;
    bool found;

    memcpy(data, failure->data, size);
    found = um_json_read(data, size, &arena, &facts, &check) == UMEM_OK &&
            to_integer(um_json_member_of(facts, member), value);
    um_arena_deinit(&arena);
    return found;
}
