/* Lists of heaps, blocks, sessions and methods. They come in pages: one is asked for after the other, and kept while its elements are visited. */
#include <stdio.h>
#include <string.h>

#include "lib/connection/client.h"
#include "lib/request/requests.h"
#include "wire/json_value.h"

struct list {
    const char *method; /* "block.list" */
    const char *member; /* the result's array: "blocks" */
    /* Adds parameters beside "after"; NULL: none. */
    void (*add)(void *context, struct um_request *request);
    /* Visits an element; it may use the client. Sets *bad_member (static) where the element is not what it should be. What it
     * returns, if not 0, ends the list. */
    int (*visit)(void *context, const struct um_json *element, const char **bad_member);
    void *context; /* handed to both */
    bool is_heard; /* the program has a visitor */
};

/* Asks for the page after `after` (0: the first). */
static int fetch(umem_client *client, const struct list *list, uint64_t after, char **page)
{
    struct um_request request;

    um_request_page(&request, list->method, after, page);
    if (list->add != NULL)
        list->add(list->context, &request);
    if (!list->is_heard)
        um_request_refuse(&request, "the visitor is missing");
    return um_client_call(client, &request);
}

/* After a wrong answer the connection is of no use any more. */
static int fail(umem_client *client, const char *member)
{
    char text[128];

    snprintf(text, sizeof text, "the daemon's answer has no proper member \"%s\"", member);
    um_mutex_lock(client->lock);
    um_client_break(client, UMEM_E_BAD_ANSWER, text);
    um_mutex_unlock(client->lock);
    return um_failure_set_text(client, UMEM_E_BAD_ANSWER, "%s", text);
}

static int visit_all(umem_client *client, const struct list *list, const struct um_json *array)
{
    for (const struct um_json *element = array->child; element != NULL; element = element->next) {
        const char *bad_member = NULL;
        int code = list->visit(list->context, element, &bad_member);

        if (bad_member != NULL)
            return fail(client, bad_member);
        if (code != 0)
            return code;
    }
    return UMEM_OK;
}

/* Visits one page. *next is where the next page begins, 0: that was all. */
static int visit_page(umem_client *client, const struct list *list, const struct um_json *page,
                      uint64_t *next)
{
    const struct um_json *array = um_json_member_of(page, list->member);
    const struct um_json *more = um_json_member_of(page, "next");
    uint64_t before = *next;

    *next = 0;
    if (!um_json_is(array, UM_JSON_ARRAY))
        return fail(client, list->member);
    /* The same page again would never end. */
    if (more != NULL && more->kind != UM_JSON_NULL && (!um_json_to_uint64(more, next) || *next == before))
        return fail(client, "next");
    return visit_all(client, list, array);
}

/* Reads a page, whose text has been checked, and visits it. The page is kept meanwhile, since a visitor may use the client. */
static int read_page(umem_client *client, const struct list *list, char *text, uint64_t *next)
{
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json_check check;
    struct um_json *page;
    int code = um_json_read(text, strlen(text), &arena, &page, &check);

    if (code == UMEM_OK)
        code = visit_page(client, list, page, next);
    else
        code = um_failure_set_text(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the list");
    um_arena_deinit(&arena);
    return code;
}

/* Fetches all pages and visits all elements. Each page has the client's time-out for itself. */
static int visit_list(umem_client *client, const struct list *list)
{
    uint64_t next = 0;
    int code;

    do {
        char *page = NULL;

        code = fetch(client, list, next, &page);
        if (code == UMEM_OK)
            code = read_page(client, list, page, &next);
        umem_free_text(page);
    } while (code == UMEM_OK && next != 0);
    return code;
}

/* ---- block.list ---- */

/* What the caller asked for, as visit_list() hands it on. */
struct block_visit {
    const struct umem_block_filter *filter; /* NULL: all blocks */
    umem_block_visitor *visitor;
    void *context;
};

static void add_filter(void *context, struct um_request *request)
{
    const struct umem_block_filter *filter = ((const struct block_visit *)context)->filter;

    if (filter == NULL)
        return;
    um_param_heap_or_default(request, "heap", filter->heap);
    um_param_size_unless(request, "session", filter->session, 0);
    if (filter->orphaned_only)
        um_param_true(request, "orphaned");
}

static int visit_block(void *context, const struct um_json *element, const char **bad_member)
{
    const struct block_visit *visit = context;
    struct umem_block_info info;

    *bad_member = um_info_read_block(element, &info);
    return *bad_member == NULL ? visit->visitor(&info, visit->context) : UMEM_OK;
}

int umem_block_list(umem_client *client, const struct umem_block_filter *filter, umem_block_visitor *visitor,
                    void *context)
{
    struct block_visit visit = {filter, visitor, context};
    struct list list = {.method = "block.list",
                        .member = "blocks",
                        .add = add_filter,
                        .visit = visit_block,
                        .context = &visit,
                        .is_heard = visitor != NULL};

    return visit_list(client, &list);
}

/* ---- heap.list ---- */

/* What the caller wants to be called with, as visit_list() hands it on. */
struct heap_visit {
    umem_heap_visitor *visitor;
    void *context;
};

static int visit_heap(void *context, const struct um_json *element, const char **bad_member)
{
    const struct heap_visit *visit = context;
    struct umem_heap_info info;

    *bad_member = um_info_read_heap(element, &info);
    return *bad_member == NULL ? visit->visitor(&info, visit->context) : UMEM_OK;
}

int umem_heap_list(umem_client *client, umem_heap_visitor *visitor, void *context)
{
    struct heap_visit visit = {visitor, context};
    struct list list = {.method = "heap.list",
                        .member = "heaps",
                        .visit = visit_heap,
                        .context = &visit,
                        .is_heard = visitor != NULL};

    return visit_list(client, &list);
}

/* ---- session.list ---- */

/* What the caller wants to be called with, as visit_list() hands it on. */
struct session_visit {
    umem_session_visitor *visitor;
    void *context;
};

static int visit_session(void *context, const struct um_json *element, const char **bad_member)
{
    const struct session_visit *visit = context;
    struct umem_session_info info;

    *bad_member = um_info_read_session(element, &info);
    return *bad_member == NULL ? visit->visitor(&info, visit->context) : UMEM_OK;
}

int umem_session_list(umem_client *client, umem_session_visitor *visitor, void *context)
{
    struct session_visit visit = {visitor, context};
    struct list list = {.method = "session.list",
                        .member = "sessions",
                        .visit = visit_session,
                        .context = &visit,
                        .is_heard = visitor != NULL};

    return visit_list(client, &list);
}

/* ---- server.methods ---- */

/* What the caller wants to be called with, as visit_list() hands it on. */
struct method_visit {
    umem_method_visitor *visitor;
    void *context;
};

static int visit_method(void *context, const struct um_json *element, const char **bad_member)
{
    const struct method_visit *visit = context;
    struct umem_method_stats stats;

    *bad_member = um_info_read_method(element, &stats);
    return *bad_member == NULL ? visit->visitor(&stats, visit->context) : UMEM_OK;
}

int umem_server_methods(umem_client *client, umem_method_visitor *visitor, void *context)
{
    struct method_visit visit = {visitor, context};
    struct list list = {.method = "server.methods",
                        .member = "methods",
                        .visit = visit_method,
                        .context = &visit,
                        .is_heard = visitor != NULL};

    return visit_list(client, &list);
}
