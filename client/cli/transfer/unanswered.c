#include "cli/transfer/unanswered.h"

#include <stdlib.h>
#include <string.h>

#include "lib/answer/scan.h"
#include "wire/json_read.h"

enum { CAPACITY_FIRST = 64, CAPACITY_LIMIT = 1 << 20 };

/* What a message says of itself. */
struct seen {
    struct um_json_slice id;
    struct um_json_slice method;
    bool is_error;
    bool is_odd; /* it names something twice: then nobody knows which one counts */
};

static void note(struct um_json_slice *place, struct um_json_slice value, struct seen *seen)
{
    seen->is_odd = seen->is_odd || place->text != NULL;
    *place = value;
}

/* Reads a message that is an object. */
static bool look(char *text, size_t size, struct seen *seen)
{
    struct um_json_check check;
    struct um_json_slice message;
    struct um_json_slice key;
    struct um_json_slice value;
    struct um_json_walk walk;

    *seen = (struct seen){.is_error = false};
    if (!um_json_check(text, size, &check))
        return false;
    message = um_json_slice_of(text, size);
    if (!um_json_is_object(message))
        return false;
    walk = um_json_walk_into(message);
    while (um_json_next_member(&walk, &key, &value)) {
        if (um_json_slice_is(key, "id"))
            note(&seen->id, value, seen);
        else if (um_json_slice_is(key, "method"))
            note(&seen->method, value, seen);
        else if (um_json_slice_is(key, "error"))
            seen->is_error = true;
    }
    return !seen->is_odd;
}

/* An id that comes back as it was written. */
static bool is_plain(struct um_json_slice id)
{
    if (id.text == NULL || id.size >= CLI_REQUEST_ID_SIZE || um_json_is_null(id))
        return false;
    if (um_json_is_string(id)) {
        for (size_t i = 0; i < id.size; i++) {
            if (id.text[i] == '\\' || (unsigned char)id.text[i] >= 0x7f)
                return false;
        }
        return true;
    }
    /* More digits may not be exact. */
    return id.size < 16 && strspn(id.text, "0123456789") == id.size;
}

static bool make_room(struct cli_unanswered *pending)
{
    size_t capacity = pending->capacity != 0 ? 2 * pending->capacity : CAPACITY_FIRST;
    struct cli_unanswered_entry *entries;

    if (pending->first + pending->count < pending->capacity)
        return true;
    if (pending->first != 0) {
        memmove(pending->entries, pending->entries + pending->first,
                pending->count * sizeof *pending->entries);
        pending->first = 0;
        /* Moving pays only where it makes much room. */
        if (pending->count < pending->capacity / 2)
            return true;
    }
    if (capacity > CAPACITY_LIMIT)
        return pending->count < pending->capacity;
    entries = realloc(pending->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return pending->count < pending->capacity;
    pending->entries = entries;
    pending->capacity = capacity;
    return true;
}

void cli_unanswered_request(struct cli_unanswered *pending, char *text, size_t size)
{
    struct cli_unanswered_entry *entry;
    struct seen seen;

    if (!look(text, size, &seen) || !um_json_is_string(seen.method) || !is_plain(seen.id) ||
        !make_room(pending))
        return;
    entry = &pending->entries[pending->first + pending->count++];
    memcpy(entry->id, seen.id.text, seen.id.size);
    entry->id[seen.id.size] = '\0';
    entry->may_wait = um_json_slice_is(um_json_string_inside(seen.method), "block.wait") ||
                      um_json_slice_is(um_json_string_inside(seen.method), "heap.lock");
    pending->waiting += entry->may_wait;
}

/* Takes an entry away; those before it, few as a rule, move up. */
static void take(struct cli_unanswered *pending, size_t at)
{
    struct cli_unanswered_entry *first = &pending->entries[pending->first];

    pending->waiting -= first[at].may_wait;
    memmove(first + 1, first, at * sizeof *first);
    pending->first++;
    pending->count--;
}

void cli_unanswered_answer(struct cli_unanswered *pending, char *text, size_t size)
{
    struct seen seen;

    if (!look(text, size, &seen) || seen.method.text != NULL || seen.id.text == NULL)
        return;
    pending->refused += seen.is_error && um_json_is_null(seen.id);
    for (size_t i = 0; i < pending->count; i++) {
        if (um_json_slice_is(seen.id, pending->entries[pending->first + i].id)) {
            take(pending, i);
            return;
        }
    }
}

size_t cli_unanswered_count(const struct cli_unanswered *pending)
{
    return pending->count > pending->refused ? pending->count - (size_t)pending->refused : 0;
}

void cli_unanswered_deinit(struct cli_unanswered *pending)
{
    free(pending->entries);
    *pending = (struct cli_unanswered){.entries = NULL};
}
