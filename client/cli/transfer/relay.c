/*
 * Two threads, one a direction, so that neither has to wait for the other. What goes by is also read, to know
 * what has been answered.
 *
 * How it ends: where the system can close one direction of a connection, standard input's end is passed on
 * like that, and the daemon closes when it has answered. Where it cannot (Windows), a ping of our own goes
 * last: when its answer comes, which is kept back, all are in but those that may wait, and those are counted.
 */
#include "cli/transfer/relay.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/system/file_io.h"
#include "cli/system/subprocess.h"
#include "cli/system/worker.h"
#include "cli/transfer/unanswered.h"
#include "lib/connection/transport.h"
#include "wire/frame.h"
#include "wire/json_write.h"

enum {
    READ_SIZE = 1 << 18,
    MESSAGE_LIMIT = 1 << 28, /* a longer one is passed on too, but not read */
    MARK_ROOM = 160,
    FRAMED_ROOM = MARK_ROOM + 64, /* a mark with its headers, or with what stands before and behind it */
    MESSAGE_ROOM = 128,
    LOOK_EVERY_MS = 10
};

/* One direction. */
struct direction {
    struct um_frame frame;
    void (*note)(struct cli_unanswered *, char *, size_t); /* a message */
    bool is_blind;                                         /* its messages can no longer be told apart */
    char bytes[READ_SIZE];                                 /* as they came */
    char copy[READ_SIZE];                                  /* the same for reading, which may change them */
};

static struct carrier {
    struct um_transport *transport;
    struct direction to_daemon;   /* the thread's */
    struct direction from_daemon; /* the main thread's */
    char output[READ_SIZE + FRAMED_ROOM];
    char mark[FRAMED_ROOM]; /* the answer to the last ping, as it comes */
    size_t mark_size;
    size_t mark_matched; /* bytes of it that have come and are kept back */
    /* Under the lock: */
    struct cli_unanswered pending;
    bool has_mark;     /* the ping was sent */
    bool mark_seen;    /* and answered */
    bool input_ended;  /* standard input is at its end, or could not be read */
    bool input_failed; /* standard input could not be read to its end */
} carrier;

/* ---- reading what goes by ---- */

static void note_message(struct direction *direction, const struct um_frame_message *message)
{
    cli_lock();
    direction->note(&carrier.pending, message->text, message->size);
    cli_unlock();
}

static void read_messages(struct direction *direction)
{
    static const size_t payload_step = 1 << 12;
    struct um_frame_message message;

    for (;;) {
        switch (um_frame_next(&direction->frame, &message)) {
        case UM_FRAME_MESSAGE:
            note_message(direction, &message);
            break;
        case UM_FRAME_TOO_LARGE:
            break;
        case UM_FRAME_PAYLOAD: {
            char scratch[1 << 12];

            if (um_frame_take_payload(&direction->frame, scratch, payload_step) == 0) {
                direction->is_blind = um_frame_keep(&direction->frame) != UMEM_OK;
                return;
            }
            break;
        }
        case UM_FRAME_MORE:
            direction->is_blind = um_frame_keep(&direction->frame) != UMEM_OK;
            return;
        default:
            direction->is_blind = true;
            return;
        }
    }
}

/* Reads `size` new bytes of direction->bytes. */
static void follow(struct direction *direction, size_t size)
{
    uint64_t payload = um_frame_payload_left(&direction->frame);
    size_t passed = payload < size ? (size_t)payload : size;

    if (direction->is_blind)
        return;
    if (passed != 0)
        um_frame_payload_consumed(&direction->frame, passed);
    if (passed == size)
        return;
    memcpy(direction->copy, direction->bytes + passed, size - passed);
    direction->is_blind = um_frame_feed(&direction->frame, direction->copy, size - passed) != UMEM_OK;
    if (!direction->is_blind)
        read_messages(direction);
}

static void direction_init(struct direction *direction, void (*note)(struct cli_unanswered *, char *, size_t))
{
    um_frame_init(&direction->frame, MESSAGE_LIMIT, UINT64_MAX);
    um_frame_count_brackets(&direction->frame);
    direction->note = note;
}

/* ---- to the daemon ---- */

static bool send_bytes(const void *bytes, size_t size)
{
    struct um_slice slice = {bytes, size};
    struct um_reason reason;

    return um_transport_write(carrier.transport, &slice, 1, UM_NO_DEADLINE, &reason) == UMEM_OK;
}

/* A message with headers was cut: the daemon waits for its rest, and nothing more can be said. So this waits
 * for the answers that are due, and ends the process while the other thread waits for more. */
static void end_after_answers(void)
{
    size_t left;

    do {
        cli_pause_ms(LOOK_EVERY_MS);
        cli_lock();
        left = cli_unanswered_count(&carrier.pending);
        cli_unlock();
    } while (left != 0);
    _Exit(CLI_OK);
}

/* Writes a message in the framing of those before: in lines if there were none. */
static void frame_message(char out[FRAMED_ROOM], const char *text, bool has_headers, const char *before)
{
    if (has_headers)
        snprintf(out, FRAMED_ROOM, "Content-Length: %zu\r\n\r\n%s", strlen(text), text);
    else
        snprintf(out, FRAMED_ROOM, "%s%s\n", before, text);
}

static void send_mark(void)
{
    const struct um_frame *frame = &carrier.to_daemon.frame;
    bool has_headers = frame->kind == UM_FRAME_HEADERS;
    char text[MARK_ROOM];
    char message[FRAMED_ROOM];

    if (has_headers && !um_frame_is_between(frame)) {
        end_after_answers();
        return;
    }
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":\"umem-call-end-%llx-%llx\",\"method\":\"server.ping\"}",
             (unsigned long long)um_transport_now_ms(), (unsigned long long)(uintptr_t)text);
    /* A last line without its end counts, so that this one must not be taken for its rest. */
    frame_message(message, text, has_headers, "\n");
    strcpy(strstr(text, "\"method\""), "\"result\":{}}");
    cli_lock();
    frame_message(carrier.mark, text, has_headers, "");
    carrier.mark_size = strlen(carrier.mark);
    carrier.has_mark = true;
    cli_unlock();
    send_bytes(message, strlen(message));
}

/* When all that was asked is answered, a reader that has gone was content: then the exit status tells of the end. */
static void outlast_reader(void)
{
    bool is_done;

    cli_lock();
    is_done = carrier.input_ended && cli_unanswered_count(&carrier.pending) == 0;
    cli_unlock();
    if (is_done)
        cli_ignore_broken_pipe();
}

/* The thread. Where sending fails, the daemon has closed, and the other thread sees that too. */
static void carry_input(void *context)
{
    struct direction *direction = &carrier.to_daemon;
    long size = cli_read_file(CLI_INPUT, direction->bytes, READ_SIZE);

    (void)context;
    while (size > 0) {
        follow(direction, (size_t)size);
        if (!send_bytes(direction->bytes, (size_t)size))
            return;
        size = cli_read_file(CLI_INPUT, direction->bytes, READ_SIZE);
    }
    cli_lock();
    carrier.input_failed = size < 0;
    carrier.input_ended = true;
    cli_unlock();
    outlast_reader();
    if (um_transport_end_writing(carrier.transport) == UMEM_E_UNSUPPORTED)
        send_mark();
}

/* ---- from the daemon ---- */

/* How much of the mark is still matched by the end of what was, now that its next byte does not fit. */
static size_t fall_back(size_t matched)
{
    for (size_t shorter = matched - 1; shorter != 0; shorter--) {
        if (memcmp(carrier.mark, carrier.mark + matched - shorter, shorter) == 0)
            return shorter;
    }
    return 0;
}

/* Copies bytes to carrier.output without the mark. Returns how many. */
static size_t keep_mark_back(const char *bytes, size_t size)
{
    size_t matched = carrier.mark_matched;
    size_t put = 0;

    for (size_t i = 0; i < size; i++) {
        while (matched != 0 && bytes[i] != carrier.mark[matched]) {
            size_t shorter = fall_back(matched);

            memcpy(carrier.output + put, carrier.mark, matched - shorter);
            put += matched - shorter;
            matched = shorter;
        }
        if (carrier.mark_seen || bytes[i] != carrier.mark[matched])
            carrier.output[put++] = bytes[i];
        else if (++matched == carrier.mark_size) {
            carrier.mark_seen = true;
            matched = 0;
        }
    }
    carrier.mark_matched = matched;
    return put;
}

static bool pass_on(const struct direction *direction, size_t size)
{
    bool has_mark;

    cli_lock();
    has_mark = carrier.has_mark && !carrier.mark_seen;
    cli_unlock();
    if (!has_mark)
        return cli_write_file(CLI_OUTPUT, direction->bytes, size);
    size = keep_mark_back(direction->bytes, size);
    return cli_write_file(CLI_OUTPUT, carrier.output, size);
}

/* Whether all that can come has come, as far as the mark tells. */
static bool is_over(void)
{
    bool over;

    cli_lock();
    over = carrier.mark_seen && carrier.pending.waiting == 0;
    cli_unlock();
    return over;
}

static int end_status(const struct cli *cli)
{
    char message[MESSAGE_ROOM];
    size_t left;
    bool input_failed;

    cli_lock();
    left = cli_unanswered_count(&carrier.pending);
    input_failed = carrier.input_failed;
    cli_unlock();
    if (left != 0) {
        snprintf(message, sizeof message,
                 "the daemon closed the connection, and %zu requests were not answered", left);
        return cli_fail_connection(cli, UMEM_E_CONNECTION_LOST, message);
    }
    if (input_failed)
        return cli_fail_file("standard input", "read to its end");
    return CLI_OK;
}

static int carry_output(const struct cli *cli)
{
    struct direction *direction = &carrier.from_daemon;
    struct um_reason reason;
    size_t size;

    while (um_transport_read(carrier.transport, direction->bytes, READ_SIZE, &size, UM_NO_DEADLINE,
                             &reason) == UMEM_OK) {
        /* Its reader may go when it has read what it wants. */
        follow(direction, size);
        outlast_reader();
        if (!pass_on(direction, size))
            return cli_fail_file("standard output", "written");
        if (is_over())
            return end_status(cli);
    }
    if (carrier.mark_matched != 0 && !cli_write_file(CLI_OUTPUT, carrier.mark, carrier.mark_matched))
        return cli_fail_file("standard output", "written");
    return end_status(cli);
}

int cli_relay(const struct cli *cli)
{
    struct um_reason reason = {""};
    int code = um_transport_open(umem_pipe(cli->client), 0, UM_NO_DEADLINE, &carrier.transport, &reason);

    if (code != UMEM_OK)
        return cli_fail_connecting(cli, code, reason.text);
    direction_init(&carrier.to_daemon, cli_unanswered_request);
    direction_init(&carrier.from_daemon, cli_unanswered_answer);
    if (!cli_thread_start(carry_input, NULL))
        return cli_fail(CLI_FAILED, "no thread can be started");
    cli_exit_on_broken_pipe();
    /* The thread may still be reading when this returns: what it uses goes with the process. */
    return carry_output(cli);
}
