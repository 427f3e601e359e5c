#include "store/records/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

bool um_names_init(struct um_names *names, uint64_t seed)
{
    names->key[0] = um_hash_mix(seed);
    names->key[1] = um_hash_mix(names->key[0] ^ seed);
    return um_index_init(&names->index);
}

void um_names_deinit(struct um_names *names)
{
    um_index_deinit(&names->index);
}

struct um_name *um_names_new(const struct um_names *names, const char *text)
{
    size_t size = strlen(text);
    struct um_name *name = malloc(sizeof *name + size + 1);
    if (name == NULL)
        return NULL;
    name->node.next = NULL;
    name->node.hash = um_hash_bytes(names->key, text, size);
    name->handle = 0;
    name->listed = false;
    name->size = size;
    memcpy(name->text, text, size + 1);
    return name;
}

void um_names_insert(struct um_names *names, struct um_name *name, uint64_t handle)
{
    name->handle = handle;
    name->listed = true;
    um_index_insert(&names->index, &name->node);
}

void um_names_remove(struct um_names *names, struct um_name *name)
{
    if (!name->listed)
        return;
    um_index_remove(&names->index, &name->node);
    name->listed = false;
}

void um_names_free(struct um_names *names, struct um_name *name)
{
    if (name == NULL)
        return;
    um_names_remove(names, name);
    free(name);
}

static bool has_text(const struct um_index_node *node, const void *key)
{
    const struct um_name *name =
        (const struct um_name *)(const void *)node; /* the node is its first member */
    return strcmp(name->text, key) == 0;
}

struct um_name *um_names_find(const struct um_names *names, const char *text)
{
    uint64_t hash = um_hash_bytes(names->key, text, strlen(text));
    return (struct um_name *)(void *)um_index_find(&names->index, hash, has_text, text);
}

struct um_name *um_names_find_same(const struct um_names *names, const struct um_name *name)
{
    return (struct um_name *)(void *)um_index_find(&names->index, name->node.hash, has_text, name->text);
}
