/* rpc.discover, server.*, and any method by its name. */
#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "request.h"
#include "text.h"

/* Copies the result for the caller. */
static int copy_result(umem_client *client, char **text)
{
    struct um_json_slice result = client->answer.result;
    char *copy = malloc(result.size + 1);

    if (copy == NULL)
        return um_client_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
    memcpy(copy, result.text, result.size + 1);
    *text = copy;
    return UMEM_OK;
}

/* Writes params that the caller has as text. They must be JSON, or what follows them would be read as something else, and lie on
 * one line: line ends stand outside of strings only, so a space does as well. */
static int write_params(umem_client *client, struct um_buf *out, const char *params)
{
    size_t size = strlen(params);
    size_t begin;
    struct um_json_check check;

    um_json_key(out, "params");
    begin = out->size;
    um_json_raw(out, params, size);
    if (out->failed)
        return um_client_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    for (char *at = out->data + begin; at < out->data + out->size; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
    if (!um_json_check(out->data + begin, size, &check))
        return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "the parameters are not JSON: %s, at byte %zu",
                              check.what, check.bad_offset);
    if (check.has_nul)
        return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "the parameters hold \\u0000");
    return UMEM_OK;
}

int umem_call(umem_client *client, const char *method, const char *params_json, char **result_json)
{
    struct um_buf *out;
    size_t size;
    int code = um_client_begin(client);

    if (code != UMEM_OK)
        return code;
    if (method == NULL || um_utf8_check(method, strlen(method)) != strlen(method))
        return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "the method's name is not UTF-8");
    size = strlen(method) + (params_json != NULL ? strlen(params_json) : 0);
    if (size > UM_MESSAGE_MINIMUM - UM_MESSAGE_OVERHEAD)
        code = um_request_learn_limits(client);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin_raw(client, method);
    if (params_json != NULL)
        code = write_params(client, out, params_json);
    if (code == UMEM_OK)
        code = um_request_end_raw(client);
    if (code == UMEM_OK && result_json != NULL)
        code = copy_result(client, result_json);
    return code;
}

void umem_free_text(char *text)
{
    free(text);
}

const char *umem_last_result(const umem_client *client)
{
    return client != NULL && client->answer.result.text != NULL ? client->answer.result.text : "null";
}

int umem_rpc_discover(umem_client *client, char **document_json)
{
    return umem_call(client, "rpc.discover", NULL, document_json);
}

int umem_server_ping(umem_client *client)
{
    return umem_call(client, "server.ping", NULL, NULL);
}

int umem_server_shutdown(umem_client *client)
{
    return umem_call(client, "server.shutdown", NULL, NULL);
}

/* ---- server.stats ---- */

static uint64_t uint_or_zero(struct um_json_slice object, const char *name)
{
    struct um_json_slice member = um_json_member(object, name);
    uint64_t value;

    return member.text != NULL && um_json_to_uint64(member, &value) ? value : 0;
}

int umem_server_stats(umem_client *client, struct umem_server_stats *stats)
{
    int code = umem_call(client, "server.stats", NULL, NULL);
    struct um_json_slice result;

    if (code != UMEM_OK)
        return code;
    result = client->answer.result;
    *stats = (struct umem_server_stats){
        .heaps = uint_or_zero(result, "heaps"),
        .blocks = uint_or_zero(result, "blocks"),
        .bytes = uint_or_zero(result, "bytes"),
        .peak_bytes = uint_or_zero(result, "peak_bytes"),
        .orphaned_blocks = uint_or_zero(result, "orphaned_blocks"),
        .orphaned_bytes = uint_or_zero(result, "orphaned_bytes"),
        .sessions = uint_or_zero(result, "sessions"),
        .requests = uint_or_zero(result, "requests"),
        .errors = uint_or_zero(result, "errors"),
        .bytes_read = uint_or_zero(result, "bytes_read"),
        .bytes_written = uint_or_zero(result, "bytes_written"),
    };
    return UMEM_OK;
}

/* ---- server.info ---- */

/* server.info in one piece of memory: the struct, its arrays, its texts. */
struct info_store {
    struct umem_server_info info;
    struct umem_limit *limits; /* the arrays, as they are filled */
    const char **features;
    char *texts; /* where the next text goes */
};

static size_t count_elements(struct um_json_slice list)
{
    struct um_json_slice key;
    struct um_json_slice value;
    struct um_json_walk walk;
    size_t count = 0;

    if (um_json_is_object(list)) {
        walk = um_json_walk_into(list);
        while (um_json_next_member(&walk, &key, &value))
            count++;
    } else if (um_json_is_array(list)) {
        walk = um_json_walk_into(list);
        while (um_json_next_element(&walk, &value))
            count++;
    }
    return count;
}

/* A text never takes more bytes than its JSON with quotes, so those of the whole result fit into as many as the result has. */
static const char *keep_text(struct info_store *store, struct um_json_slice string)
{
    char *text = store->texts;

    if (string.text == NULL || !um_json_to_text(string, text, string.size))
        return "";
    store->texts += strlen(text) + 1;
    return text;
}

static void keep_limits(struct info_store *store, struct um_json_slice limits)
{
    struct um_json_slice key;
    struct um_json_slice value;
    struct um_json_walk walk;

    if (!um_json_is_object(limits))
        return;
    walk = um_json_walk_into(limits);
    while (um_json_next_member(&walk, &key, &value)) {
        struct um_json_slice quoted = {key.text - 1, key.size + 2};
        struct umem_limit limit = {.name = keep_text(store, quoted)};

        if (um_json_to_uint64(value, &limit.value))
            store->limits[store->info.limit_count++] = limit;
    }
}

static void keep_features(struct info_store *store, struct um_json_slice features)
{
    struct um_json_slice value;
    struct um_json_walk walk;

    if (!um_json_is_array(features))
        return;
    walk = um_json_walk_into(features);
    while (um_json_next_element(&walk, &value)) {
        if (um_json_is_string(value))
            store->features[store->info.feature_count++] = keep_text(store, value);
    }
}

static void keep_members(struct info_store *store, struct um_json_slice result)
{
    struct umem_server_info *info = &store->info;

    info->name = keep_text(store, um_json_member(result, "name"));
    info->version = keep_text(store, um_json_member(result, "version"));
    info->platform = keep_text(store, um_json_member(result, "platform"));
    info->backend = keep_text(store, um_json_member(result, "backend"));
    info->pipe = keep_text(store, um_json_member(result, "pipe"));
    info->protocol = uint_or_zero(result, "protocol");
    info->pid = (int64_t)uint_or_zero(result, "pid");
    info->started = (int64_t)uint_or_zero(result, "started");
    info->uptime_seconds = uint_or_zero(result, "uptime_seconds");
    info->limits = store->limits;
    info->features = store->features;
    keep_limits(store, um_json_member(result, "limits"));
    keep_features(store, um_json_member(result, "features"));
}

int umem_server_info(umem_client *client, struct umem_server_info **info)
{
    int code = umem_call(client, "server.info", NULL, NULL);
    struct um_json_slice result;
    struct info_store *store;
    size_t limits_size;
    size_t features_size;

    if (code != UMEM_OK)
        return code;
    result = client->answer.result;
    limits_size = count_elements(um_json_member(result, "limits")) * sizeof(struct umem_limit);
    features_size = count_elements(um_json_member(result, "features")) * sizeof(char *);
    store = calloc(1, sizeof *store + limits_size + features_size + result.size);
    if (store == NULL)
        return um_client_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
    store->limits = (struct umem_limit *)(void *)(store + 1);
    store->features = (const char **)(void *)((char *)(store + 1) + limits_size);
    store->texts = (char *)(store + 1) + limits_size + features_size;
    keep_members(store, result);
    *info = &store->info;
    return UMEM_OK;
}

void umem_free_server_info(struct umem_server_info *info)
{
    /* The first member of what was allocated. */
    free(info);
}
