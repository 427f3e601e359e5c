/* A heap's memory is mapped once for a client, and stays as long as any block of it is in use. */
#include "lib/connection/mapped_heap.h"

#include <stdlib.h>
#include <string.h>

#include "lib/connection/mapped_memory.h"
#include "umem_errors.h"

struct um_mapped_heap {
    struct um_mapped_heap *next;
    unsigned char *start;
    size_t length;                  /* bytes */
    uint64_t uses;                  /* that were not ended */
    char name[UM_OBJECT_NAME_SIZE]; /* the object's, which no other object ever has */
};

void um_mapped_heap_free_all(struct um_mapped_heap *mapped)
{
    while (mapped != NULL) {
        struct um_mapped_heap *next = mapped->next;

        um_mapped_memory_close(mapped->start, mapped->length);
        free(mapped);
        mapped = next;
    }
}

/* Finds a heap in the list, or maps it and adds it. */
static int find_or_map(struct um_mapped_heap **list, const char *name, struct um_mapped_heap **mapped,
                       struct um_reason *reason)
{
    struct um_mapped_heap *made;
    int code;

    *mapped = *list;
    while (*mapped != NULL && strcmp((*mapped)->name, name) != 0)
        *mapped = (*mapped)->next;
    if (*mapped != NULL)
        return UMEM_OK;
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    code = um_mapped_memory_open(name, &made->start, &made->length, reason);
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

/* Unmaps it if it is not in use. */
static void unmap_unused(struct um_mapped_heap **list, struct um_mapped_heap *mapped)
{
    if (mapped->uses > 0)
        return;
    while (*list != mapped)
        list = &(*list)->next;
    *list = mapped->next;
    mapped->next = NULL;
    um_mapped_heap_free_all(mapped);
}

int um_mapped_heap_use(struct um_mapped_heap **list, const struct um_block_location *place, void **bytes,
                       struct um_reason *reason)
{
    struct um_mapped_heap *mapped;
    int code = find_or_map(list, place->name, &mapped, reason);

    if (code != UMEM_OK)
        return code;
    if (place->offset > mapped->length || place->size > mapped->length - place->offset) {
        strcpy(reason->text, "the block passes the end of the heap's shared memory, which somebody has cut");
        code = UMEM_E_CORRUPTED;
    } else {
        *bytes = mapped->start + place->offset;
        mapped->uses++;
    }
    unmap_unused(list, mapped);
    return code;
}

int um_mapped_heap_release(struct um_mapped_heap **list, const void *bytes)
{
    struct um_mapped_heap *mapped = *list;

    while (mapped != NULL && (uintptr_t)bytes - (uintptr_t)mapped->start >= mapped->length)
        mapped = mapped->next;
    if (mapped == NULL)
        return UMEM_E_BAD_ARGUMENT;
    mapped->uses--;
    unmap_unused(list, mapped);
    return UMEM_OK;
}
