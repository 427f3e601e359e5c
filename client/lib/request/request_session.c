/* session.* and server.*, and what has neither parameters nor results of C's. */
#include "lib/request/info.h"
#include "lib/request/requests.h"

void um_request_text(struct um_request *request, const char *method, char **result)
{
    um_request_begin(request, method);
    um_output_text(request, result);
}

void um_request_plain(struct um_request *request, const char *method)
{
    um_request_begin(request, method);
}

void um_request_page(struct um_request *request, const char *method, uint64_t after, char **page)
{
    um_request_text(request, method, page);
    um_param_size_unless(request, "after", after, 0);
}

void um_request_server_stats(struct um_request *request, struct umem_server_stats *stats)
{
    um_request_begin(request, "server.stats");
    um_output_result(request, um_info_read_stats, stats);
}

void um_request_session_info(struct um_request *request, struct umem_session_info *info)
{
    um_request_begin(request, "session.info");
    um_output_result(request, um_info_read_session, info);
}

static void check_number(struct um_request *request, const char *what, uint64_t number)
{
    if (number == 0)
        um_request_refuse(request, "%s: 0 is none", what);
    else
        um_param_size(request, what, number);
}

void um_request_session_close(struct um_request *request, uint64_t session)
{
    um_request_begin(request, "session.close");
    check_number(request, "session", session);
}

void um_request_session_unwatch(struct um_request *request, uint64_t watch)
{
    um_request_begin(request, "session.unwatch");
    check_number(request, "watch", watch);
}

static const char *read_watch(struct um_json_slice result, void *target)
{
    struct um_event_watch *watch = target;

    if (!um_json_to_uint64(um_json_member(result, "watch"), &watch->id))
        return "watch";
    um_event_queue_add_watch(watch->events, watch);
    return NULL;
}

void um_request_session_watch(struct um_request *request, const struct umem_watch_target *target,
                              struct um_event_watch *watch, uint64_t *id)
{
    static const struct umem_watch_target everything = {.heap = 0};

    if (target == NULL)
        target = &everything;
    um_request_begin(request, "session.watch");
    if (target->heap != 0)
        um_param_handle(request, "heap", target->heap);
    if (target->block != 0)
        um_param_handle(request, "block", target->block);
    um_param_size_unless(request, "offset", target->offset, 0);
    if (target->size != 0)
        um_param_size_unless(request, "size", target->size, UMEM_TO_END);
    um_output_uint(request, "watch", id);
    um_output_result(request, read_watch, watch);
}
