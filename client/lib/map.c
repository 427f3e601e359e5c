/* umem_map() and umem_unmap(): a heap's memory is mapped once for a client, and stays as long as any block of
 * it is in use. */
#include "map.h"

#include <stdlib.h>
#include <string.h>

#include "asks.h"
#include "client.h"
#include "segment.h"

enum { NAME_SIZE = 128 /* bytes for an object's name, its end counted: they have about 40 */ };

/* A heap that is mapped. */
struct um_mapped {
    struct um_mapped *next; /* the client's; within its lock */
    unsigned char *start;
    size_t length;        /* bytes */
    uint64_t uses;        /* umem_map() calls that were not undone */
    char name[NAME_SIZE]; /* the object's, which no other object ever has */
};

void um_mapped_free_all(struct um_mapped *mapped)
{
    while (mapped != NULL) {
        struct um_mapped *next = mapped->next;

        um_segment_unmap(mapped->start, mapped->length);
        free(mapped);
        mapped = next;
    }
}

/* ---- where a block is ---- */

struct place {
    char name[NAME_SIZE];
    uint64_t offset;
    uint64_t size;
};

static const char *read_place(struct um_json_slice result, void *target)
{
    struct place *place = target;

    if (!um_json_to_text(um_json_member(result, "name"), place->name, sizeof place->name))
        return "name";
    if (!um_json_to_uint64(um_json_member(result, "offset"), &place->offset))
        return "offset";
    return um_json_to_uint64(um_json_member(result, "size"), &place->size) ? NULL : "size";
}

static int find_place(umem_client *client, umem_handle block, struct place *place)
{
    struct um_ask ask;

    um_ask_begin(&ask, "block.map");
    um_param_handle(&ask, "block", block);
    um_want_result(&ask, read_place, place);
    return um_client_run(client, &ask);
}

/* ---- what is mapped; within the client's lock ---- */

static struct um_mapped *find_mapped(const umem_client *client, const char *name)
{
    struct um_mapped *mapped = client->mapped;

    while (mapped != NULL && strcmp(mapped->name, name) != 0)
        mapped = mapped->next;
    return mapped;
}

static int get_mapped(umem_client *client, const char *name, struct um_mapped **mapped,
                      struct um_reason *reason)
{
    struct um_mapped *made;
    int code;

    *mapped = find_mapped(client, name);
    if (*mapped != NULL)
        return UMEM_OK;
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    code = um_segment_map(name, &made->start, &made->length, reason);
    if (code != UMEM_OK) {
        free(made);
        return code;
    }
    strcpy(made->name, name);
    made->next = client->mapped;
    client->mapped = made;
    *mapped = made;
    return UMEM_OK;
}

/* Unmaps it where nobody uses it. */
static void settle(umem_client *client, struct um_mapped *mapped)
{
    struct um_mapped **link = &client->mapped;

    if (mapped->uses > 0)
        return;
    while (*link != mapped)
        link = &(*link)->next;
    *link = mapped->next;
    mapped->next = NULL;
    um_mapped_free_all(mapped);
}

static int map_place(umem_client *client, const struct place *place, unsigned char **bytes,
                     struct um_reason *reason)
{
    struct um_mapped *mapped;
    int code = get_mapped(client, place->name, &mapped, reason);

    if (code != UMEM_OK)
        return code;
    if (place->offset > mapped->length || place->size > mapped->length - place->offset) {
        strcpy(reason->text, "the block passes the end of the heap's shared memory, which somebody has cut");
        code = UMEM_E_CORRUPTED;
    } else {
        *bytes = mapped->start + place->offset;
        mapped->uses++;
    }
    settle(client, mapped);
    return code;
}

/* ---- the calls ---- */

int umem_map(umem_client *client, umem_handle block, void **bytes, uint64_t *size)
{
    struct um_reason reason = {""};
    struct place place;
    unsigned char *mapped = NULL;
    int code = find_place(client, block, &place);

    if (code != UMEM_OK)
        return code;
    um_lock_enter(client->lock);
    code = map_place(client, &place, &mapped, &reason);
    um_lock_leave(client->lock);
    if (code != UMEM_OK)
        return um_failure_show_text(client, code, "%s",
                                    reason.text[0] != '\0' ? reason.text : umem_error_text(code));
    *bytes = mapped;
    if (size != NULL)
        *size = place.size;
    return UMEM_OK;
}

int umem_unmap(umem_client *client, void *bytes)
{
    struct um_mapped *mapped;

    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    um_lock_enter(client->lock);
    mapped = client->mapped;
    while (mapped != NULL && (uintptr_t)bytes - (uintptr_t)mapped->start >= mapped->length)
        mapped = mapped->next;
    if (mapped != NULL) {
        mapped->uses--;
        settle(client, mapped);
    }
    um_lock_leave(client->lock);
    if (mapped == NULL)
        return um_failure_show_text(client, UMEM_E_BAD_ARGUMENT, "nothing is mapped at this address");
    return um_failure_show(client, UMEM_OK, NULL);
}

int umem_block_wake(umem_client *client, umem_handle block, uint64_t offset, uint64_t size)
{
    struct um_ask ask;

    um_ask_begin(&ask, "block.wake");
    um_param_handle(&ask, "block", block);
    um_param_size_unless(&ask, "offset", offset, 0);
    um_param_size_unless(&ask, "size", size, UMEM_TO_END);
    return um_client_run(client, &ask);
}
