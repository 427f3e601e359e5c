/*
 * A connection's bytes to an engine with a store of small limits, served as server/net/connection_serve.c serves them:
 * whatever comes, the engine stays well and every answer is JSON-RPC. Input: the bytes; the last one also
 * selects the length of the pieces, so that any stream of messages is an input.
 *
 * Blocks "a" and "b" and a heap "h" of a second client's are there from the start, so that a method has
 * something to work on; that client also watches everything, so that notifications are judged as
 * well.
 */
#include <string.h>

#include "fuzz.h"
#include "judge_answers.h"
#include "rpc/rpc.h"
#include "wire/frame.h"

enum {
    MESSAGE_BYTES = 16384,  /* limits: small enough to be reached */
    PAYLOAD_BYTES = 16384,  /* and to be tried often */
    STORE_BYTES = 1 << 18,  /* bytes in all blocks */
    TURN_MS = 3,            /* passes with each message */
    SLICES_LIMIT = 1000000, /* a job that takes more never ends */
    END_MS = 1 << 30        /* later than any deadline that is not for ever */
};

struct client {
    struct um_session session;
    struct um_buf sent; /* all that went to it */
    size_t tail_at;     /* where in session.out the tail belongs */
    bool has_tail;
    bool is_over; /* session.close was called for it */
};

struct fixture {
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_frame frame;
    struct client client; /* sends the input */
    struct client other;
    uint64_t now_ms;
};

/* ---- sending ---- */

static void note_tail(struct client *client)
{
    if (client->session.tail.bytes == NULL || client->has_tail)
        return;
    client->has_tail = true;
    client->tail_at = client->session.out.size;
}

static void append(struct client *client, const void *bytes, size_t size)
{
    FUZZ_CHECK(size == 0 || um_buf_append(&client->sent, bytes, size));
}

static void send_out(struct client *client)
{
    struct um_session *session = &client->session;
    size_t head = client->has_tail ? client->tail_at : session->out.size;
    FUZZ_CHECK(!session->broken);
    append(client, session->out.data, head);
    if (client->has_tail) {
        append(client, session->tail.bytes, session->tail.size);
        append(client, session->out.data + head, session->out.size - head);
        client->has_tail = false;
        um_session_tail_sent(session);
    }
    um_buf_truncate(&session->out, 0);
}

static void on_flush(struct um_session *session)
{
    note_tail(UM_LIST_ITEM(session, struct client, session));
}

static void on_close(struct um_session *session)
{
    UM_LIST_ITEM(session, struct client, session)->is_over = true;
}

static const struct um_session_events events = {.flush = on_flush, .close = on_close};

/* ---- serving ---- */

static void drain_output(struct client *client)
{
    um_watch_notify(&client->session);
    send_out(client);
}

/* What the loop does between two messages. */
static void turn(struct fixture *fixture, uint64_t ms)
{
    fixture->now_ms += ms;
    um_rpc_set_time(fixture->rpc, 1000, fixture->now_ms);
    um_rpc_expire(fixture->rpc);
    send_out(&fixture->client);
    for (int slice = 0; um_rpc_work(fixture->rpc) || fixture->client.session.job != NULL; slice++) {
        FUZZ_CHECK(slice < SLICES_LIMIT);
        send_out(&fixture->client);
    }
    drain_output(&fixture->client);
    drain_output(&fixture->other);
}

/* Returns whether all of the payload was there. */
static bool take_payload(struct fixture *fixture)
{
    struct um_session *session = &fixture->client.session;
    while (um_payload_left(session) != 0) {
        size_t capacity;
        char *space = um_payload_reserve(session, &capacity);
        size_t size = um_frame_take_payload(&fixture->frame, space, capacity);
        if (size == 0)
            return false;
        um_payload_commit(session, size);
        note_tail(&fixture->client);
    }
    return true;
}

/* Serves what has come. Returns whether more may come. */
static bool serve(struct fixture *fixture)
{
    struct um_session *session = &fixture->client.session;
    struct um_frame_message message;
    bool has_payload;
    size_t used;
    while (!fixture->client.is_over) {
        enum um_frame_event event = um_frame_next(&fixture->frame, &message);
        session->framing = fixture->frame.kind == UM_FRAME_HEADERS ? UM_FRAMING_HEADERS : UM_FRAMING_LINES;
        switch (event) {
        case UM_FRAME_MESSAGE:
            if (session->framing == UM_FRAMING_HEADERS)
                um_session_set_content_type(session, message.content_type);
            session->payload_here = (const unsigned char *)um_frame_whole_payload(&fixture->frame);
            has_payload = session->payload_here != NULL;
            used = um_dispatch_message(session, message.text, message.size, message.payload_size);
            if (has_payload && session->payload_here == NULL)
                um_frame_skip_payload(&fixture->frame);
            session->payload_here = NULL;
            FUZZ_CHECK(used <= message.size);
            if (used < message.size)
                um_frame_unread(&fixture->frame, used);
            note_tail(&fixture->client);
            break;
        case UM_FRAME_PAYLOAD:
            if (!take_payload(fixture))
                return true;
            break;
        case UM_FRAME_TOO_LARGE:
            um_dispatch_refuse(session, UMEM_E_TOO_LARGE, message.what);
            break;
        case UM_FRAME_BROKEN:
            um_dispatch_refuse(session, UMEM_E_PARSE_ERROR, message.what);
            send_out(&fixture->client);
            return false;
        case UM_FRAME_END:
            return false;
        case UM_FRAME_MORE:
            return true;
        }
        turn(fixture, TURN_MS);
    }
    return false;
}

static void run_input(struct fixture *fixture, struct fuzz_input *input)
{
    size_t step = input->size != 0 ? 1 + (size_t)input->data[input->size - 1] * 4 : 1;
    bool goes_on = true;
    while (goes_on && input->size != 0) {
        size_t piece = step < input->size ? step : input->size;
        char *memory = malloc(piece);
        FUZZ_CHECK(memory != NULL);
        memcpy(memory, input->data, piece);
        FUZZ_CHECK(um_frame_feed(&fixture->frame, memory, piece) == UMEM_OK);
        goes_on = serve(fixture);
        FUZZ_CHECK(um_frame_keep(&fixture->frame) == UMEM_OK);
        free(memory);
        input->data += piece;
        input->size -= piece;
    }
    if (goes_on) {
        um_frame_end(&fixture->frame);
        FUZZ_CHECK(!serve(fixture));
    }
    turn(fixture, END_MS);
}

/* ---- the beginning and the end ---- */

static void open_client(struct fixture *fixture, struct client *client)
{
    const struct um_session_options options = {.events = &events, .pid = 7, .program = "fuzz", .user = "me"};
    um_buf_init(&client->sent, SIZE_MAX / 2);
    FUZZ_CHECK(um_session_open(fixture->rpc, &client->session, &options) == UMEM_OK);
}

static void close_client(struct client *client)
{
    um_session_close(&client->session);
}

static void send_line(struct client *client, const char *message)
{
    size_t size = strlen(message);
    char *text = malloc(size);
    FUZZ_CHECK(text != NULL);
    memcpy(text, message, size);
    um_dispatch_message(&client->session, text, size, 0);
    free(text);
    send_out(client);
}

static void set_limits(struct um_limits *limits)
{
    um_limits_init(limits);
    limits->message_bytes = MESSAGE_BYTES;
    limits->payload_bytes = PAYLOAD_BYTES;
    limits->batch_requests = 8;
    limits->batch_bytes = 4096;
    limits->bytes = STORE_BYTES;
    limits->unsent_bytes = 4096;
    limits->waits = 4;
    limits->watches = 4;
}

static void begin(struct fixture *fixture)
{
    const struct um_store_options store = {.bytes_limit = STORE_BYTES,
                                           .blocks_limit = 12,
                                           .heaps_limit = 6,
                                           .shared_heaps_limit = 4,
                                           .seed = 42};
    memset(fixture, 0, sizeof *fixture);
    set_limits(&fixture->limits);
    FUZZ_CHECK(um_store_new(&store, &fixture->store) == UMEM_OK);
    const struct um_rpc_options options = {.store = fixture->store,
                                           .limits = &fixture->limits,
                                           .version = "0.0.0",
                                           .pipe = "nowhere",
                                           .pid = 1,
                                           .started = 1000};
    FUZZ_CHECK(um_rpc_new(&options, &fixture->rpc) == UMEM_OK);
    um_frame_init(&fixture->frame, MESSAGE_BYTES, PAYLOAD_BYTES);
    open_client(fixture, &fixture->other);
    send_line(&fixture->other, "{\"method\":\"block.alloc\",\"params\":{\"size\":64,\"name\":\"a\"}}");
    send_line(&fixture->other,
              "{\"method\":\"heap.create\",\"params\":{\"name\":\"h\",\"maximum_size\":100000}}");
    send_line(&fixture->other,
              "{\"method\":\"block.alloc\",\"params\":{\"size\":16,\"name\":\"b\",\"heap\":\"h\"}}");
    send_line(&fixture->other, "{\"method\":\"session.watch\"}");
    open_client(fixture, &fixture->client);
}

static void end(struct fixture *fixture)
{
    close_client(&fixture->client);
    turn(fixture, 0);
    close_client(&fixture->other);
    while (um_rpc_work(fixture->rpc))
        continue;
    um_rpc_free(fixture->rpc);
    um_store_free(fixture->store);
    um_frame_deinit(&fixture->frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture fixture;
    struct fuzz_input input = {data, size};
    begin(&fixture);
    run_input(&fixture, &input);
    end(&fixture);
    check_answers(fixture.client.sent.data, fixture.client.sent.size);
    check_answers(fixture.other.sent.data, fixture.other.sent.size);
    um_buf_deinit(&fixture.client.sent);
    um_buf_deinit(&fixture.other.sent);
    return 0;
}
