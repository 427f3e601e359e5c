/*
 * Two threads, one a direction, so that neither has to wait for the other. They also read what passes
 * through, to know what has been answered.
 *
 * How it ends: where the system can close one direction of a connection, standard input's end is passed on
 * like that, and the daemon closes when it has answered. Where it cannot (Windows), a ping of our own is sent
 * last: when its answer comes, which is not passed on, all other answers have come except those of calls that
 * may wait, and these are counted.
 */
#include "cli/transfer/relay.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/system/clock.h"
#include "cli/system/file_io.h"
#include "cli/system/subprocess.h"
#include "cli/transfer/daemon_transport.h"
#include "cli/transfer/unanswered.h"
#include "lib/connection/transport.h"
#include "wire/endpoint.h"
#include "wire/frame.h"
#include "wire/json_write.h"

enum {
    READ_SIZE = 1 << 18,
    MESSAGE_LIMIT = 1 << 28, /* a longer one is relayed too, but not read */
    MARKER_SIZE = 160,
    FRAMED_SIZE = MARKER_SIZE + 64, /* a marker with its headers, or with what stands before and behind it */
    MESSAGE_SIZE = 128,
    LOOK_EVERY_MS = 10
};

/* One direction. */
struct direction {
    struct um_frame frame;
    void (*on_message)(struct cli_unanswered *, char *, size_t);
    bool is_blind;         /* its messages cannot be separated any more */
    char bytes[READ_SIZE]; /* as they came */
    char copy[READ_SIZE];  /* the same for reading, which may change them */
};

static struct relay {
    struct um_transport *transport;
    struct direction to_daemon;   /* the thread's */
    struct direction from_daemon; /* the main thread's */
    char output[READ_SIZE + FRAMED_SIZE];
    char marker[FRAMED_SIZE]; /* the answer to the last ping, as it comes */
    size_t marker_size;
    size_t marker_matched; /* bytes of it that have come and are kept back */
    uv_mutex_t lock;
    /* Under the lock: */
    struct cli_unanswered unanswered;
    bool has_marker;  /* the ping was sent */
    bool marker_seen; /* and answered */
    bool input_ended; /* standard input is at its end, or could not be read */
    int input_error;  /* libuv's, where standard input could not be read to its end */
} relay;

/* ---- reading what passes through ---- */

static void note_message(struct direction *direction, const struct um_frame_message *message)
{
    uv_mutex_lock(&relay.lock);
    direction->on_message(&relay.unanswered, message->text, message->size);
    uv_mutex_unlock(&relay.lock);
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

static void direction_init(struct direction *direction,
                           void (*on_message)(struct cli_unanswered *, char *, size_t))
{
    um_frame_init(&direction->frame, MESSAGE_LIMIT, UINT64_MAX);
    um_frame_count_brackets(&direction->frame);
    direction->on_message = on_message;
}

/* ---- to the daemon ---- */

static bool send_bytes(const void *bytes, size_t size)
{
    struct um_slice slice = {bytes, size};
    struct um_reason reason;

    return um_transport_write(relay.transport, &slice, 1, UM_NO_DEADLINE, &reason) == UMEM_OK;
}

/* A message with headers was cut: the daemon waits for the missing part, and no other message can be sent. So
 * this waits for the answers that are due, and ends the process while the other thread waits for more. */
static void end_after_answers(void)
{
    size_t left;

    do {
        uv_sleep(LOOK_EVERY_MS);
        uv_mutex_lock(&relay.lock);
        left = cli_unanswered_count(&relay.unanswered);
        uv_mutex_unlock(&relay.lock);
    } while (left != 0);
    _Exit(CLI_OK);
}

/* Writes a message in the framing of those before: in lines if there were none. */
static void frame_message(char out[FRAMED_SIZE], const char *text, bool has_headers, const char *before)
{
    if (has_headers)
        snprintf(out, FRAMED_SIZE, "Content-Length: %zu\r\n\r\n%s", strlen(text), text);
    else
        snprintf(out, FRAMED_SIZE, "%s%s\n", before, text);
}

static void send_marker(void)
{
    const struct um_frame *frame = &relay.to_daemon.frame;
    bool has_headers = frame->kind == UM_FRAME_HEADERS;
    char text[MARKER_SIZE];
    char message[FRAMED_SIZE];

    if (has_headers && !um_frame_is_between(frame)) {
        end_after_answers();
        return;
    }
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":\"umem-call-end-%llx-%llx\",\"method\":\"server.ping\"}",
             (unsigned long long)cli_now_ms(), (unsigned long long)(uintptr_t)text);
    /* A last line without its end counts, so that this one must not be read as its continuation. */
    frame_message(message, text, has_headers, "\n");
    strcpy(strstr(text, "\"method\""), "\"result\":{}}");
    uv_mutex_lock(&relay.lock);
    frame_message(relay.marker, text, has_headers, "");
    relay.marker_size = strlen(relay.marker);
    relay.has_marker = true;
    uv_mutex_unlock(&relay.lock);
    send_bytes(message, strlen(message));
}

/* When all requests are answered, a reader that has gone has read all it needs: then the exit status says how it ended. */
static void ignore_broken_pipe_when_done(void)
{
    bool is_done;

    uv_mutex_lock(&relay.lock);
    is_done = relay.input_ended && cli_unanswered_count(&relay.unanswered) == 0;
    uv_mutex_unlock(&relay.lock);
    if (is_done)
        cli_ignore_broken_pipe();
}

/* The thread. Where sending fails, the daemon has closed, and the other thread sees that too. */
static void relay_input(void *context)
{
    struct direction *direction = &relay.to_daemon;
    long size = cli_read_file(CLI_INPUT, direction->bytes, READ_SIZE);

    (void)context;
    while (size > 0) {
        follow(direction, (size_t)size);
        if (!send_bytes(direction->bytes, (size_t)size))
            return;
        size = cli_read_file(CLI_INPUT, direction->bytes, READ_SIZE);
    }
    uv_mutex_lock(&relay.lock);
    relay.input_error = size < 0 ? (int)size : 0;
    relay.input_ended = true;
    uv_mutex_unlock(&relay.lock);
    ignore_broken_pipe_when_done();
    if (um_transport_end_writing(relay.transport) == UMEM_E_UNSUPPORTED)
        send_marker();
}

/* ---- from the daemon ---- */

/* How much of the marker is still matched by the end of what was, now that its next byte does not fit. */
static size_t fall_back(size_t matched)
{
    for (size_t shorter = matched - 1; shorter != 0; shorter--) {
        if (memcmp(relay.marker, relay.marker + matched - shorter, shorter) == 0)
            return shorter;
    }
    return 0;
}

/* Copies bytes to relay.output without the marker. Returns how many. */
static size_t strip_marker(const char *bytes, size_t size)
{
    size_t matched = relay.marker_matched;
    size_t put = 0;

    for (size_t i = 0; i < size; i++) {
        while (matched != 0 && bytes[i] != relay.marker[matched]) {
            size_t shorter = fall_back(matched);

            memcpy(relay.output + put, relay.marker, matched - shorter);
            put += matched - shorter;
            matched = shorter;
        }
        if (relay.marker_seen || bytes[i] != relay.marker[matched])
            relay.output[put++] = bytes[i];
        else if (++matched == relay.marker_size) {
            relay.marker_seen = true;
            matched = 0;
        }
    }
    relay.marker_matched = matched;
    return put;
}

static int write_output(const struct direction *direction, size_t size)
{
    bool has_marker;

    uv_mutex_lock(&relay.lock);
    has_marker = relay.has_marker && !relay.marker_seen;
    uv_mutex_unlock(&relay.lock);
    if (!has_marker)
        return cli_write_file(CLI_OUTPUT, direction->bytes, size);
    size = strip_marker(direction->bytes, size);
    return cli_write_file(CLI_OUTPUT, relay.output, size);
}

/* Whether all that can come has come, as far as the marker shows. */
static bool is_over(void)
{
    bool over;

    uv_mutex_lock(&relay.lock);
    over = relay.marker_seen && relay.unanswered.waiting == 0;
    uv_mutex_unlock(&relay.lock);
    return over;
}

static int end_status(const struct cli *cli)
{
    char message[MESSAGE_SIZE];
    size_t left;
    int error;

    uv_mutex_lock(&relay.lock);
    left = cli_unanswered_count(&relay.unanswered);
    error = relay.input_error;
    uv_mutex_unlock(&relay.lock);
    if (left != 0) {
        snprintf(message, sizeof message,
                 "the daemon closed the connection, and %zu requests were not answered", left);
        return cli_fail_connection(cli, UMEM_E_CONNECTION_LOST, message);
    }
    return error == 0 ? CLI_OK : cli_fail_file("standard input", "read to its end", error);
}

static int relay_output(const struct cli *cli)
{
    struct direction *direction = &relay.from_daemon;
    struct um_reason reason;
    size_t size;
    int error;

    while (um_transport_read(relay.transport, direction->bytes, READ_SIZE, &size, UM_NO_DEADLINE, &reason) ==
           UMEM_OK) {
        /* Its reader may go when it has read what it needs. */
        follow(direction, size);
        ignore_broken_pipe_when_done();
        error = write_output(direction, size);
        if (error != 0)
            return cli_fail_file("standard output", "written", error);
        if (is_over())
            return end_status(cli);
    }
    error = cli_write_file(CLI_OUTPUT, relay.marker, relay.marker_matched);
    return error == 0 ? end_status(cli) : cli_fail_file("standard output", "written", error);
}

int cli_relay(const struct cli *cli)
{
    struct um_reason reason = {""};
    int code = cli_transport_open(umem_pipe(cli->client), UM_NO_DEADLINE, &relay.transport, &reason);
    int error;

    if (code != UMEM_OK)
        return cli_fail_connecting(cli, code, reason.text);
    direction_init(&relay.to_daemon, cli_unanswered_request);
    direction_init(&relay.from_daemon, cli_unanswered_answer);
    cli_exit_on_broken_pipe();
    error = uv_mutex_init(&relay.lock);
    if (error == 0)
        error = cli_start_thread(relay_input, NULL);
    if (error != 0)
        return cli_fail(CLI_FAILED, "no thread can be started: %s", uv_strerror(error));
    /* The thread may still be reading when this returns: what it uses is freed with the process. */
    return relay_output(cli);
}
