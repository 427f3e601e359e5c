/*
 * Lists that come in pages.
 *
 * Owns: asking for one page after the other, and the page while its elements are visited. Must not know: what the elements are.
 */
#ifndef UM_PAGED_LIST_H
#define UM_PAGED_LIST_H

#include "lib/connection/client.h"

struct um_paged_list {
    const char *method; /* "block.list" */
    const char *member; /* the result's array: "blocks" */
    /* Adds parameters beside "after"; NULL: none. */
    void (*add)(void *context, struct um_request *request);
    /* Visits an element; it may use the client. Sets *bad_member (static) where the element is not what it should be. What it
     * returns, if not 0, ends the list. */
    int (*visit)(void *context, struct um_json_slice element, const char **bad_member);
    void *context; /* handed to both */
};

/* Fetches all pages and visits all elements. Each page has the client's time-out for itself. */
int um_paged_list_visit(umem_client *client, const struct um_paged_list *list);

#endif
