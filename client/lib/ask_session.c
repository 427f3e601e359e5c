/* session.* and server.*, and what has neither parameters nor results of C's. */
#include "asks.h"
#include "info.h"

void um_ask_text(struct um_ask *ask, const char *method, char **result)
{
    um_ask_begin(ask, method);
    um_want_text(ask, result);
}

void um_ask_plain(struct um_ask *ask, const char *method)
{
    um_ask_begin(ask, method);
}

void um_ask_page(struct um_ask *ask, const char *method, uint64_t after, char **page)
{
    um_ask_text(ask, method, page);
    um_param_size_unless(ask, "after", after, 0);
}

void um_ask_server_stats(struct um_ask *ask, struct umem_server_stats *stats)
{
    um_ask_begin(ask, "server.stats");
    um_want_result(ask, um_info_read_stats, stats);
}

void um_ask_session_info(struct um_ask *ask, struct umem_session_info *info)
{
    um_ask_begin(ask, "session.info");
    um_want_result(ask, um_info_read_session, info);
}

static void check_number(struct um_ask *ask, const char *what, uint64_t number)
{
    if (number == 0)
        um_ask_refuse(ask, "%s: 0 is none", what);
    else
        um_param_size(ask, what, number);
}

void um_ask_session_close(struct um_ask *ask, uint64_t session)
{
    um_ask_begin(ask, "session.close");
    check_number(ask, "session", session);
}

void um_ask_session_unwatch(struct um_ask *ask, uint64_t watch)
{
    um_ask_begin(ask, "session.unwatch");
    check_number(ask, "watch", watch);
}

static const char *read_watch(struct um_json_slice result, void *target)
{
    struct um_event_watch *watch = target;

    if (!um_json_to_uint64(um_json_member(result, "watch"), &watch->id))
        return "watch";
    um_events_add(watch->events, watch);
    return NULL;
}

void um_ask_session_watch(struct um_ask *ask, const struct umem_watch_target *target,
                          struct um_event_watch *watch, uint64_t *id)
{
    static const struct umem_watch_target everything = {.heap = 0};

    if (target == NULL)
        target = &everything;
    um_ask_begin(ask, "session.watch");
    if (target->heap != 0)
        um_param_handle(ask, "heap", target->heap);
    if (target->block != 0)
        um_param_handle(ask, "block", target->block);
    um_param_size_unless(ask, "offset", target->offset, 0);
    if (target->size != 0)
        um_param_size_unless(ask, "size", target->size, UMEM_TO_END);
    um_want_uint(ask, "watch", id);
    um_want_result(ask, read_watch, watch);
}
