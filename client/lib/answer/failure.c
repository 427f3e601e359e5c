#include "lib/answer/failure.h"

#include <stdio.h>
#include <string.h>

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

void um_failure_write_answer(struct um_failure *failure, const struct um_answer *answer)
{
    char name[UM_FAILURE_NAME_SIZE];

    write_name(failure, answer->code);
    /* A newer daemon may have errors that this library does not list. */
    if (um_json_to_text(um_json_member(answer->data, "name"), name, sizeof name))
        memcpy(failure->name, name, sizeof name);
    if (!um_json_to_text(answer->message, failure->message, sizeof failure->message))
        snprintf(failure->message, sizeof failure->message, "%s", umem_error_text(answer->code));
    if (answer->data.text != NULL && answer->data.size < sizeof failure->data) {
        memcpy(failure->data, answer->data.text, answer->data.size);
        failure->data[answer->data.size] = '\0';
    }
}

/* ---- the thread's own ---- */

static void show(const umem_client *client)
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
static bool to_integer(struct um_json_slice json, int64_t *value)
{
    const double limit = 9007199254740991.0;
    double number;

    if (um_json_to_int64(json, value))
        return true;
    if (um_json_is_string(json) || !um_json_to_double(json, &number) ||
        !(number >= -limit && number <= limit) || (double)(int64_t)number != number)
        return false;
    *value = (int64_t)number;
    return true;
}

bool umem_error_integer(const umem_client *client, const char *member, int64_t *value)
{
    const struct umem_failure *failure = umem_last_error(client);
    struct um_json_slice data = um_json_slice_of(failure->data, strlen(failure->data));
    struct um_json_slice found = um_json_member(data, member);

    return found.text != NULL && to_integer(found, value);
}
