/*
 * The makers of requests: arguments as C has them, checked and written; results as C wants them. call_list.h lists them.
 *
 * Owns: the requests that need more than call_list.h's steps. Must not know: how requests are carried.
 *
 * um_request_NAME(request, ...) begins `request`. The arguments are as umem_client.h says of the call of that name. Where results go must
 * stay until the request is done.
 */
#ifndef UM_REQUESTS_H
#define UM_REQUESTS_H

#include "lib/answer/event_queue.h"
#include "lib/request/call_list.h"
#include "lib/request/info.h"
#include "lib/request/request.h"

#define DECLARE(name, method, parameters, arguments, steps) \
    void um_request_##name(struct um_request *request, UM_BARE parameters);
UM_CALLS(DECLARE)
UM_BLOCKING_CALLS(DECLARE)
#undef DECLARE

#define DECLARE(name, parameters, arguments) \
    void um_request_##name(struct um_request *request, UM_BARE parameters);
UM_MADE_CALLS(DECLARE)
UM_DATA_CALLS(DECLARE)
#undef DECLARE

/* A method without parameters whose result is the text *result. */
void um_request_text(struct um_request *request, const char *method, char **result);

/* The page of a list after `after`; parameters may be added. */
void um_request_page(struct um_request *request, const char *method, uint64_t after, char **page);

/* Any method, whose result, where it is wanted, is text. */
void um_request_call(struct um_request *request, const char *method, const char *params_json,
                     char **result_json);

/* Where a block of a shared heap lies: for um_mapped_heap_use(). */
void um_request_block_map(struct um_request *request, umem_handle block, struct um_block_location *location);

/* The watch is added to its events, which own it then, as soon as the answer has come. */
void um_request_session_watch(struct um_request *request, const struct umem_watch_target *target,
                              struct um_event_watch *watch, uint64_t *id);

void um_request_session_unwatch(struct um_request *request, uint64_t watch);

#endif
