/*
 * Framing: bytes that arrive in pieces must give the same messages as bytes that arrive at once, and as a frame that counts
 * all brackets; where the first text of a line ends, the reader of JSON and the count of brackets agree. Input: a seed for the cuts, the limits, then the bytes of a connection.
 */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "umem_errors.h"
#include "wire/frame.h"
#include "wire/json_read.h"

struct run {
    struct um_frame frame;
    struct um_buf log; /* what was given out, in order */
    bool in_pieces;    /* else at once */
    bool counts;       /* the frame counts the brackets of every line */
    uint32_t random;   /* where the cuts are */
};

static uint32_t roll(struct run *run, size_t below)
{
    run->random = run->random * 1664525 + 1013904223;
    return (uint32_t)((run->random >> 8) % below);
}

static void note(struct run *run, char kind, const void *bytes, size_t size)
{
    FUZZ_CHECK(um_buf_append_byte(&run->log, kind));
    FUZZ_CHECK(um_buf_append(&run->log, &size, sizeof size));
    FUZZ_CHECK(size == 0 || um_buf_append(&run->log, bytes, size));
}

/* One by one: however many come at a time, the log is the same. */
static void note_payload(struct run *run, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        note(run, 'p', bytes + i, 1);
}

/* Returns whether the payload is over. */
static bool take_payload(struct run *run)
{
    char space[16];
    while (um_frame_payload_left(&run->frame) != 0) {
        size_t capacity = run->in_pieces ? 1 + roll(run, sizeof space) : sizeof space;
        size_t size = um_frame_take_payload(&run->frame, space, capacity);
        FUZZ_CHECK(size <= capacity);
        note_payload(run, space, size);
        if (size == 0)
            return false;
    }
    return true;
}

/* Reads the first `size` bytes of a text, whose copy is freed by the caller. */
static int read_json(char *copy, size_t size, bool is_first, struct um_json_check *check)
{
    struct um_arena arena = {0};
    struct um_json *json = NULL;
    int code = is_first ? um_json_read_first(copy, size, &arena, &json, check)
                        : um_json_read(copy, size, &arena, &json, check);
    um_arena_deinit(&arena);
    return code;
}

static bool is_same_key(const char *left, const char *right)
{
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

/* Whether two trees are equal, to as many levels as there can be. */
static void check_same_tree(const struct um_json *left, const struct um_json *right)
{
    for (; left != NULL && right != NULL; left = left->next, right = right->next) {
        FUZZ_CHECK(left->kind == right->kind && left->key_size == right->key_size);
        FUZZ_CHECK(is_same_key(left->key, right->key));
        if (left->kind == UM_JSON_NUMBER) {
            FUZZ_CHECK(um_json_number_size(left) == um_json_number_size(right));
            FUZZ_CHECK(memcmp(left->text, right->text, um_json_number_size(left)) == 0);
        } else if (left->kind == UM_JSON_STRING) {
            FUZZ_CHECK(left->size == right->size && left->has_nul == right->has_nul);
            FUZZ_CHECK(memcmp(left->text, right->text, left->size + 1) == 0);
        } else if (left->kind == UM_JSON_ARRAY || left->kind == UM_JSON_OBJECT) {
            FUZZ_CHECK(left->size == right->size);
            check_same_tree(left->child, right->child);
        }
    }
    FUZZ_CHECK(left == right);
}

/* A text that is read in steps is what it is when it is read at once; half read, it may be forgotten. */
static void check_steps(const char *text, size_t size, size_t budget)
{
    struct um_arena arenas[2] = {{0}, {0}};
    struct um_json_check checks[2];
    struct um_json *trees[2] = {NULL, NULL};
    char *copies[2] = {malloc(size + 1), malloc(size + 1)};
    FUZZ_CHECK(copies[0] != NULL && copies[1] != NULL);
    memcpy(copies[0], text, size);
    memcpy(copies[1], text, size);
    int code = um_json_read(copies[0], size, &arenas[0], &trees[0], &checks[0]);
    struct um_json_reader *steps = um_json_reader_new(copies[1], size, &arenas[1], &checks[1]);
    FUZZ_CHECK(steps != NULL);
    struct um_json_end end = {.depth = 0};
    (void)um_json_find_end(&end, copies[1], copies[1] + size);
    um_json_reader_skip(steps, &end.run);
    size_t count = 1;
    while (um_json_reader_step(steps, budget))
        count++;
    FUZZ_CHECK(count <= 2 * (size / budget) + 4);
    FUZZ_CHECK(um_json_reader_end(steps, &trees[1]) == code);
    if (code == UMEM_OK)
        check_same_tree(trees[0], trees[1]);
    else
        FUZZ_CHECK(checks[0].bad_offset == checks[1].bad_offset &&
                   strcmp(checks[0].what, checks[1].what) == 0);
    for (int i = 0; i < 2; i++) {
        um_arena_deinit(&arenas[i]);
        free(copies[i]);
    }
}

/* The reader finds the end of the first text by its brackets, and has the same result for it as for that text alone. */
static void check_reader(const char *text, size_t size, size_t first_size)
{
    struct um_json_check check;
    struct um_json_check alone;
    char *copy = malloc(size);
    char *copy_alone = malloc(first_size);
    FUZZ_CHECK(copy != NULL && copy_alone != NULL);
    memcpy(copy, text, size);
    memcpy(copy_alone, text, first_size);
    check_steps(text, first_size, 1 + first_size % 7);
    check_steps(text, size, 1 + size % 50);
    int code = read_json(copy, size, true, &check);
    FUZZ_CHECK(code == read_json(copy_alone, first_size, false, &alone));
    FUZZ_CHECK(check.size >= first_size && check.size <= size);
    for (size_t i = first_size; i < check.size; i++)
        FUZZ_CHECK(strchr(" \t\r", text[i]) != NULL);
    FUZZ_CHECK(memcmp(copy + check.size, text + check.size, size - check.size) == 0);
    if (code != UMEM_OK) {
        FUZZ_CHECK(check.bad_offset == alone.bad_offset);
        FUZZ_CHECK(check.what == alone.what || strcmp(check.what, alone.what) == 0);
    }
    free(copy);
    free(copy_alone);
}

/* How many bytes of a message its first text has. What stands behind it on the line is put back, as the engine does. */
static size_t read_text(struct run *run, const struct um_frame_message *message)
{
    struct um_json_end brackets = {.depth = 0};
    char *end = message->text + message->size;
    char *found;
    if (run->frame.kind != UM_FRAME_LINES || (*message->text != '{' && *message->text != '['))
        return message->size;
    found = um_json_find_end(&brackets, message->text, end);
    if (found != NULL)
        end = found;
    check_reader(message->text, message->size, (size_t)(end - message->text));
    um_frame_unread(&run->frame, (size_t)(end - message->text));
    return (size_t)(end - message->text);
}

/* Takes all that can be taken. Returns whether more bytes may come. */
static bool take(struct run *run)
{
    struct um_frame_message message;
    for (;;) {
        switch (um_frame_next(&run->frame, &message)) {
        case UM_FRAME_MORE:
            return true;
        case UM_FRAME_MESSAGE:
            FUZZ_CHECK(message.size <= run->frame.message_limit);
            FUZZ_CHECK(message.payload_size <= run->frame.payload_limit);
            message.size = read_text(run, &message);
            note(run, 'm', message.text, message.size);
            note(run, 's', &message.payload_size, sizeof message.payload_size);
            memset(message.text, '!', message.size); /* which its reader may do */
            break;
        case UM_FRAME_PAYLOAD:
            if (!take_payload(run))
                return true;
            break;
        case UM_FRAME_TOO_LARGE:
            note(run, 't', message.what, strlen(message.what));
            break;
        case UM_FRAME_BROKEN:
            note(run, 'b', message.what, strlen(message.what));
            return false;
        case UM_FRAME_END:
            note(run, 'e', NULL, 0);
            return false;
        }
    }
}

/* Passes the next bytes, as a payload's own where there is one and the random choice selects it. Returns how many. */
static size_t give(struct run *run, const uint8_t *bytes, size_t size, bool *goes_on)
{
    size_t piece = run->in_pieces ? 1 + roll(run, size < 40 ? size : 40) : size;
    uint64_t payload = um_frame_payload_left(&run->frame);
    if (run->in_pieces && payload != 0 && roll(run, 2) == 0) {
        if (piece > payload)
            piece = (size_t)payload;
        note_payload(run, (const char *)bytes, piece);
        um_frame_payload_consumed(&run->frame, piece);
        return piece;
    }
    size_t capacity = 0;
    char *space = run->in_pieces && roll(run, 2) == 0 ? um_frame_reserve(&run->frame, 1, &capacity) : NULL;
    char *memory = NULL;
    if (space != NULL) {
        FUZZ_CHECK(capacity != 0);
        piece = piece < capacity ? piece : capacity;
        memcpy(space, bytes, piece);
        um_frame_commit(&run->frame, piece);
    } else {
        memory = malloc(piece);
        FUZZ_CHECK(memory != NULL);
        memcpy(memory, bytes, piece);
        FUZZ_CHECK(um_frame_feed(&run->frame, memory, piece) == 0);
    }
    *goes_on = take(run);
    FUZZ_CHECK(um_frame_keep(&run->frame) == 0);
    if (run->in_pieces && roll(run, 2) == 0)
        um_frame_trim(&run->frame);
    free(memory);
    return piece;
}

static void run_connection(struct run *run, struct fuzz_input input, size_t message_limit,
                           uint64_t payload_limit)
{
    bool goes_on = true;
    um_frame_init(&run->frame, message_limit, payload_limit);
    if (run->counts)
        um_frame_count_brackets(&run->frame);
    um_buf_init(&run->log, SIZE_MAX / 2);
    while (goes_on && input.size != 0) {
        size_t given = give(run, input.data, input.size, &goes_on);
        input.data += given;
        input.size -= given;
    }
    if (goes_on) {
        um_frame_end(&run->frame);
        FUZZ_CHECK(!take(run));
    }
    um_frame_deinit(&run->frame);
}

static void check_same(const struct run *first, const struct run *second)
{
    FUZZ_CHECK(first->log.size == second->log.size);
    FUZZ_CHECK(first->log.size == 0 || memcmp(first->log.data, second->log.data, first->log.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size < UM_FRAME_FEED_LIMIT ? size : UM_FRAME_FEED_LIMIT};
    uint32_t seed = fuzz_byte(&input);
    unsigned limits = fuzz_byte(&input);
    size_t message_limit = limits % 4 == 0 ? 20 : 1024;
    uint64_t payload_limit = limits % 8 < 4 ? 30 : 100000;
    struct run at_once = {.in_pieces = false};
    struct run in_pieces = {.in_pieces = true, .random = seed};
    struct run counting = {.in_pieces = true, .counts = true, .random = seed + 1};
    run_connection(&at_once, input, message_limit, payload_limit);
    run_connection(&in_pieces, input, message_limit, payload_limit);
    run_connection(&counting, input, message_limit, payload_limit);
    check_same(&at_once, &in_pieces);
    check_same(&at_once, &counting);
    um_buf_deinit(&at_once.log);
    um_buf_deinit(&in_pieces.log);
    um_buf_deinit(&counting.log);
    return 0;
}
