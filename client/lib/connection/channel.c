#include "lib/connection/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json_write.h"
#include "wire/length_header.h"

enum {
    ARENA_LOW = 1 << 15, /* bytes that are left of the arena when it is used anew */
    HEAD_CAPACITY =
        1024 /* bytes read before raw bytes that go elsewhere: enough for what stands before them */
};

static const uint64_t PAYLOAD_LIMIT = UINT64_C(9007199254740991);

int um_channel_init(struct um_channel *channel, size_t answer_limit)
{
    *channel = (struct um_channel){.space = malloc(UM_CHANNEL_SPACE)};
    channel->end = &channel->first;
    um_frame_init(&channel->frame, answer_limit, PAYLOAD_LIMIT);
    return channel->space != NULL ? UMEM_OK : UMEM_E_OUT_OF_MEMORY;
}

void um_channel_deinit(struct um_channel *channel)
{
    um_event_queue_clear(&channel->events);
    um_frame_deinit(&channel->frame);
    um_arena_deinit(&channel->arena);
    free(channel->space);
}

void um_channel_reset(struct um_channel *channel)
{
    size_t answer_limit = channel->frame.message_limit;

    um_frame_deinit(&channel->frame);
    um_frame_init(&channel->frame, answer_limit, PAYLOAD_LIMIT);
    channel->withdrawn = 0;
    um_event_queue_clear(&channel->events);
}

/* ---- requests ---- */

void um_channel_add(struct um_channel *channel, struct um_request *request)
{
    if (request->parts == NULL)
        request->id = ++channel->last_id;
    for (struct um_request *part = request->parts; part != NULL; part = part->next)
        part->id = ++channel->last_id;
    request->next = NULL;
    *channel->end = request;
    channel->end = &request->next;
}

UM_ALWAYS_INLINE void unlink_request(struct um_channel *channel, struct um_request *request)
{
    struct um_request **link = &channel->first;

    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
    if (channel->end == &request->next)
        channel->end = link;
}

UM_ALWAYS_INLINE void finish(struct um_channel *channel, struct um_request *request)
{
    um_request_finish(request);
    channel->on_done(channel, request);
}

bool um_channel_withdraw(struct um_channel *channel, struct um_request *request, bool was_sent)
{
    if (channel->receiving == request)
        return false;
    unlink_request(channel, request);
    channel->withdrawn += was_sent;
    return true;
}

bool um_channel_take_back(struct um_channel *channel, struct um_request *first)
{
    struct um_request **link = &channel->first;

    while (*link != NULL && *link != first)
        link = &(*link)->next;
    if (*link == NULL)
        return false;
    *link = NULL;
    channel->end = link;
    return true;
}

void um_channel_fail_all(struct um_channel *channel, int code, const char *text)
{
    struct um_request *request = channel->receiving;

    channel->receiving = NULL;
    channel->filling = NULL;
    while (request != NULL || channel->first != NULL) {
        if (request == NULL) {
            request = channel->first;
            unlink_request(channel, request);
        }
        um_request_fail(request, code, text);
        finish(channel, request);
        request = NULL;
    }
}

/* ---- messages to send: headers, then JSON; raw bytes follow from where they lie ---- */

/* Headers go before a text whose length is not known yet: a gap is kept, and what is left of it closed. */
enum { HEADERS_SIZE = 80 };

static void write_headers(struct um_buf *out, size_t start, uint64_t payload_size)
{
    static const char content[] = "Content-Length: ";
    static const char payload[] = "Payload-Length: ";
    size_t text_size = out->size - start - HEADERS_SIZE;
    char *end = um_length_header_put(out->data + start, content, sizeof content - 1, text_size);

    if (payload_size != 0)
        end = um_length_header_put(end, payload, sizeof payload - 1, payload_size);
    memcpy(end, "\r\n", 2);
    end += 2;
    memmove(end, out->data + start + HEADERS_SIZE, text_size);
    out->size = (size_t)(end - out->data) + text_size;
}

/* Keeps a gap for the headers. */
UM_ALWAYS_INLINE size_t begin_message(struct um_buf *out)
{
    static const char space[HEADERS_SIZE] = {0};
    size_t start = out->size;

    um_buf_append(out, space, HEADERS_SIZE - 1);
    /* What stands before decides whether a comma is due. */
    um_buf_append_byte(out, '\n');
    return start;
}

void um_channel_write(const struct um_request *request, struct um_buf *out, uint64_t *payload_size)
{
    size_t start = begin_message(out);
    uint64_t sum = request->payload_size;

    if (request->parts == NULL) {
        um_request_write(request, out);
    } else {
        um_json_begin_array(out);
        for (const struct um_request *part = request->parts; part != NULL; part = part->next) {
            if (part != request->parts)
                um_buf_append_byte(out, ',');
            um_request_write(part, out);
            sum += part->payload_size;
        }
        um_json_end_array(out);
    }
    if (out->failed)
        return;
    write_headers(out, start, sum);
    *payload_size = sum;
}

void um_channel_write_notification(const struct um_request *request, struct um_buf *out)
{
    size_t start = begin_message(out);

    um_request_write(request, out);
    if (!out->failed)
        write_headers(out, start, 0);
}

/* ---- answers ---- */

/* A sentence about what is wrong. */
static int bad(char *why, size_t why_size, const char *what)
{
    snprintf(why, why_size, "the daemon's answer is no answer: %s", what);
    return UMEM_E_BAD_ANSWER;
}

static int no_memory(char *why, size_t why_size)
{
    snprintf(why, why_size, "there is no memory for the answer");
    return UMEM_E_OUT_OF_MEMORY;
}

static int bad_part(char *why, size_t why_size, const char *wrong, const char *member)
{
    if (wrong != NULL)
        return bad(why, why_size, wrong);
    if (member == NULL)
        return UMEM_OK;
    snprintf(why, why_size, "the daemon's answer has no proper member \"%s\"", member);
    return UMEM_E_BAD_ANSWER;
}

static bool has_part(const struct um_request *request, uint64_t id)
{
    for (const struct um_request *part = request->parts; part != NULL; part = part->next) {
        if (part->id == id)
            return true;
    }
    return false;
}

/* The request that a message with this id answers. An error without id is about the oldest that cannot be waiting: answers come in
 * order. */
UM_ALWAYS_INLINE struct um_request *find_request(const struct um_channel *channel,
                                                 const struct um_answer *answer, bool is_batch)
{
    struct um_request *request = channel->first;
    uint64_t id = answer->id;

    if (!is_batch && answer->is_about_any) {
        while (request != NULL && request->waits && request->next != NULL)
            request = request->next;
        return request;
    }
    while (request != NULL && (id == 0 || (is_batch ? !has_part(request, id) : request->id != id)))
        request = request->next;
    return request;
}

/* Begins to take the raw bytes of an answer, if there are any; else it is done. */
UM_ALWAYS_INLINE void receive(struct um_channel *channel, struct um_request *request, uint64_t payload_size)
{
    unlink_request(channel, request);
    if (payload_size == 0) {
        finish(channel, request);
        return;
    }
    channel->receiving = request;
    channel->filling = request->parts != NULL ? request->parts : request;
}

/* The answer to a request that was withdrawn is discarded, with its raw bytes. */
static int discard_answer(struct um_channel *channel, char *why, size_t why_size)
{
    if (channel->withdrawn == 0)
        return bad(why, why_size, "it answers a request that was not sent");
    channel->withdrawn--;
    return UMEM_OK;
}

static int take_single(struct um_channel *channel, const struct um_json *json, uint64_t payload_size,
                       char *why, size_t why_size)
{
    struct um_answer answer;
    const char *wrong = um_answer_take(json, &channel->arena, &answer);
    const char *member;
    struct um_request *request;

    if (wrong != NULL)
        return bad(why, why_size, wrong);
    if (answer.kind == UM_ANSWER_NOTIFICATION) {
        if (payload_size != 0)
            return bad(why, why_size, "raw bytes follow a notification");
        um_event_queue_push(&channel->events, &answer);
        return UMEM_OK;
    }
    request = find_request(channel, &answer, false);
    if (request == NULL)
        return discard_answer(channel, why, why_size);
    if (request->parts != NULL) {
        /* The batch as a whole was refused. */
        for (struct um_request *part = request->parts; part != NULL; part = part->next)
            um_request_answer(part, &answer, 0, &member);
    }
    wrong = um_request_answer(request, &answer, payload_size, &member);
    if (wrong != NULL || member != NULL)
        return bad_part(why, why_size, wrong, member);
    receive(channel, request, payload_size);
    return UMEM_OK;
}

/* Takes one part's answer; *raw grows by the raw bytes that it has of the batch's payload. */
static int take_part(struct um_request *request, const struct um_answer *answer, uint64_t *raw, char *why,
                     size_t why_size)
{
    struct um_request *part = request->parts;
    const char *member;
    const char *wrong;

    while (part != NULL && part->id != answer->id)
        part = part->next;
    if (part == NULL || part->into_done != 0)
        return bad(why, why_size, "a batch's answer has an element that was not asked for");
    part->into_done = 1;
    wrong = um_request_answer(part, answer, UM_RAW_SIZE_TOLD, &member);
    if (part->has_raw_answer && answer->kind == UM_ANSWER_RESULT)
        *raw += part->into_size;
    return bad_part(why, why_size, wrong, member);
}

static int take_batch(struct um_channel *channel, const struct um_json *json, uint64_t payload_size,
                      char *why, size_t why_size)
{
    struct um_request *request = NULL;
    uint64_t raw = 0;

    for (const struct um_json *element = json->child; element != NULL; element = element->next) {
        struct um_answer answer;
        const char *wrong;
        size_t size;
        char *text = um_json_text_of(element, &size);
        int code = um_answer_read(text, size, &channel->arena, &answer, &wrong);

        if (code != UMEM_OK)
            return code == UMEM_E_OUT_OF_MEMORY ? no_memory(why, why_size) : bad(why, why_size, wrong);
        if (request == NULL) {
            request = find_request(channel, &answer, true);
            if (request == NULL)
                return discard_answer(channel, why, why_size);
        }
        code = take_part(request, &answer, &raw, why, why_size);
        if (code != UMEM_OK)
            return code;
    }
    if (request == NULL)
        return bad(why, why_size, "it is an empty batch");
    for (struct um_request *part = request->parts; part != NULL; part = part->next) {
        if (part->into_done == 0)
            return bad(why, why_size, "it leaves a request of the batch without an answer");
        part->into_done = 0;
    }
    if (raw != payload_size)
        return bad(why, why_size, "it brings more or fewer raw bytes than were asked for");
    receive(channel, request, payload_size);
    return UMEM_OK;
}

static int take_message(struct um_channel *channel, const struct um_frame_message *message, char *why,
                        size_t why_size)
{
    struct um_json *json;
    const char *wrong;
    int code;

    /* Most messages need a few hundred bytes of it. */
    if (channel->arena.left < ARENA_LOW)
        um_arena_reset(&channel->arena);
    code = um_answer_split(message->text, message->size, &channel->arena, &json, &wrong);
    if (code != UMEM_OK)
        return code == UMEM_E_OUT_OF_MEMORY ? no_memory(why, why_size) : bad(why, why_size, wrong);
    if (json->kind == UM_JSON_ARRAY)
        return take_batch(channel, json, message->payload_size, why, why_size);
    return take_single(channel, json, message->payload_size, why, why_size);
}

/* ---- raw bytes ---- */

/* The part whose raw bytes are next; NULL: they go nowhere. */
UM_ALWAYS_INLINE struct um_request *filling(struct um_channel *channel)
{
    struct um_request *request = channel->filling;

    if (channel->receiving == NULL || channel->receiving->discards_raw)
        return NULL;
    while (request != NULL &&
           (!request->has_raw_answer || request->code != UMEM_OK || request->into_done == request->into_size))
        request = channel->receiving->parts != NULL ? request->next : NULL;
    channel->filling = request;
    return request;
}

UM_ALWAYS_INLINE void filled(struct um_channel *channel, size_t size)
{
    if (channel->filling != NULL)
        channel->filling->into_done += size;
}

/* Moves raw bytes that came together with what is before them. */
static void move_payload(struct um_channel *channel)
{
    char nowhere[4096];

    while (um_frame_payload_left(&channel->frame) != 0) {
        struct um_request *request = filling(channel);
        char *space = request != NULL ? (char *)request->into + request->into_done : nowhere;
        size_t capacity = request != NULL ? request->into_size - request->into_done : sizeof nowhere;
        size_t size = um_frame_take_payload(&channel->frame, space, capacity);

        if (size == 0)
            return;
        filled(channel, size);
    }
}

UM_ALWAYS_INLINE void end_payload(struct um_channel *channel)
{
    struct um_request *request = channel->receiving;

    channel->receiving = NULL;
    channel->filling = NULL;
    if (request != NULL)
        finish(channel, request);
}

char *um_channel_space(struct um_channel *channel, size_t *capacity)
{
    uint64_t left = um_frame_payload_left(&channel->frame);
    struct um_request *request = left != 0 ? filling(channel) : NULL;
    const struct um_request *next = channel->first;

    if (request != NULL) {
        *capacity = request->into_size - request->into_done;
        return (char *)request->into + request->into_done;
    }
    *capacity = UM_CHANNEL_SPACE;
    if (left != 0 && left < UM_CHANNEL_SPACE)
        *capacity = (size_t)left;
    else if (left == 0 && next != NULL && next->has_raw_answer && next->into_size > UM_CHANNEL_SPACE)
        *capacity = HEAD_CAPACITY;
    return channel->space;
}

int um_channel_received(struct um_channel *channel, size_t size, char *why, size_t why_size)
{
    struct um_frame *frame = &channel->frame;
    struct um_frame_message message;
    int code = UMEM_OK;

    if (um_frame_payload_left(frame) != 0) {
        um_frame_payload_consumed(frame, size);
        filled(channel, size);
        if (um_frame_payload_left(frame) == 0)
            end_payload(channel);
    } else if (um_frame_feed(frame, channel->space, size) != UMEM_OK) {
        code = UMEM_E_OUT_OF_MEMORY;
    }
    while (code == UMEM_OK) {
        switch (um_frame_next(frame, &message)) {
        case UM_FRAME_MESSAGE:
            code = take_message(channel, &message, why, why_size);
            if (code != UMEM_OK)
                return code;
            break;
        case UM_FRAME_PAYLOAD:
            move_payload(channel);
            if (um_frame_payload_left(frame) != 0)
                return UMEM_OK;
            end_payload(channel);
            break;
        case UM_FRAME_TOO_LARGE:
            snprintf(why, why_size, "the answer is longer than the %zu bytes allowed for one",
                     frame->message_limit);
            return UMEM_E_TOO_LARGE;
        case UM_FRAME_BROKEN:
            return bad(why, why_size, message.what);
        default:
            if (um_frame_keep(frame) != UMEM_OK)
                code = UMEM_E_OUT_OF_MEMORY;
            else
                return UMEM_OK;
        }
    }
    return no_memory(why, why_size);
}
