#include "list.h"

#include "request.h"

/* Asks for the page after `after` (0: the first). */
static int fetch(umem_client *client, const struct um_list *list, uint64_t after)
{
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, list->method);
    if (list->write != NULL)
        list->write(list->context, out);
    if (after != 0) {
        um_json_key(out, "after");
        um_json_uint(out, after);
    }
    return um_request_end(client);
}

static int visit_all(umem_client *client, const struct um_list *list, struct um_json_slice array)
{
    struct um_json_walk walk = um_json_walk_into(array);
    struct um_json_slice element;

    while (um_json_next_element(&walk, &element)) {
        const char *bad_member = NULL;
        int code = list->visit(list->context, element, &bad_member);

        if (bad_member != NULL)
            return um_request_bad_result(client, bad_member);
        if (code != 0)
            return code;
    }
    return UMEM_OK;
}

/* Visits one page, which the visitors' own calls must not overwrite. *next is what to ask for then, 0: that was all. */
static int run_page(umem_client *client, const struct um_list *list, uint64_t *next)
{
    struct um_json_slice result = client->answer.result;
    struct um_json_slice array = um_json_member(result, list->member);
    struct um_json_slice more = um_json_member(result, "next");
    uint64_t before = *next;
    struct um_buf page;
    int code;

    *next = 0;
    if (!um_json_is_array(array))
        return um_request_bad_result(client, list->member);
    /* The same page again would never end. */
    if (more.text != NULL && !um_json_is_null(more) && (!um_json_to_uint64(more, next) || *next == before))
        return um_request_bad_result(client, "next");
    code = um_request_take_answer(client, &page);
    if (code != UMEM_OK)
        return code;
    code = visit_all(client, list, array);
    um_buf_deinit(&page);
    return code;
}

int um_list_run(umem_client *client, const struct um_list *list)
{
    uint64_t next = 0;
    int code;

    do {
        code = fetch(client, list, next);
        if (code == UMEM_OK)
            code = run_page(client, list, &next);
    } while (code == UMEM_OK && next != 0);
    return code;
}
