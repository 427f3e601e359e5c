/* The last failure: what happened, in words and codes. */
#include <stdio.h>
#include <string.h>

#include "client.h"

static const struct umem_failure none = {UMEM_OK, "", "", "{}"};

/* For umem_client_new() without memory. */
static const struct umem_failure no_client = {UMEM_E_OUT_OF_MEMORY, "out_of_memory",
                                              "there is no client: umem_client_new() found no memory", "{}"};

const struct umem_failure *umem_last_error(const umem_client *client)
{
    if (client == NULL)
        return &no_client;
    return client->failure.seen.code != UMEM_OK ? &client->failure.seen : &none;
}

static void note_name(struct um_failure *failure, int code)
{
    failure->seen = (struct umem_failure){code, failure->name, failure->message, failure->data};
    snprintf(failure->name, sizeof failure->name, "%s", umem_error_name(code));
    memcpy(failure->data, "{}", 3);
}

UM_PRINTF(3, 0)
static void note(struct um_failure *failure, int code, const char *format, va_list arguments)
{
    note_name(failure, code);
    if (format == NULL)
        snprintf(failure->message, sizeof failure->message, "%s", umem_error_text(code));
    else
        vsnprintf(failure->message, sizeof failure->message, format, arguments);
}

int um_client_fail(umem_client *client, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(&client->failure, code, format, arguments);
    va_end(arguments);
    return code;
}

int um_client_break(umem_client *client, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(&client->failure, code, format, arguments);
    va_end(arguments);
    um_transport_close(client->transport);
    client->transport = NULL;
    client->broken = code;
    return code;
}

int um_client_fail_answer(umem_client *client, const struct um_answer *answer)
{
    struct um_failure *failure = &client->failure;
    char name[UM_FAILURE_NAME_SIZE];

    note_name(failure, answer->code);
    /* A newer daemon may have errors that this library does not list. */
    if (um_json_to_text(um_json_member(answer->data, "name"), name, sizeof name))
        memcpy(failure->name, name, sizeof name);
    if (!um_json_to_text(answer->message, failure->message, sizeof failure->message))
        snprintf(failure->message, sizeof failure->message, "%s", umem_error_text(answer->code));
    if (answer->data.text != NULL && answer->data.size < sizeof failure->data) {
        memcpy(failure->data, answer->data.text, answer->data.size);
        failure->data[answer->data.size] = '\0';
    }
    return answer->code;
}

bool umem_error_integer(const umem_client *client, const char *member, int64_t *value)
{
    const struct umem_failure *failure = umem_last_error(client);
    struct um_json_slice data = um_json_slice_of(failure->data, strlen(failure->data));
    struct um_json_slice found = um_json_member(data, member);

    return found.text != NULL && um_json_to_int64(found, value);
}
