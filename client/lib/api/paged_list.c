#include "lib/api/paged_list.h"

#include <stdio.h>
#include <string.h>

#include "lib/request/requests.h"

/* Asks for the page after `after` (0: the first). */
static int fetch(umem_client *client, const struct um_paged_list *list, uint64_t after, char **page)
{
    struct um_request request;

    um_request_page(&request, list->method, after, page);
    if (list->add != NULL)
        list->add(list->context, &request);
    return um_client_call(client, &request);
}

/* The daemon cannot be believed any more. */
static int fail(umem_client *client, const char *member)
{
    char text[128];

    snprintf(text, sizeof text, "the daemon's answer has no proper member \"%s\"", member);
    um_mutex_lock(client->lock);
    um_client_break(client, UMEM_E_BAD_ANSWER, text);
    um_mutex_unlock(client->lock);
    return um_failure_set_text(client, UMEM_E_BAD_ANSWER, "%s", text);
}

static int visit_all(umem_client *client, const struct um_paged_list *list, struct um_json_slice array)
{
    struct um_json_walk walk = um_json_walk_into(array);
    struct um_json_slice element;

    while (um_json_next_element(&walk, &element)) {
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
static int visit_page(umem_client *client, const struct um_paged_list *list, const char *page, uint64_t *next)
{
    struct um_json_slice result = um_json_slice_of(page, strlen(page));
    struct um_json_slice array = um_json_member(result, list->member);
    struct um_json_slice more = um_json_member(result, "next");
    uint64_t before = *next;

    *next = 0;
    if (!um_json_is_array(array))
        return fail(client, list->member);
    /* The same page again would never end. */
    if (more.text != NULL && !um_json_is_null(more) && (!um_json_to_uint64(more, next) || *next == before))
        return fail(client, "next");
    return visit_all(client, list, array);
}

int um_paged_list_visit(umem_client *client, const struct um_paged_list *list)
{
    uint64_t next = 0;
    int code;

    do {
        char *page = NULL;

        code = fetch(client, list, next, &page);
        if (code == UMEM_OK)
            code = visit_page(client, list, page, &next);
        umem_free_text(page);
    } while (code == UMEM_OK && next != 0);
    return code;
}
