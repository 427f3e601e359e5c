/* umem_server_info(): the daemon's description of itself, in one piece of memory. */
#include <stdlib.h>
#include <string.h>

#include "lib/connection/client.h"
#include "lib/request/requests.h"
#include "wire/json_value.h"

static uint64_t uint_or_zero(const struct um_json *object, const char *name)
{
    uint64_t value;

    return um_json_to_uint64(um_json_member_of(object, name), &value) ? value : 0;
}

/* The piece of memory: the struct, its arrays, its texts. */
struct info_store {
    struct umem_server_info info;
    struct umem_limit *limits; /* the arrays, as they are filled */
    const char **features;
    char *texts; /* where the next text goes */
};

static size_t count_elements(const struct um_json *list)
{
    return um_json_is(list, UM_JSON_OBJECT) || um_json_is(list, UM_JSON_ARRAY) ? list->size : 0;
}

/* A text never takes more bytes than its JSON with quotes, so those of the whole result fit into as many as the result has. */
static const char *keep_text(struct info_store *store, const char *text)
{
    size_t size = strlen(text) + 1;
    char *kept = memcpy(store->texts, text, size);

    store->texts += size;
    return kept;
}

static const char *keep_member(struct info_store *store, const struct um_json *result, const char *name)
{
    const struct um_json *member = um_json_member_of(result, name);

    return um_json_is(member, UM_JSON_STRING) ? keep_text(store, member->text) : "";
}

static void keep_limits(struct info_store *store, const struct um_json *limits)
{
    if (!um_json_is(limits, UM_JSON_OBJECT))
        return;
    for (const struct um_json *member = limits->child; member != NULL; member = member->next) {
        struct umem_limit limit = {.name = NULL};

        if (!um_json_to_uint64(member, &limit.value))
            continue;
        limit.name = keep_text(store, member->key);
        store->limits[store->info.limit_count++] = limit;
    }
}

static void keep_features(struct info_store *store, const struct um_json *features)
{
    for (const struct um_json *word = um_json_element_of(features, 0); word != NULL; word = word->next) {
        if (word->kind == UM_JSON_STRING)
            store->features[store->info.feature_count++] = keep_text(store, word->text);
    }
}

static void keep_members(struct info_store *store, const struct um_json *result)
{
    struct umem_server_info *info = &store->info;

    info->name = keep_member(store, result, "name");
    info->version = keep_member(store, result, "version");
    info->platform = keep_member(store, result, "platform");
    info->backend = keep_member(store, result, "backend");
    info->pipe = keep_member(store, result, "pipe");
    info->protocol = uint_or_zero(result, "protocol");
    info->pid = (int64_t)uint_or_zero(result, "pid");
    info->started = (int64_t)uint_or_zero(result, "started");
    info->uptime_seconds = uint_or_zero(result, "uptime_seconds");
    info->limits = store->limits;
    info->features = store->features;
    keep_limits(store, um_json_member_of(result, "limits"));
    keep_features(store, um_json_member_of(result, "features"));
}

/* Makes it of a result whose text has `size` bytes. What is missing is 0 or "". NULL: there is no memory. */
static struct umem_server_info *make_info(const struct um_json *result, size_t size)
{
    size_t limits_size = count_elements(um_json_member_of(result, "limits")) * sizeof(struct umem_limit);
    size_t features_size = count_elements(um_json_member_of(result, "features")) * sizeof(char *);
    struct info_store *store = calloc(1, sizeof *store + limits_size + features_size + size);

    if (store == NULL)
        return NULL;
    store->limits = (struct umem_limit *)(void *)(store + 1);
    store->features = (const char **)(void *)((char *)(store + 1) + limits_size);
    store->texts = (char *)(store + 1) + limits_size + features_size;
    keep_members(store, result);
    return &store->info;
}

int umem_server_info(umem_client *client, struct umem_server_info **info)
{
    struct um_arena arena = {NULL, 0, NULL};
    struct umem_server_info *made = NULL;
    struct um_json_check check;
    struct um_request request;
    struct um_json *result;
    char *text = NULL;
    size_t size;
    int code;

    um_request_text(&request, "server.info", &text);
    code = um_client_call(client, &request);
    if (code != UMEM_OK)
        return code;
    size = strlen(text);
    if (um_json_read(text, size, &arena, &result, &check) == UMEM_OK)
        made = make_info(result, size);
    um_arena_deinit(&arena);
    umem_free_text(text);
    if (made == NULL)
        return um_failure_set_text(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
    if (info != NULL)
        *info = made;
    else
        umem_free_server_info(made);
    return UMEM_OK;
}

void umem_free_server_info(struct umem_server_info *info)
{
    /* The first member of what was allocated. */
    free(info);
}
