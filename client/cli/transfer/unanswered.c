#include "cli/transfer/unanswered.h"

#include <stdlib.h>
#include <string.h>

#include "base/umem_errors.h"
#include "wire/json_read.h"
#include "wire/json_value.h"

enum { CAPACITY_FIRST = 64, CAPACITY_LIMIT = 1 << 20 };

/* What a message says of itself. */
struct seen {
    const struct um_json *id;
    const struct um_json *method;
    bool is_error;
    bool is_odd; /* it names something twice: then nobody knows which one counts */
};

static void note(const struct um_json **place, const struct um_json *value, struct seen *seen)
{
    seen->is_odd = seen->is_odd || *place != NULL;
    *place = value;
}

/* Reads a message that is an object. */
static bool look(struct cli_unanswered *pending, char *text, size_t size, struct seen *seen)
{
    struct um_json_check check;
    struct um_json *message;

    *seen = (struct seen){.is_error = false};
    um_arena_reset(&pending->arena);
    if (um_json_split(text, size, &pending->arena, &message, &check) != UMEM_OK ||
        !um_json_is(message, UM_JSON_OBJECT))
        return false;
    for (const struct um_json *member = message->child; member != NULL; member = member->next) {
        if (strcmp(member->key, "id") == 0)
            note(&seen->id, member, seen);
        else if (strcmp(member->key, "method") == 0)
            note(&seen->method, member, seen);
        else if (strcmp(member->key, "error") == 0)
            seen->is_error = true;
    }
    return !seen->is_odd;
}

/* An id that comes back as it was written: *text, with the quotes of a string. */
static bool is_plain(const struct um_json *id, const char **text, size_t *size)
{
    if (id == NULL || id->kind == UM_JSON_NULL)
        return false;
    *text = um_json_text_of(id, size);
    if (*size >= CLI_REQUEST_ID_SIZE)
        return false;
    if (id->kind == UM_JSON_STRING) {
        for (size_t i = 0; i < id->size; i++) {
            if (id->text[i] == '\\' || (unsigned char)id->text[i] >= 0x7f)
                return false;
        }
        return true;
    }
    /* More digits may not be exact. */
    return *size < 16 && strspn(*text, "0123456789") >= *size;
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
    const char *id;
    size_t id_size;

    if (!look(pending, text, size, &seen) || !um_json_is(seen.method, UM_JSON_STRING) ||
        !is_plain(seen.id, &id, &id_size) || !make_room(pending))
        return;
    entry = &pending->entries[pending->first + pending->count++];
    memcpy(entry->id, id, id_size);
    entry->id[id_size] = '\0';
    entry->may_wait = um_json_says(seen.method, "block.wait") || um_json_says(seen.method, "heap.lock");
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
    const char *id;
    size_t id_size;

    if (!look(pending, text, size, &seen) || seen.method != NULL || seen.id == NULL)
        return;
    pending->refused += seen.is_error && seen.id->kind == UM_JSON_NULL;
    id = um_json_text_of(seen.id, &id_size);
    for (size_t i = 0; i < pending->count; i++) {
        const char *known = pending->entries[pending->first + i].id;

        if (strlen(known) == id_size && memcmp(known, id, id_size) == 0) {
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
    um_arena_deinit(&pending->arena);
    *pending = (struct cli_unanswered){.entries = NULL};
}
