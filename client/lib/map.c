/* A heap's memory is mapped once for a client, and stays as long as any block of it is in use. */
#include "map.h"

#include <stdlib.h>
#include <string.h>

#include "segment.h"
#include "umem_errors.h"

struct um_mapped {
    struct um_mapped *next;
    unsigned char *start;
    size_t length;                  /* bytes */
    uint64_t uses;                  /* that were not ended */
    char name[UM_OBJECT_NAME_SIZE]; /* the object's, which no other object ever has */
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

/* Finds a heap in the list, or maps it and adds it. */
static int get_mapped(struct um_mapped **list, const char *name, struct um_mapped **mapped,
                      struct um_reason *reason)
{
    struct um_mapped *made;
    int code;

    *mapped = *list;
    while (*mapped != NULL && strcmp((*mapped)->name, name) != 0)
        *mapped = (*mapped)->next;
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
    made->next = *list;
    *list = made;
    *mapped = made;
    return UMEM_OK;
}

/* Unmaps it where nobody uses it. */
static void settle(struct um_mapped **list, struct um_mapped *mapped)
{
    if (mapped->uses > 0)
        return;
    while (*list != mapped)
        list = &(*list)->next;
    *list = mapped->next;
    mapped->next = NULL;
    um_mapped_free_all(mapped);
}

int um_mapped_map(struct um_mapped **list, const struct um_place *place, void **bytes,
                  struct um_reason *reason)
{
    struct um_mapped *mapped;
    int code = get_mapped(list, place->name, &mapped, reason);

    if (code != UMEM_OK)
        return code;
    if (place->offset > mapped->length || place->size > mapped->length - place->offset) {
        strcpy(reason->text, "the block passes the end of the heap's shared memory, which somebody has cut");
        code = UMEM_E_CORRUPTED;
    } else {
        *bytes = mapped->start + place->offset;
        mapped->uses++;
    }
    settle(list, mapped);
    return code;
}

int um_mapped_unmap(struct um_mapped **list, const void *bytes)
{
    struct um_mapped *mapped = *list;

    while (mapped != NULL && (uintptr_t)bytes - (uintptr_t)mapped->start >= mapped->length)
        mapped = mapped->next;
    if (mapped == NULL)
        return UMEM_E_BAD_ARGUMENT;
    mapped->uses--;
    settle(list, mapped);
    return UMEM_OK;
}
