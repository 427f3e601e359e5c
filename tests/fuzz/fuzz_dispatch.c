/*
 * A connection's bytes to an engine with a store of small limits, served as server/net/session.c serves them:
 * whatever comes, the engine stays well and every answer is JSON-RPC. Input: the bytes; the last one also
 * says in how long pieces they come, so that any stream of messages is an input.
 *
 * Blocks "a" and "b" and a heap "h" of a second client's are there from the start, so that a method has
 * something to work on; that client also watches everything, so that what is told to watchers is judged as
 * well.
 */
#include <string.h>

#include "answers.h"
#include "frame.h"
#include "fuzz.h"
#include "rpc.h"

enum {
    MESSAGE_BYTES = 16384,  /* limits: small enough to be reached */
    PAYLOAD_BYTES = 16384,  /* and to be tried often */
    STORE_BYTES = 1 << 18,  /* bytes in all blocks */
    TURN_MS = 3,            /* passes with each message */
    SLICES_LIMIT = 1000000, /* a job that takes more never ends */
    END_MS = 1 << 30        /* later than any deadline that is not for ever */
};

struct client {
    struct um_peer peer;
    struct um_buf sent; /* all that went to it */
    size_t tail_at;     /* where in peer.out the tail belongs */
    bool has_tail;
    bool is_over; /* session.close was called for it */
};

struct world {
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_frame frame;
    struct client client; /* who sends the input */
    struct client other;
    uint64_t now_ms;
};

/* ---- sending ---- */

static void note_tail(struct client *client)
{
    if (client->peer.tail.bytes == NULL || client->has_tail)
        return;
    client->has_tail = true;
    client->tail_at = client->peer.out.size;
}

static void append(struct client *client, const void *bytes, size_t size)
{
    FUZZ_CHECK(size == 0 || um_buf_append(&client->sent, bytes, size));
}

static void send_out(struct client *client)
{
    struct um_peer *peer = &client->peer;
    size_t head = client->has_tail ? client->tail_at : peer->out.size;
    FUZZ_CHECK(!peer->broken);
    append(client, peer->out.data, head);
    if (client->has_tail) {
        append(client, peer->tail.bytes, peer->tail.size);
        append(client, peer->out.data + head, peer->out.size - head);
        client->has_tail = false;
        um_peer_tail_sent(peer);
    }
    um_buf_truncate(&peer->out, 0);
}

static void on_flush(struct um_peer *peer)
{
    note_tail(UM_LIST_ITEM(peer, struct client, peer));
}

static void on_close(struct um_peer *peer)
{
    UM_LIST_ITEM(peer, struct client, peer)->is_over = true;
}

static uint64_t on_queued(const struct um_peer *peer)
{
    return peer->out.size;
}

static const struct um_peer_events events = {.flush = on_flush, .close = on_close, .queued = on_queued};

/* ---- serving ---- */

static void tell(struct client *client)
{
    um_peer_notify(&client->peer);
    send_out(client);
}

/* What the loop does between two messages. */
static void turn(struct world *world, uint64_t ms)
{
    world->now_ms += ms;
    um_rpc_set_time(world->rpc, 1000, world->now_ms);
    um_rpc_expire(world->rpc);
    send_out(&world->client);
    for (int slice = 0; um_rpc_work(world->rpc) || world->client.peer.job != NULL; slice++) {
        FUZZ_CHECK(slice < SLICES_LIMIT);
        send_out(&world->client);
    }
    tell(&world->client);
    tell(&world->other);
}

/* Returns whether all of the payload was there. */
static bool take_payload(struct world *world)
{
    struct um_peer *peer = &world->client.peer;
    while (um_peer_payload_left(peer) != 0) {
        size_t room;
        char *space = um_peer_payload_space(peer, &room);
        size_t size = um_frame_take_payload(&world->frame, space, room);
        if (size == 0)
            return false;
        um_peer_payload_received(peer, size);
        note_tail(&world->client);
    }
    return true;
}

/* Serves what has come. Returns whether more may come. */
static bool serve(struct world *world)
{
    struct um_peer *peer = &world->client.peer;
    struct um_frame_message message;
    size_t used;
    while (!world->client.is_over) {
        enum um_frame_event event = um_frame_next(&world->frame, &message);
        peer->framing = world->frame.kind == UM_FRAME_HEADERS ? UM_FRAMING_HEADERS : UM_FRAMING_LINES;
        switch (event) {
        case UM_FRAME_MESSAGE:
            if (peer->framing == UM_FRAMING_HEADERS)
                um_peer_set_content_type(peer, message.content_type);
            used = um_peer_message(peer, message.text, message.size, message.payload_size);
            FUZZ_CHECK(used <= message.size);
            if (used < message.size)
                um_frame_put_back(&world->frame, used);
            note_tail(&world->client);
            break;
        case UM_FRAME_PAYLOAD:
            if (!take_payload(world))
                return true;
            break;
        case UM_FRAME_TOO_LARGE:
            um_peer_refuse(peer, UMEM_E_TOO_LARGE, message.what);
            break;
        case UM_FRAME_BROKEN:
            um_peer_refuse(peer, UMEM_E_PARSE_ERROR, message.what);
            send_out(&world->client);
            return false;
        case UM_FRAME_END:
            return false;
        case UM_FRAME_MORE:
            return true;
        }
        turn(world, TURN_MS);
    }
    return false;
}

static void run_input(struct world *world, struct fuzz_input *input)
{
    size_t step = input->size != 0 ? 1 + (size_t)input->data[input->size - 1] * 4 : 1;
    bool goes_on = true;
    while (goes_on && input->size != 0) {
        size_t piece = step < input->size ? step : input->size;
        char *memory = malloc(piece);
        FUZZ_CHECK(memory != NULL);
        memcpy(memory, input->data, piece);
        FUZZ_CHECK(um_frame_feed(&world->frame, memory, piece) == UMEM_OK);
        goes_on = serve(world);
        FUZZ_CHECK(um_frame_keep(&world->frame) == UMEM_OK);
        free(memory);
        input->data += piece;
        input->size -= piece;
    }
    if (goes_on) {
        um_frame_end(&world->frame);
        FUZZ_CHECK(!serve(world));
    }
    turn(world, END_MS);
}

/* ---- the beginning and the end ---- */

static void open_client(struct world *world, struct client *client)
{
    const struct um_peer_options options = {.events = &events, .pid = 7, .program = "fuzz", .user = "me"};
    um_buf_init(&client->sent, SIZE_MAX / 2);
    FUZZ_CHECK(um_peer_open(world->rpc, &client->peer, &options) == UMEM_OK);
}

static void close_client(struct client *client)
{
    um_peer_close(&client->peer);
}

static void ask(struct client *client, const char *message)
{
    size_t size = strlen(message);
    char *text = malloc(size);
    FUZZ_CHECK(text != NULL);
    memcpy(text, message, size);
    um_peer_message(&client->peer, text, size, 0);
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

static void begin(struct world *world)
{
    const struct um_store_options store = {.bytes_limit = STORE_BYTES,
                                           .blocks_limit = 12,
                                           .heaps_limit = 6,
                                           .shared_heaps_limit = 4,
                                           .seed = 42};
    memset(world, 0, sizeof *world);
    set_limits(&world->limits);
    FUZZ_CHECK(um_store_new(&store, &world->store) == UMEM_OK);
    const struct um_rpc_options options = {.store = world->store,
                                           .limits = &world->limits,
                                           .version = "0.0.0",
                                           .pipe = "nowhere",
                                           .pid = 1,
                                           .started = 1000};
    FUZZ_CHECK(um_rpc_new(&options, &world->rpc) == UMEM_OK);
    um_frame_init(&world->frame, MESSAGE_BYTES, PAYLOAD_BYTES);
    open_client(world, &world->other);
    ask(&world->other, "{\"method\":\"block.alloc\",\"params\":{\"size\":64,\"name\":\"a\"}}");
    ask(&world->other, "{\"method\":\"heap.create\",\"params\":{\"name\":\"h\",\"maximum_size\":100000}}");
    ask(&world->other, "{\"method\":\"block.alloc\",\"params\":{\"size\":16,\"name\":\"b\",\"heap\":\"h\"}}");
    ask(&world->other, "{\"method\":\"session.watch\"}");
    open_client(world, &world->client);
}

static void end(struct world *world)
{
    close_client(&world->client);
    turn(world, 0);
    close_client(&world->other);
    while (um_rpc_work(world->rpc))
        continue;
    um_rpc_free(world->rpc);
    um_store_free(world->store);
    um_frame_deinit(&world->frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    struct fuzz_input input = {data, size};
    begin(&world);
    run_input(&world, &input);
    end(&world);
    check_answers(world.client.sent.data, world.client.sent.size);
    check_answers(world.other.sent.data, world.other.sent.size);
    um_buf_deinit(&world.client.sent);
    um_buf_deinit(&world.other.sent);
    return 0;
}
