/* server.info as C has it: one piece of memory with all its texts. */
#include <stdlib.h>
#include <string.h>

#include "lib/api/server_info.h"

static uint64_t uint_or_zero(struct um_json_slice object, const char *name)
{
    uint64_t value;

    return um_json_to_uint64(um_json_member(object, name), &value) ? value : 0;
}

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

struct umem_server_info *um_server_info_new(struct um_json_slice result)
{
    size_t limits_size = count_elements(um_json_member(result, "limits")) * sizeof(struct umem_limit);
    size_t features_size = count_elements(um_json_member(result, "features")) * sizeof(char *);
    struct info_store *store = calloc(1, sizeof *store + limits_size + features_size + result.size);

    if (store == NULL)
        return NULL;
    store->limits = (struct umem_limit *)(void *)(store + 1);
    store->features = (const char **)(void *)((char *)(store + 1) + limits_size);
    store->texts = (char *)(store + 1) + limits_size + features_size;
    keep_members(store, result);
    return &store->info;
}

void umem_free_server_info(struct umem_server_info *info)
{
    /* The first member of what was allocated. */
    free(info);
}
