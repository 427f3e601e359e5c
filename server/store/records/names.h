/*
 * One namespace: names and the handles of what they name.
 *
 * Owns: the table. A name belongs to what it names, which frees it.
 * Must not know: heaps, blocks, or whether what is named is still alive.
 */
#ifndef UM_STORE_NAMES_H
#define UM_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"

struct um_name {
    struct um_index_node node; /* place in the table */
    uint64_t handle;           /* handle of what it names; set by um_names_insert() */
    bool listed;               /* is in the table */
    size_t size;               /* bytes of text, without its end */
    char text[];               /* as a C string */
};

struct um_names {
    struct um_index index; /* the names, by text */
    uint64_t key[2];       /* of the hash */
};

/* Makes an empty namespace; `seed` is random. Returns false when memory runs out. */
bool um_names_init(struct um_names *names, uint64_t seed);

/* Frees the table, not the names. */
void um_names_deinit(struct um_names *names);

/* Copies a text into a name that is not in the table yet, or returns NULL when memory runs out. */
struct um_name *um_names_new(const struct um_names *names, const char *text);

/* Puts a name into the table. Cannot fail. The text must not be there. */
void um_names_insert(struct um_names *names, struct um_name *name, uint64_t handle);

/* Takes a name out of the table, where it is there; its text stays readable. */
void um_names_remove(struct um_names *names, struct um_name *name);

/* Takes a name out of the table, where it is there, and frees it. NULL is fine. */
void um_names_free(struct um_names *names, struct um_name *name);

/* The name with this text, or NULL; and the one with the text of `name`, whose hash is known. */
struct um_name *um_names_find(const struct um_names *names, const char *text);
struct um_name *um_names_find_same(const struct um_names *names, const struct um_name *name);

#endif
