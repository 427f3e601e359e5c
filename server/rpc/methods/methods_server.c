/* server.*: the daemon itself; rpc.discover and $/cancelRequest: the protocol itself. */
#include "rpc/events/pending.h"
#include "rpc/methods/methods.h"
#include "rpc/methods/platform.h"
#include "rpc/schema/openrpc.h"
#include "wire/json_write.h"

static void ping(struct um_call *call, const struct um_args *args)
{
    (void)args;
    um_reply_end(call);
}

const struct um_method um_method_server_ping = {
    .name = "server.ping",
    .summary = "Does nothing and answers.",
    .run = ping,
};

static void info(struct um_call *call, const struct um_args *args)
{
    const struct um_rpc *rpc = call->session->rpc;
    struct um_buf *out;

    (void)args;
    if (!um_call_fits(call, 0, UM_REPORT_COST))
        return;
    um_reply_string(call, "name", "umemd");
    um_reply_string(call, "version", rpc->version);
    um_reply_uint(call, "protocol", 1);
    um_reply_string(call, "platform", um_platform_name());
    um_reply_string(call, "backend", um_platform_backend());
    um_reply_uint(call, "pid", (uint64_t)rpc->pid);
    um_reply_string(call, "pipe", rpc->pipe);
    um_reply_uint(call, "started", (uint64_t)rpc->started);
    um_reply_uint(call, "uptime_seconds", (rpc->now_ms - rpc->started_ms) / 1000);
    out = um_reply_key(call, "limits");
    um_json_begin_object(out);
    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        um_json_put_uint(out, um_limits_entry(i)->name, um_limits_value(rpc->limits, i));
    }
    um_json_end_object(out);
    out = um_reply_key(call, "features");
    um_json_begin_array(out);
    if (rpc->guard)
        um_json_cstring(out, "guard");
    um_json_cstring(out, "headers");
    um_json_cstring(out, "raw");
    um_json_cstring(out, "shared");
    um_json_cstring(out, "wait");
    um_json_cstring(out, "watch");
    if (rpc->wipe)
        um_json_cstring(out, "wipe");
    um_json_end_array(out);
    um_reply_end(call);
}

static const struct um_member info_result[] = {
    {.name = "name", .type = UM_STRING, .doc = "Always \"umemd\"."},
    {.name = "version", .type = UM_STRING, .doc = "The program's version."},
    {.name = "protocol", .type = UM_UINT, .doc = "The protocol's version: 1."},
    {.name = "platform", .type = UM_STRING, .doc = "\"windows\", \"linux\" or another system's name."},
    {.name = "backend", .type = UM_STRING, .doc = "What the heaps are: \"win32\" or \"posix\"."},
    {.name = "pid", .type = UM_UINT, .doc = "The daemon's process id."},
    {.name = "pipe", .type = UM_STRING, .doc = "Where clients connect."},
    {.name = "started", .type = UM_UINT, .unit = "seconds since 1970-01-01 UTC", .doc = "When it started."},
    {.name = "uptime_seconds", .type = UM_UINT, .unit = "seconds", .doc = "How long it has run."},
    {.name = "limits", .type = UM_JSON, .doc = "Each limit by name."},
    {.name = "features",
     .type = UM_WORDS,
     .doc =
         "What can differ between daemons: \"guard\" and \"wipe\" where it was started with these options, "
         "\"headers\", \"raw\", \"shared\", \"wait\", \"watch\"."},
    {.name = NULL},
};

const struct um_method um_method_server_info = {
    .name = "server.info",
    .summary = "Describes the daemon: what it is, where it runs, and its limits.",
    .result = info_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = info,
};

static void stats(struct um_call *call, const struct um_args *args)
{
    const struct um_rpc *rpc = call->session->rpc;
    const struct um_traffic *traffic = rpc->traffic;
    struct um_process_usage process = {0};
    struct um_store_stats usage;
    struct um_buf *out;

    (void)args;
    if (!um_call_fits(call, 0, UM_REPORT_COST))
        return;
    um_store_get_stats(rpc->store, &usage);
    um_reply_uint(call, "heaps", usage.heaps);
    um_reply_uint(call, "blocks", usage.blocks);
    um_reply_uint(call, "bytes", usage.bytes);
    um_reply_uint(call, "peak_bytes", usage.peak_bytes);
    um_reply_uint(call, "orphaned_blocks", usage.orphaned_blocks);
    um_reply_uint(call, "orphaned_bytes", usage.orphaned_bytes);
    um_reply_uint(call, "pinned_bytes", usage.pinned_bytes);
    um_reply_uint(call, "sessions", traffic->sessions);
    um_reply_uint(call, "requests", rpc->requests);
    um_reply_uint(call, "errors", rpc->errors);
    um_reply_uint(call, "bytes_read", traffic->bytes_read);
    um_reply_uint(call, "bytes_written", traffic->bytes_written);
    um_reply_uint(call, "peak_sessions", traffic->peak_sessions);
    um_reply_uint(call, "waits", rpc->waits);
    um_reply_uint(call, "watches", rpc->watches);
    um_reply_uint(call, "holds", usage.holds);
    um_reply_uint(call, "unsent_bytes", traffic->unsent_bytes);
    um_reply_uint(call, "peak_unsent_bytes", traffic->peak_unsent_bytes);
    um_reply_uint(call, "gathered_bytes", traffic->gathered_bytes);
    um_reply_uint(call, "peak_gathered_bytes", traffic->peak_gathered_bytes);
    if (rpc->events.get_process_usage != NULL)
        rpc->events.get_process_usage(rpc->events.context, &process);
    um_reply_uint(call, "cpu_user_us", process.cpu_user_us);
    um_reply_uint(call, "cpu_system_us", process.cpu_system_us);
    um_reply_uint(call, "resident_bytes", process.resident_bytes);
    out = um_reply_key(call, "refusals");
    um_json_begin_object(out);
    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        uint64_t count = rpc->refusals[i] + (i == UM_LIMIT_sessions ? traffic->refused_sessions : 0);

        um_json_put_uint(out, um_limits_entry(i)->name, count);
    }
    um_json_end_object(out);
    um_reply_end(call);
}

static const struct um_member stats_result[] = {
    {.name = "heaps", .type = UM_UINT, .doc = "Heaps, the process heap counted."},
    {.name = "blocks", .type = UM_UINT, .doc = "Blocks."},
    {.name = "bytes", .type = UM_UINT, .unit = "bytes", .doc = "Sizes of all blocks together."},
    {.name = "peak_bytes", .type = UM_UINT, .unit = "bytes", .doc = "Most that bytes has been."},
    {.name = "orphaned_blocks", .type = UM_UINT, .doc = "Blocks without a name that no open session holds."},
    {.name = "orphaned_bytes", .type = UM_UINT, .unit = "bytes", .doc = "Their sizes together."},
    {.name = "pinned_bytes",
     .type = UM_UINT,
     .unit = "bytes",
     .doc = "Of blocks that are gone, from which answers are still sent; they count for the limits as blocks "
            "do."},
    {.name = "sessions", .type = UM_UINT, .doc = "Clients connected."},
    {.name = "requests", .type = UM_UINT, .doc = "Requests since the start, bad ones and this one counted."},
    {.name = "errors", .type = UM_UINT, .doc = "Those that were answered with an error."},
    {.name = "bytes_read",
     .type = UM_UINT,
     .unit = "bytes",
     .doc = "Received from all clients since the start."},
    {.name = "bytes_written",
     .type = UM_UINT,
     .unit = "bytes",
     .doc = "Sent to all clients since the start."},
    {.name = "peak_sessions", .type = UM_UINT, .doc = "Most that sessions has been."},
    {.name = "waits", .type = UM_UINT, .doc = "Calls that wait."},
    {.name = "watches", .type = UM_UINT, .doc = "Watches of all sessions."},
    {.name = "holds", .type = UM_UINT, .doc = "Holds of sessions on blocks that others made."},
    {.name = "unsent_bytes",
     .type = UM_UINT,
     .unit = "bytes",
     .doc = "Memory that answers take which clients have not read yet."},
    {.name = "peak_unsent_bytes", .type = UM_UINT, .unit = "bytes", .doc = "Most that it has been."},
    {.name = "gathered_bytes",
     .type = UM_UINT,
     .unit = "bytes",
     .doc = "Memory that messages and batches' payloads take which are not whole yet or not done yet."},
    {.name = "peak_gathered_bytes", .type = UM_UINT, .unit = "bytes", .doc = "Most that it has been."},
    {.name = "cpu_user_us",
     .type = UM_UINT,
     .unit = "microseconds",
     .doc = "Of processor time that the daemon has taken; 0 where the system does not tell, as for the next "
            "two."},
    {.name = "cpu_system_us",
     .type = UM_UINT,
     .unit = "microseconds",
     .doc = "Likewise, in the system's calls."},
    {.name = "resident_bytes", .type = UM_UINT, .unit = "bytes", .doc = "Of memory that the daemon has now."},
    {.name = "refusals",
     .type = UM_JSON,
     .doc = "Errors since the start that were about a limit, for each limit by name."},
    {.name = NULL},
};

const struct um_method um_method_server_stats = {
    .name = "server.stats",
    .summary = "Counts what the daemon holds and has done.",
    .result = stats_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = stats,
};

/* ---- server.methods ---- */

enum {
    METHODS_AFTER,
    METHODS_LIMIT,
    METHOD_SIZE = 2048 /* bytes that an entry takes at most */
};

static const struct um_param methods_params[] = {UM_PAGE_PARAMS};

static void describe_latency(struct um_buf *out, const struct um_method_stats *stats)
{
    um_json_key(out, "latency");
    um_json_begin_array(out);
    for (size_t i = 0; i <= UM_METER_BOUNDS; i++) {
        um_json_begin_object(out);
        um_json_key(out, "at_most_us");
        if (i < UM_METER_BOUNDS)
            um_json_uint(out, um_meter_bound_us(i));
        else
            um_json_null(out);
        um_json_put_uint(out, "calls", stats->buckets[i]);
        um_json_end_object(out);
    }
    um_json_end_array(out);
}

static void describe_method(struct um_buf *out, const struct um_method *method,
                            const struct um_method_stats *stats)
{
    enum { NS_A_US = 1000 };

    um_json_begin_object(out);
    um_json_put_string(out, "method", method != NULL ? method->name : NULL);
    um_json_put_uint(out, "calls", stats->calls);
    um_json_put_uint(out, "errors", stats->errors);
    um_json_put_uint(out, "waited", stats->waited);
    um_json_put_uint(out, "total_us", stats->ns / NS_A_US);
    um_json_put_uint(out, "longest_us", stats->longest_ns / NS_A_US);
    describe_latency(out, stats);
    um_json_end_object(out);
}

/* The place of the first one from there on that was called; past the last: there is none. */
static uint64_t next_called(const struct um_call_meter *meter, uint64_t place)
{
    while (place <= UM_METHOD_COUNT && meter->methods[place].calls == 0)
        place++;
    return place;
}

static void list_methods(struct um_call *call, const struct um_args *args)
{
    struct um_call_meter *meter = &call->session->rpc->meter;
    uint64_t left = args->value[METHODS_LIMIT].as.uint;
    uint64_t after = args->value[METHODS_AFTER].as.uint;
    uint64_t place;
    bool first = true;
    struct um_buf *out;

    um_meter_begin(meter);
    place = next_called(meter, after);
    if (!um_call_fits(call, 0, UM_LIST_COST))
        return;
    out = um_reply_key(call, "methods");
    um_json_begin_array(out);
    /* The first entry is always written, or the client could not continue. */
    for (; place <= UM_METHOD_COUNT && left != 0 && (first || um_call_may_append(call, METHOD_SIZE));
         left--) {
        describe_method(out, um_table_at((size_t)place), &meter->methods[place]);
        um_call_charge(call, UM_LISTED_COST);
        after = place + 1;
        first = false;
        place = next_called(meter, after);
    }
    um_json_end_array(out);
    if (place <= UM_METHOD_COUNT)
        um_reply_uint(call, "next", after);
    else
        um_reply_null(call, "next");
    um_reply_end(call);
}

static const struct um_member latency_members[] = {
    {.name = "at_most_us",
     .type = UM_UINT,
     .nullable = true,
     .unit = "microseconds",
     .doc = "How long these calls took at most, and longer than the entry before; null: longer than that."},
    {.name = "calls", .type = UM_UINT, .doc = "How many they are."},
    {.name = NULL},
};

static const struct um_member method_members[] = {
    {.name = "method",
     .type = UM_STRING,
     .nullable = true,
     .doc = "The method; null: what was no request, or named no method there is."},
    {.name = "calls",
     .type = UM_UINT,
     .doc = "Calls that were answered, those of batches and notifications counted."},
    {.name = "errors", .type = UM_UINT, .doc = "Of these, how many with an error."},
    {.name = "waited",
     .type = UM_UINT,
     .doc = "Of these, how many waited for a change, a lock, a time, a sync, or bytes of their client; their "
            "time is not "
            "measured."},
    {.name = "total_us",
     .type = UM_UINT,
     .unit = "microseconds",
     .doc = "What all took together that did not wait."},
    {.name = "longest_us", .type = UM_UINT, .unit = "microseconds", .doc = "What the longest of these took."},
    {.name = "latency",
     .type = UM_ARRAY,
     .members = latency_members,
     .doc = "How many of these took how long; the bounds are always the same."},
    {.name = NULL},
};

static const struct um_member methods_result[] = {
    {.name = "methods", .type = UM_ARRAY, .members = method_members, .doc = "Those that were called."},
    {.name = "next", .type = UM_UINT, .nullable = true, .doc = "What to pass as `after`; null at the end."},
    {.name = NULL},
};

const struct um_method um_method_server_methods = {
    .name = "server.methods",
    .summary = "Counts the calls of each method since the start, and how long they took.",
    .detail =
        "Each entry has `method` (null: what was no request, or named no method there is), `calls` that were "
        "answered, those of "
        "batches and notifications counted, the `errors` among them, how many `waited` (for a change, a "
        "lock, a time, a sync, or raw "
        "bytes of their client), and of the others `total_us` and `longest_us`, in microseconds, and "
        "`latency`: a list of "
        "`calls` that took at most `at_most_us`, and longer than those before; null is however long. The "
        "bounds are the "
        "same for all methods: 1, 2, 5, 10 and so on to 10,000,000. "
        "A call's time is what the daemon worked on it: from the moment it began to read the message until "
        "the "
        "answer was written, with other clients' calls between the slices of a long one. The time that the "
        "message has waited in the pipe is not in it, nor that until a durable heap's changes are written, "
        "or until the "
        "client has read the answer. Calls of one method that come together are measured together, at most "
        "16 "
        "of them, "
        "and count with their average.",
    UM_PARAMS(methods_params),
    .result = methods_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = list_methods,
};

/* The names of the settings that were applied, or of those that were not. */
static void write_settings(struct um_buf *out, const struct um_reload *reload, bool is_applied)
{
    um_json_begin_array(out);
    for (size_t i = 0; i < reload->count; i++) {
        if (reload->settings[i].is_applied == is_applied)
            um_json_cstring(out, reload->settings[i].name);
    }
    um_json_end_array(out);
}

static void reload(struct um_call *call, const struct um_args *args)
{
    const struct um_rpc_events *events = &call->session->rpc->events;
    struct um_reload done = {.config = NULL};

    (void)args;
    if (!um_call_fits(call, 0, UM_REPORT_COST))
        return;
    if (events->reload == NULL) {
        um_fail(call, UMEM_E_UNSUPPORTED, "this daemon has no settings to read again");
    } else if (!events->reload(events->context, &done)) {
        um_fail(call, UMEM_E_BAD_SETTINGS, "nothing was changed: %s", done.error);
    } else {
        um_reply_string(call, "config", done.config);
        write_settings(um_reply_key(call, "applied"), &done, true);
        write_settings(um_reply_key(call, "restart"), &done, false);
    }
    um_reply_end(call);
}

static const struct um_member reload_result[] = {
    {.name = "config",
     .type = UM_STRING,
     .nullable = true,
     .doc = "The configuration file; null: there is none."},
    {.name = "applied", .type = UM_WORDS, .doc = "The settings that have new values now."},
    {.name = "restart",
     .type = UM_WORDS,
     .doc = "Settings that have other values than the daemon runs with, which only a restart applies."},
    {.name = NULL},
};

const struct um_method um_method_server_reload = {
    .name = "server.reload",
    .summary = "Reads the daemon's settings again, and applies those that can change while it runs.",
    .detail =
        "The configuration file is read as at the start, with the daemon's own environment and command line, "
        "which count more. Settings that can change are `log-level`, `log-format`, `log-calls`, "
        "`log-sessions`, `slow-ms`, "
        "and "
        "the limits but `message_bytes`, `payload_bytes`, `batch_requests`, `batch_bytes`, `unsent_bytes` "
        "and "
        "`waits`. A limit that is lower than what is in use takes nothing away. With an error in the file "
        "nothing is changed, and `bad_settings` tells the first one. In any case the log file is reopened, "
        "which may have been renamed.",
    .result = reload_result,
    .errors = {UMEM_E_UNSUPPORTED, UMEM_E_BAD_SETTINGS, UMEM_E_LIMIT_EXCEEDED},
    .run = reload,
};

enum { STOP_SUCCESSOR };
enum { WHY_SIZE = 768 };

static void stop(struct um_call *call, const struct um_args *args)
{
    const struct um_rpc_events *events = &call->session->rpc->events;
    const char *successor = args->value[STOP_SUCCESSOR].as.text;
    char why[WHY_SIZE] = "this daemon has no pipe that it could hand over";
    int code = UMEM_OK;

    if (successor != NULL)
        code = events->hand_over != NULL ? events->hand_over(events->context, successor, why, sizeof why)
                                         : UMEM_E_UNSUPPORTED;
    if (code != UMEM_OK)
        um_fail(call, code, "%s", why);
    um_reply_end(call);
    if (code == UMEM_OK && events->shutdown != NULL)
        events->shutdown(events->context);
}

static const struct um_param stop_params[] = {
    {.name = "successor",
     .type = UM_STRING,
     .doc = "Private endpoint of the daemon that this one hands its pipe over to, see above."},
};

const struct um_method um_method_server_shutdown = {
    .name = "server.shutdown",
    .summary = "Ends the daemon in order: answers that are due are sent, then all memory is freed.",
    .detail =
        "Long calls are finished within `closing_ms`, calls that wait are not answered, and requests "
        "that come behind "
        "this one may not be done. "
        "With `successor` the pipe stays: `umemd --replace` calls this, after it has opened a private "
        "endpoint beside the pipe (on POSIX systems a socket, on Windows a pipe). The daemon connects to "
        "that endpoint, hands its pipe over, and answers; clients that connect from then on are the "
        "successor's. A session that has had no answer yet gets its first one within `closing_ms`. When all "
        "memory "
        "is freed, the daemon closes its connection to the endpoint. A daemon that a service manager has "
        "started "
        "is `unsupported`.",
    UM_PARAMS(stop_params),
    .errors = {UMEM_E_UNSUPPORTED, UMEM_E_DENIED},
    .run = stop,
};

/* ---- the protocol ---- */

/* Bytes that the document takes at most. */
enum { DOCUMENT_SIZE = 128 * 1024 };

/* The document's members, which never change: written when they are first wanted. NULL: no memory. */
static const struct um_buf *document_of(struct um_rpc *rpc)
{
    struct um_buf *document = &rpc->document;

    if (document->data != NULL)
        return document;
    um_buf_init(document, DOCUMENT_SIZE);
    um_json_begin_object(document);
    um_openrpc_write_members(document, rpc->version);
    if (!document->failed)
        return document;
    um_buf_deinit(document);
    return NULL;
}

static void discover(struct um_call *call, const struct um_args *args)
{
    struct um_rpc *rpc = call->session->rpc;
    const struct um_buf *document;

    (void)args;
    if (!um_call_fits(call, DOCUMENT_SIZE, UM_DISCOVER_COST))
        return;
    document = document_of(rpc);
    /* Without the brace before them, which stands in the answer already. */
    if (document != NULL)
        um_buf_append(um_reply(call), document->data + 1, document->size - 1);
    else
        um_openrpc_write_members(um_reply(call), rpc->version);
    um_reply_end(call);
}

static const struct um_member discover_result[] = {
    {.name = "openrpc", .type = UM_STRING, .doc = "The version of OpenRPC."},
    {.name = "info", .type = UM_JSON, .doc = "Title and version."},
    {.name = "methods", .type = UM_JSON, .doc = "What this reference says, for programs."},
    {.name = "x-notifications", .type = UM_JSON, .doc = "What the daemon sends by itself, in the same form."},
    {.name = NULL},
};

const struct um_method um_method_rpc_discover = {
    .name = "rpc.discover",
    .summary = "Describes all methods, as an OpenRPC document.",
    .result = discover_result,
    .errors = {UMEM_E_TOO_LARGE, UMEM_E_LIMIT_EXCEEDED},
    .run = discover,
};

static const struct um_param cancel_params[] = {
    {.name = "id",
     .type = UM_ID,
     .required = true,
     .doc = "The id of the waiting request, written as it was there."},
};

static void cancel(struct um_call *call, const struct um_args *args)
{
    (void)um_pending_cancel(call->session, &args->value[0].as.id);
    um_reply_end(call);
}

const struct um_method um_method_rpc_cancel = {
    .name = "$/cancelRequest",
    .summary = "Cancels a waiting call of this session: it is answered with `cancelled`.",
    .detail = "Where no call with that id waits, perhaps because it has just been answered, nothing happens. "
              "It is mostly "
              "sent as a notification, as the Language Server Protocol has it.",
    UM_PARAMS(cancel_params),
    .run = cancel,
};
